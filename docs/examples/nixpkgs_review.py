"""What a commit of a pull request makes Nix rebuild: nixpkgs-review's question, answered with the SDK.

python nixpkgs_review.py NixOS/nixpkgs COMMIT
"""

import asyncio
import json
import sys

from gh_artifacts_async import ArtifactQuery, ArtifactsClient, NotFoundError


async def rebuilds(client: ArtifactsClient, repo: str, sha: str) -> dict[str, list[str]]:
    """Return the packages by platform, as the workflow "Eval" found them; it runs for forks, and may not have ended."""
    query = ArtifactQuery(head_sha=sha, workflow="Eval", names="comparison", conclusion=None, allow_forks=True)
    content = await client.read_latest(repo, query, "changed-paths.json")
    by_platform: dict[str, list[str]] = json.loads(content.data)["rebuildsByPlatform"]
    return by_platform


async def main(argv: list[str]) -> int:
    """Print a line for each platform."""
    repo, sha = argv
    async with ArtifactsClient.from_env() as client:
        try:
            by_platform = await rebuilds(client, repo, sha)
        except NotFoundError as error:
            print(error, file=sys.stderr)
            return 1
    for platform, packages in by_platform.items():
        print(f"{platform}: {' '.join(packages)}")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
