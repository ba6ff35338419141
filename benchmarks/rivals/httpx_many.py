"""httpx: many artifacts by the API's redirect, streamed to files."""

import asyncio
import json
import ssl
import sys
from pathlib import Path

import httpx


async def main(options: dict[str, str]) -> None:
    """Download."""
    at_once = int(options["at_once"])
    slots, out = asyncio.Semaphore(at_once), Path(options["out"])
    headers = {"Authorization": "Bearer token"}
    context = ssl.create_default_context(cafile=options["ca"]) if "ca" in options else True

    async def fetch(client: httpx.AsyncClient, entry: dict[str, str]) -> None:
        url = f"{options['api']}/repos/bench/data/actions/artifacts/{entry['id']}/zip"
        async with slots, client.stream("GET", url, headers=headers) as response:
            response.raise_for_status()
            with (out / f"{entry['name']}.zip").open("wb") as file:
                async for chunk in response.aiter_bytes(65536):
                    file.write(chunk)

    limits = httpx.Limits(max_connections=2 * at_once, max_keepalive_connections=2 * at_once)
    async with httpx.AsyncClient(follow_redirects=True, limits=limits, timeout=30, verify=context) as client:
        entries = json.loads(Path(options["manifest"]).read_text("utf-8"))
        await asyncio.gather(*(fetch(client, entry) for entry in entries))


asyncio.run(main(dict(argument.split("=", 1) for argument in sys.argv[1:])))
