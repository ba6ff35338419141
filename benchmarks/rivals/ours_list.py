"""gh_artifacts_async: a whole listing."""

import asyncio
import sys

from gh_artifacts_async import ArtifactsClient, Limits


async def main(options: dict[str, str]) -> None:
    """List and count."""
    at_once = int(options["at_once"])
    limits = Limits(api_concurrency=at_once, points_per_minute=None)
    async with ArtifactsClient("token", base_url=options["api"], limits=limits) as client:
        ids = {artifact.id async for artifact in client.list_artifacts("bench/data", concurrency=at_once)}
    assert len(ids) == int(options["count"])


asyncio.run(main(dict(argument.split("=", 1) for argument in sys.argv[1:])))
