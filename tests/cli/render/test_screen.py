"""The two streams: full, closed, limited, or left alone."""

from __future__ import annotations

import io
import os
import termios
from pathlib import Path

import pytest

from gh_artifacts_async.cli.render import screen, tables


class TestWriting:
    """Streams that are full, closed, narrow-minded or left alone."""

    def test_what_the_encoding_lacks_is_escaped(self):
        """An ASCII terminal shows names all the same."""
        buffer = io.BytesIO()
        stream = io.TextIOWrapper(buffer, encoding="ascii")
        screen.write(stream, "é\n")
        assert buffer.getvalue() == b"\\xe9\n"

    def test_bytes_are_written_as_they_are(self):
        """No encoding, no newline is touched, and what was written before stands before."""
        buffer = io.BytesIO()
        stream = io.TextIOWrapper(buffer, encoding="ascii", newline="\r\n")
        stream.write("x")
        screen.write_bytes(stream, b"\n\xff\x00\r")
        assert buffer.getvalue() == b"x\n\xff\x00\r"

    def test_it_tells_whether_somebody_reads(self):
        """A command without an end comes to it when its reader has left."""
        reader, writer = os.pipe()
        with open(writer, "w", encoding="utf-8") as stream:  # noqa: PTH123 - of a descriptor
            assert screen.write(stream, "x")
            os.close(reader)
            assert not screen.write(stream, "y")
            assert screen.write(stream, "z")  # to the null device
        assert not screen.write(None, "x")

    def test_a_closed_stream_is_no_error(self, monkeypatch):
        """A program that was started without standard output runs all the same."""
        screen.write(None, "x")
        screen.write_bytes(None, b"x")
        monkeypatch.setattr("sys.stdout", None)
        tables.show([tables.Column("X")], [tables.Row(["x"])])
        assert screen.view(None) == screen.View()
        assert not screen.is_terminal(None)

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_a_full_disk_is_an_error_once(self):
        """Results that cannot be written are not lost silently; the stream is then left alone."""
        with Path("/dev/full").open("w") as full, pytest.raises(OSError, match="No space left"):
            screen.write(full, "x")
        with Path("/dev/full").open("w") as full, pytest.raises(OSError, match="No space left"):
            screen.write_bytes(full, b"x")

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_what_is_said_beside_the_results_may_get_lost(self, monkeypatch):
        """A full standard error is no reason to fail: the results and the exit code tell."""
        with Path("/dev/full").open("w") as full:
            monkeypatch.setattr("sys.stderr", full)
            screen.say("x")
            screen.complain("error", "x")
            assert screen.write(full, "x")  # to the null device by now

    def test_a_pipe_without_a_reader_is_quiet(self):
        """Who has seen enough is no error."""
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "w") as stream:
            screen.write(stream, "x")
            screen.write(stream, "y")
            screen.write_bytes(stream, b"z" * 100_000)
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "w") as stream:
            screen.write_bytes(stream, b"z" * 100_000)


class Sluggish(io.RawIOBase):
    """Takes a few bytes at a time, as a terminal or a pipe does when a signal comes; then nothing for now."""

    def __init__(self, most: int = 1 << 20) -> None:
        """Take at most so many bytes in all."""
        self.taken = b""
        self._most = most

    def writable(self) -> bool:
        """Say so."""
        return True

    def write(self, data) -> int | None:
        """Take 3 bytes."""
        taken = bytes(data)[: min(3, self._most - len(self.taken))]
        self.taken += taken
        return len(taken) or None


class TestWithoutABuffer:
    """Streams as PYTHONUNBUFFERED makes them."""

    def test_nothing_is_lost(self):
        """What is written in parts is written to its end; Python itself would drop the rest."""
        raw = Sluggish()
        stream = io.TextIOWrapper(raw, encoding="ascii", write_through=True)  # type: ignore[type-var]
        assert screen.write(stream, "some words, \u00e9\n")
        screen.write_bytes(stream, b"\xffsome bytes")
        assert raw.taken == b"some words, \\xe9" + os.linesep.encode() + b"\xffsome bytes"

    def test_one_that_takes_nothing_for_now(self):
        """It is an error, as for a stream with a buffer."""
        stream = io.TextIOWrapper(Sluggish(5), encoding="ascii", write_through=True)  # type: ignore[type-var]
        with pytest.raises(BlockingIOError):
            screen.write(stream, "some words")


class TestViews:
    """How text is shown on a stream."""

    @pytest.fixture
    def stream(self, monkeypatch):
        """Return a terminal, and an environment that says nothing about it."""
        for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("TERM", "xterm-256color")
        return Terminal()

    def test_a_terminal(self, stream, monkeypatch):
        """COLUMNS overrides what the terminal says; one that does not say has 80."""
        assert screen.view(stream) == screen.View(80, colours=True)
        monkeypatch.setenv("COLUMNS", "100")
        assert screen.view(stream).width == 100
        for nothing in ("0", "-1", "wide", "9" * 5000):
            monkeypatch.setenv("COLUMNS", nothing)
            assert screen.view(stream).width == 80
        monkeypatch.setattr(stream, "fileno", lambda: 0)
        monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((123, 9)))
        assert screen.view(stream).width == 123
        monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((0, 0)))
        assert screen.view(stream).width == 80

    @pytest.mark.parametrize(
        ("name", "value", "colours"),
        [
            ("NO_COLOR", "1", False),
            ("NO_COLOR", "", True),
            ("TERM", "dumb", False),
            ("TERM", "unknown", False),
            ("FORCE_COLOR", "1", True),
        ],
    )
    def test_colours(self, stream, monkeypatch, name, value, colours):
        """None with NO_COLOR, nor on a terminal that has none."""
        monkeypatch.setenv(name, value)
        assert screen.view(stream).colours == colours

    @pytest.mark.parametrize(("name", "obeyed"), [("WT_SESSION", True), ("TERM", True), ("NOTHING", False)])
    def test_a_console_of_windows(self, stream, monkeypatch, name, obeyed):
        """No colours where escape sequences would be shown as they are."""
        monkeypatch.delenv("TERM")
        monkeypatch.delenv("WT_SESSION", raising=False)
        monkeypatch.setenv(name, "xterm")
        monkeypatch.setattr(os, "name", "nt")
        found = screen.view(stream).colours
        monkeypatch.undo()  # pytest itself asks for the system
        assert found == obeyed

    def test_without_a_terminal(self, monkeypatch):
        """Nothing is cut off, and there are no colours unless they are asked for."""
        assert screen.view(io.StringIO()) == screen.View(None, colours=False)
        monkeypatch.setenv("FORCE_COLOR", "1")
        assert screen.view(io.StringIO()) == screen.View(None, colours=True)

    def test_styles_and_encodings(self):
        """Nothing is written for no style, no text, or no colours; the ellipsis is one that can be written."""
        view = screen.View(80, colours=True)
        assert view.styled("x", screen.BOLD, "", screen.RED) == "\x1b[1;31mx\x1b[0m"
        assert [view.styled("x", ""), view.styled("", screen.BOLD), screen.View().styled("x", "1")] == ["x", "", "x"]
        assert (view.ellipsis, screen.View(encoding="latin-1").ellipsis) == ("\u2026", "~")
        assert screen.View(encoding="latin-1").encodable("\u00e9\u0416") == "\u00e9\\u0416"


class Terminal(io.StringIO):
    """A stream that a person looks at."""

    def isatty(self) -> bool:
        """Say so."""
        return True


class TestATerminal:
    """What fits."""

    def test_its_size(self, terminal, monkeypatch):
        """It is the terminal's own; else what the environment says; else the usual one."""
        monkeypatch.setenv("COLUMNS", "77")
        monkeypatch.setenv("LINES", "none")
        assert screen.size(terminal) == (77, 24)
        monkeypatch.delenv("COLUMNS")
        assert screen.size(None) == (80, 24)
        ours, theirs = os.openpty()
        termios.tcsetwinsize(theirs, (10, 33))
        with os.fdopen(theirs, "w") as stream:
            assert screen.size(stream) == (33, 10)
        os.close(ours)

    def test_lines_are_wrapped_at_words(self, terminal, monkeypatch):
        """A long word stays whole, so that it can be copied; where there is no terminal, nothing is wrapped."""
        monkeypatch.setenv("COLUMNS", "12")
        assert screen.wrapped("some words, a/very/long/path/of-words", terminal) == (
            "some words,\na/very/long/path/of-words"
        )
        assert screen.wrapped("some words, and more", io.StringIO()) == "some words, and more"
