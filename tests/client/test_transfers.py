"""The client's methods that transfer: they share what transfers share, and check before they ask."""

from __future__ import annotations

import pytest

from gh_artifacts_async import ArtifactsClient, ClientClosedError, ConfigurationError, MissingTokenError
from tests.kits.transfer import REPO, client_for


@pytest.mark.github_com("digest")
async def test_one_artifact_each_way(github, client, run, tmp_path):
    """As a file, among many, by a plan, as an archive, a member, a merged folder, and compared with a file."""
    artifact = await client.get_artifact(REPO, github.add_artifact(run, "docs", files={"a.txt": b"all is well"}))
    result = await client.download(artifact, tmp_path)
    assert result.path.read_bytes() == github.content(artifact.id)
    async with client.download_many([artifact], tmp_path, layout="name") as outcomes:
        assert [outcome.unwrap().skipped async for outcome in outcomes] == [True]
    (plan,) = await client.plan_downloads([artifact], tmp_path, layout="name")
    assert plan.action == "skip"
    async with client.open_archive(artifact) as archive:
        assert [member.name for member in archive.members] == ["a.txt"]
    assert await client.read_member(artifact, "a.txt") == b"all is well"
    merged = await client.download_merged([artifact], tmp_path / "merged")
    assert [member.name for member in merged.members] == ["a.txt"]
    assert await client.verify(artifact, result.path)


async def test_transfers_share_their_context(github, client, run, tmp_path):
    """The first transfer makes it; a client that only lists has none."""
    artifact = await client.get_artifact(REPO, github.add_artifact(run, "docs"))
    assert client._context is None
    await client.download(artifact, tmp_path)
    context = client._context
    await client.read_member(artifact, next(iter(github.artifact(artifact.id).files or {"log.txt": 0})))
    assert client._context is context


async def test_what_is_wrong_is_said_before_any_request(github, client, run, tmp_path):
    """No token, a closed client, an argument that makes no sense."""
    artifact = await client.get_artifact(REPO, github.add_artifact(run, "docs"))
    github.forget_requests()
    async with ArtifactsClient(base_url=github.base_url) as anonymous:
        for method in (anonymous.download, anonymous.download_many, anonymous.download_merged):
            with pytest.raises(MissingTokenError):
                await method(artifact if method == anonymous.download else [artifact], tmp_path)
    with pytest.raises(ConfigurationError):
        await client.download(artifact, tmp_path, if_exists="perhaps")
    async with client_for(github) as closed:
        pass
    with pytest.raises(ClientClosedError):
        await closed.download(artifact, tmp_path)
    assert github.requests == []
