"""GitHub's listing from pre-rendered pages, each answer a fixed time late: what a far-away API looks like.

``python slow_api.py port=8080 pages=DIR latency=0.15``; GET only, keep-alive, no checks: it must not be what is slow.
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

_PAGE = re.compile(rb"[?&]page=(\d+)")


def render(folder: Path, port: int) -> dict[int, bytes]:
    """Make the whole answer of each page."""
    bodies = {int(path.stem): path.read_bytes() for path in folder.glob("*.json")}
    last = max(bodies)
    base = f"http://127.0.0.1:{port}/repos/bench/data/actions/artifacts?per_page=100&page="
    answers = {}
    for number, body in bodies.items():
        link = f'Link: <{base}{number + 1}>; rel="next", <{base}{last}>; rel="last"\r\n' if number < last else ""
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
            f"x-ratelimit-limit: 5000\r\nx-ratelimit-remaining: 4999\r\n{link}Content-Length: {len(body)}\r\n\r\n"
        )
        answers[number] = head.encode() + body
    return answers


async def main() -> None:
    """Serve until killed."""
    options = dict(argument.split("=", 1) for argument in sys.argv[1:])
    answers = render(Path(options["pages"]), int(options["port"]))
    latency = float(options["latency"])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                asked = _PAGE.search(request.partition(b"\r\n")[0])
                await asyncio.sleep(latency)
                writer.write(answers[int(asked[1]) if asked else 1])
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", int(options["port"]))
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
