"""Every table on a terminal of 40, 80, 100 and 120 columns: the real executable, replayed by pyte."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from datetime import UTC, datetime, timedelta

import pyte
import pytest

from gh_artifacts_async.cli.render import text
from tests.cli.conftest import REPO

pytestmark = [pytest.mark.slow, pytest.mark.realtime]

WIDTHS = (40, 80, 100, 120)
BRANCHES = ("main", "dependabot/pip/cryptography-44.0.1", "漢字/ünïcode")
NAMES = ("logs", "n" * 95, "wheels-manylinux_2_28_x86_64-cp313", "🎉-漢字-" * 12, "cafe\u0301" * 15)


class Screen(pyte.Screen):
    """A screen that knows which lines were too long for it."""

    def __init__(self, columns: int) -> None:
        self.too_long = 0
        self.drawing = False
        super().__init__(columns, 300)

    def draw(self, data: str) -> None:
        self.drawing = True
        super().draw(data)
        self.drawing = False

    def linefeed(self) -> None:
        self.too_long += self.drawing
        super().linefeed()

    @property
    def rows(self) -> list[str]:
        """The lines down to the last; a wide character stands in two cells, the second of which is empty."""
        lines = ("".join(self.buffer[y][x].data for x in range(self.columns)).rstrip() for y in range(self.lines))
        return [line for line in lines if line]


def run(server, width: int, *words: object, answer: str = "", stop_at: bytes = b"") -> tuple[int, Screen]:
    """Run the program with its output on a terminal, and what it says besides in a pipe.

    Args:
        server: the fake GitHub.
        width: columns of the terminal.
        *words: arguments.
        answer: typed at once.
        stop_at: Ctrl-C is pressed once this was printed.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 300, width, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    asks = bool(answer)
    process = subprocess.Popen(  # noqa: S603 - Python itself
        [sys.executable, "-m", "gh_artifacts_async", *map(str, words), "--api-url", server.url],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs if asks else subprocess.DEVNULL,
        env={**environment, "TERM": "xterm-256color"},
    )
    os.close(theirs)
    os.write(ours, answer.encode())
    screen, seen, ends = Screen(width), b"", time.monotonic() + 40
    stream = pyte.ByteStream(screen)
    while time.monotonic() < ends:
        if not select.select([ours], [], [], 1)[0]:
            continue
        try:
            data = os.read(ours, 1 << 16)
        except OSError:  # nobody has the other end open any more
            break
        stream.feed(data)
        seen += data
        if stop_at and stop_at in seen:
            process.send_signal(signal.SIGINT)
            stop_at = b""
    process.kill()
    os.close(ours)
    return process.wait(), screen


@pytest.fixture
def ids(server) -> list[int]:
    """Fill the fake with what is hard to show: long, wide, expired, of forks; return the IDs, newest first."""
    now = datetime.now(UTC)
    runs = [
        server.run(
            id=19_412_345_059 + number,
            branch=branch,
            workflow_name="Continuous integration",
            event="workflow_dispatch",
            conclusion="startup_failure" if number else "success",
            **({"head_repository": "mona/octo-docs"} if number == 1 else {}),
        )
        for number, branch in enumerate(BRANCHES)
    ]
    return [
        server.artifact(
            runs[number % 3],
            name,
            id=12_338_002_900 + number,
            files={"folder/" * 12 + "log.txt": b"x" * 5000, "a": b"y"},
            created_at=now - timedelta(minutes=59 + number),
            expires_at=now + timedelta(days=89),
            expired=number == 2,
        )
        for number, name in enumerate(NAMES)
    ]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    ("words", "heading"),
    [
        (["list", REPO], "ID NAME SIZE"),
        (["runs", REPO], "ID WORKFLOW STATUS"),
        (["show", REPO, "12338002901"], "name"),
        (["download", REPO, "--all", "--dry-run"], "ID NAME SIZE ACTION"),
        (["prune", REPO, "--older-than", "1s"], "ID NAME SIZE"),
        (["ls", REPO, "12338002901"], "SIZE"),
        (["usage", REPO], "NAME COUNT SIZE SHARE"),
        (["mirror", REPO, "backup"], ""),
    ],
)
@pytest.mark.usefixtures("ids")
def test_no_line_is_longer_than_the_screen(server, width, words, heading):
    """Nor is any empty; the columns that are always there are there."""
    code, screen = run(server, width, *words, "--quiet")
    assert code == 0
    assert screen.too_long == 0
    head, *rows = screen.rows
    assert " ".join(head.split()).startswith(heading)
    assert len(rows) >= 2


@pytest.mark.parametrize("width", WIDTHS)
def test_a_listing_shows_what_is_never_shortened(server, ids, width):
    """IDs and sizes everywhere, runs from 80 columns on; a fork's row says so."""
    code, screen = run(server, width, "list", REPO, "--quiet")
    assert code == 0
    head, *rows = screen.rows
    assert [row.split()[0] for row in rows] == [str(number) for number in ids]
    for row in rows:
        assert f" {text.size(len(server.github.content(int(row.split()[0]))))}" in row
        assert ("194123450" in row) == ("RUN" in head) == (width >= 80)
        assert row.endswith("fork") == (int(row.split()[0]) % 3 == 12_338_002_901 % 3)
    dropped = [name for name in ("CREATED", "BRANCH", "RUN") if name not in head]
    assert dropped == ["CREATED", "BRANCH", "RUN"][: len(dropped)]


def test_delete_asks_below_the_table(server, ids):
    """The same table, on standard error."""
    code, screen = run(server, 80, "delete", REPO, *ids, answer="n\n")
    assert code == 1
    assert [row.split()[0] for row in screen.rows if row.startswith("123380029")] == [str(number) for number in ids]
    assert any("Delete 5 artifacts" in row for row in screen.rows)


def test_ctrl_c_leaves_a_whole_line(server):
    """In the middle of a long listing."""
    job = server.run()

    def fill() -> None:
        for number in range(1500):
            server.github.add_artifact(job, f"a{number}", archive=b"", id=12_338_002_900 + number)

    server.call(fill)
    code, screen = run(server, 80, "list", REPO, "--limit", "all", stop_at=b"BRANCH")
    assert code == 130
    assert screen.cursor.x == 0
    assert all(row.endswith("main") or "NAME" in row for row in screen.rows)
