"""The kit that shows what a program does on a terminal."""

from __future__ import annotations

import signal

import pytest

from tests.kits import scene, terminal

pytestmark = [pytest.mark.realtime, pytest.mark.once]


def test_a_program_is_seen_as_a_person_would_see_it():
    """Frames in between, lines that scrolled off, lines too long, keys, and the exit code."""
    program = (
        "import os, sys, time; print(*os.get_terminal_size(), sys.stdout.isatty()); print('x' * 25);"
        "print('\\x1b[36;1mready\\x1b[0m 日本'); input(); print('\\x1b[Agone\\x1b[K'); sys.exit(3)"
    )
    seen = terminal.run(
        given=("-c", program), columns=20, rows=4, steps=[("ready", lambda screening: screening.press("\n"))]
    )
    assert seen.code == 3
    assert seen.wrapped == ["x" * 20]
    assert seen.scrolled[0] == "20 4 True"
    assert seen.lines == ["20 4 True", "x" * 20, "x" * 5, "ready 日本", "gone"]
    assert any("\x1b[0;1;36mready" in line for frame in seen.frames for line in frame.styled)
    assert seen.cpu > 0


def test_standard_output_may_be_a_pipe():
    """What goes there is returned, all of it, and not on the screen."""
    seen = terminal.run(
        given=("-c", "import sys; print('x' * 100_000); sys.stderr.write(f'{sys.stdout.isatty()}')"), out=False
    )
    assert seen.out == "x" * 100_000 + "\n"
    assert seen.screen == ["False"]


def test_signals_and_sizes():
    """A program can be told of a new size, and be stopped by a signal or by Ctrl-C."""
    program = (
        "import os, signal, sys, time;"
        "signal.signal(signal.SIGWINCH, lambda *_: print(os.get_terminal_size().columns, flush=True));"
        "print('x' * 15, flush=True); time.sleep(20)"
    )
    seen = terminal.run(
        given=("-c", program),
        columns=20,
        steps=[
            ("xxx", lambda screening: screening.resize(10, 5)),
            ("\n10", lambda screening: screening.press("\x03")),
        ],
    )
    assert seen.lines[:3] == ["x" * 10, "x" * 5, "10"]
    assert "KeyboardInterrupt" in seen.text.replace("\n", "")
    killed = terminal.run(
        given=("-c", "import time; print('up', flush=True); time.sleep(20)"),
        steps=[("up", lambda screening: screening.kill(signal.SIGKILL))],
    )
    assert killed.code == -signal.SIGKILL


def test_a_program_that_does_not_end():
    """It is killed, and the error shows the screen."""
    with pytest.raises(TimeoutError, match="stuck"):
        terminal.run(given=("-c", "import time; print('stuck', flush=True); time.sleep(20)"), timeout=0.5)


@pytest.mark.slow
def test_the_program_itself():
    """By default it is ours that runs."""
    seen = terminal.run("--version")
    assert seen.code == 0
    assert seen.text.startswith("gh-artifacts ")


@pytest.mark.slow
def test_the_scene_of_the_pictures():
    """A frame has whatever makes a picture worth it, and its colours."""
    shown = scene.frame(80)
    assert shown.text.startswith("25 of 32 done")
    for state in ("stalled for", "resum", "MB/s", "s left"):
        assert state in shown.text
    assert len(shown.text.splitlines()) == 8
    assert "\x1b[0;36m━" in shown.styled[1]
