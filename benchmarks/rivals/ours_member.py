"""gh_artifacts_async: one member out of a zip that stays where it is."""

import asyncio
import sys
from pathlib import Path

from gh_artifacts_async import ArtifactsClient


async def main(options: dict[str, str]) -> None:
    """Read the member and write it to a file."""
    async with ArtifactsClient("token", base_url=options["api"]) as client:
        artifact = await client.get_artifact("bench/data", 1)
        body = await client.read_member(artifact, "report.txt")
    Path(options["out"], "report.txt").write_bytes(body)


asyncio.run(main(dict(argument.split("=", 1) for argument in sys.argv[1:])))
