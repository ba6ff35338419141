"""Which artifacts a download selects."""

from __future__ import annotations

import pytest

from tests.cli.conftest import REPO

pytestmark = pytest.mark.realtime


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
