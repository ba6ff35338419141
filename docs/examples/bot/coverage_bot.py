"""A bot that says how a pull request changes the test coverage.

GITHUB_TOKEN=... python coverage_bot.py OWNER/NAME NUMBER
"""

import asyncio
import json
import sys

from gh_artifacts_async import (
    ArtifactQuery,
    ArtifactsClient,
    ArtifactsError,
    RateLimitError,
)

NAME, MEMBER = "coverage", "coverage.json"  # CI uploads what `coverage json` writes
TRY_LATER = 75  # EX_TEMPFAIL


async def percent(
    client: ArtifactsClient,
    repo: str,
    query: ArtifactQuery,
) -> float | None:
    """Return the coverage in the newest artifact of a query; None if there is none.

    Raises:
        ArtifactsError: GitHub refused, or the artifact has no such file.
        ValueError: the file is no report of coverage.
    """
    found = [artifact async for artifact in client.find_artifacts(repo, query)]
    if not found:
        return None
    data = await client.read_member(found[0], MEMBER, max_bytes=2**20)
    try:
        return float(json.loads(data)["totals"]["percent_covered"])
    except (LookupError, TypeError, ValueError, RecursionError) as error:
        msg = f"artifact {found[0].id}: {MEMBER} is no report of coverage"
        raise ValueError(msg) from error


async def comment(client: ArtifactsClient, repo: str, number: int) -> str:
    """Return what there is to say about a pull request."""
    # Strangers write what a fork's artifact holds; only a number is taken from it.
    query = ArtifactQuery(names=NAME, pull_request=number, allow_forks=True)
    head = await percent(client, repo, query)
    if head is None:
        return f"#{number} has no coverage report."
    main = await percent(client, repo, ArtifactQuery(names=NAME, branch="main"))
    if main is None:
        return f"#{number} covers {head:.1f} %; main has no report to compare with."
    return f"#{number} covers {head:.1f} %, {head - main:+.1f} against main."


async def run(repo: str, number: int) -> int:
    """Print the comment, and return the program's exit code."""
    try:
        async with ArtifactsClient.from_env() as client:
            print(await comment(client, repo, number))
    except RateLimitError as error:
        print(f"try again later: {error}", file=sys.stderr)
        return TRY_LATER
    except (ArtifactsError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(run(sys.argv[1], int(sys.argv[2]))))
