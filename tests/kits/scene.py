"""A download worth a picture: fast and slow transfers, a broken connection, a stall, an unpacking.

``python -m tests.kits.scene 90`` prints the frame that :func:`frame` returns, with its colours.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tests.cli.conftest import REPO, Server
from tests.kits import terminal

_MB = 1_000_000
_SLOW = {  # megabytes, bytes every fifth of a second
    "web-app-linux-x86_64": (34, 640_000),
    "web-app-macos-arm64": (31, 560_000),
    "web-app-windows-amd64": (38, 420_000),
    "wheel-manylinux_2_28-aarch64": (12, 180_000),
    "coverage-html": (9, 330_000),
    "screenshots": (22, 240_000),
    "benchmark-results": (4, 110_000),
}


def frame(columns: int, rows: int = 24) -> terminal.Frame:
    """Return the display in the middle of a download from a fake GitHub."""
    server = Server()
    server.start()
    try:
        run = server.run(workflow="ci.yml", branch="main")
        for number in range(25):
            server.artifact(run, f"test-report-{number:02}", size=120_000)
        for name, (size, chunk) in _SLOW.items():
            slow = server.artifact(run, name, size=size * _MB)
            server.call(server.github.faults.drip, slow, None, chunk=chunk, interval=0.2)
            if name == "screenshots":
                server.call(server.github.faults.stall, slow, 3 * _MB, seconds=30)
            if name == "coverage-html":
                server.call(server.github.faults.cut, slow, 8 * _MB)
        with tempfile.TemporaryDirectory() as folder:
            seen = terminal.run(
                *("download", REPO, "--all", "--extract", "--dir", "artifacts", "--api-url", server.url),
                columns=columns,
                rows=rows,
                env={"GH_ENTERPRISE_TOKEN": "token", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                cwd=Path(folder),
                steps=[(r"resum(ed|ing)(?s:.*)stalled|stalled(?s:.*)resum(ed|ing)", lambda it: it.press("\x03"))],
            )
    finally:
        server.stop()
    return max((found for found in seen.frames if "stalled" in found.text), key=lambda found: "resum" in found.text)


if __name__ == "__main__":
    print(*frame(int(sys.argv[1])).styled, sep="\n")  # noqa: T201
