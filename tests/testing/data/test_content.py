"""What artifacts store."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from gh_artifacts_async.testing import FakeGitHub, FakeRun
from gh_artifacts_async.testing.data.content import content_of
from tests.kits.probe import Probe


async def test_raw_artifacts(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """What was uploaded unzipped keeps its name and type; so do large ones, and odd headers on request."""
    text = github.add_artifact(run, "notes", raw=("notes.txt", b"hello"))
    large = github.add_artifact(run, "disk", raw="disk.unknown-type", size=3_000_000, seed=4)
    bare = github.add_artifact(run, "bare", raw=("x.bin", b"hello"), content_type=None, filename=None)
    url = await probe.sign(text)
    assert not urlsplit(url).path.endswith(".zip")
    got = await probe.get(url)
    assert (got.body, got.headers["Content-Type"]) == (b"hello", "text/plain")
    assert "filename*=UTF-8''notes.txt" in got.headers["Content-Disposition"]
    got = await probe.fetch(large)
    assert (got.body, got.headers["Content-Type"]) == (github.content(large), "application/octet-stream")
    got = await probe.fetch(bare)
    assert got.body == b"hello"
    assert not {"Content-Type", "Content-Disposition"} & set(got.headers)


@pytest.mark.parametrize("github", ["ghes-3.8"], indirect=True)
async def test_v3_with_given_bytes(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """Given zips and generated ones are sent as they are, their size listed as their members' sum."""
    large = github.add_artifact(run, "large", size=5000)
    broken = github.add_artifact(run, "broken", archive=b"no zip")
    for artifact, size in ((large, 5000 - 118), (broken, 6)):
        assert github.artifact(artifact).size_in_bytes == size
        assert (await probe.fetch(artifact)).body == github.content(artifact)


async def test_odd_artifacts(github: FakeGitHub, run: FakeRun) -> None:
    """What the listing says may differ from what is stored."""
    plain = github.artifact(github.add_artifact(run, "x", archive=b"PK\5\6" + bytes(18)))
    assert (plain.size_in_bytes, plain.digest is not None) == (22, True)
    liar = github.artifact(github.add_artifact(run, "x", size_in_bytes=5, digest="sha256:00"))
    assert (liar.size_in_bytes, liar.digest) == (5, "sha256:00")


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"files": {}, "archive": b""}, "files and archive"),
        ({"archive": b"", "size": 200}, "archive and size"),
        ({"raw": ("x", b""), "size": 200}, "raw and size"),
    ],
)
def test_one_content(given: dict[str, Any], names: str) -> None:
    """An artifact has one content: what is given besides is refused, not forgotten."""
    with pytest.raises(ValueError, match=f"artifact 'Rails' has {names}; give one of them"):
        content_of("Rails", **given)
