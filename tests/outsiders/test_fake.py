"""The fake as other programs meet it: what they do to a URL, and what they ask of the API."""

from __future__ import annotations

import gzip

import aiohttp
import pytest

from gh_artifacts_async import ArtifactsClient
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.raw import REPO


@pytest.mark.github_com("storage")
async def test_row_23_a_url_whose_query_was_reordered() -> None:
    """Storage takes it, as Azure does; with ``byte_exact_urls`` it refuses it."""
    for exact, status in ((False, 200), (True, 403)):
        async with FakeGitHub(byte_exact_urls=exact) as github, aiohttp.ClientSession() as session:
            number = github.add_artifact(github.add_run(REPO), "docs", files={"a.txt": b"a"})
            async with ArtifactsClient("token", base_url=github.base_url) as client:
                signed = await client.get_download_url(REPO, number)
            path, _, query = signed.url.partition("?")
            other = "&".join(reversed(query.split("&")))
            assert other != query
            async with session.get(f"{path}?{other}") as found:
                assert found.status == status


async def test_row_23_json_in_gzip() -> None:
    """The API answers in gzip where that is accepted, and plainly elsewhere."""
    async with (
        FakeGitHub() as github,
        aiohttp.ClientSession(auto_decompress=False, headers={"Authorization": "Bearer token"}) as session,
    ):
        github.add_artifact(github.add_run(REPO), "docs", files={"a.txt": b"a"})
        url = f"{github.base_url}/repos/{REPO}/actions/artifacts"
        async with session.get(url, headers={"Accept-Encoding": "gzip"}) as coded:
            inside = gzip.decompress(await coded.read())
        async with session.get(url, headers={"Accept-Encoding": "identity"}) as plain:
            assert "Content-Encoding" not in plain.headers
            assert inside == await plain.read()
        assert coded.headers["Content-Encoding"] == "gzip"
