"""The short way: what goes by it, what does not, and that nothing is lost where it ends early."""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import (
    ArtifactsClient,
    DestinationExistsError,
    DigestMismatchError,
    Limits,
    OutOfSpaceError,
    RequestTimeoutError,
    Timeouts,
    TransferBytes,
    TransferEvent,
)
from gh_artifacts_async.testing import FakeGitHub
from gh_artifacts_async.transfer import short
from gh_artifacts_async.transfer.disk import whole
from gh_artifacts_async.transfer.disk.writer import POOL, Writer
from gh_artifacts_async.transfer.short import WHOLE
from tests.kits.transfer import ONE_TRY, Seen, add, client_for, fetch, fetch_all, fill, leave_part, listed, names, parts

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.github_com("digest")
INLINE = 256 * 1024
SHORT = {"lane", "whole"}


@pytest.mark.parametrize("size", [22, 20_000, INLINE, INLINE + 1, 1_000_000, WHOLE])
async def test_what_is_small_goes_by_it(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, size: int) -> None:
    """One request to storage, the right bytes under the final name, nothing beside it, and no buffer is kept."""
    artifact_id = add(github, archive=b"PK\5\6" + os.urandom(size - 4))
    result = await fetch(client, artifact_id, tmp_path)
    assert result.way in SHORT
    assert (result.size, result.verified, result.resumed_from) == (size, "digest", 0)
    assert result.path.read_bytes() == github.content(artifact_id)
    assert names(tmp_path) == {"docs.zip"}
    assert len(github.requests_to("storage")) == 1
    assert client.statistics.bytes_fetched == size
    assert client._transfers().writer.lend(POOL // 2) is not None


@pytest.mark.parametrize(
    "why", ["large", "no digest", "durable", "replace", "extract", "fast_paths", "a part", "the pool", "no length"]
)
async def test_what_does_not(github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    """What is large, has no digest or no length, asks for more than a new file, or is begun, goes the ordinary way."""
    size = WHOLE + 1 if why == "large" else 600_000
    artifact_id = add(github, size=size, **({"digest": None} if why == "no digest" else {}))
    asked: dict[str, dict[str, Any]] = {"replace": {"if_exists": "replace"}}
    options = asked.get(why, {why: True} if why in {"durable", "extract"} else {})
    if why == "a part":
        await leave_part(github, artifact_id, tmp_path, 300_000)
    if why == "the pool":
        monkeypatch.setattr(Writer, "lend", lambda *_: None)
    if why == "no length":
        github.faults.no_length(artifact_id, times=None)
    async with client_for(github, limits=Limits(fast_paths=why != "fast_paths")) as client:
        result = await fetch(client, artifact_id, tmp_path, **options)
    assert result.way in ({"receiver"} if why == "large" else {"chunks"})
    assert (result.resumed_from > 0) == (why == "a part")


@pytest.mark.parametrize("size", [20_000, 600_000])
async def test_wrong_bytes(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, size: int) -> None:
    """They are fetched once more, by the ordinary way, and are an error only then."""
    artifact_id = add(github, size=size)
    github.faults.corrupt(artifact_id, at=7)
    seen = Seen()
    result = await fetch(client, artifact_id, tmp_path, observer=seen)
    assert result.path.read_bytes() == github.content(artifact_id)
    assert len(github.requests_to("storage")) == 2
    events = [event for event in seen if isinstance(event, TransferEvent) and not isinstance(event, TransferBytes)]
    assert [type(event).__name__ for event in events] == [
        "TransferSigning",
        "TransferStarted",
        "TransferResumed",
        "TransferSigning",
        "TransferVerified",
        "TransferFinished",
    ]
    result.path.unlink()
    github.faults.corrupt(artifact_id, at=7, times=None)
    with pytest.raises(DigestMismatchError):
        await fetch(client, artifact_id, tmp_path)
    assert names(tmp_path) == set()


@pytest.mark.parametrize("size", [20_000, 600_000])
async def test_events(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, size: int) -> None:
    """Each event of a transfer comes once."""
    seen = Seen()
    await fetch(client, add(github, size=size), tmp_path, observer=seen)
    events = [event for event in seen if isinstance(event, TransferEvent)]
    assert [type(event).__name__ for event in events] == [
        "TransferSigning",
        "TransferStarted",
        *["TransferBytes" for event in events if isinstance(event, TransferBytes)],
        "TransferVerified",
        "TransferFinished",
    ]
    assert seen.of(TransferBytes)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("call", ["open", "write", "link"])
async def test_a_disk_that_fails(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: Any, call: str, number: int
) -> None:
    """The error is the one of the ordinary way, and a later run succeeds."""
    artifact_id = add(github, size=20_000)
    with monkeypatch.context() as patched:

        def fail(*_arguments: Any, **_options: Any) -> None:
            raise OSError(number, os.strerror(number))

        patched.setattr(whole.os, call, fail)
        with pytest.raises(OutOfSpaceError if number == errno.ENOSPC else OSError, match=os.strerror(number)):
            await fetch(client, artifact_id, tmp_path)
    assert {path for path in names(tmp_path) if ".part" not in path} == set()
    result = await fetch(client, artifact_id, tmp_path)
    assert result.path.read_bytes() == github.content(artifact_id)
    assert not parts(tmp_path)


@pytest.mark.parametrize("size", [20_000, 600_000])
async def test_a_name_that_is_taken_meanwhile(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: Any, size: int
) -> None:
    """A file that appears while the body comes is not overwritten."""
    artifact_id = add(github, size=size)
    put = short.put_whole

    def appear(*arguments: Any) -> bool:
        (tmp_path / "docs.zip").write_bytes(b"someone else's")
        return put(*arguments)

    monkeypatch.setattr(short, "put_whole", appear)
    with pytest.raises(DestinationExistsError):
        await fetch(client, artifact_id, tmp_path)
    assert (tmp_path / "docs.zip").read_bytes() == b"someone else's"
    assert names(tmp_path) == {"docs.zip"}


async def test_a_raw_file_whose_name_storage_knows(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """It gets that name; where it is there already, it is skipped, and anything else there stays."""
    artifact_id = add(github, raw=("report.txt", b"content"))
    result = await fetch(client, artifact_id, tmp_path)
    assert (result.path.name, result.way in SHORT) == ("report.txt", True)
    again = await fetch(client, artifact_id, tmp_path, if_exists="skip")
    assert again.skipped
    result.path.write_bytes(b"another")
    for if_exists in ("skip", "error"):
        with pytest.raises(DestinationExistsError):
            await fetch(client, artifact_id, tmp_path, if_exists=if_exists)
    assert names(tmp_path) == {"report.txt"}
    assert result.path.read_bytes() == b"another"


@pytest.mark.github_com("ranges")
async def test_too_slow(github: FakeGitHub, tmp_path: Path) -> None:
    """A body below the minimum rate is given up as on every way; what has arrived is not fetched again."""
    artifact_id = add(github, size=600_000)
    github.faults.drip(artifact_id, chunk=500, interval=1.0)
    async with client_for(github, timeouts=Timeouts(min_rate=1024, min_rate_window=10.0)) as client:
        result = await fetch(client, artifact_id, tmp_path)
    assert result.path.read_bytes() == github.content(artifact_id)
    assert len(github.requests_to("storage")) == 2
    assert github.bytes_sent(artifact_id) <= 600_000 + INLINE


async def test_no_answer(github: FakeGitHub, tmp_path: Path) -> None:
    """A request without an answer counts as the first attempt."""
    artifact_id = add(github, size=20_000)
    github.faults.no_reply(artifact_id)
    async with client_for(github) as client:
        assert (await fetch(client, artifact_id, tmp_path)).verified == "digest"
    assert len(github.requests_to("storage")) == 2
    artifact_id = add(github, "other", size=20_000)
    github.faults.slow_headers(artifact_id, seconds=60)
    async with client_for(github, retry=ONE_TRY) as client:
        with pytest.raises(RequestTimeoutError):
            await fetch(client, artifact_id, tmp_path)


async def test_many_at_once_stay_within_the_pool(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: Any
) -> None:
    """The buffers of all bodies together are within the client's pool, and all of them come back."""
    most, writer = [0], client._transfers().writer
    lend = Writer.lend

    def noted(self: Writer, size: int) -> bytearray | None:
        found = lend(self, size)
        most[0] = max(most[0], self._lent)
        return found

    monkeypatch.setattr(Writer, "lend", noted)
    fill(github, 40, 1_500_000)
    outcomes = await fetch_all(client, await listed(client), tmp_path, concurrency=32)
    assert all(outcome.ok for outcome in outcomes)
    assert 0 < most[0] <= POOL * 2 // 3
    assert writer._lent == 0


async def test_a_folder_that_is_removed_meanwhile(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """It is made once for all artifacts of a call, and again if it is gone."""
    fill(github, 3)
    made = tmp_path / "made"
    async with client.download_many(await listed(client), made, concurrency=1) as outcomes:
        async for outcome in outcomes:
            outcome.unwrap()
            shutil.rmtree(made)
