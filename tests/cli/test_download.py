from __future__ import annotations

import errno
import hashlib
from pathlib import Path

import pytest

from tests.cli.conftest import REPO
from tests.kits.zips import HOSTILE

pytestmark = pytest.mark.realtime


@pytest.mark.github_com("digest")
def test_download_by_id_writes_verified_files(server, cli, tmp_path):
    """A line a file on standard output, the total on standard error."""
    run = server.run()
    one, two = server.artifact(run, "wheel", size=300_000), server.artifact(run, "logs")
    server.artifact(run, "other")
    ran = cli("download", REPO, one, two, one, "--dir", tmp_path / "out")
    assert ran.code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["logs.zip", "wheel.zip"]
    assert (tmp_path / "out/wheel.zip").read_bytes() == server.github.content(one)
    assert ran.out.count("sha256 ok") == 2
    assert str(tmp_path / "out" / "logs.zip") in ran.out
    assert "2 artifacts downloaded to" in ran.err


def test_download_goes_to_the_current_folder_by_default(server, cli, tmp_path):
    """--dir is the working directory where it is not given."""
    cli("download", REPO, server.artifact(server.run(), "logs"))
    assert (tmp_path / "logs.zip").exists()


@pytest.mark.github_com("digest")
def test_download_as_json(server, cli):
    """One document with what was done and what was not."""
    run = server.run()
    number, gone = server.artifact(run, "logs"), server.artifact(run, "gone", expired=True)
    ran = cli("download", REPO, number, gone, "--json", "--dir", "out")
    assert ran.code == 1
    content = server.github.content(number)
    assert ran.document["downloaded"] == [
        {
            "id": number,
            "name": "logs",
            "path": str(Path("out/logs.zip")),
            "size": len(content),
            "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
            "verified": "digest",
            "resumed_from": 0,
            "skipped": False,
            "members": None,
        }
    ]
    (failed,) = ran.document["failed"]
    assert (failed["id"], failed["name"], failed["type"]) == (gone, "gone", "ArtifactExpiredError")
    assert "has expired" in failed["error"]
    assert ran.document["repository"] == REPO
    assert ran.document["directory"] == "out"
    assert ran.document["dry_run"] is ran.document["extract"] is False
    assert ran.document["expired"] == []
    assert ran.document["bytes"] == len(content)
    assert ran.document["elapsed"] >= 0


def test_running_it_again_skips_what_is_there(server, cli):
    """--if-exists skip is the default, and asks storage for nothing."""
    server.artifact(server.run(), "logs")
    cli("download", REPO, "--all")
    before = len(server.github.requests_to("storage"))
    ran = cli("download", REPO, "--all")
    assert ran.code == 0
    assert "already there" in ran.out
    assert "1 artifact already in ." in ran.err
    assert "downloaded" not in ran.err
    assert len(server.github.requests_to("storage")) == before
    assert cli("download", REPO, "--all", "--json").document["downloaded"][0]["skipped"] is True


@pytest.mark.github_com("digest")
def test_if_exists_error_and_replace(server, cli, tmp_path):
    """Something else in the way is an error, or is replaced."""
    number = server.artifact(server.run(), "logs")
    (tmp_path / "logs.zip").write_bytes(b"mine")
    for how in ("error", "skip"):
        ran = cli("download", REPO, number, "--if-exists", how)
        assert ran.code == 8
        assert "--if-exists replace" in ran.err
        assert (tmp_path / "logs.zip").read_bytes() == b"mine"
    assert cli("download", REPO, number, "--if-exists", "replace").code == 0
    assert (tmp_path / "logs.zip").read_bytes() == server.github.content(number)


@pytest.mark.github_com("digest")
def test_a_shared_name_gives_every_file_its_id(server, cli, tmp_path):
    """--all takes artifacts of any name, so that no file's name depends on what else there is."""
    run = server.run()
    one, two, other = server.artifact(run, "logs"), server.artifact(run, "Logs.zip"), server.artifact(run, "wheel")
    assert cli("download", REPO, "--all").code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [f"logs-{one}.zip", f"Logs.zip-{two}.zip", f"wheel-{other}.zip"]
    )


class TestExtract:
    """--extract."""

    FILES = {"a.txt": b"a" * 5_000, "sub/b.bin": b"b" * 300}  # noqa: RUF012 - nobody changes it

    @pytest.mark.github_com("digest")
    def test_a_zip_becomes_a_folder_and_a_raw_file_stays_one(self, server, cli, tmp_path):
        """The line says how many files there are now, and the total how many zips were unpacked."""
        run = server.run()
        server.artifact(run, "docs", files=self.FILES)
        server.artifact(run, "report.html", raw=("report.html", b"<p>"))
        ran = cli("download", REPO, "--run", run.id, "--extract", "--dir", "out")
        assert ran.code == 0
        assert (tmp_path / "out/docs/sub/b.bin").read_bytes() == self.FILES["sub/b.bin"]
        assert (tmp_path / "out/docs/a.txt").read_bytes() == self.FILES["a.txt"]
        assert (tmp_path / "out/report.html").read_bytes() == b"<p>"
        assert not list((tmp_path / "out").glob("*.zip"))
        lines = sorted(line.split("  ")[-1] for line in ran.out.splitlines())
        assert lines == sorted(["(2 files)", str(Path("out/report.html"))])
        assert "2 artifacts downloaded to out" in ran.err
        assert "), 1 zip unpacked\n" in ran.err

    def test_as_json(self, server, cli):
        """The document names each file that was unpacked; null where nothing was."""
        run = server.run()
        number = server.artifact(run, "docs", files=self.FILES)
        server.artifact(run, "report.html", raw=("report.html", b"<p>"))
        document = cli("download", REPO, "--run", run.id, "--extract", "--json").document
        assert document["extract"] is True
        found = {one["id"]: one for one in document["downloaded"]}
        raw = next(one for one in found.values() if one["id"] != number)
        assert (raw["name"], raw["members"]) == ("report.html", None)
        assert found[number]["path"] == "docs"
        assert found[number]["members"] == [
            {"name": "a.txt", "path": str(Path("docs/a.txt")), "size": 5000, "executable": False},
            {"name": "sub/b.bin", "path": str(Path("docs/sub/b.bin")), "size": 300, "executable": False},
        ]

    def test_again_it_is_there_already(self, server, cli, tmp_path):
        """The folder is known by its record; one that was changed is in the way, until it is replaced."""
        number = server.artifact(server.run(), "docs", files=self.FILES)
        cli("download", REPO, number, "--extract")
        before = len(server.github.requests_to("storage"))
        ran = cli("download", REPO, number, "--extract")
        assert (ran.code, "already there" in ran.out) == (0, True)
        assert len(server.github.requests_to("storage")) == before
        (tmp_path / "docs/a.txt").write_bytes(b"changed")
        ran = cli("download", REPO, number, "--extract")
        assert ran.code == 8
        assert "--if-exists replace" in ran.err
        assert cli("download", REPO, number, "--extract", "--if-exists", "error").code == 8
        assert cli("download", REPO, number, "--extract", "--if-exists", "replace").code == 0
        assert (tmp_path / "docs/a.txt").read_bytes() == self.FILES["a.txt"]

    @pytest.mark.github_com("size")
    def test_dry_run(self, server, cli, tmp_path):
        """A folder that is there stays; a zip of the same artifact is not that folder."""
        run = server.run()
        number = server.artifact(run, "docs", files=self.FILES)
        raw = server.artifact(run, "report.html", raw=("report.html", b"<p>"))
        cli("download", REPO, number)
        document = cli("download", REPO, "--run", run.id, "--extract", "--dry-run", "--json").document
        assert document["extract"] is document["dry_run"] is True
        assert {one["id"] for one in document["would_download"]} == {number, raw}
        cli("download", REPO, "--run", run.id, "--extract")
        ran = cli("download", REPO, "--run", run.id, "--extract", "--dry-run")
        assert ran.out.count("skip (already there)") == 2
        ran = cli("download", REPO, "--run", run.id, "--extract", "--dry-run", "--if-exists", "replace")
        assert ran.err == "2 artifacts already in .\n"
        assert {path.name for path in tmp_path.iterdir()} == {
            "docs",
            "docs.zip",
            "report.html",
            ".docs.gh-artifacts.json",
        }

    def test_names_clash_as_folders_do(self, server, cli, tmp_path):
        """The folder of docs.zip is not that of docs; as zips they would be one file."""
        run = server.run()
        server.artifact(run, "docs")
        server.artifact(run, "docs.zip")
        assert cli("download", REPO, "--run", run.id, "--extract").code == 0
        assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["docs", "docs.zip"]
        ran = cli("download", REPO, "--run", run.id)
        assert ran.code == 8
        assert "--layout id" in ran.err

    @pytest.mark.parametrize("name", ["traversal", "link", "crc", "duplicate", "encrypted"])
    def test_an_archive_that_is_refused_leaves_nothing(self, server, cli, tmp_path, name):
        """7: whatever the reason; the zip itself can still be had."""
        number = server.artifact(server.run(), "bad", archive=HOSTILE[name])
        ran = cli("download", REPO, number, "--extract", "--dir", "out")
        assert ran.code == 7
        assert ran.err.startswith("error: bad: member ")
        assert ("download it without --extract" in ran.err) == (name != "encrypted")
        assert list((tmp_path / "out").iterdir()) == []
        assert cli("download", REPO, number, "--dir", "out").code == 0

    def test_the_ways_out_that_errors_name(self, server, cli, tmp_path):
        """What --symlinks and --max-ratio are named for can be extracted with them."""
        run = server.run()
        link = server.artifact(run, "link", archive=HOSTILE["link"])
        assert "; use --symlinks skip to " in cli("download", REPO, link, "--extract").err
        assert cli("download", REPO, link, "--extract", "--symlinks", "skip").code == 0
        assert not any(path.is_symlink() for path in tmp_path.rglob("*"))
        dense = server.artifact(run, "dense", files={"zeros": bytes(101 * 2**20)})
        ran = cli("download", REPO, dense, "--extract")
        assert (ran.code, "--max-ratio" in ran.err) == (7, True)
        assert cli("download", REPO, dense, "--extract", "--max-ratio", "2000").code == 0
        assert (tmp_path / "dense/zeros").stat().st_size == 101 * 2**20

    def test_a_full_disk(self, server, cli, monkeypatch, tmp_path):
        """8: no space to unpack; no folder is left, and the zip need not be fetched again."""

        def full(*_args: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("gh_artifacts_async.archive.extraction._write_all", full)
        ran = cli("download", REPO, server.artifact(server.run(), "docs", files=self.FILES), "--extract")
        assert ran.code == 8
        assert "no space left to unpack" in ran.err
        assert all(".part" in path.name for path in tmp_path.iterdir())

    def test_verbose_tells_of_it_once(self, server, cli):
        """What was unpacked, as one line an artifact."""
        ran = cli(
            "download",
            REPO,
            server.artifact(server.run(), "docs", files=self.FILES),
            "--extract",
            "--verbose",
        )
        assert ran.err.count("docs: unpacked 2 members (5.3 kB)\n") == 1


def test_raw_files_keep_their_name(server, cli, tmp_path):
    """What is no zip arrives as what it is."""
    number = server.artifact(server.run(), "report.html", raw=("report.html", b"<p>"))
    assert cli("download", REPO, number).code == 0
    assert (tmp_path / "report.html").read_bytes() == b"<p>"
    assert cli("download", REPO, number, "--dry-run", "--json").document["would_download"] == []


@pytest.mark.github_com("size")
def test_dry_run_tells_and_does_nothing(server, cli, tmp_path):
    """What would be downloaded, its size, and what is already there."""
    run = server.run()
    there, missing = server.artifact(run, "there"), server.artifact(run, "missing", size=2_000_000)
    cli("download", REPO, there)
    ran = cli("download", REPO, "--run", run.id, "--dry-run")
    assert ran.code == 0
    assert ran.out.splitlines()[0].split() == ["ID", "NAME", "SIZE", "ACTION", "PATH"]
    assert "skip (already there)  there.zip" in ran.out
    assert "download              missing.zip" in ran.out
    assert "would download 1 artifact (2.0 MB) to .; 1 already there" in ran.err
    document = cli("download", REPO, "--run", run.id, "--dry-run", "--json").document
    assert document["would_download"] == [
        {
            "id": missing,
            "name": "missing",
            "size": 2_000_000,
            "action": "download",
            "path": "missing.zip",
            "bytes": 2_000_000,
        }
    ]
    assert [found["id"] for found in document["already_there"]] == [there]
    assert (document["bytes"], document["dry_run"], document["failed"]) == (2_000_000, True, [])
    replaced = cli("download", REPO, "--run", run.id, "--dry-run", "--json", "--if-exists", "replace").document
    assert replaced == document
    assert [path.name for path in tmp_path.iterdir()] == ["there.zip"]


def test_dry_run_of_what_would_fail(server, cli, tmp_path):
    """What is in the way is a conflict, with the exit code of the real run."""
    run = server.run()
    taken = server.artifact(run, "taken")
    (tmp_path / "taken.zip").write_text("mine")
    ran = cli("download", REPO, taken, "--dry-run")
    assert ran.code == cli("download", REPO, taken).code == 8
    assert "conflict (path taken)  taken.zip" in ran.out
    assert ran.err == "nothing to download; 1 conflict\n"
    document = cli("download", REPO, taken, "--dry-run", "--json").document
    assert [found["id"] for found in document["conflicts"]] == [taken]
    assert cli("download", REPO, taken, "--dry-run", "--if-exists", "replace").code == 0


def test_dry_run_of_nothing(server, cli):
    """A dry run tells of what is not there as the real one does."""
    server.run()
    ran = cli("download", REPO, "--name", "absent", "--dry-run")
    assert (ran.code, ran.out) == (3, "")


@pytest.mark.github_com("ranges")
def test_breaks_and_expired_urls_are_survived_and_told(server, cli):
    """With --verbose each is reported; the last line counts them."""
    run = server.run()
    cut, expired = server.artifact(run, "cut", size=2_000_000), server.artifact(run, "late", size=2_000_000)
    server.github.faults.cut(cut, at=1_000_000)
    server.github.faults.expire_url(expired)
    ran = cli("--verbose", "download", REPO, "--run", run.id)
    assert ran.code == 0
    assert "cut: downloading 2.0 MB" in ran.err
    assert "cut: resumed at 1.0 MB" in ran.err
    assert "late: requested a new URL: the signed URL has expired" in ran.err
    assert "cut: verified by digest" in ran.err
    assert "late: saved: late.zip" in ran.err
    assert "1 broken transfer resumed" in ran.err
    assert "1 expired URL renewed" in ran.err


@pytest.mark.github_com("digest")
@pytest.mark.usefixtures("no_waiting")
def test_a_failed_download_says_why_and_the_others_come(server, cli, tmp_path):
    """One failure is one line; the exit code is 1 since others are done."""
    run = server.run()
    bad = server.artifact(run, "bad", digest="sha256:" + "0" * 64)
    server.artifact(run, "good")
    ran = cli("download", REPO, "--run", run.id, "--json")
    assert ran.code == 1
    assert ran.err.startswith(f"error: bad ({bad}): sha256 mismatch: ")
    assert [found["id"] for found in ran.document["failed"]] == [bad]
    assert ran.document["failed"][0]["type"] == "DigestMismatchError"
    assert not (tmp_path / "bad.zip").exists()


@pytest.mark.github_com("length")
def test_a_reason_that_ends_everything_is_told_once(server, cli, monkeypatch):
    """A full disk stops the rest, and is not repeated for each of them."""
    run = server.run()
    for number in range(12):
        server.artifact(run, f"a{number}", size=2_200_000)
    monkeypatch.setattr("gh_artifacts_async.transfer.disk.filesystem.free_bytes", lambda _folder: 10)
    ran = cli("download", REPO, "--run", run.id, "--jobs", 1)
    assert ran.code == 8
    assert ran.err.count("error:") == 1
    assert "12 failed" in ran.err


@pytest.mark.parametrize(
    ("words", "errors"),
    [
        (["--name", "zz"], 1),
        ([7], 1),
        ([7, 8], 2),
        (["--name", "logs"], 1),
        (["--name", "zz", "--merge", "--dir", "m"], 1),
    ],
)
def test_what_failed_is_told_once(server, cli, words, errors):
    """Where nothing was tried, or one artifact failed, its error says all of it."""
    number = server.artifact(server.run(), "logs")
    server.github.faults.status(number, 404, times=None)
    ran = cli("download", REPO, *words)
    assert ran.code == 3
    assert ran.err.count("error: ") == ran.err.count("\n") == errors


@pytest.mark.parametrize("words", [("download", REPO, "--all"), ("mirror", REPO, "out")])
def test_a_rate_limit_is_told_once(server, cli, words):
    """Those that were under way when it was reached fail on their own, each with a request ID of its own."""
    run = server.run()
    for number in range(4):
        server.artifact(run, f"a{number}")
    server.github.faults.rate_limit(None, None, reset_in=5000, endpoint="download-artifact")
    ran = cli(*words)
    assert ran.code == 5
    assert ran.err.count("error: GET /repos/") == ran.err.count("error:") == 1
    assert "4 failed" in ran.err


def test_a_merge_names_the_artifact_that_failed(server, cli):
    """By its name and its ID, as every other command."""
    run = server.run()
    gone = server.artifact(run, "gone")
    server.artifact(run, "there")
    server.github.faults.status(gone, 404, None)
    ran = cli("download", REPO, "--all", "--merge", "--dir", "out")
    assert ran.code == 3
    assert f"error: gone ({gone}): storage at " in ran.err


def test_quiet_download_says_results_and_errors_only(server, cli):
    """--quiet leaves standard error to errors."""
    number = server.artifact(server.run(), "logs")
    ran = cli("--quiet", "download", REPO, number, 7)
    assert ran.code == 1
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    assert "logs.zip" in ran.out
