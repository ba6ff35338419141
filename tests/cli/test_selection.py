"""Which artifacts a download selects."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gh_artifacts_async import RepositoryName
from gh_artifacts_async.cli.selection import Selection, select
from gh_artifacts_async.cli.selectors import Selectors
from tests.cli.conftest import REPO

pytestmark = pytest.mark.realtime


def days_ago(days):
    """Return a time as GitHub writes it; artifacts expire after 90 days."""
    return f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


def test_names_patterns_and_runs(server, cli):
    """Names are exact and may be several, patterns are globs, and a run narrows both."""
    one, two = server.run(), server.run()
    for run in (one, two):
        for name in ("wheel-linux", "wheel-mac", "logs", "WHEEL-x"):
            server.artifact(run, f"{name}-{run.id}")

    def names(*words: object) -> list[str]:
        document = cli("download", REPO, *words, "--dry-run", "--json").document
        return sorted(
            found["name"].removesuffix(f"-{found['name'].split('-')[-1]}") for found in document["would_download"]
        )

    assert names("--pattern", "wheel-*") == ["wheel-linux", "wheel-linux", "wheel-mac", "wheel-mac"]
    assert names("--run", one.id, "--pattern", "wheel-*") == ["wheel-linux", "wheel-mac"]
    assert names("--name", f"logs-{one.id}", "--name", f"wheel-mac-{two.id}") == ["logs", "wheel-mac"]
    assert names("--run", two.id, "--name", f"logs-{two.id}", "--pattern", "*linux*") == ["logs", "wheel-linux"]
    assert len(names("--run", one.id)) == 4
    assert len(names("--all")) == 8
    assert len(names("--all", "--run", one.id)) == 4


@pytest.mark.github_com("filters")
def test_one_name_is_asked_of_github_itself(server, cli):
    """A name is looked for by GitHub, so that a large listing need not be read."""
    run = server.run()
    for number in range(105):
        server.artifact(run, f"a{number}")
    server.call(server.github.forget_requests)
    assert cli("download", REPO, "--name", "a3", "--dry-run").code == 0
    assert len(server.github.requests_to("api")) == 1


def test_expired_ones_are_left_out_with_a_note(server, cli):
    """--all means what can still be had; the rest is named."""
    run = server.run()
    server.artifact(run, "fresh")
    for number in range(5):
        server.artifact(run, f"old{number}", expired=True)
    ran = cli("download", REPO, "--all", "--json")
    assert ran.code == 0
    assert "skipped (expired): old4, old3, old2 and 2 more" in ran.err
    assert [found["name"] for found in ran.document["downloaded"]] == ["fresh"]
    assert {found["name"] for found in ran.document["expired"]} == {f"old{number}" for number in range(5)}


def test_an_expired_artifact_named_by_id_is_a_failure(server, cli):
    """The error says that it has expired."""
    ran = cli("download", REPO, server.artifact(server.run(), "old", expired=True))
    assert ran.code == 3
    assert "(old) has expired" in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--name", "absent"], "no artifacts named 'absent' in octo-org/octo-docs; run gh-artifacts list"),
        (["--name", "old"], "all artifacts named 'old' in octo-org/octo-docs have expired; run the workflow again"),
        (["--pattern", "zz*"], "no artifacts matching 'zz*'"),
        (["--run", "{empty}"], "no artifacts in run"),
        (["7"], "404: not found, or"),
    ],
)
def test_what_is_not_there_is_exit_code_3(server, cli, words, said):
    """Not found, whichever way it was looked for."""
    run = server.run()
    empty = server.run()
    server.artifact(run, "old", expired=True)
    ran = cli("download", REPO, *(word.format(empty=empty.id) for word in words))
    assert ran.code == 3
    assert said in ran.err


def test_some_found_and_some_not_is_exit_code_1(server, cli, tmp_path):
    """What is there is downloaded all the same."""
    server.artifact(server.run(), "logs")
    ran = cli("download", REPO, "--name", "logs", "--name", "absent")
    assert ran.code == 1
    assert (tmp_path / "logs.zip").exists()
    assert "1 failed" in ran.err


def test_all_of_an_empty_repository_is_done_at_once(server, cli):
    """Nothing to do is no failure for --all."""
    server.run()
    ran = cli("download", REPO, "--all")
    assert (ran.code, ran.out) == (0, "")
    assert "nothing to download" in ran.err


def test_the_newest_of_each_name_by_default(server, cli, tmp_path):
    """A name's file never depends on its neighbours: the same command fetches nothing the second time."""
    old, new = server.run(created_at=days_ago(8)), server.run(conclusion="failure")
    server.artifact(old, "wheel", created_at=days_ago(8))
    newest = server.artifact(new, "wheel", files={"a": "new"})
    assert cli("download", REPO, "-n", "wheel", "-D", "out").code == 0
    assert (tmp_path / "out/wheel.zip").read_bytes() == server.github.content(newest)
    before = len(server.github.requests_to("storage"))
    for _ in range(2):
        ran = cli("download", REPO, "-n", "wheel", "-D", "out")
        assert (ran.code, "already there" in ran.out) == (0, True)
    assert len(server.github.requests_to("storage")) == before
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["wheel.zip"]


@pytest.mark.github_com("digest")
def test_a_newer_artifact_of_the_name_is_one_clear_error(server, cli, tmp_path):
    """It names both, and what replaces the old one; that then works."""
    run = server.run()
    old = server.artifact(run, "wheel", files={"a": "old"}, created_at=days_ago(8))
    cli("download", REPO, "-n", "wheel")
    new = server.artifact(run, "wheel", files={"a": "new"})
    ran = cli("download", REPO, "-n", "wheel", "--json")
    assert ran.code == 8
    said = f"wheel.zip is artifact {old}, and artifact {new} of the same name is newer"
    assert ran.err.count(said) == 1
    assert "--if-exists replace" in ran.err
    assert said in ran.document["failed"][0]["error"]
    server.call(server.github.remove_artifact, old)
    ran = cli("download", REPO, "-n", "wheel")
    assert (ran.code, str(new) in ran.err, "--if-exists replace" in ran.err) == (8, True, True)
    assert cli("download", REPO, "-n", "wheel", "--if-exists", "replace").code == 0
    assert (tmp_path / "wheel.zip").read_bytes() == server.github.content(new)


def test_the_newest_run_that_fits_or_all_of_them(server, cli, tmp_path):
    """With an option about runs, successful ones of the repository itself count; --all-runs takes them all, by ID."""
    first = server.artifact(server.run(branch="main", created_at=days_ago(8)), "wheel")
    second = server.artifact(server.run(branch="main", created_at=days_ago(7)), "wheel")
    failed = server.artifact(server.run(branch="main", conclusion="failure"), "wheel", files={"a": "failed"})
    server.artifact(server.run(branch="main", head_repository="evil/octo-docs"), "wheel")

    def ids(*words: object) -> list[int]:
        document = cli("download", REPO, *words, "--dry-run", "--json").document
        return [found["id"] for found in document["would_download"]]

    assert ids("-b", "main") == [second]
    assert ids("-b", "main", "--conclusion", "failure") == [failed]
    assert ids("-b", "main", "--all-runs") == [second, first]
    assert len(ids("-b", "main", "--all-runs", "--allow-forks", "--conclusion", "any")) == 4
    cli("download", REPO, "-b", "main", "--all-runs", "-D", "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"wheel-{first}.zip", f"wheel-{second}.zip"]


def test_attempts_of_a_run(server, cli, tmp_path):
    """The newest of twins, or all of them under their IDs."""
    run = server.run()
    ids = [server.artifact(run, "wheel", created_at=days_ago(9 - day)) for day in (1, 2)]
    cli("download", REPO, "-r", run.id, "-D", "newest")
    assert (tmp_path / "newest/wheel.zip").read_bytes() == server.github.content(ids[1])
    cli("download", REPO, "-r", run.id, "--all-attempts", "-D", "all")
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == [f"wheel-{number}.zip" for number in ids]


def test_two_ids_of_one_name_need_a_layout(server, cli, tmp_path):
    """A usage error names the option; a template is a layout too."""
    run = server.run(branch="main")
    one, two = server.artifact(run, "wheel"), server.artifact(run, "wheel")
    ran = cli("download", REPO, one, two)
    assert ran.code == 2
    assert f"the artifacts {one}, {two} have the same name, 'wheel'; use --layout id" in ran.err
    assert not list(tmp_path.iterdir())
    assert cli("download", REPO, one, two, "--layout", "id").code == 0
    assert cli("download", REPO, one, two, "--layout", "{branch}/{id}").code == 0
    assert (tmp_path / f"main/{one}.zip").exists()
    assert cli("download", REPO, one, "--layout", "{colour}").code == 2


async def test_nothing_is_asked_to_explain_what_is_ignored(github, client):
    """Whether expired artifacts would fit matters for the message only."""
    github.add_artifact(github.add_run(REPO), "wheel", expired=True)
    requests = {}
    for if_none in ("ignore", "warn"):
        github.forget_requests()
        selectors = Selectors(name=["wheel"], if_none=if_none)
        found = await select(client, RepositoryName.parse(REPO), Selection(selectors=selectors))
        assert (found.artifacts, found.failures, len(found.warnings)) == ([], [], int(if_none == "warn"))
        requests[if_none] = len(github.requests_to("api"))
    assert requests == {"ignore": 1, "warn": 2}


@pytest.mark.parametrize(
    ("if_none", "code", "said"),
    [("error", 3, "error: no artifacts"), ("warn", 0, "warning: no artifacts"), ("ignore", 0, "nothing to download")],
)
def test_what_it_means_if_there_is_none(server, cli, if_none, code, said):
    """An error by default; a warning; or nothing at all."""
    server.run(workflow="ci.yml")
    ran = cli("download", REPO, "--workflow", "ci.yml", "-n", "absent", "--if-none", if_none)
    assert ran.code == code
    assert said in ran.err
    assert ("no artifacts" in ran.err) == (if_none != "ignore")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--all", "-n", "x"],
        ["7", "-b", "main"],
        ["--run", "7", "--workflow", "ci.yml"],
        ["--commit", "abc"],
        ["--all-runs"],
    ],
)
def test_selections_that_make_no_sense(cli, server, words):
    """A usage error, before any request."""
    ran = cli("download", REPO, *words)
    assert ran.code == 2
    assert server.github.requests == []
