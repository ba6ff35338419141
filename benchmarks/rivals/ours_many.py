"""gh_artifacts_async: many artifacts, each verified, through a part file and a rename."""

import asyncio
import json
import sys
from pathlib import Path

from gh_artifacts_async import Artifact, ArtifactsClient, Digest, Limits, RepositoryName


def artifacts(manifest: str) -> list[Artifact]:
    """Return what the manifest lists; the others know ids only, and need no more."""
    return [
        Artifact(
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
        for entry in json.loads(Path(manifest).read_text("utf-8"))
    ]


async def main(options: dict[str, str]) -> None:
    """Download."""
    at_once = int(options["at_once"])
    limits = Limits(api_concurrency=at_once, points_per_minute=None)
    wanted = artifacts(options["manifest"])
    async with (
        ArtifactsClient("token", base_url=options["api"], limits=limits) as client,
        client.download_many(wanted, options["out"], concurrency=at_once, layout="name") as outcomes,
    ):
        async for outcome in outcomes:
            assert outcome.value is not None, outcome.error
            assert outcome.value.verified == "digest"


asyncio.run(main(dict(argument.split("=", 1) for argument in sys.argv[1:])))
