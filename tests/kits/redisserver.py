"""A Redis server for the length of a block, on a Unix socket in a folder of its own."""

from __future__ import annotations

import contextlib
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.kits.interop import program, running

if TYPE_CHECKING:
    from collections.abc import Generator


@contextlib.contextmanager
def redis_server() -> Generator[str]:
    """Run a Redis server, and return its URL; skip the test where there is none."""
    server = program("redis-server")
    # A folder with a short name: the path of a Unix socket has at most about 100 bytes.
    with tempfile.TemporaryDirectory(prefix="redis-") as name:
        folder = Path(name)
        path = folder / "socket"

        def ready() -> bool:
            with socket.socket(socket.AF_UNIX) as probe:
                return probe.connect_ex(str(path)) == 0

        command = [server, "--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no"]
        with running(command, folder, folder / "output.txt", ready):
            yield f"unix://{path}"
