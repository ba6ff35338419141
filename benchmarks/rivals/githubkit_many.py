"""githubkit: many artifacts by its own call for it; the body comes in one piece."""

import asyncio
import json
import ssl
import sys
from pathlib import Path
from typing import Any

from githubkit import GitHub


async def main(options: dict[str, str]) -> None:
    """Download."""
    slots, out = asyncio.Semaphore(int(options["at_once"])), Path(options["out"])
    settings: dict[str, Any] = {"http_cache": False} if "no_cache" in options else {}
    settings |= {"ssl_verify": ssl.create_default_context(cafile=options["ca"])} if "ca" in options else {}

    async def fetch(github: GitHub, entry: dict[str, str]) -> None:
        async with slots:
            response = await github.rest.actions.async_download_artifact("bench", "data", entry["id"], "zip")
            (out / f"{entry['name']}.zip").write_bytes(response.content)

    async with GitHub("token", base_url=options["api"], **settings) as github:
        entries = json.loads(Path(options["manifest"]).read_text("utf-8"))
        await asyncio.gather(*(fetch(github, entry) for entry in entries))


asyncio.run(main(dict(argument.split("=", 1) for argument in sys.argv[1:])))
