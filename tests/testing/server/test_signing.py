"""Signed URLs."""

from __future__ import annotations  # noqa: I001

import asyncio
import re

from urllib.parse import parse_qsl, quote, urlencode

import pytest
from yarl import URL

from gh_artifacts_async.testing import FakeGitHub, FakeRun
from gh_artifacts_async.testing.data.profiles import Kind
from tests.kits.probe import Probe


@pytest.fixture
def artifact(github: FakeGitHub, run: FakeRun) -> int:
    """An artifact of 1,000 bytes."""
    return github.add_artifact(run, "Rails", size=1000)


async def test_signed_urls_end(github: FakeGitHub, probe: Probe, artifact: int) -> None:
    """After ten minutes a URL is 403 with both times; a body that has begun is sent to its end."""
    url = await probe.sign(artifact)
    await asyncio.sleep(590)
    assert (await probe.get(url)).status == 200
    await asyncio.sleep(12)
    got = await probe.get(url)
    assert (got.status, got.headers["x-ms-error-code"]) == (403, "AuthenticationFailed")
    assert b"Signature not valid in the specified time frame: Start [" in got.body
    assert f"Current [{github.clock.http_date()}]".encode() in got.body
    assert (await probe.get(await probe.sign(artifact))).status == 200


@pytest.mark.parametrize("github", [{"url_ttl": 1.0}], indirect=True)
@pytest.mark.parametrize("kind", ["azure", "azure-raw", "v3", "s3"])
async def test_the_life_of_urls_can_be_set(github: FakeGitHub, probe: Probe, run: FakeRun, kind: str) -> None:
    """A URL lives as long as was asked for, whatever its form: rounded up to a second where the form is coarse."""
    artifact = github.add_artifact(run, "x", kind=kind)  # type: ignore[arg-type]
    url = await probe.sign(artifact)
    await asyncio.sleep(0.9)
    assert (await probe.get(url)).status == 200
    await asyncio.sleep(1.2)
    assert (await probe.get(url)).status == 403


def rewritten(url: str) -> dict[str, str]:
    """Return the same URL, its query re-ordered or escaped in other ways."""
    stem, _, query = url.partition("?")
    pairs = query.split("&")
    fields = parse_qsl(query, keep_blank_values=True)
    return {
        "reversed": f"{stem}?{'&'.join(reversed(pairs))}",
        "sorted": f"{stem}?{'&'.join(sorted(pairs, key=str.lower))}",
        "by yarl": str(URL(url)),
        "escaped lightly": f"{stem}?{urlencode(fields, safe='/:', quote_via=quote)}",
        "escaped with lower-case hex": re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), url),
        "path escaped": url.replace("/a", "/%61", 1),
    }


@pytest.mark.parametrize("github", [{}, "ghes-3.8"], indirect=True)
@pytest.mark.parametrize("kind", ["azure", "azure-raw", "v3", "s3"])
@pytest.mark.parametrize("exact", [False, True])
async def test_a_url_that_was_rewritten(
    github: FakeGitHub,
    probe: Probe,
    run: FakeRun,
    kind: Kind,
    exact: bool,  # noqa: FBT001
) -> None:
    """The signature covers the decoded query: order and escapes do not matter, unless byte-exactness is asked for."""
    artifact = github.add_artifact(run, 'a b&"ü"', kind=kind)
    github._signer.byte_exact = exact
    url = await probe.sign(artifact)
    assert (await probe.request("GET", URL(url, encoded=True))).status == 200
    for how, other in rewritten(url).items():
        got = await probe.request("GET", URL(other, encoded=True))
        refused = exact and other != url
        assert got.status == ((401 if kind == "v3" else 403) if refused else 200), how


@pytest.mark.parametrize("github", [{"byte_exact_urls": False}], indirect=True)
async def test_what_a_signature_covers(probe: Probe, artifact: int) -> None:
    """A field that is changed, missing, there twice or unsigned is refused; an unknown one is ignored, as by Azure."""
    url = await probe.sign(artifact)
    assert (await probe.get(url + "&x=1")).status == 200
    assert (await probe.get(url.replace("se=20", "se=30"))).status == 403
    assert (await probe.get(re.sub("&st=[^&]*", "", url))).status == 403
    assert (await probe.get(re.sub("&sig=[^&]*", "", url))).status == 403
    assert (await probe.get(url + "&se=2026-01-01T00%3A00%3A00Z")).status == 403
    assert (await probe.get(url.partition("?")[0])).status == 403
    assert (await probe.get(url.replace("/artifacts/", "/artefacts/"))).status == 404


@pytest.mark.parametrize("github", [{"byte_exact_urls": False}], indirect=True)
async def test_another_artifacts_signature(github: FakeGitHub, probe: Probe, run: FakeRun, artifact: int) -> None:
    """A signature holds for its own path alone; S3's holds for every field."""
    other = github.add_artifact(run, "other", size=1000)
    path, query = (await probe.sign(other)).partition("?")[0], (await probe.sign(artifact)).partition("?")[2]
    assert (await probe.get(f"{path}?{query}")).status == 403
    s3 = github.add_artifact(run, "x", kind="s3")
    assert (await probe.get(await probe.sign(s3) + "&x=1")).status == 403


@pytest.mark.parametrize("github", [{"byte_exact_urls": False}], indirect=True)
async def test_an_expired_url_stays_expired_however_it_is_written(
    github: FakeGitHub, probe: Probe, artifact: int
) -> None:
    """A fault that expires a URL expires all ways of writing it, and no other URL."""
    url = await probe.sign(artifact)
    github.faults.expire_url(artifact)
    assert (await probe.get(url)).status == 403
    for other in rewritten(url).values():
        assert (await probe.request("GET", URL(other, encoded=True))).status == 403
    assert (await probe.fetch(artifact)).status == 200


async def test_two_urls_of_one_moment_differ(probe: Probe, artifact: int) -> None:
    """Each signing gives another URL."""
    assert await probe.sign(artifact) != await probe.sign(artifact)
