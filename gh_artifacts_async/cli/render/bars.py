"""Bars on standard error: one for the whole, and one for each transfer that is big enough to be seen moving."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from gh_artifacts_async import (
    Artifact,
    Event,
    ExtractionProgress,
    ListingProgress,
    TransferBytes,
    TransferFailed,
    TransferFinished,
    TransferResumed,
    TransferStarted,
    TransferVerified,
)
from gh_artifacts_async.cli.render import screen, text

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console
    from rich.progress import Task

_SEEN_FROM = 256 * 1024
_LINES_KEPT_FREE = 4
_FEWEST = 1
_NAME_WIDTH = 16
_BARS_FROM, _SPEED_FROM, _ALL_FROM = 50, 70, 85  # columns of the terminal


class _Amount(ProgressColumn):
    """``1.2 / 4.0 MB``; nothing where no total is known."""

    def render(self, task: Task) -> Text:
        of = "" if task.total is None else f" / {text.size(task.total)}"
        return Text(f"{text.size(task.completed)}{of}", style="progress.download", justify="right")


class _Speed(ProgressColumn):
    """``12 MB/s``."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{text.size(speed)}/s", style="progress.data.speed", justify="right")


class _Left(ProgressColumn):
    """The time that is left, for the whole."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        left = task.time_remaining
        return Text("" if left is None or task.finished else f"{text.span(left)} left", style="progress.remaining")


def _progress(console: Console) -> Progress:
    """Return rich's progress display with as many columns as fit."""
    name = Column(ratio=1, min_width=_NAME_WIDTH, no_wrap=True, overflow="ellipsis")
    columns: list[ProgressColumn] = [TextColumn("{task.description}", markup=False, table_column=name)]
    if console.width >= _BARS_FROM:
        columns.append(BarColumn(bar_width=None, table_column=Column(ratio=2)))
    columns.append(_Amount(table_column=Column(no_wrap=True, justify="right")))
    if console.width >= _SPEED_FROM:
        columns.append(_Speed(table_column=Column(no_wrap=True, min_width=9, justify="right")))
    if console.width >= _ALL_FROM:
        columns.append(_Left(table_column=Column(no_wrap=True, min_width=10)))
    return Progress(
        *columns,
        console=console,
        transient=True,
        redirect_stdout=screen.is_terminal(sys.stdout),  # results that go to a file or a pipe must go there
        expand=True,
    )


class DownloadBars:
    """Draws the progress of transfers; a context manager and an observer.

    What an earlier run left counts neither as to do nor as done, so that speed and time left are true.
    """

    def __init__(self, artifacts: int | None, total_bytes: int | None) -> None:
        """Plan the bars.

        Args:
            artifacts: how many there are to do; None if that is not known.
            total_bytes: their bytes in all, as far as is known; None if they are not.
        """
        self._artifacts = artifacts
        console = screen.console(sys.stderr)
        self._most_bars = max(_FEWEST, console.height - _LINES_KEPT_FREE)
        self._progress = _progress(console)
        self._total_known = total_bytes is not None
        self._to_do = total_bytes or 0
        self._whole = self._progress.add_task(self._label(0), total=total_bytes)
        self._bars: dict[int, TaskID] = {}
        self._arrived: set[int] = set()
        self._received: dict[int, int] = {}
        self._resumed_at: dict[int, int] = {}
        self._done_bytes = 0
        self._done = 0

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take the bars off the screen."""
        self._progress.stop()

    def _label(self, done: int) -> str:
        return f"{done:,} done" if self._artifacts is None else f"{done:,} of {self._artifacts:,} done"

    def __call__(self, event: Event) -> None:
        """Move the bars."""
        match event:
            case TransferStarted(artifact=artifact, size=size, offset=offset):
                self._begun(artifact, size, offset)
            case TransferBytes(artifact=artifact, received=received):
                self._moved(artifact.id, received)
            case TransferResumed(artifact=artifact, offset=offset):
                self._moved(artifact.id, offset)
            case TransferVerified(artifact=artifact):
                self._arrived.add(artifact.id)
            case ExtractionProgress(artifact=artifact, written=written, total=total):
                self._unpacked(artifact, written, total)
            case TransferFinished(artifact=artifact, skipped=skipped):
                self._ended(artifact, new=not skipped)
            case TransferFailed(artifact=artifact):
                self._ended(artifact, new=False)
            case _:
                pass

    def _begun(self, artifact: Artifact, size: int | None, offset: int) -> None:
        if len(self._bars) < self._most_bars and (size is None or size >= _SEEN_FROM):
            name = f"  {text.escaped(artifact.name)}"
            self._bars[artifact.id] = self._progress.add_task(name, total=size, completed=offset)
        self._resumed_at[artifact.id] = offset
        self._to_do -= offset
        self._moved(artifact.id, offset)

    def _moved(self, number: int, received: int) -> None:
        self._received[number] = max(0, received - self._resumed_at.get(number, 0))
        if number in self._bars:
            self._progress.update(self._bars[number], completed=received)
        self._draw_whole()

    def _unpacked(self, artifact: Artifact, written: int, total: int) -> None:
        """Let the bar tell of unpacking, once nothing more is to arrive: until then its bytes say more."""
        if artifact.id in self._bars and artifact.id in self._arrived:
            name = f"  unpacking {text.escaped(artifact.name)}"
            self._progress.update(self._bars[artifact.id], description=name, total=total, completed=written)

    def _ended(self, artifact: Artifact, *, new: bool) -> None:
        self._received.pop(artifact.id, None)
        self._arrived.discard(artifact.id)
        bar = self._bars.pop(artifact.id, None)
        if bar is not None:
            self._progress.remove_task(bar)
        left = artifact.size_in_bytes - self._resumed_at.pop(artifact.id, 0)
        if new:
            self._done_bytes += left
        else:
            self._to_do -= left
        self._done += 1
        self._draw_whole()

    def _draw_whole(self) -> None:
        completed = self._done_bytes + sum(self._received.values())
        total = max(self._to_do, completed) if self._total_known else None
        self._progress.update(self._whole, total=total, completed=completed, description=self._label(self._done))


class Spinner:
    """Draws that something is happening, and how far it is; a context manager and an observer."""

    def __init__(self) -> None:
        """Plan the bar."""
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            console=screen.console(sys.stderr),
            transient=True,
            redirect_stdout=screen.is_terminal(sys.stdout),
        )
        self._task = self._progress.add_task("contacting GitHub", total=None)

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take the bar off the screen."""
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Move the bar."""
        match event:
            case ListingProgress(items=items, total_count=total, page=page):
                self._say(f"{items:,} of {text.count(total, 'artifact')}, page {page}")
            case TransferBytes(received=received, size=size):
                of = "" if size is None else f" of {text.size(size)}"
                self._say(f"storage does not support ranges, fetching the whole archive: {text.size(received)}{of}")
            case _:
                pass

    def _say(self, said: str) -> None:
        self._progress.update(self._task, description=said)
