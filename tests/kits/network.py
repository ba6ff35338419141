"""A fake GitHub and a client of it, alone in a network of their own that is taken away and given back.

Run it by ``unshare -Urn``: loopback is down there at first. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import socket
import struct
import sys
from pathlib import Path
from typing import Any

from gh_artifacts_async import ArtifactsClient, RetryPolicy, Timeouts, TransportError
from gh_artifacts_async.testing import FakeGitHub

REPO = "octo-org/octo-docs"
SIZE = 3_000_000
IDLE = 0.5
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1


def switch(*, on: bool) -> None:
    """Put the loopback interface up or down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        answer = fcntl.ioctl(any_socket, _GET_FLAGS, struct.pack("16sh22x", b"lo", 0))
        flags: int = struct.unpack("16sh22x", answer)[1]
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh22x", b"lo", flags | _UP if on else flags & ~_UP))


async def tried(folder: Path, *, back: bool) -> dict[str, Any]:
    """Lose the network in the middle of a body; it comes back, or does not."""
    loop = asyncio.get_running_loop()
    switch(on=True)
    quick = RetryPolicy(attempts=20 if back else 3, wait_initial=0.1, wait_max=0.3)
    async with (
        FakeGitHub() as github,
        ArtifactsClient(
            "token", base_url=github.base_url, timeouts=Timeouts(read=IDLE, connect=IDLE), retry=quick
        ) as it,
    ):
        artifact_id = github.add_artifact(github.add_run(REPO), "docs", size=SIZE)
        artifact = await it.get_artifact(REPO, artifact_id)
        github.faults.drip(artifact_id, chunk=100_000, interval=0.01)
        task = asyncio.create_task(it.download(artifact, folder))
        while github.bytes_sent(artifact_id) < SIZE // 2:
            await asyncio.sleep(0.005)
        switch(on=False)
        await asyncio.sleep(2 * IDLE)
        done: dict[str, Any] = {"early": task.done()}
        if back:
            switch(on=True)
        since = loop.time()
        try:
            result = await task
            done |= {"right": result.path.read_bytes() == github.content(artifact_id)}
        except TransportError as error:
            done |= {"error": type(error).__name__, "text": str(error)}
        done |= {"seconds": loop.time() - since, "sent": github.bytes_sent(artifact_id)}
    done["left"] = sorted(path.name for path in folder.iterdir())
    return done


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(tried(Path(sys.argv[1]), back=sys.argv[2] == "back"))))
