"""The demo's repository and faults."""

from __future__ import annotations

import pytest

from gh_artifacts_async import ArtifactsClient
from gh_artifacts_async.cli import demo_data


@pytest.mark.parametrize("artifacts", [1, 25])
async def test_a_repository_of_any_size(github, artifacts):
    """So many artifacts, each with a name of its own, the newest first and none in the future."""
    demo_data.fill(github, artifacts)
    async with ArtifactsClient("token", base_url=github.base_url) as client:
        found = [artifact async for artifact in client.list_artifacts(demo_data.REPO)]
    assert len({artifact.name for artifact in found}) == artifacts
    created = [artifact.created_at for artifact in found]
    assert created == sorted(created, reverse=True)
    assert created[0] <= github.clock.now()


@pytest.mark.github_com("digest")
async def test_two_faults(github, tmp_path):
    """The largest breaks in the middle, the next one's URL expires; both arrive."""
    demo_data.fill(github, 12)
    async with ArtifactsClient("token", base_url=github.base_url) as client:
        found = [artifact async for artifact in client.list_artifacts(demo_data.REPO)]
        demo_data.script_faults(github, found)
        largest, second = sorted(found, key=lambda artifact: artifact.size_in_bytes, reverse=True)[:2]
        before = len(github.requests_to("storage"))
        for artifact in (largest, second):
            assert (await client.download(artifact, tmp_path)).verified == "digest"
    assert len(github.requests_to("storage")) - before > 2
