"""Draws the terminals in the documentation, docs/pictures/*.svg, from the real program: ``make screens``.

The program runs in a pseudo-terminal against the fake GitHub, which is slow and faulty where a picture wants it.
"""

from __future__ import annotations

import asyncio
import re
import signal
import tempfile
import threading
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from gh_artifacts_async.testing import FakeGitHub
from tests.kits import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FOLDER = Path(__file__).parent / "pictures"
REPO = "octo-org/octo-docs"
COLUMNS = 100
_MB = 1_000_000
# rich's own template, less the fonts that it would have the reader's browser fetch.
_FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_FORMAT = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "Fira Code, monospace", _FONT
)


def svg(title: str, lines: Sequence[str]) -> str:
    """Return a window with what a terminal shows.

    Args:
        title: of the window: the command.
        lines: of the screen, with SGR sequences.
    """
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True, legacy_windows=False)
    for line in lines:
        console.print(Text.from_ansi(line), no_wrap=True, crop=True)
    drawn = console.export_svg(title=title, theme=MONOKAI, code_format=_FORMAT, unique_id="terminal")
    return re.sub(r"[ \t]+$", "", drawn, flags=re.MULTILINE)


@contextmanager
def served(fill: Callable[[FakeGitHub], object]) -> Iterator[str]:
    """Serve a fake GitHub in a thread; yield its base URL."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> FakeGitHub:
        github = await FakeGitHub().__aenter__()
        fill(github)
        return github

    try:
        github = asyncio.run_coroutine_threadsafe(start(), loop).result(30)
        yield github.base_url
        asyncio.run_coroutine_threadsafe(github.aclose(), loop).result(30)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


# --- what is drawn


def _months(github: FakeGitHub) -> None:
    """Add what a repository has after some months."""
    now = github.clock.now()
    branches = ("main", "main", "release/2.4", "dependabot/pip/cryptography-44.0.1")
    names = (("coverage", 2), ("docs", 9), ("wheel-linux-x86_64", 24), ("wheel-macos-arm64", 21))
    for number in range(24, -1, -1):
        created = now - timedelta(days=3 * number, hours=2)
        run = github.add_run(REPO, branch=branches[number % len(branches)], created_at=created)
        for name, megabytes in names:
            size = megabytes * _MB + 10_007 * number
            github.add_artifact(run, name, size=size, seed=number, created_at=created)


def _busy(github: FakeGitHub) -> None:
    """Add what is downloaded while the picture is taken: some artifacts come fast, most slowly, and one stalls."""
    run = github.add_run(REPO)
    sizes = (4, 3, 18, 34, 41, 37, 60, 80, 1, 1)
    names = ("test-report", "coverage", "docs", "wheel-linux-x86_64", "wheel-macos-arm64", "wheel-windows-amd64")
    for number, (name, megabytes) in enumerate(zip((*names, *_REST), sizes, strict=True)):
        size = megabytes * _MB
        artifact_id = github.add_artifact(run, name, size=size, seed=number)
        if megabytes > _FAST:
            github.faults.drip(artifact_id, None, chunk=size // (50 + 20 * number), interval=0.1)
        if name == _STALLED:
            github.faults.stall(artifact_id, size // 3)


_REST = ("debug-symbols", "container-image", "licenses", "sbom")
_FAST = 5
_STALLED = "docs"


@attrs.frozen(kw_only=True)
class Picture:
    """What one picture shows.

    Attributes:
        command: as a user types it.
        fill: adds what the fake GitHub has.
        rows: of the terminal.
        seconds: after which the screen is taken; None: at the end.
    """

    command: str
    fill: Callable[[FakeGitHub], object]
    rows: int = 14
    seconds: float | None = None


PICTURES = {
    "progress": Picture(command=f"gh-artifacts download {REPO} --all", fill=_busy, seconds=7.5),
    "prune": Picture(command=f"gh-artifacts prune {REPO} --older-than 60d --keep-latest 3", fill=_months, rows=40),
    "usage": Picture(command=f"gh-artifacts usage {REPO}", fill=_months, rows=40),
}


def drawn(picture: Picture) -> str:
    """Run a command, and return its picture."""
    words = picture.command.split()[1:]
    env = {"GH_ENTERPRISE_TOKEN": "token", "GH_TOKEN": ""}
    with tempfile.TemporaryDirectory() as folder, served(picture.fill) as url:
        ended = [] if picture.seconds is None else [(_after(picture.seconds), _stop)]
        recording = terminal.run(
            *("--api-url", url, *words), columns=COLUMNS, rows=picture.rows, env=env, cwd=Path(folder), steps=ended
        )
    frames = recording.frames
    if picture.seconds is not None:
        frames = [frame for frame in frames if frame.seconds <= picture.seconds]
    lines = "\n".join(frames[-1].styled).rstrip().splitlines()
    return svg(picture.command, lines)


def _after(seconds: float) -> Callable[[terminal.Screening], bool]:
    return lambda screening: bool(screening.frames) and screening.frames[-1].seconds > seconds


def _stop(screening: terminal.Screening) -> None:
    screening.kill(signal.SIGTERM)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, picture in PICTURES.items():
        (FOLDER / f"{name}.svg").write_text(drawn(picture), encoding="utf-8")
