"""``delete`` and ``prune``."""

from __future__ import annotations

import re
import signal
import sys
from datetime import timedelta

import pytest

from gh_artifacts_async.automation import now
from gh_artifacts_async.client import ArtifactsClient
from gh_artifacts_async.settings import RetryPolicy
from tests.cli.conftest import REPO, Terminal
from tests.kits.api import QUICK

pytestmark = pytest.mark.realtime


@pytest.fixture(autouse=True)
def unpaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let deletions follow each other at once, and try once."""
    made = ArtifactsClient.from_env

    def from_env(**given):
        return made(**{**given, "limits": QUICK, "retry": RetryPolicy(attempts=1)})

    monkeypatch.setattr(ArtifactsClient, "from_env", from_env)


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch, terminal: Terminal):
    """Let somebody sit at the terminal, who gives this answer."""

    def given(text: str) -> Terminal:
        stdin = Terminal(text)
        monkeypatch.setattr(sys, "stdin", stdin)
        return terminal

    return given


def left(server) -> set[int]:
    """Return what the repository still has."""
    return set(server.github.scenario.artifacts)


class TestDelete:
    """gh-artifacts delete."""

    def test_by_id_without_a_question(self, server, cli):
        """A line each on standard output, the total on standard error."""
        run = server.run()
        one, two, other = (
            server.artifact(run, name, size=1000, size_in_bytes=1000) for name in ("docs", "logs", "stays")
        )
        ran = cli("delete", REPO, one, two, one, "--yes")
        assert ran.code == 0
        assert ran.out.splitlines() == [f"  1.0 kB  deleted  {one}  docs", f"  1.0 kB  deleted  {two}  logs"]
        assert ran.err == "2 artifacts deleted, 2.0 kB freed\n"
        assert left(server) == {other}

    def test_names_and_sizes_are_shown_before_the_question(self, server, cli, answer):
        """Both on the terminal, which is not where results go."""
        number = server.artifact(server.run(), "docs\x1b[2J", size=1000, size_in_bytes=1000)
        screen = answer("y\n")
        ran = cli("delete", REPO, number)
        assert ran.code == 0
        shown = re.sub(r"\x1b\[[\d;]*m", "", screen.getvalue())
        assert f"{number}  docs\\x1b[2J  1.0 kB" in shown
        assert shown.index("1.0 kB") < shown.index(f"Delete 1 artifact (1.0 kB) from {REPO}? [y/N] ")
        assert "\x1b[2J" not in ran.out + shown
        assert left(server) == set()

    @pytest.mark.parametrize("text", ["", "\n", "n\n", "no\n", "yellow\n"])
    def test_anything_but_yes_is_no(self, server, cli, answer, text):
        """Nothing is deleted, and that is not all done."""
        number = server.artifact(server.run(), "docs")
        screen = answer(text)
        assert cli("delete", REPO, number).code == 1
        assert screen.getvalue().endswith("nothing was deleted\n")
        assert left(server) == {number}

    def test_without_a_terminal_it_is_a_usage_error(self, server, cli, monkeypatch):
        """And nothing is asked of GitHub."""
        number = server.artifact(server.run(), "docs")
        ran = cli("delete", REPO, number)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err == "error: there is no terminal to ask in whether to delete; add --yes\n"
        monkeypatch.setattr(sys, "stdin", Terminal("y\n"))  # standard error is none
        assert cli("delete", REPO, number).code == 2
        assert server.github.requests == []

    def test_without_an_id(self, cli):
        """It says what is missing."""
        ran = cli("delete", REPO, "--yes")
        assert (ran.code, "give the ID of at least one artifact" in ran.err) == (2, True)
        assert cli("delete", REPO, "docs", "--yes").code == 2

    def test_what_is_not_there(self, server, cli):
        """The others are deleted; alone it is exit code 3."""
        number = server.artifact(server.run(), "docs", size=1000, size_in_bytes=1000)
        ran = cli("delete", REPO, number, 7, "--yes")
        assert ran.code == 1
        assert ran.err.count("error:") == 1
        assert ran.err.endswith("1 artifact deleted, 1.0 kB freed; 1 failed\n")
        assert left(server) == set()
        assert cli("delete", REPO, 7, "--yes").code == 3

    def test_the_one_that_fails_is_told_once(self, server, cli):
        """The error says all of it."""
        number = server.artifact(server.run(), "docs")
        server.github.scopeless_tokens = ["secret-token"]
        ran = cli("delete", REPO, number, "--yes")
        assert (ran.code, ran.err.count("\n")) == (4, 1)
        assert ran.err.startswith("error: docs: ")

    def test_an_expired_artifact(self, server, cli):
        """It can be deleted too, and frees nothing."""
        number = server.artifact(server.run(), "docs", expired=True, size=1000, size_in_bytes=1000)
        assert cli("delete", REPO, number, "--yes").err == "1 artifact deleted, 0 B freed\n"

    def test_a_missing_permission_is_told_once(self, server, cli):
        """It ends all of it."""
        run = server.run()
        numbers = [server.artifact(run, f"docs-{number}") for number in range(4)]
        server.github.scopeless_tokens = ["secret-token"]
        ran = cli("delete", REPO, *numbers, "--yes")
        assert ran.code == 4
        assert ran.err.count("error:") == 1
        assert ran.err.endswith("0 artifacts deleted, 0 B freed; 4 failed\n")
        assert [record.method for record in server.github.requests].count("DELETE") == 1
        assert left(server) == set(numbers)

    def test_an_error_of_the_look_up(self, server, cli):
        """A rejected token is no matter of one artifact."""
        number = server.artifact(server.run(), "docs")
        server.github.tokens = ["another"]
        assert cli("delete", REPO, number, "--yes").code == 4

    def test_without_a_token(self, server, cli, monkeypatch):
        """It says that deleting needs one, and where it is taken from."""
        number = server.artifact(server.run(), "docs")
        monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
        ran = cli("delete", REPO, number, "--yes")
        assert ran.code == 4
        assert ran.err.startswith("error: deleting needs a token; set GH_ENTERPRISE_TOKEN or ")
        assert left(server) == {number}


@pytest.fixture
def filled(server) -> dict[str, int]:
    """Artifacts of several ages and branches."""
    main, dev = server.run(branch="main"), server.run(branch="dev")
    today = server.github.clock.now()
    added = {}
    for name, run, days in (
        ("wheel-old", dev, 40),
        ("wheel-main", main, 50),
        ("logs-old", dev, 60),
        ("wheel-new", dev, 1),
    ):
        added[name] = server.artifact(run, name, size=1000, size_in_bytes=1000, created_at=today - timedelta(days=days))
    return added


@pytest.fixture
def clock(server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the wall clock be the fake's."""
    fixed = server.github.clock.now()
    monkeypatch.setattr(now, "utcnow", lambda: fixed)


@pytest.mark.usefixtures("clock")
class TestPrune:
    """gh-artifacts prune."""

    def test_a_plan_first(self, server, cli, filled):
        """What would go and why; nothing is deleted without --apply."""
        ran = cli("prune", REPO, "--older-than", "30d", "--protect-branch", "main", "--name", "wheel-*")
        assert ran.code == 0
        head, row = ran.out.splitlines()
        assert head.split() == ["ID", "NAME", "SIZE", "CREATED", "BRANCH", "WHY"]
        assert row.startswith(f"{filled['wheel-old']}  wheel-old")
        assert row.endswith("dev     older than 30 days")
        assert ran.err.splitlines() == [
            "would delete 1 artifact (1.0 kB); 3 artifacts (3.0 kB) kept",
            "nothing was deleted; add --apply to delete them",
        ]
        assert left(server) == set(filled.values())

    def test_apply(self, server, cli, filled):
        """The plan is shown, and carried out."""
        ran = cli("prune", REPO, "--older-than", "30d", "--except", "wheel-main", "--apply")
        assert ran.code == 0
        assert ran.out.splitlines()[-2:] == [
            f"  1.0 kB  deleted  {filled['logs-old']}  logs-old",
            f"  1.0 kB  deleted  {filled['wheel-old']}  wheel-old",
        ]
        assert ran.err.splitlines() == [
            "deleting 2 artifacts (2.0 kB); 2 artifacts (2.0 kB) kept",
            "2 artifacts deleted, 2.0 kB freed",
        ]
        assert left(server) == {filled["wheel-main"], filled["wheel-new"]}

    def test_verbose_says_why_the_others_are_kept(self, cli, filled):
        """A line a reason."""
        del filled
        ran = cli("prune", REPO, "--older-than", "30d", "--protect-tag", "ma*", "--verbose")
        assert "kept: 1 artifact (protected tag 'main')\n" in ran.err
        assert "kept: 1 artifact (not older than 30 days)\n" in ran.err

    def test_max_total(self, server, cli, filled):
        """The oldest go; it says if that is not enough."""
        ran = cli("prune", REPO, "--max-total", "2.5kB", "--protect-branch", "main", "--apply")
        assert ran.code == 0
        assert left(server) == {filled["wheel-main"], filled["wheel-new"]}
        ran = cli("prune", REPO, "--max-total", "0", "--protect-branch", "*")
        assert ran.err.splitlines() == [
            "nothing to delete; 2 artifacts (2.0 kB) kept",
            "that is more than 0 B, but nothing else may be deleted",
        ]
        assert ran.out == ""

    def test_keep_latest_and_only_expired(self, server, cli, filled):
        """What has expired frees nothing."""
        server.github.expire_artifact(filled["logs-old"])
        ran = cli("prune", REPO, "--only-expired", "--json")
        assert [it["id"] for it in ran.document["delete"]] == [filled["logs-old"]]
        assert ran.document["bytes_freed"] == 0
        assert cli("prune", REPO, "--keep-latest", 1, "--json").document["delete"] == []

    def test_as_json(self, server, cli, filled):
        """One document: the plan, and what came of it."""
        ran = cli("prune", REPO, "--older-than", "30d", "--protect-branch", "main", "--json")
        document = ran.document
        assert [(it["name"], it["reason"]) for it in document["delete"]] == [
            ("logs-old", "older than 30 days"),
            ("wheel-old", "older than 30 days"),
        ]
        assert {it["name"] for it in document["keep"]} == {"wheel-main", "wheel-new"}
        assert document["delete"][0]["workflow_run"]["head_branch"] == "dev"
        assert (document["repository"], document["bytes_freed"], document["bytes_kept"]) == (REPO, 2000, 2000)
        assert (document["applied"], document["deleted"], document["failed"]) == (False, [], [])
        assert document["created_at"].endswith("Z")
        server.github.faults.status(filled["logs-old"], 500, None, where="api")
        ran = cli("prune", REPO, "--older-than", "30d", "--protect-branch", "main", "--json", "--apply")
        assert ran.code == 1
        assert (ran.document["applied"], ran.document["deleted"]) == (True, [filled["wheel-old"]])
        (failed,) = ran.document["failed"]
        assert (failed["id"], failed["type"]) == (filled["logs-old"], "ServerError")

    def test_on_a_terminal(self, cli, filled, terminal):
        """A spinner while it lists; results go to standard output alone."""
        del filled
        ran = cli("prune", REPO, "--older-than", "30d")
        assert "\x1b" not in ran.out
        assert "would delete 3 artifacts" in terminal.getvalue()

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ([], "say what to delete: --older-than, --keep-latest, --max-total or --only-expired"),
            (["--name", "a"], "say what to delete"),
            (["--older-than", "30"], "--older-than must be a length of time such as 30d, 12h or 2w, not '30'"),
            (["--max-total", "x"], "--max-total must be a size such as 400MB or 1GiB, not 'x'"),
            (["--keep-latest", "0"], "--keep-latest must be 1 or more, not 0"),
            (["--only-expired", "--max-total", "1"], "--only-expired does not go with --max-total"),
            (["--keep-latest", "1", "--except", ""], "--except needs a name or a glob, such as 'wheel-*'"),
            (["--keep-latest", "1", "extra"], "expected OWNER/REPO"),
        ],
    )
    def test_what_makes_no_sense(self, server, cli, words, said):
        """One sentence in the command line's own words, and no request."""
        ran = cli("prune", REPO, *words)
        assert (ran.code, ran.out) == (2, "")
        assert said in ran.err
        assert server.github.requests == []

    def test_globs_may_be_repeated(self, cli, filled):
        """Any of them will do."""
        ran = cli("prune", REPO, "--older-than", "0s", "--name", "logs-*", "--name", "wheel-new", "--json")
        assert {it["name"] for it in ran.document["delete"]} == {"logs-old", "wheel-new"} <= set(filled)


@pytest.mark.slow
def test_interrupted(start, server, filled):
    """What was deleted is told, and how to go on."""
    del filled
    process = start("prune", REPO, "--older-than", "0s", "--apply", "--api-url", server.url)
    assert process.stdout is not None
    while " deleted " not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted; run the same command again to delete the rest" in err
    assert len(left(server)) >= 2
