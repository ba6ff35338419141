"""The wheels of a tag in one folder, ready to be uploaded: what pyca/cryptography's release script did for GitHub.

python collect_wheels.py pyca/cryptography 42.0.0 dist
"""

import asyncio
import sys

from gh_artifacts_async import ArtifactsClient, WorkflowRun


async def run_of(client: ArtifactsClient, repo: str, tag: str) -> WorkflowRun:
    """Return the tag's newest run, which GitHub creates some seconds after the push."""
    while True:
        async for run in client.list_workflow_runs(repo, workflow="wheel-builder.yml", event="push", branch=tag):
            return run
        await asyncio.sleep(5)


async def main(argv: list[str]) -> int:
    """Wait for the run, and merge its artifacts; the folder appears as a whole, or not at all."""
    repo, tag, folder = argv
    async with ArtifactsClient.from_env() as client:
        async with asyncio.timeout(300):
            run = await run_of(client, repo, tag)
        run = await client.wait_for_run(repo, run.id, timeout=3 * 3600)
        if run.conclusion != "success":
            print(f"{run.html_url} ended with {run.conclusion}; nothing was downloaded", file=sys.stderr)
            return 1
        merged = await client.download_merged(client.list_run_artifacts(repo, run.id), folder, if_exists="replace")
    for member in merged.members:
        print(member.path)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
