"""githubkit: many artifacts by its own call for it; the body comes in one piece."""

import asyncio
import json
import sys
from pathlib import Path

from githubkit import GitHub


async def main(options: dict[str, str]) -> None:
    """Download."""
    slots, out = asyncio.Semaphore(int(options["at_once"])), Path(options["out"])
    cache = {"http_cache": False} if "no_cache" in options else {}

    async def fetch(github: GitHub, entry: dict[str, str]) -> None:
        async with slots:
            response = await github.rest.actions.async_download_artifact("bench", "data", entry["id"], "zip")
            (out / f"{entry['name']}.zip").write_bytes(response.content)

    async with GitHub("token", base_url=options["api"], **cache) as github:
        entries = json.loads(Path(options["manifest"]).read_text("utf-8"))
        await asyncio.gather(*(fetch(github, entry) for entry in entries))


asyncio.run(main(dict(argument.split("=", 1) for argument in sys.argv[1:])))
