"""Answers that are lost on the way."""

from gh_artifacts_async import ArtifactsClient
from gh_artifacts_async.testing import ChaosProxy, FakeGitHub


async def test_a_delete_whose_answer_is_lost_is_done():
    """GitHub deletes, and the connection ends before it says so: the 404 of the second try means that it is done."""
    async with FakeGitHub() as github, ChaosProxy(github.base_url) as proxy:
        artifact_id = github.add_artifact(github.add_run("octo-org/octo-docs"), "Rails")
        proxy.cut(after=0, times=1)
        async with ArtifactsClient("token", base_url=proxy.url) as client:
            await client.delete_artifact("octo-org/octo-docs", artifact_id)
        assert [record.status for record in github.requests_to("api")] == [204, 404]
