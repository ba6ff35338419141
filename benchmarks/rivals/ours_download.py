"""gh_artifacts_async: one artifact to a file, verified; with extract=1 unpacked as well.

connections=8 asks for so many; modules=FILE leaves the names of all modules that are imported at the end.
"""

import asyncio
import sys
from pathlib import Path

from gh_artifacts_async import ArtifactsClient


async def main(options: dict[str, str]) -> None:
    """Download."""
    connections = int(options["connections"]) if "connections" in options else None
    async with ArtifactsClient("token", base_url=options["api"], ca_file=options.get("ca")) as client:
        artifact = await client.get_artifact("bench/data", 1)
        result = await client.download(artifact, options["out"], extract="extract" in options, connections=connections)
    assert result.verified == "digest"
    if "modules" in options:
        names = (name for name in sys.modules if name != "__main__")
        Path(options["modules"]).write_text("\n".join(names), "utf-8")


asyncio.run(main(dict(argument.split("=", 1) for argument in sys.argv[1:])))
