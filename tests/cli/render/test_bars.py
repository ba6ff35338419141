"""Lines that are redrawn in place on a terminal; how it all looks there, tests/cli/test_screens.py shows."""

from __future__ import annotations

import asyncio
import io
import sys

import pyte
import pytest

from gh_artifacts_async import ListingProgress, TransferBytes, TransferSigning, TransferStarted
from gh_artifacts_async.cli.render import bars, screen
from tests.cli.conftest import REPO, Terminal
from tests.models.test_models import ARTIFACT


class Lines(bars.Live):
    """Draws what a test says."""

    def __init__(self, stream):
        super().__init__(stream)
        self.said = ["one", "two"]
        self.asked = []

    def __call__(self, event):
        self.said.append(str(event))

    def lines(self, now, columns, rows):  # noqa: ARG002 - the base has it
        self.asked.append((columns, rows))
        return self.said


def shown(terminal):
    """Return what is to be seen on a terminal in the end."""
    seen = pyte.Screen(100, 10)
    pyte.Stream(seen).feed(terminal.getvalue().replace("\n", "\r\n"))
    return [line.rstrip() for line in seen.display if line.strip()]


async def test_lines_are_redrawn_in_place_and_gone_at_the_end(terminal):
    """Never twice, at most ten times a second, not at once, and within the terminal but one row."""
    with Lines(terminal) as lines:
        assert screen.is_live()
        assert not terminal.getvalue()
        await asyncio.sleep(0.26)
        assert shown(terminal) == ["one", "two"]
        lines.said = ["three"]
        await asyncio.sleep(0.1)
        assert shown(terminal) == ["three"]
        await asyncio.sleep(10)
    assert len(lines.asked) <= 103
    assert set(lines.asked) == {(100, 23)}
    assert shown(terminal) == []
    assert not screen.is_live()


async def test_what_is_printed_meanwhile_goes_above(terminal, monkeypatch):
    """Results on the same terminal appear above the lines with the next redraw, or at the end; elsewhere at once."""
    monkeypatch.setattr(sys, "stdout", Terminal())
    file = io.StringIO()
    with Lines(terminal):
        await asyncio.sleep(0.3)
        assert screen.write(terminal, "result\n")
        screen.write(file, "in a file\n")
        assert file.getvalue() == "in a file\n"
        await asyncio.sleep(0.1)
        assert shown(terminal) == ["result", "one", "two"]
        screen.write(sys.stdout, "on another one\n")
        assert not sys.stdout.getvalue()
    assert sys.stdout.getvalue() == "on another one\n"
    assert shown(terminal) == ["result"]


async def test_a_short_command_draws_nothing(terminal):
    """What ends in a quarter of a second shows no line; what it prints is there."""
    with Lines(terminal):
        screen.write(terminal, "result\n")
        await asyncio.sleep(0.2)
    assert terminal.getvalue() == "result\n"


async def test_a_terminal_of_two_rows(terminal, monkeypatch):
    """It shows one line: more would scroll, and each redraw would leave one behind."""
    monkeypatch.setenv("LINES", "2")
    with Lines(terminal):
        await asyncio.sleep(0.3)
        assert shown(terminal) == ["one"]


async def test_a_narrower_terminal(terminal, monkeypatch):
    """Lines that the terminal has wrapped, since it is narrower now, are taken off as the rows they have become."""
    with Lines(terminal) as lines:
        lines.said = ["x" * 90, "\x1b[1my\x1b[0m"]
        await asyncio.sleep(0.3)
        monkeypatch.setenv("COLUMNS", "40")
        await asyncio.sleep(0.1)
    assert "\x1b[4A" in terminal.getvalue()


async def test_a_terminal_that_is_gone(monkeypatch):
    """Nobody can see anything: nothing more is drawn, and nothing fails."""

    class Gone(Terminal):
        def write(self, _text):
            raise OSError

    monkeypatch.setattr(screen, "_abandon", lambda _stream: None)
    with Lines(Gone()) as lines:
        await asyncio.sleep(1)
        screen.write(Gone(), "lost\n")
    assert lines.asked


async def test_a_slow_terminal_is_drawn_on_less_often(terminal, monkeypatch):
    """A redraw that takes 50 ms is followed by half a second without one."""
    times = iter(range(1000))
    monkeypatch.setattr(bars.time, "perf_counter", lambda: next(times) * 0.05)
    with Lines(terminal) as lines:
        await asyncio.sleep(5)
    assert 9 <= len(lines.asked) <= 10


@pytest.mark.parametrize(("variable", "coloured"), [("", True), ("1", False)])
def test_colours_can_be_turned_off(terminal, monkeypatch, variable, coloured):
    """NO_COLOR, where it is not empty."""
    monkeypatch.setenv("NO_COLOR", variable)
    assert Lines(terminal).look.coloured is coloured


def test_a_spinner_says_what_takes_long(terminal):
    """How far a listing is; and why a whole archive is fetched, unless that is what was asked for."""
    spinner = bars.Spinner(terminal)
    assert spinner.lines(0.0, 40, 5) == ["⠋ contacting GitHub"]
    spinner(ListingProgress(page=1, items=100, total_count=250))
    spinner(TransferSigning(artifact=ARTIFACT))
    assert spinner.lines(0.2, 60, 5) == ["⠙ listing: 100 of 250"]
    spinner(TransferStarted(artifact=ARTIFACT, size=None))
    spinner(TransferBytes(artifact=ARTIFACT, received=2_000_000, size=None))
    said = "⠋ storage does not support ranges, fetching the whole archive: 2.0 MB"
    assert spinner.lines(0.0, 80, 5) == [said]
    spinner(TransferBytes(artifact=ARTIFACT, received=2_000_000, size=4_000_000))
    assert spinner.lines(0.0, 90, 5) == [f"{said} of 4.0 MB"]


@pytest.mark.realtime
@pytest.mark.usefixtures("eager")
def test_a_download_draws_bars(server, cli, terminal):
    """Bars on standard error; standard output has the lines alone, since it is no terminal."""
    run = server.run()
    server.artifact(run, "big [red]one[/red]", size=3_000_000)
    server.artifact(run, "small")
    server.artifact(run, "bad", digest="sha256:" + "0" * 64)
    ran = cli("download", REPO, "--all")
    drawn = terminal.getvalue()
    assert ran.code == 1
    assert "of 3 done" in drawn
    assert "big [red]one[/red]" in drawn
    assert ran.out.count("\n") == 2
    assert "\x1b" not in ran.out


@pytest.mark.realtime
@pytest.mark.parametrize("switch", ["--no-progress", "--quiet"])
@pytest.mark.usefixtures("eager")
def test_no_bars_with_no_progress_or_quiet(server, cli, terminal, switch):
    """--no-progress and --quiet draw nothing."""
    server.artifact(server.run(), "wheel")
    cli("list", REPO, switch)
    assert "\x1b" not in terminal.getvalue()


@pytest.mark.parametrize(("system", "commands"), [("nt", [""]), ("posix", [])])
def test_the_console_of_windows(monkeypatch, system, commands):
    """It obeys escape sequences once a shell has run in it."""
    ran = []
    monkeypatch.setattr(bars.subprocess, "run", lambda command, **_: ran.append(command))
    bars._obey_escapes(system)
    assert ran == commands
