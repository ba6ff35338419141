"""What people see: the real executable in a terminal, against a fake GitHub that is slow and fails."""

from __future__ import annotations

import itertools
import random
import re
from pathlib import Path

import pytest

from tests.cli.conftest import REPO
from tests.kits import terminal

pytestmark = [pytest.mark.realtime, pytest.mark.once]

MB = 1_000_000
WHOLE = re.compile(r"^(\d+)(?: of |/| done)")
BYTES = re.compile(r"([\d.]+)(?: ([kMG]?B))?/([\d.]+) ([kMG]?B)")
UNITS = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}


@pytest.fixture
def screen(server):
    """Run the program against the fake, in a terminal."""

    def run(*words, **values):
        return terminal.run(*words, "--api-url", server.url, **values)

    return run


def slow(server, number, chunk=400_000, interval=0.25):
    """Let an artifact arrive slowly."""
    server.call(server.github.faults.drip, number, None, chunk=chunk, interval=interval)


def is_bar(line):
    """Whether a line is of the display."""
    return "━" in line or "─" in line or WHOLE.match(line) is not None or line.startswith("…")


def check(seen):
    """Check what holds for every display: nothing too long, nothing torn, nothing left, and lines that stay."""
    assert seen.wrapped == []
    assert [line for line in seen.lines if is_bar(line)] == []
    assert seen.raw.count("\x1b[?2026h") <= 10 * seen.frames[-1].seconds + 5
    rows: dict[str, set[int]] = {}
    done = []
    for frame in seen.frames:
        shown = [number for number, line in enumerate(frame.lines) if is_bar(line)]
        if not shown:
            continue
        assert shown == list(range(shown[0], shown[0] + len(shown)))  # what is printed does not tear them
        done.append(int(WHOLE.match(frame.lines[shown[0]])[1]))
        for number in shown[1:]:
            rows.setdefault(frame.lines[number].split(" ")[0], set()).add(number - shown[0])
    assert done == sorted(done)
    assert {name: places for name, places in rows.items() if len(places) > 1 and name != "…"} == {}
    return rows


def parts_of_the_whole(seen):
    """Return of each frame how many bytes are done, and how many there are to do."""
    parts = []
    for frame in seen.frames:
        found = next(filter(None, (BYTES.search(line) for line in frame.lines if WHOLE.match(line))), None)
        if found:
            unit = UNITS[found[4]]
            parts.append((float(found[1]) * UNITS.get(found[2], unit), float(found[3]) * unit))
    return parts


@pytest.mark.slow
@pytest.mark.sample
def test_a_download_is_watched(server, screen):
    """Lines for what takes long, redrawn in place; then a table and a line for the whole, and nothing else."""
    run = server.run()
    for name in ("wheel", "docs"):
        slow(server, server.artifact(run, name, size=2 * MB))
    server.artifact(run, "small")
    seen = screen("download", REPO, "--all", "--layout", "name", "--dir", "out")
    assert seen.code == 0
    assert set(check(seen)) == {"wheel", "docs"}
    assert [line.split() for line in seen.lines[:2]] == [
        ["NAME", "SIZE", "VERIFIED", "PATH"],
        ["small", "130", "B", "sha256", "ok", "out/small.zip"],
    ]
    assert len(seen.lines) == 5
    assert seen.lines[-1].startswith("3 artifacts downloaded to out (4.0 MB in ")


@pytest.mark.slow
@pytest.mark.parametrize("columns", [40, 80, 120])
def test_two_hundred_artifacts_and_faults(server, screen, columns):
    """A stall, a broken connection, a rate limit, one that is gone, and unpacking: all of it can be read."""
    run = server.run()
    big = [server.artifact(run, f"b{number}", size=3 * MB) for number in range(6)]
    for number in range(194):
        server.artifact(run, f"small-{number}-" + "日本" * (number % 2) + "long" * 20, size=2000)
    faults = server.github.faults
    server.call(faults.stall, big[0], MB, seconds=5)
    server.call(faults.cut, big[1], MB)
    for number in big:
        slow(server, number)
    server.call(faults.status, big[2], 404, None)
    server.call(faults.pass_by, None, 30)
    server.call(faults.secondary_limit, None, 1, retry_after=2, endpoint="download-artifact")
    seen = screen("download", REPO, "--all", "--extract", "--dir", "out", columns=columns)
    assert seen.code == 1
    assert {"b0", "b1"} <= set(check(seen))
    shown = "\n".join(frame.text for frame in seen.frames)
    for state in (
        "stalled",
        r"resum(ed|ing)",
        r"(limit|until)(?: until)? \d\d:\d\d",
        r"\d s left",
        "19[4-9](?: of |/)200",
    ):
        assert re.search(state, shown), state
    assert all(0 <= done <= total for done, total in parts_of_the_whole(seen))
    said = " ".join(" ".join(seen.lines).split())
    assert said.count("error:") == 1
    assert f"error: b2 ({big[2]}): storage at " in said
    assert "199 artifacts downloaded to out" in said
    assert "1 failed; 1 broken transfer resumed; waited 2.0 s for GitHub's rate limit" in said


@pytest.mark.slow
def test_a_download_that_is_stopped_and_resumed(server, screen):
    """Ctrl-C keeps what has arrived; the next run has so much less to do, and says where it resumed."""
    run = server.run()
    for number in range(3):
        slow(server, server.artifact(run, f"b{number}", size=4 * MB), chunk=300_000)
    words = ("download", REPO, "--all", "--layout", "name")
    seen = screen(*words, steps=[(r"[1-3]\.\d/4\.0 MB", lambda it: it.press("\x03"))])
    check(seen)
    assert seen.code == 130
    assert seen.lines == ["interrupted; run the same command again to resume where it stopped"]
    seen = screen(*words)
    check(seen)
    parts = parts_of_the_whole(seen)
    assert {total < 11.9 * MB for _, total in parts} == {True}
    assert parts[0][0] <= 0.1 * parts[0][1]
    assert len(re.findall(r"sha256 ok +resumed at ", seen.text)) == 3
    assert screen(*words).lines == ["3 artifacts already in ."]


@pytest.mark.slow
def test_what_was_done_before_ctrl_c_is_told(server, screen):
    """A table, the total, and what to do now."""
    run = server.run()
    server.artifact(run, "small")
    slow(server, server.artifact(run, "big", size=9 * MB))
    seen = screen("download", REPO, "--all", "--layout", "name", steps=[("big ", lambda it: it.press("\x03"))])
    check(seen)
    assert (seen.code, len(seen.lines)) == (130, 4)
    assert seen.lines[1].startswith("small")
    assert seen.lines[2].startswith("1 artifact downloaded to . ")


@pytest.mark.slow
def test_a_terminal_that_is_closed(server, screen, tmp_path):
    """Nobody sees it end: it stops as on SIGHUP, and what has arrived is kept."""
    run = server.run()
    slow(server, server.artifact(run, "big", size=9 * MB))
    seen = screen("download", REPO, "--all", steps=[(r"1\.\d/9\.0 MB", lambda it: it.hang_up())])
    assert seen.code == 129
    assert [path.suffix for path in tmp_path.glob(".big.*.part")] == [".part"]


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [[(50, 24)], [(120, 10)], [(60, 24), (100, 30), (70, 24)]])
def test_a_terminal_that_is_resized(server, screen, sizes):
    """Lines that the terminal has wrapped are taken off, and nothing of what was printed above."""
    run = server.run()
    for number in range(5):
        slow(server, server.artifact(run, f"big-{number}-{'x' * 30}", size=3 * MB))
    server.call(server.github.faults.status, server.artifact(run, "gone"), 404, None)
    steps = [
        (lambda it, after=after: len(it.frames) > after and "big-4" in it.text, lambda it, size=size: it.resize(*size))
        for after, size in zip((3, 9, 15), sizes, strict=False)
    ]
    seen = screen("download", REPO, "--all", columns=90, rows=20, steps=steps)
    assert seen.code == 1
    assert [line for line in seen.lines if is_bar(line)] == []
    assert " ".join(" ".join(seen.lines).split()).count("error: gone (") == 1
    assert max(sum(WHOLE.match(line) is not None for line in frame.lines) for frame in seen.frames) == 1


@pytest.mark.slow
def test_results_through_a_pipe(server, screen):
    """The lines that programs read come as each artifact ends, and the total goes to the terminal, with the bars."""
    run = server.run()
    for number in range(30):
        server.artifact(run, f"a{number}")
    slow(server, server.artifact(run, "big", size=2 * MB))
    seen = screen("download", REPO, "--all", "--layout", "name", out=False)
    assert set(check(seen)) == {"big"}
    lines = seen.out.splitlines()
    assert sorted(Path(line.split()[-1]).stem for line in lines) == sorted(["big", *(f"a{it}" for it in range(30))])
    assert {line.split()[2] for line in lines} == {"sha256"}
    assert len(seen.lines) == 1
    assert seen.lines[0].startswith("31 artifacts downloaded to . (2.0 MB in ")


@pytest.mark.slow
def test_more_transfers_than_rows(server, screen):
    """The display never has more lines than the terminal, and says how many it does not show."""
    run = server.run()
    for number in range(16):
        slow(server, server.artifact(run, f"b{number}", size=2 * MB))
    seen = screen("download", REPO, "--all", "--jobs", 16, rows=8)
    check(seen)
    assert "… and 11 more active" in "\n".join(frame.text for frame in seen.frames)
    assert seen.scrolled == [] or not any(map(is_bar, seen.scrolled))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("columns", "words"),
    list(
        itertools.product(
            [40, 80], [("download", "--all", "--merge", "--dir", "out"), ("mirror", "out", "--layout", "name")]
        )
    ),
)
def test_merges_and_mirrors(server, screen, columns, words):
    """They draw the same lines, and leave none."""
    run = server.run()
    for number in range(4):
        content = random.Random(number).randbytes(2 * MB)  # noqa: S311 - what cannot be compressed
        slow(server, server.artifact(run, f"b{number}", files={f"{number}.bin": content}))
    seen = screen(words[0], REPO, *words[1:], columns=columns)
    assert seen.code == 0
    assert set(check(seen)) >= {"b0", "b1"}


@pytest.mark.slow
@pytest.mark.parametrize("command", ["list", "runs", "usage"])
def test_a_listing_that_waits(server, screen, command):
    """A pause of a listing says until when, and then it is gone."""
    server.artifact(server.run(), "wheel")
    server.call(server.github.faults.secondary_limit, None, 1, retry_after=1)
    seen = screen(command, REPO, columns=40)
    assert seen.code == 0
    assert any(re.search(r"limit until \d\d:\d\d", frame.text) for frame in seen.frames)
    assert "limit until" not in seen.text
