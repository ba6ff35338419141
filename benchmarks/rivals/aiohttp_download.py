"""aiohttp as its documentation shows it: 64 KiB chunks to a file, with sha256 where it is asked for."""

import asyncio
import hashlib
import ssl
import sys
from pathlib import Path

import aiohttp


async def main(options: dict[str, str]) -> None:
    """Download."""
    context = ssl.create_default_context(cafile=options["ca"]) if "ca" in options else True
    digest = hashlib.sha256() if "sha256" in options else None
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session,
        session.get(options["url"], ssl=context) as response,
    ):
        response.raise_for_status()
        with Path(options["out"], "blob-1.zip").open("wb") as file:
            async for chunk in response.content.iter_chunked(65536):
                if digest is not None:
                    digest.update(chunk)
                file.write(chunk)
    assert digest is None or digest.hexdigest() == options["sha256"]


asyncio.run(main(dict(argument.split("=", 1) for argument in sys.argv[1:])))
