"""What a command works with."""

from __future__ import annotations

import os

import pytest

from gh_artifacts_async import ListingProgress, Pacing, RateLimitPause
from gh_artifacts_async.cli.context import Context, fan_out
from gh_artifacts_async.cli.options import GlobalOptions
from gh_artifacts_async.cli.render import screen
from gh_artifacts_async.errors import AuthenticationError, MissingTokenError
from tests.cli.conftest import REPO
from tests.kits.gh import install_gh


@pytest.mark.parametrize(
    ("api", "repo", "names"),
    [
        (None, REPO, "GH_TOKEN or GITHUB_TOKEN"),
        (None, f"tenant.ghe.com/{REPO}", "GH_TOKEN or GITHUB_TOKEN"),
        (None, f"ghes.example/{REPO}", "GH_ENTERPRISE_TOKEN or GITHUB_ENTERPRISE_TOKEN"),
        ("ghes.example", REPO, "GH_ENTERPRISE_TOKEN or GITHUB_ENTERPRISE_TOKEN"),
    ],
)
def test_advice_names_the_variables_of_the_host(api, repo, names, monkeypatch):
    """Those that would be read, whichever way the host was named."""
    monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
    context = Context(GlobalOptions(api_url=api))
    context.target(repo, None)
    assert context.sentence(AuthenticationError("x")) == f"x; set {names} to a valid token"


@pytest.mark.parametrize(
    ("repo", "given", "name"),
    [
        (REPO, ("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN"), "GH_TOKEN"),
        (REPO, ("GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN"), "GITHUB_TOKEN"),
        (f"ghes.example/{REPO}", ("GH_TOKEN", "GITHUB_ENTERPRISE_TOKEN"), "GITHUB_ENTERPRISE_TOKEN"),
    ],
)
def test_advice_about_a_token_that_was_rejected_names_where_it_is(repo, given, name, monkeypatch):
    """Setting another variable could be of no use."""
    monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
    for variable in given:
        monkeypatch.setenv(variable, "x")
    context = Context(GlobalOptions())
    context.target(repo, None)
    assert context.sentence(AuthenticationError("x")) == f"x; set {name} to a valid token"


@pytest.mark.parametrize(
    ("token_from", "repo", "advice"),
    [
        (None, REPO, "set GH_TOKEN or GITHUB_TOKEN to a valid token, or run gh auth login"),
        (
            None,
            f"ghes.example/{REPO}",
            (
                "set GH_ENTERPRISE_TOKEN or GITHUB_ENTERPRISE_TOKEN to a valid token, "
                "or run gh auth login --hostname ghes.example"
            ),
        ),
        (
            None,
            f"tenant.ghe.com/{REPO}",
            "set GH_TOKEN or GITHUB_TOKEN to a valid token, or run gh auth login --hostname tenant.ghe.com",
        ),
        ("env", REPO, "set GH_TOKEN or GITHUB_TOKEN to a valid token"),
    ],
)
def test_advice_where_there_is_no_token(token_from, repo, advice, monkeypatch):
    """A stored login would do as well, unless only the environment counts."""
    monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
    context = Context(GlobalOptions(token_from=token_from))
    context.target(repo, None)
    assert context.sentence(MissingTokenError("x")).endswith(f"; {advice}")


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("repo", "host"),
    [(REPO, "github.com"), (f"tenant.ghe.com/{REPO}", "tenant.ghe.com"), (f"ghes.example/{REPO}", "ghes.example")],
)
async def test_gh_is_asked_for_the_login_of_the_host(repo, host, monkeypatch, tmp_path_factory, tmp_path):
    """By the name that gh knows it by; a token of another host in the environment is none."""
    other = "GH_TOKEN" if host == "ghes.example" else "GH_ENTERPRISE_TOKEN"
    monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
    monkeypatch.setenv(other, "of another host")
    folder = install_gh(tmp_path_factory.mktemp("gh"), f'echo "$@" >> {tmp_path}/asked; echo gho_stored')
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    context = Context(GlobalOptions())
    async with context.client(context.target(repo, None)):
        pass
    assert context.login == host
    assert (tmp_path / "asked").read_text() == f"auth token --hostname {host}\n"


@pytest.mark.realtime
def test_advice_about_a_stored_login_that_was_rejected(server, cli, monkeypatch, tmp_path_factory):
    """No variable is to blame."""
    monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
    folder = install_gh(tmp_path_factory.mktemp("gh"), "echo gho_old")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    server.call(setattr, server.github, "tokens", {"another"})
    server.run()
    ran = cli("list", REPO)
    assert ran.code == 4
    assert ran.err.endswith("; log in again: gh auth login --hostname 127.0.0.1\n")


def test_advice_before_a_repository_is_known(monkeypatch):
    """The environment's host counts; one that cannot be right does not hide the error."""
    context = Context(GlobalOptions())
    monkeypatch.setenv("GH_HOST", "ghes.example")
    monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
    assert "GH_ENTERPRISE_TOKEN" in context.sentence(AuthenticationError("x"))
    monkeypatch.setenv("GH_HOST", "no host")
    assert "set GH_TOKEN or" in context.sentence(AuthenticationError("x"))
    assert context.sentence(MissingTokenError("x")).endswith("to a valid token")


def test_quiet_silences_notes_and_not_errors(capsys):
    """Control characters are escaped in both."""
    for quiet in (False, True):
        context = Context(GlobalOptions(quiet=quiet))
        context.note("a\x1bb")
        context.error("c\x1bd")
    assert capsys.readouterr().err == "a\\x1bb\nerror: c\\x1bd\nerror: c\\x1bd\n"


def test_fan_out():
    """Every observer gets every event, in order."""
    seen: list[str] = []
    event = ListingProgress(page=1, items=1, total_count=1)
    fan_out(lambda _event: seen.append("a"), lambda _event: seen.append("b"))(event)
    assert seen == ["a", "b"]


@pytest.mark.realtime
@pytest.mark.slow
def test_a_pause_for_the_rate_limit_is_told(server, cli):
    """A long silence is explained, also without --verbose."""
    server.github.faults.secondary_limit(retry_after=0)
    server.run()
    ran = cli("list", REPO)
    assert ran.code == 0
    assert "secondary rate limit was reached; continuing in" in ran.err


@pytest.mark.realtime
@pytest.mark.usefixtures("no_waiting")
def test_the_proxy_comes_from_the_environment(server, cli, monkeypatch):
    """HTTP_PROXY is obeyed, as by every tool of the command line."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    server.run()
    assert cli("list", REPO).code == 6


def test_a_wait_is_told_once(capsys, monkeypatch):
    """Each request that is held back says so; one line until then is enough, and another for a much longer wait."""
    now = iter([0.0, 0.1, 1.0, 2.0])
    monkeypatch.setattr("gh_artifacts_async.cli.context.time.monotonic", lambda: next(now))
    context = Context(GlobalOptions())
    for seconds in (40, 40, 41, 60):
        context.tell(Pacing(seconds=seconds, reason="points"))
    assert capsys.readouterr().err.splitlines() == [
        "keeping below GitHub's rate limits; continuing in 40 s",
        "keeping below GitHub's rate limits; continuing in 1 min",
    ]


def test_what_the_display_shows_is_not_told_besides(capsys):
    """Nothing is said twice; with --verbose, where the log goes by, it is."""
    pause = RateLimitPause(seconds=60, kind="primary")
    with screen.drawn_below(lambda *_: None):
        Context(GlobalOptions()).tell(pause)
        assert not capsys.readouterr().err
        Context(GlobalOptions(verbose=True)).tell(pause)
    assert "continuing in 1 min" in capsys.readouterr().err
