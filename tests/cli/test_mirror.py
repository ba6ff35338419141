"""``gh-artifacts mirror``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import REPO

pytestmark = pytest.mark.realtime


@pytest.mark.github_com("digest")
def test_mirror_and_mirror_again(server, cli, tmp_path):
    """The first run says what is new, a line each; the second that nothing is."""
    run = server.run()
    one, two = server.artifact(run, "wheel", size=300_000), server.artifact(run, "logs", size=2000)
    ran = cli("mirror", REPO, "backup/artifacts")
    assert ran.code == 0
    assert sorted(ran.out.splitlines()) == [
        f"2.0 kB  new  {Path('backup/artifacts', f'logs-{two}.zip')}",
        f"300 kB  new  {Path('backup/artifacts', f'wheel-{one}.zip')}",
    ]
    assert "2 artifacts new in backup/artifacts (302 kB downloaded in" in ran.err
    assert (tmp_path / f"backup/artifacts/wheel-{one}.zip").read_bytes() == server.github.content(one)
    server.call(server.github.forget_requests)
    again = cli("mirror", REPO, "backup/artifacts", "--no-link", "--verify")
    assert (again.code, again.out) == (0, "")
    assert "nothing new in backup/artifacts; 2 already there" in again.err
    assert server.github.requests_to("storage") == []


@pytest.mark.github_com("digest")
def test_mirror_as_json(server, cli):
    """One document with what was fetched, kept, removed and failed."""
    run = server.run()
    number, gone, bad = (server.artifact(run, name, size=2000, seed=seed) for seed, name in enumerate("abc"))
    cli("mirror", REPO, "out", "--name", "b", "--name", "a")
    server.call(server.github.remove_artifact, gone)
    server.call(server.github.faults.status, bad, 404, None)
    ran = cli("mirror", REPO, "out", "--prune", "--json")
    assert ran.code == 1
    document = ran.document
    assert (document["repository"], document["directory"], document["extract"]) == (REPO, "out", False)
    assert [entry["id"] for entry in document["kept"]] == [number]
    (removed,) = document["removed"]
    assert (removed["id"], removed["path"], removed["size"]) == (gone, str(Path("out", f"b-{gone}.zip")), 2000)
    assert removed["digest"] == f"sha256:{removed['sha256']}"
    (failed,) = document["failed"]
    assert (failed["id"], failed["name"]) == (bad, "c")
    assert document["fetched"] == []
    assert document["bytes"] == 0


@pytest.mark.github_com("digest")
def test_mirror_of_the_newest_build(server, cli, tmp_path):
    """Selectors, a layout and --prune: the newest build under its plain name."""
    for seed in (1, 2):
        number = server.artifact(server.run(), "docs", size=2000, seed=seed)
        ran = cli("mirror", REPO, "nightly", "--branch", "main", "--layout", "name", "--prune")
        assert ran.code == 0, ran.err
        assert (tmp_path / "nightly" / "docs.zip").read_bytes() == server.github.content(number)
        server.call(server.github.clock.advance, 60)


def test_mirror_unpacks(server, cli, tmp_path):
    """--extract makes folders; the other kind of mirror is refused, in the words of the command line."""
    number = server.artifact(server.run(), "docs", files={"a.txt": b"a"})
    assert cli("mirror", REPO, "out", "--extract").code == 0
    assert (tmp_path / "out" / f"docs-{number}" / "a.txt").read_bytes() == b"a"
    ran = cli("mirror", REPO, "out")
    assert ran.code == 2
    assert "out is a mirror of extracted artifacts; add --extract, or use another folder" in ran.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "expected OWNER/REPO and a DIR, got 0 arguments"),
        (("a/b", "c", "d"), "expected OWNER/REPO and a DIR, got 3 arguments"),
        ((REPO,), f"expected OWNER/REPO and a DIR, got only '{REPO}'; for a folder of that name, write ./{REPO}"),
        ((REPO, "out", "--jobs", "0"), "--jobs must be 1 or more, not 0"),
        (
            (REPO, "out", "--layout", "{x}"),
            "error: --layout must be 'name', 'id', or a template of {name}, {id}, {run_id}, {branch},",
        ),
        ((REPO, "out", "--all-runs"), "--all-runs needs"),
    ],
)
def test_usage(server, cli, tmp_path, words, says):
    """What cannot be meant is a usage error, and nothing is asked or written."""
    ran = cli("mirror", *words)
    assert ran.code == 2
    assert says in ran.err
    assert server.github.requests == []
    assert list(tmp_path.iterdir()) == []


def test_folder_alone(server, cli, tmp_path, monkeypatch):
    """The repository may come from -R or the environment; a folder may have a slash then."""
    server.artifact(server.run(), "docs")
    assert cli("mirror", "-R", REPO, "a/b").code == 0
    assert (tmp_path / "a" / "b").is_dir()
    monkeypatch.setenv("GH_REPO", REPO)
    assert cli("mirror", "./c/d").code == 0
    assert (tmp_path / "c" / "d").is_dir()


@pytest.mark.parametrize(
    ("option", "code", "says"), [("error", 3, "error: no artifacts match"), ("warn", 0, "warning: "), ("ignore", 0, "")]
)
def test_nothing_matches(server, cli, option, code, says):
    """--if-none says what it means if nothing is selected."""
    server.artifact(server.run(), "docs")
    ran = cli("mirror", REPO, "out", "--name", "other", "--if-none", option)
    assert ran.code == code
    assert says in ran.err
    assert ("no artifacts match" in ran.err) == bool(says)


def test_changed_here(server, cli, tmp_path):
    """A file of another size is a failure that says once what to do about it."""
    number = server.artifact(server.run(), "docs")
    cli("mirror", REPO, "out")
    (tmp_path / "out" / f"docs-{number}.zip").write_bytes(b"mine")
    ran = cli("mirror", REPO, "out")
    assert ran.code == 8
    assert "was changed since it was mirrored; remove it, or use --verify, to get the artifact again\n" in ran.err


def test_changed_here_and_deleted_there(server, cli, tmp_path):
    """With --verify, what is damaged and cannot be fetched again is named, and nobody is sent to check the ID."""
    number, _ = server.artifact(server.run(), "docs"), server.artifact(server.run(), "more")
    cli("mirror", REPO, "out")
    (tmp_path / "out" / f"docs-{number}.zip").write_bytes(b"mine")
    server.call(server.github.remove_artifact, number)
    ran = cli("mirror", REPO, "out", "--verify")
    assert ran.code == 1
    assert f"docs-{number}.zip was changed since it was mirrored, and artifact {number} is gone from GitHub" in ran.err
    assert "check OWNER/REPO" not in ran.err


def test_refused(server, cli):
    """An empty listing is refused with --prune, with 1; a listing that failed, with the code of its failure."""
    number = server.artifact(server.run(), "docs")
    cli("mirror", REPO, "out")
    server.call(server.github.remove_artifact, number)
    ran = cli("mirror", REPO, "out", "--prune")
    assert ran.code == 1
    assert "run without --prune, or remove the folder yourself" in ran.err
    server.call(setattr, server.github, "tokens", ["another"])
    ran = cli("mirror", REPO, "out", "--prune")
    assert ran.code == 4
    assert "nothing was pruned or fetched, since the listing failed" in ran.err


def test_in_the_way(server, cli, tmp_path):
    """What is in the way is told with what to do, and without an option that this command does not have."""
    number = server.artifact(server.run(), "docs")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / f"docs-{number}.zip").write_text("mine")
    ran = cli("mirror", REPO, "out")
    assert ran.code == 8
    assert "already exists and is not this artifact; move it away" in ran.err
    assert "--dir" not in ran.err
    for _ in range(2):
        server.artifact(server.run(), "twins")
    ran = cli("mirror", REPO, "out", "--layout", "name")
    assert ran.code == 8
    assert ran.err.rstrip().endswith("use --layout id to keep them apart")


def test_rejected_token_is_told_once(server, cli):
    """One reason that ended all the rest is told once, and its code is that of the command."""
    run = server.run()
    for seed in range(3):
        server.artifact(run, f"docs-{seed}", size=2000, seed=seed)

    def revoke(_: object) -> None:
        server.github.tokens = ["another"]

    server.call(server.github.on_page, revoke)
    ran = cli("mirror", REPO, "out", "--jobs", "1")
    assert ran.code == 4
    assert ran.err.count("error:") == 1


@pytest.mark.usefixtures("eager")
def test_bars_without_a_total(server, cli, terminal):
    """Bars tell how many are done, and no number of what is left: the listing is read by the mirror itself."""
    run = server.run()
    for seed in (0, 1):
        server.artifact(run, f"docs-{seed}", size=900_000, seed=seed)
    assert cli("mirror", REPO, "out").code == 0
    drawn = terminal.getvalue()
    assert "2 done" in drawn
    assert "1.8 MB" in drawn
    assert "of 2 done" not in drawn
