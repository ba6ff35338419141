"""A client in a process of its own, for the tests that kill it, measure it or let it run out of disk."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from gh_artifacts_async import Artifact, ArtifactRef, ArtifactsClient, ArtifactsError


def _memory(field: str) -> int:
    """Return a line of /proc/self/status in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return 0


async def _download(options: argparse.Namespace) -> dict[str, Any]:
    async with ArtifactsClient("token", base_url=options.base_url) as client:
        artifact = await client.get_artifact(options.repo, options.ids[0])
        await _warm_up(client, artifact, options)
        Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
        before = _memory("VmRSS")
        if len(options.ids) == 1:
            result = await client.download(
                artifact, options.folder, if_exists=options.if_exists, connections=options.connections
            )
            done: dict[str, Any] = {"path": str(result.path), "resumed_from": result.resumed_from, "way": result.way}
        else:
            refs = [ArtifactRef(options.repo, it) for it in options.ids]
            async with client.download_many(refs, options.folder, concurrency=len(refs)) as outcomes:
                done = {"ok": [outcome.ok async for outcome in outcomes]}
        return {**done, "growth": _memory("VmHWM") - before}


async def _warm_up(client: ArtifactsClient, artifact: Artifact, options: argparse.Namespace) -> None:
    """Import what a transfer needs."""
    if options.warm_up:
        await client.download(ArtifactRef(options.repo, options.warm_up), Path(options.folder) / "warm")
    del artifact


def main() -> int:
    """Download, and print one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("base_url")
    parser.add_argument("repo")
    parser.add_argument("folder")
    parser.add_argument("ids", type=int, nargs="+")
    parser.add_argument("--if-exists", default="error")
    parser.add_argument("--connections", type=int)
    parser.add_argument("--largest-file", type=int)
    parser.add_argument("--warm-up", type=int)
    options = parser.parse_args()
    if options.largest_file:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (options.largest_file, options.largest_file))
    try:
        answer = asyncio.run(_download(options))
    except ArtifactsError as error:
        answer = {"error": type(error).__name__, "errno": getattr(error, "errno", None), "message": str(error)}
    sys.stdout.write(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
