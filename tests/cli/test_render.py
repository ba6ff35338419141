from __future__ import annotations

import io
import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gh_artifacts_async import events
from gh_artifacts_async.cli import logs
from gh_artifacts_async.cli.render import progress, screen, text
from gh_artifacts_async.models import Artifact


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (532, "532 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_400_000, "1.4 MB"),
        (99_940_000, "99.9 MB"),
        (120_000_000, "120 MB"),
        (999_960_000, "1.0 GB"),
        (5e18, "5000 PB"),
    ],
)
def test_sizes(count, said):
    """Three digits are enough for a person."""
    assert text.size(count) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(-5, "0 s"), (0.5, "0 s"), (59, "59 s"), (150, "2 min"), (7300, "2 h"), (90 * 86400, "90 d")]
)
def test_spans(seconds, said):
    """The biggest unit that fits."""
    assert text.span(seconds) == said


@pytest.mark.parametrize(("seconds", "said"), [(0.4213, "0.42 s"), (12.34, "12.3 s"), (125, "2 min 5 s")])
def test_durations(seconds, said):
    """How long something took."""
    assert text.duration(seconds) == said


def test_ages():
    """Before and after now; a dash for what GitHub does not say."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert text.age(now - timedelta(hours=3), now) == "3 h ago"
    assert text.ahead(now + timedelta(days=89), now) == "in 89 d"
    assert text.age(None, now) == text.ahead(None, now) == "-"


def test_counts():
    """One is singular."""
    assert text.count(1, "page") == "1 page"
    assert text.count(2500, "artifact") == "2,500 artifacts"


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("plain", "plain"),
        ("日本語 é", "日本語 é"),
        ("a\nb\tc", "a\\x0ab\\x09c"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x7f\x9b", "\\x7f\\x9b"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("\u2066\u2069\u200e\u200f\u061c", "\\u2066\\u2069\\u200e\\u200f\\u061c"),
        ("\u2028\ufeff\ud800", "\\u2028\\ufeff\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_escapes(foreign, shown):
    """Nothing is left that a terminal would obey."""
    assert text.escaped(foreign) == shown


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


ARTIFACT = Artifact(id=7, node_id="n", name="wheel", size_in_bytes=5, url="u", archive_download_url="d", expired=False)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (events.TransferStarted(artifact=ARTIFACT, size=None), "wheel: started"),
        (
            events.TransferStarted(artifact=ARTIFACT, size=2000, offset=1000),
            "wheel: started, 2.0 kB, going on from 1.0 kB",
        ),
        (events.TransferResumed(artifact=ARTIFACT, offset=0, reason="why"), "wheel: begun again (why)"),
        (events.TransferVerified(artifact=ARTIFACT, verified="none"), "wheel: nothing to verify it by"),
        (
            events.TransferFinished(artifact=ARTIFACT, path=Path("x"), size=1, skipped=True),
            "wheel: is there already, x",
        ),
        (
            events.ExtractionProgress(artifact=ARTIFACT, written=2000, total=2000, members_done=3, members=3),
            "wheel: unpacked 3 members, 2.0 kB",
        ),
        (events.ExtractionProgress(artifact=ARTIFACT, written=1, total=2, members_done=0, members=3), None),
        (events.TransferBytes(artifact=ARTIFACT, received=1, size=2), None),
        (events.TransferFailed(artifact=ARTIFACT, error=OSError()), None),
    ],
)
def test_phrases(event, said):
    """What happens, in words; what is told elsewhere, or too often, is not told here."""
    assert progress.phrase(event, everything=True) == said
    assert progress.phrase(event, everything=False) is None


def test_log_lines_are_escaped(capsys):
    """What a library logs reaches standard error as one escaped line, and only with --verbose."""
    logger = logging.getLogger("gh_artifacts_async.x")
    with logs.shown(verbose=True):
        logger.debug("a\x1bb")
    with logs.shown(verbose=False):
        logger.warning("not shown")
    assert capsys.readouterr().err == "gh_artifacts_async.x: a\\x1bb\n"
