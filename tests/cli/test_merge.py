"""``gh-artifacts download --merge``."""

from __future__ import annotations

import pytest

from tests.cli.conftest import REPO
from tests.kits.zips import HOSTILE, tree

pytestmark = pytest.mark.realtime

FILES = {"linux": {"a-linux.whl": b"1" * 1000}, "macos": {"a-macos.whl": b"2" * 500, "LICENSE": b"MIT"}}
MERGED = {name: data for files in FILES.values() for name, data in files.items()}


@pytest.fixture
def ids(server):
    """Add an artifact a system, of one run."""
    run = server.run()
    return [server.artifact(run, f"wheel-{name}", files=files) for name, files in FILES.items()]


def test_merge(server, cli, tmp_path, ids):
    """All of a pattern go into DIR itself; a second run fetches nothing."""
    words = ("download", REPO, "--pattern", "wheel-*", "--merge", "--dir", "dist")
    ran = cli(*words)
    assert ran.code == 0
    assert tree(tmp_path / "dist") == MERGED
    assert ran.out.split() == ["1.5", "kB", "merged", "dist", "(3", "files)"]
    assert "2 artifacts merged (" in ran.err
    before = len(server.github.requests_to("storage"))
    again = cli(*words)
    assert again.code == 0
    assert "already there" in again.out
    assert "2 artifacts already in dist" in again.err
    assert len(server.github.requests_to("storage")) == before
    assert len(ids) == 2


def test_json(cli, tmp_path, ids):
    """One document with the folder, its files and the artifacts."""
    document = cli("download", REPO, *ids, "--merge", "--dir", "dist", "--json").document
    assert document["directory"] == "dist"
    assert (document["dry_run"], document["extract"], document["merge"], document["conflicts"]) == (
        *(False, True, True),
        "error",
    )
    assert document["merged"]["path"] == "dist"
    assert document["merged"]["skipped"] is False
    assert document["merged"]["artifacts"] == [
        {"id": it, "name": f"wheel-{name}"} for it, name in zip(ids, FILES, strict=True)
    ]
    assert {member["name"]: member["size"] for member in document["merged"]["members"]} == {
        name: len(data) for name, data in MERGED.items()
    }
    assert document["failed"] == []
    assert document["bytes"] > 0
    assert document["elapsed"] >= 0
    assert tree(tmp_path / "dist") == MERGED


def test_clash(server, cli, tmp_path, ids):
    """Two files at one path: both artifacts are named, in the command line's words, and nothing is written."""
    twin = server.artifact(server.run(), "wheel-twin", files={"LICENSE": b"MIT"})
    server.artifact(server.run(), "wheel-other", files={"LICENSE": b"GPL"})
    ran = cli("download", REPO, *ids, twin, "--merge", "--dir", "dist")
    assert ran.code == 7
    assert f'"LICENSE" is in artifact "wheel-macos" ({ids[1]}) and in artifact "wheel-twin" ({twin})' in ran.err
    assert "--conflicts identical allows equal files" in ran.err
    assert "conflicts=" not in ran.err
    assert "nothing was merged" in ran.err
    assert not list(tmp_path.iterdir())
    failed = cli("download", REPO, *ids, twin, "--merge", "--dir", "dist", "--json")
    assert failed.code == 7
    assert failed.document["merged"] is None
    assert [one["type"] for one in failed.document["failed"]] == ["MergeConflictError"]
    assert cli("download", REPO, *ids, twin, "--merge", "--conflicts", "identical", "--dir", "dist").code == 0
    assert tree(tmp_path / "dist") == MERGED
    words = ("download", REPO, "--all", "--merge", "--conflicts", "newest", "--dir", "dist")
    ran = cli(*words)
    assert ran.code == 8
    assert "or use --if-exists replace, which removes all that is in the folder" in ran.err
    assert cli(*words, "--if-exists", "replace").code == 0
    assert (tmp_path / "dist" / "LICENSE").read_bytes() == b"GPL"


def test_two_of_one_name(server, cli, tmp_path):
    """Two IDs of one name are no trouble: no file is named after them."""
    ids = [server.artifact(server.run(), "same", files={name: b"1"}) for name in "ab"]
    assert cli("download", REPO, *ids, "--merge", "-D", "dist").code == 0
    assert tree(tmp_path / "dist") == {"a": b"1", "b": b"1"}


def test_dry_run(server, cli, tmp_path, ids):
    """The artifacts and their bytes are told, and storage is asked for nothing."""
    ran = cli("download", REPO, "--all", "--merge", "--dir", "dist", "--dry-run")
    assert ran.code == 0
    assert "would merge 2 artifacts (" in ran.err
    assert all(str(it) in ran.out for it in ids)
    document = cli("download", REPO, "--all", "--merge", "--dir", "dist", "--dry-run", "--json").document
    assert sorted(one["id"] for one in document["would_merge"]) == ids
    assert document["bytes"] == sum(one["size"] for one in document["would_merge"])
    assert document["dry_run"] is document["merge"] is True
    assert not server.github.requests_to("storage")
    assert not list(tmp_path.iterdir())


def test_replace_that_is_refused(cli, tmp_path, monkeypatch, ids):
    """The folder that one works in is not replaced, and nobody is told to do what was just done."""
    (tmp_path / "here" / "below").mkdir(parents=True)
    (tmp_path / "here" / "mine").write_bytes(b"mine")
    monkeypatch.chdir(tmp_path / "here" / "below")
    ran = cli("download", REPO, *ids, "--merge", "-D", "..", "--if-exists", "replace")
    assert ran.code == 8
    assert "is, or holds, the working directory" in ran.err
    assert "; choose another --dir\n" in ran.err
    assert (tmp_path / "here" / "mine").read_bytes() == b"mine"


def test_what_cannot_be_found(cli, tmp_path, ids):
    """One artifact that cannot be had, and nothing is merged; nothing that matches is what --if-none says."""
    for more in ((), ("--dry-run",)):
        ran = cli("download", REPO, *ids, 99, "--merge", "--dir", "dist", *more)
        assert ran.code == (1 if more else 3)
    ran = cli("download", REPO, "--name", "none", "--merge", "--dir", "dist", "--if-none", "ignore")
    assert ran.code == 0
    assert "nothing to merge" in ran.err
    ran = cli("download", REPO, "--name", "none", "--merge", "--dir", "dist", "--if-none", "ignore", "--dry-run")
    assert ran.code == 0
    assert not list(tmp_path.iterdir())


def test_policy(server, cli, tmp_path):
    """--merge implies --extract, and its options hold."""
    it = server.artifact(server.run(), "links", archive=HOSTILE["link"])
    assert cli("download", REPO, it, "--merge", "--dir", "dist").code == 7
    assert cli("download", REPO, it, "--merge", "--symlinks", "skip", "--dir", "dist").code == 0
    assert tree(tmp_path / "dist") == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--conflicts", "newest", "--dir", "dist"), "add --merge"),
        (("--merge", "--layout", "id", "--dir", "dist"), "--layout has no use"),
        (("--merge",), "--merge needs --dir"),
        (("--merge", "--dir", "./"), "--merge needs --dir"),
        (("--merge", "--dir", "dist", "--conflicts", "last"), "last"),
    ],
)
def test_usage(server, cli, words, said):
    """Options that do not fit together are a usage error before any request."""
    ran = cli("download", REPO, "--all", *words)
    assert ran.code == 2
    assert said in ran.err
    assert not server.github.requests


def test_bars(cli, tmp_path, ids, terminal):
    """On a terminal the progress is drawn."""
    assert cli("download", REPO, *ids, "--merge", "--dir", "dist").code == 0
    assert tree(tmp_path / "dist") == MERGED
    assert "2 artifacts merged" in terminal.getvalue()
