"""The two streams: full, closed, limited, or left alone."""

from __future__ import annotations

import io
import os
import termios
from pathlib import Path

import pytest

from gh_artifacts_async.cli.render import screen


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
        screen.show("x")
        assert not screen.is_terminal(None)

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_a_full_disk_is_an_error_once(self):
        """Results that cannot be written are not lost silently; the stream is then left alone."""
        with Path("/dev/full").open("w") as full, pytest.raises(OSError, match="No space left"):
            screen.write(full, "x")
        with Path("/dev/full").open("w") as full, pytest.raises(OSError, match="No space left"):
            screen.write_bytes(full, b"x")

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
