"""gh_artifacts_async: one artifact to a file, verified; with extract=1 unpacked as well."""

import asyncio
import sys

from gh_artifacts_async import ArtifactsClient


async def main(options: dict[str, str]) -> None:
    """Download."""
    settings = {"extract": True} if "extract" in options else {}
    async with ArtifactsClient("token", base_url=options["api"], ca_file=options.get("ca")) as client:
        artifact = await client.get_artifact("bench/data", 1)
        result = await client.download(artifact, options["out"], **settings)
    assert result.verified == "digest"


asyncio.run(main(dict(argument.split("=", 1) for argument in sys.argv[1:])))
