"""gh_artifacts_async: many artifacts, each verified, through a part file and a rename.

lines=FILE has an artifact on each line, read as transfers become free; defaults=1 leaves the limits as they are.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gh_artifacts_async import Artifact, ArtifactsClient, Digest, Limits, RepositoryName


def artifact(entry: dict[str, Any]) -> Artifact:
    """Return what an entry of the manifest says; the others know ids only, and need no more."""
    return Artifact(
        id=entry["id"],
        node_id="",
        name=entry["name"],
        size_in_bytes=entry["size"],
        url="",
        archive_download_url="",
        expired=False,
        digest=Digest("sha256", entry["sha256"]),
        repository=RepositoryName("bench", "data"),
    )


def artifacts(options: dict[str, str]) -> Iterator[Artifact]:
    """Yield all, or as many as are asked for."""
    if "lines" not in options:
        yield from map(artifact, json.loads(Path(options["manifest"]).read_text("utf-8")))
        return
    with Path(options["lines"]).open(encoding="utf-8") as lines:
        yield from map(artifact, map(json.loads, lines))


async def main(options: dict[str, str]) -> None:
    """Download."""
    at_once = int(options["at_once"])
    limits = Limits() if "defaults" in options else Limits(api_concurrency=at_once, points_per_minute=None)
    wanted = artifacts(options) if "lines" in options else list(artifacts(options))
    async with (
        ArtifactsClient("token", base_url=options["api"], ca_file=options.get("ca"), limits=limits) as client,
        client.download_many(wanted, options["out"], concurrency=at_once, layout="name") as outcomes,
    ):
        async for outcome in outcomes:
            assert outcome.value is not None, outcome.error
            assert outcome.value.verified == "digest"


asyncio.run(main(dict(argument.split("=", 1) for argument in sys.argv[1:])))
