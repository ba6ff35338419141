from __future__ import annotations

import json
import signal
import sys
import threading
from datetime import UTC, datetime

import pytest

from gh_artifacts_async.cli import waiting
from tests.cli.conftest import REPO
from tests.kits.sampling import mostly_slow

pytestmark = pytest.mark.realtime


class TestWait:
    """``gh-artifacts wait``."""

    def test_what_is_there_is_printed_in_the_order_of_the_names(self, server, cli):
        """Id and name first; --json is an array of GitHub's documents."""
        run = server.run(branch="main")
        docs, wheels = server.artifact(run, "docs", size=1000), server.artifact(run, "wheels", size=2000)
        ran = cli("wait", REPO, "wheels", "docs")
        assert ran.code == 0
        lines = ran.out.splitlines()
        assert [line.split("  ")[:2] for line in lines] == [[str(wheels), "wheels"], [str(docs), "docs"]]
        assert lines[0].endswith(f"run {run.id}  main")
        ran = cli("wait", "-R", REPO, "docs", "--run", run.id, "--json")
        assert [found["id"] for found in ran.document] == [docs]
        assert ran.err == ""

    def test_it_comes_meanwhile(self, server, cli):
        """The wait looks again after the interval."""
        run = server.run(status="in_progress", conclusion=None)
        timer = threading.Timer(0.3, server.artifact, (run, "docs"))
        timer.start()
        ran = cli("wait", REPO, "docs", "--run", run.id, "--interval", "0.1", "--timeout", "20")
        timer.join()
        assert ran.code == 0
        assert "docs" in ran.out

    def test_a_wait_that_takes_a_while_says_so(self, server, cli, monkeypatch):
        """Nobody is left in front of a silent terminal."""
        monkeypatch.setattr(waiting, "_SOON", 0.05)
        server.run()
        assert cli("wait", REPO, "docs", "--timeout", "0.5").err.startswith("waiting for 'docs', for up to 0 s\n")

    def test_out_of_time_is_exit_code_3(self, server, cli):
        """The sentence names the option, not the library's argument."""
        server.run()
        assert cli("--timeout", "0.3", "wait", REPO, "docs").code == 3
        ran = cli("wait", REPO, "docs", "--timeout", "0.3")
        assert (ran.code, ran.out) == (3, "")
        assert ran.err == (
            f"error: no artifact named 'docs' in {REPO} after 0.3 s; use a larger --timeout to wait longer\n"
        )

    def test_a_run_that_failed_is_exit_code_1(self, server, cli):
        """At once; with --no-fail-fast only at the deadline."""
        run = server.run(conclusion="failure")
        ran = cli("wait", REPO, "docs", "--run", run.id)
        assert ran.code == 1
        assert "has ended (failure) and has no artifact named 'docs'" in ran.err
        assert "use --no-fail-fast to wait for a re-run" in ran.err
        ran = cli("wait", REPO, "docs", "--run", run.id, "--no-fail-fast", "--timeout", "0.3")
        assert ran.code == 3

    def test_an_unknown_run_is_exit_code_3(self, server, cli):
        """As for every other command."""
        server.run()
        assert cli("wait", REPO, "docs", "--run", 7).code == 3

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ([REPO], "expected OWNER/REPO and the name of an artifact"),
            ([], "expected OWNER/REPO and the name of an artifact"),
            ([REPO, "docs", "--timeout", "0"], "--timeout must be a number of seconds above 0, not 0"),
            ([REPO, "docs", "--timeout", "inf"], "--timeout must be a number of seconds above 0, not inf"),
            ([REPO, "docs", "--interval", "nan"], "--interval must be"),
            ([REPO, "docs", "--run", "0"], "--run must be"),
        ],
    )
    def test_mistakes(self, bare_cli, words, said):
        """They are usage errors, before any request."""
        ran = bare_cli("wait", *words)
        assert (ran.code, ran.out) == (2, "")
        assert said in ran.err


class TestWatch:
    """``gh-artifacts watch``."""

    def test_since_takes_a_time_or_a_cursor(self):
        """A time without a zone is UTC."""
        noon = datetime(2026, 7, 9, 12, tzinfo=UTC)
        assert waiting.moment_or_cursor("2026-07-09T12:00:00Z") == noon
        assert waiting.moment_or_cursor("2026-07-09 14:00+02:00") == noon
        assert waiting.moment_or_cursor("2026-07-09") == noon.replace(hour=0)
        assert waiting.moment_or_cursor("1.abc") == "1.abc"

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--since", "yesterday"], "--since must be a time, or the cursor of a watch, unaltered; 'yesterday' is"),
            (["--interval", "0"], "--interval must be"),
            (["--name", ""], "name must be"),
            (["more"], "expected OWNER/REPO, got 2 arguments"),
        ],
    )
    def test_mistakes(self, bare_cli, words, said):
        """They are usage errors, before any request."""
        ran = bare_cli("watch", REPO, *words)
        assert (ran.code, ran.out) == (2, "")
        assert said in ran.err

    @pytest.mark.parametrize(
        ("quiet", "said"), [((), f"watching {REPO} every 60 s; Ctrl-C ends it\n"), (["--quiet"], "")]
    )
    def test_on_a_terminal_it_says_what_it_does(self, server, cli, terminal, quiet, said):
        """Else nothing would be seen until an artifact comes."""
        server.run()
        assert cli("watch", REPO, "--timeout", "0.2", *quiet).code == 6
        assert terminal.getvalue().partition("error:")[0] == said

    @pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
    @pytest.mark.parametrize(("number", "code"), mostly_slow([(signal.SIGINT, 130), (signal.SIGTERM, 143)]))
    def test_an_object_a_line_until_a_signal(self, server, start, number, code):
        """Each line arrives as it is printed; its cursor goes on after it, also in a later process."""
        run = server.run()
        first = [server.artifact(run, name) for name in ("one", "two")]
        words = ("watch", REPO, "--json", "--interval", "0.1", "--api-url", server.url)
        process = start(*words, "--since", "2026-01-01")
        assert process.stdout is not None
        found = [json.loads(process.stdout.readline()) for _ in first]
        assert [one["id"] for one in found] == first
        later = server.artifact(run, "three")
        assert json.loads(process.stdout.readline())["id"] == later
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out) == (code, "")
        word = "interrupted" if code == 130 else "terminated"
        assert err == f"{word}; to continue, run it again with --since and the last line's cursor\n"
        process = start(*words, "--since", found[0]["cursor"])
        assert process.stdout is not None
        assert [json.loads(process.stdout.readline())["name"] for _ in range(2)] == ["two", "three"]

    @pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
    def test_a_reader_that_leaves_ends_it(self, server, start):
        """`gh-artifacts watch | head -1` comes to its end with the next artifact."""
        run = server.run()
        server.artifact(run, "one")
        process = start("watch", REPO, "--interval", "0.1", "--since", "2026-01-01", "--api-url", server.url)
        assert process.stdout is not None
        assert process.stderr is not None
        assert "  one  " in process.stdout.readline()
        process.stdout.close()
        server.artifact(run, "two")
        assert process.wait(20) == 0
        assert process.stderr.read() == ""
