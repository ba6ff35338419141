"""Full, broken and forbidden disks: real file systems of a few kilobytes, real permissions, and a broken fsync."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.kits.processes import MIB, can, carried_out, file_system, without_privileges
from tests.kits.transfer import INLINE_SIZE, RECEIVER_SIZE, WORKER_SIZE, add

if TYPE_CHECKING:
    from pathlib import Path

    from gh_artifacts_async.testing import FakeGitHub

pytestmark = [
    pytest.mark.realtime,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="namespaces, tmpfs and /proc are Linux's"),
]


def full(answer: dict[str, Any], number: int = errno.ENOSPC) -> None:
    """Check that an answer is the error of a full disk."""
    assert (answer["error"], answer["errno"]) == ("OutOfSpaceError", number)
    assert answer["filename"]
    assert "free some space" in answer["text"]


@pytest.mark.github_com("ranges")
@pytest.mark.sample
async def test_row_19_enospc_mid_write(github: FakeGitHub, tmp_path: Path) -> None:
    """A disk that is full in the middle: the error says what is missing, and the next run goes on with what fitted."""
    it = add(github, size=WORKER_SIZE)
    under = file_system("size=1m")
    _, _, failed, left, _, done, after = await carried_out(
        github,
        tmp_path,
        ["know", it],
        ["fill", 800_000],
        ["download", it],
        ["list"],
        ["free"],
        ["download", it],
        ["list"],
        under=under,
    )
    full(failed)
    (kept,) = (size for name, size in left.items() if name.endswith(".part"))
    assert {name.partition(".part")[2] for name in left} == {"", ".json"}
    assert failed["needed"] == WORKER_SIZE - kept
    assert failed["free"] == 0
    assert done == {"size": WORKER_SIZE, "resumed_from": kept, "verified": "digest"}
    assert after == {"docs.zip": WORKER_SIZE}
    assert github.bytes_sent(it) <= 2 * WORKER_SIZE


@pytest.mark.github_com("length")
async def test_row_19_enospc_on_the_fast_path(github: FakeGitHub, tmp_path: Path) -> None:
    """The same where the disk had space when the body began, and another took it."""
    it = add(github, size=RECEIVER_SIZE)
    _, failed, left, _, done, after = await carried_out(
        github,
        tmp_path,
        ["know", it],
        ["download", it, {"fill": 2_000_000}],
        ["list"],
        ["free"],
        ["download", it],
        ["list"],
        under=file_system("size=4m"),
    )
    full(failed)
    assert len(left) == 2
    assert done["resumed_from"] > MIB
    assert after == {"docs.zip": RECEIVER_SIZE}


@pytest.mark.github_com("digest")
async def test_row_19_enospc_of_a_small_body(github: FakeGitHub, tmp_path: Path) -> None:
    """A small body whose state cannot be written down either leaves nothing that nobody could use."""
    it = add(github, size=200_000)
    _, _, failed, left, _, done, after = await carried_out(
        github,
        tmp_path,
        ["know", it],
        ["fill", 950_000],
        ["download", it],
        ["list"],
        ["free"],
        ["download", it],
        ["list"],
        under=file_system("size=1m"),
    )
    full(failed)
    assert left == {}
    assert done["size"] == 200_000
    assert after == {"docs.zip": 200_000}


@pytest.mark.github_com("length")
async def test_row_19_space_is_checked_ahead(github: FakeGitHub, tmp_path: Path) -> None:
    """Where the size is known, a disk that is too small is found before the bytes come; both numbers are told."""
    it = add(github, size=50 * MIB)
    _, failed, left = await carried_out(
        github, tmp_path, ["know", it], ["download", it], ["list"], under=file_system("size=2m")
    )
    full(failed)
    assert (failed["needed"], failed["free"]) == (50 * MIB, 2 * MIB)
    assert left == {}
    assert github.bytes_sent(it) < 10 * MIB


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize(("free_names", "what"), [(0, ".part"), (1, ".part.json"), (2, "docs.zip")])
async def test_row_19_no_names_left(github: FakeGitHub, tmp_path: Path, free_names: int, what: str) -> None:
    """A file system without space for one more file: at the part, at its state, and at the final name."""
    it = add(github, size=RECEIVER_SIZE)
    steps = [["know", it], ["fill", 0], ["download", it], ["list"], ["free"], ["download", it], ["list"]]
    under = file_system(f"size=4m,nr_inodes={2 + free_names}")
    _, _, failed, left, _, again, after = await carried_out(github, tmp_path, *steps, under=under)
    full(failed)
    assert failed["filename"].endswith(what)
    if what == "docs.zip":  # the bytes are there, and right: nothing is fetched again
        assert sorted(left.values())[1:] == [RECEIVER_SIZE]
        assert again["resumed_from"] == RECEIVER_SIZE
        assert after == {"docs.zip": RECEIVER_SIZE}
        assert github.bytes_sent(it) == RECEIVER_SIZE
    else:
        assert left == {}


@pytest.mark.github_com("digest")
async def test_row_19_full_disk_in_bulk(github: FakeGitHub, tmp_path: Path) -> None:
    """In bulk, one full disk stops new work: what is done stays, nothing more is asked for, and each one says why."""
    ids = [add(github, f"docs-{number}", size=300_000) for number in range(12)]
    _, outcomes, left = await carried_out(
        github, tmp_path, ["know", *ids], ["many", ids, 2], ["list"], under=file_system("size=1m")
    )
    done = [it for it in ids if outcomes[str(it)] is None]
    assert len(done) in {2, 3}  # the third and the fourth share what is left; a part that is kept may leave too little
    for it in ids:
        if it not in done:
            full(outcomes[str(it)])
    assert {name: size for name, size in left.items() if ".part" not in name} == {
        f"docs-{ids.index(it)}.zip": 300_000 for it in done
    }
    asked = {record.artifact_id for record in github.requests_to("storage")}
    assert len(asked) <= len(done) + 2
    assert not [name for name in left if name.endswith(".new")]


@pytest.mark.parametrize("size", [INLINE_SIZE, RECEIVER_SIZE])
@pytest.mark.parametrize("folder", ["", "new/folder"])
async def test_row_21_forbidden(github: FakeGitHub, tmp_path: Path, size: int, folder: str) -> None:
    """A folder that may not be written to is PermissionError before any request, and nothing is there."""
    it = add(github, size=size)
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o555)
    try:
        _, failed, left = await carried_out(
            github,
            home,
            ["know", it],
            ["download", it, {"below": folder}],
            ["list"],
            under=without_privileges(),
        )
    finally:
        home.chmod(0o755)
    assert (failed["error"], failed["errno"]) == ("PermissionError", errno.EACCES)
    assert str(home) in failed["filename"]
    assert left == {}
    assert len(github.requests) == 1  # the step before, which asked for the artifact


async def test_row_21_read_only(github: FakeGitHub, tmp_path: Path) -> None:
    """A read-only file system is OSError with EROFS before any request."""
    it = add(github)
    _, failed, left = await carried_out(
        github, tmp_path, ["know", it], ["download", it], ["list"], under=file_system("size=2m,ro")
    )
    assert (failed["error"], failed["errno"]) == ("OSError", errno.EROFS)
    assert left == {}
    assert len(github.requests) == 1


@pytest.mark.github_com("digest")
async def test_row_21_read_only_with_everything_there(github: FakeGitHub, tmp_path: Path) -> None:
    """What is there already can be skipped in a folder that may not be written to."""
    it = add(github)
    (tmp_path / "home").mkdir()
    home = tmp_path / "home"
    (home / "docs.zip").write_bytes(github.content(it))
    home.chmod(0o555)
    try:
        _, outcomes = await carried_out(github, home, ["know", it], ["many", [it], 1], under=without_privileges())
    finally:
        home.chmod(0o755)
    assert outcomes == {str(it): None}


@pytest.mark.parametrize("number", ["EIO", "ENOSPC"])
async def test_row_22_broken_fsync(github: FakeGitHub, tmp_path: Path, number: str) -> None:
    """A disk that says at fsync that it could not keep the bytes: an error, no final name, after EIO no part either."""
    inject = ["-e", "trace=fsync", "-e", f"inject=fsync:error={number}"]
    if not can("strace", "-f", "-o", os.devnull, *inject, "true"):
        pytest.skip("strace, which breaks the system call, is missing or may not trace here")
    it = add(github)
    _, failed, left = await carried_out(
        github,
        tmp_path,
        ["know", it],
        ["download", it, {"durable": True}],
        ["list"],
        under=["strace", "-f", "-qq", "-o", os.devnull, *inject],
    )
    if number == "ENOSPC":
        full(failed)
        assert "docs.zip" not in left
    else:
        assert (failed["error"], failed["errno"]) == ("OSError", errno.EIO)
        assert left == {}
