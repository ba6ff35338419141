"""Members of many artifacts, and of the newest that fits: what is read, what it costs, what stays in memory."""

from __future__ import annotations

import asyncio
import pickle
import re
import tempfile
import tracemalloc
import zipfile
from fnmatch import fnmatchcase
from itertools import pairwise
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gh_artifacts_async import (
    ArchiveError,
    ArchiveLimitError,
    Artifact,
    ArtifactQuery,
    ArtifactRef,
    ArtifactsClient,
    AuthenticationError,
    ConfigurationError,
    DigestMismatchError,
    MemberContent,
    MemberNotFoundError,
    MissingTokenError,
    NotFoundError,
    PrimaryRateLimitError,
    StorageError,
)
from gh_artifacts_async.archive import TAIL, audit
from gh_artifacts_async.automation import members
from gh_artifacts_async.testing import FakeGitHub, FakeRun
from tests.kits.archives import Entry, build
from tests.kits.transfer import ONE_TRY, REPO, add, client_for, get, listed
from tests.kits.zips import MIB, make, noise
from tests.transfer.test_cancel import sweep

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine, Iterator

SMALL = {"failures_line.txt": b"1 failed\n", "summary_short.txt": b"FAILED a::b\n", "warnings.json": b"{}"}


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's temporary folder, for the length of a test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


async def read(client: ArtifactsClient, artifacts: Any, names: Any, **options: Any) -> list[Any]:
    """Read members and return all outcomes."""
    async with client.read_members(artifacts, names, **options) as outcomes:
        return [outcome async for outcome in outcomes]


def contents(outcomes: list[Any]) -> dict[tuple[int, str], bytes]:
    """Return the data of the successes by artifact id and name."""
    return {(it.artifact.id, it.value.name): it.value.data for it in outcomes if it.ok}


def errors(outcomes: list[Any]) -> list[Exception]:
    """Return the errors of the failures."""
    return [it.error for it in outcomes if not it.ok]


def storage_requests(github: FakeGitHub) -> int:
    """Return the number of requests to storage."""
    return len(github.requests_to("storage"))


def apart(size: int = 200_000) -> bytes:
    """Return an archive whose two small files lie together, far from its end."""
    return make({"before.bin": noise(size), "d/a.txt": b"a" * 10, "d/b.txt": b"b" * 20, "after.bin": noise(size, 1)})


# --- what comes out


async def test_all_of_them(github: FakeGitHub, run: FakeRun, client: ArtifactsClient) -> None:
    """There is one outcome a member that matches, with what was passed in, the name and the bytes."""
    ids = [github.add_artifact(run, f"reports-{number}", files={**SMALL, "n": str(number)}) for number in range(5)]
    given = [*(await listed(client))[:3], *(ArtifactRef(REPO, it) for it in ids[3:])]
    outcomes = await read(client, given, ["failures_line.txt", "warnings.json", "n"])
    assert len(outcomes) == 15
    assert {outcome.artifact for outcome in outcomes} == set(given)
    assert contents(outcomes) == {
        (it, name): data
        for number, it in enumerate(ids)
        for name, data in (*list(SMALL.items())[::2], ("n", str(number).encode()))
    }
    assert all(isinstance(it.value.artifact, Artifact) and it.value.artifact.id == it.artifact.id for it in outcomes)


async def test_the_content(github: FakeGitHub, client: ArtifactsClient) -> None:
    """A content has its text, a short repr without its bytes, and pickles; the outcome's repr tells the name."""
    artifact_id = add(github, files={"a.txt": "grün".encode(), "b.txt": "grün".encode("latin-1")})
    found = {it.unwrap().name: it for it in await read(client, await listed(client), "*.txt")}
    content = found["a.txt"].unwrap()
    assert content.text() == found["b.txt"].unwrap().text("latin-1") == "grün"
    with pytest.raises(UnicodeDecodeError):
        found["b.txt"].unwrap().text()
    assert "gr" not in repr(content)
    assert pickle.loads(pickle.dumps(content)) == content  # noqa: S301 - our own
    assert repr(found["a.txt"]) == f"<Success {artifact_id} 'docs': a.txt>"
    with pytest.raises(AttributeError):
        content.data = b""  # type: ignore[misc]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ("a.txt", {"a.txt"}),
        ("*.txt", {"a.txt", "d/b.txt", "d/e/c.txt"}),
        ("d/*", {"d/b.txt", "d/e/c.txt", "d/x.XML"}),
        (["?.txt", "a.txt", "a.*"], {"a.txt"}),
        ("*.xml", set()),
        ("*.[Xx]ML", {"d/x.XML"}),
        (("[!d]*",), {"a.txt", "[x].md"}),
        ("[[]x].md", {"[x].md"}),
        ("[x].md", set()),
        ("*", {"a.txt", "d/b.txt", "d/e/c.txt", "d/x.XML", "[x].md"}),
    ],
)
async def test_globs(github: FakeGitHub, client: ArtifactsClient, names: Any, found: set[str]) -> None:
    """Globs match whole names and capitals as they are, ``*`` crosses folders; folders are no files."""
    files = dict.fromkeys(["a.txt", "d/b.txt", "d/e/c.txt", "d/x.XML", "[x].md", "d/", "d/e/"], b"")
    add(github, archive=make(files))
    outcomes = await read(client, await listed(client), names)
    assert not errors(outcomes)
    assert {outcome.value.name for outcome in outcomes} == found
    assert len(outcomes) == len(found)


async def test_missing(github: FakeGitHub, run: FakeRun, client: ArtifactsClient) -> None:
    """A name that an artifact lacks is a failure each; a glob without a match is none; the rest is read."""
    first = github.add_artifact(run, "one", files={"a": b"1", "d/b": b"2"})
    second = github.add_artifact(run, "two", archive=make({"d/": b"", "d/b": b"3"}))
    outcomes = await read(client, await listed(client), ["a", "d/", "no", "d/*", "none*"])
    assert contents(outcomes) == {(first, "a"): b"1", (first, "d/b"): b"2", (second, "d/b"): b"3"}
    failed = sorted((it.artifact.id, it.error.member, str(it.error)) for it in outcomes if not it.ok)
    assert all(isinstance(error, MemberNotFoundError) for error in errors(outcomes))
    assert [(number, member) for number, member, _ in failed] == [
        (first, "d/"),
        (first, "no"),
        (second, "a"),
        (second, "d/"),
        (second, "no"),
    ]
    assert "is a folder" in failed[3][2]


@pytest.mark.github_com("ranges")
async def test_one_failure_an_artifact(github: FakeGitHub, run: FakeRun, client: ArtifactsClient) -> None:
    """An artifact that is gone, expired, broken or refused by storage is one failure; the others are read."""
    good = github.add_artifact(run, "good", files=SMALL)
    expired = github.add_artifact(run, "expired", files=SMALL, expired=True)
    broken = github.add_artifact(run, "broken", archive=b"PK\3\4 and so on" * 9000)
    refused = github.add_artifact(run, "refused", files=SMALL)
    github.faults.status(refused, 403, times=None)
    given = [*(await listed(client)), ArtifactRef(REPO, 1), "no artifact"]
    outcomes = await read(client, given, ["*.txt", "warnings.json"])
    assert set(contents(outcomes)) == {(good, name) for name in SMALL}
    failed = {getattr(it.artifact, "id", it.artifact): type(it.error).__name__ for it in outcomes if not it.ok}
    assert failed == {
        1: "NotFoundError",
        "no artifact": "ConfigurationError",
        expired: "ArtifactExpiredError",
        broken: "CorruptArchiveError",
        refused: "StorageError",
    }
    assert len(outcomes) == 8


async def test_a_damaged_member(github: FakeGitHub, client: ArtifactsClient) -> None:
    """A member whose bytes are damaged is a failure of its own; its neighbours are read."""
    archive = build(Entry("a", b"1" * 50), Entry("b", b"2" * 50, crc=7), Entry("c", b"3" * 50))
    artifact_id = add(github, archive=archive)
    outcomes = await read(client, await listed(client), "*")
    assert contents(outcomes) == {(artifact_id, "a"): b"1" * 50, (artifact_id, "c"): b"3" * 50}
    (error,) = errors(outcomes)
    assert isinstance(error, ArchiveError)
    assert error.member == "b"


@pytest.mark.github_com("ranges")
async def test_storage_that_fails_in_the_middle(github: FakeGitHub) -> None:
    """If storage stops serving ranges of an archive, what was read stays, and the artifact fails once."""
    limit = 300_000
    artifact_id = add(github, archive=make({str(number): noise(120_000, number) for number in range(6)}))
    async with client_for(github, retry=ONE_TRY) as client:
        artifact = await get(client, artifact_id)
        github.faults.pass_by(artifact_id, times=2)
        github.faults.status(artifact_id, 404, times=9)
        outcomes = await read(client, [artifact], "*", max_bytes=limit)
    assert contents(outcomes) == {(artifact_id, "0"): noise(120_000, 0)}
    assert [type(error) for error in errors(outcomes)] == [StorageError]


@pytest.mark.github_com("ranges")
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
async def test_like_zipfile(data: st.DataObject) -> None:
    """Any files, any names, any limit, stored or deflated: what comes out is what zipfile reads, once."""
    sizes = data.draw(st.lists(st.integers(0, 90_000), min_size=1, max_size=7))
    method = data.draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    files = {f"{'d/' * (at % 3)}{at}": noise(size, at)[: size // 2] * 2 for at, size in enumerate(sizes)}
    names = data.draw(st.lists(st.sampled_from([*sorted(files), "*", "d/*", "?"]), min_size=1, unique=True))
    limit = data.draw(st.integers(1, 200_000))
    chosen = {name for name in files if any(fnmatchcase(name, glob) for glob in names)}
    async with FakeGitHub() as github, client_for(github) as client:
        artifact_id = add(github, archive=make(files, method))
        outcomes = await read(client, [await get(client, artifact_id)], names, max_bytes=limit)
        assert github.bytes_sent() <= TAIL + len(github.content(artifact_id))
    found = {name: value for (_, name), value in contents(outcomes).items()}
    too_large = {error.member for error in errors(outcomes)}
    assert found == {name: files[name] for name in chosen - too_large}
    assert all(isinstance(error, ArchiveLimitError) for error in errors(outcomes))
    assert len(outcomes) == len(chosen)
    assert all(len(files[name]) > limit - 200 for name in too_large)
    assert all(len(files[name]) <= limit for name in found)


# --- artifacts that are no zips


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("size", [9, 300_000])
async def test_a_single_file(github: FakeGitHub, client: ArtifactsClient, size: int) -> None:
    """What was uploaded without zipping is one member under its file name, verified as a whole."""
    data = noise(size)
    artifact_id = add(github, "report.html", raw=("report.html", data))
    outcomes = await read(client, await listed(client), ["*.html", "index.html"])
    assert contents(outcomes) == {(artifact_id, "report.html"): data}
    (error,) = errors(outcomes)
    assert isinstance(error, MemberNotFoundError)
    assert "that is a single file, 'report.html', not a zip" in str(error)
    assert github.bytes_sent() == size
    assert storage_requests(github) == 1 + (size > TAIL)
    assert await read(client, await listed(client), "*.xml") == []


async def test_a_single_file_named_by_storage(github: FakeGitHub, client: ArtifactsClient) -> None:
    """The name that storage sends counts, else the artifact's."""
    named = add(github, "one", raw=("tool.bin", b"1"))
    unnamed = add(github, "two", raw=("x", b"2"), filename=None)
    outcomes = await read(client, await listed(client), ["t*"])
    assert contents(outcomes) == {(named, "tool.bin"): b"1", (unnamed, "two"): b"2"}


async def test_a_wheel_is_a_file(github: FakeGitHub, client: ArtifactsClient) -> None:
    """A wheel that was uploaded without zipping is not looked into, though it is a zip."""
    wheel = make({"pkg/__init__.py": b""})
    artifact_id = add(github, "p.whl", raw=("p.whl", wheel), content_type="application/octet-stream")
    assert contents(await read(client, await listed(client), "*")) == {(artifact_id, "p.whl"): wheel}


@pytest.mark.parametrize(("data", "found"), [(make({"a": b"1"}), "a"), (b"", "docs"), (noise(100_000), "docs")])
async def test_undecided_headers(github: FakeGitHub, client: ArtifactsClient, data: bytes, found: str) -> None:
    """Without a type and a name, the first bytes say what it is."""
    add(github, "docs", raw=("docs", data), content_type=None, filename=None)
    outcomes = await read(client, await listed(client), "*")
    assert [outcome.value.name for outcome in outcomes] == [found]


@pytest.mark.github_com("ranges")
async def test_a_single_file_that_is_wrong_or_large(github: FakeGitHub, client: ArtifactsClient) -> None:
    """A file with another digest is a failure, and so is one beyond the limit, of which only the end is fetched."""
    add(github, "wrong", raw=("wrong", b"1"), content_type="text/plain", digest="sha256:" + "0" * 64)
    large = add(github, "large", raw=("large", noise(300_000)), content_type="text/plain")
    outcomes = await read(client, await listed(client), "*", max_bytes=299_999)
    assert {type(error) for error in errors(outcomes)} == {DigestMismatchError, ArchiveLimitError}
    assert len(outcomes) == 2
    assert github.bytes_sent(large) == TAIL


# --- what it costs


@pytest.mark.github_com("ranges")
async def test_members_that_lie_together(github: FakeGitHub, client: ArtifactsClient) -> None:
    """An artifact takes one signed URL, the tail, and one range for neighbours."""
    artifact_id = add(github, archive=apart())
    artifacts = await listed(client)
    github.forget_requests()
    outcomes = await read(client, artifacts, ["d/b.txt", "d/*.txt"])
    assert contents(outcomes) == {(artifact_id, "d/a.txt"): b"a" * 10, (artifact_id, "d/b.txt"): b"b" * 20}
    assert len(github.requests_to("api")) == 1
    tail, together = github.requests_to("storage")
    assert together.bytes_sent < 300
    assert github.bytes_sent() == tail.bytes_sent + together.bytes_sent
    assert tail.bytes_sent == TAIL


@pytest.mark.github_com("ranges")
async def test_members_in_the_tail(github: FakeGitHub, run: FakeRun, client: ArtifactsClient) -> None:
    """What lies in the tail costs no further request."""
    for number in range(10):
        github.add_artifact(run, f"docs-{number}", files={"large.bin": noise(90_000, number), **SMALL})
    artifacts = await listed(client)
    github.forget_requests()
    assert len(await read(client, artifacts, list(SMALL))) == 30
    assert (len(github.requests_to("api")), storage_requests(github)) == (10, 10)


async def test_storage_without_ranges(github: FakeGitHub, client: ArtifactsClient, temporary: Path) -> None:
    """The whole is fetched once, into a temporary file that is removed; a single file too."""
    artifact_id = add(github, archive=apart())
    file_id = add(github, "one", raw=("one", noise(300_000)), content_type="text/plain")
    github.faults.ignore_range(None, times=None)
    outcomes = await read(client, await listed(client), ["d/*", "one*"])
    assert set(contents(outcomes)) == {(artifact_id, "d/a.txt"), (artifact_id, "d/b.txt"), (file_id, "one")}
    assert contents(outcomes)[file_id, "one"] == noise(300_000)
    assert sum("Range" not in request.headers for request in github.requests_to("storage")) == 2
    assert not any(temporary.iterdir())


async def test_a_file_whose_storage_no_longer_serves_ranges(github: FakeGitHub) -> None:
    """A single file is fetched as a whole, if its storage served one range and then none."""
    file_id = add(github, "one", raw=("one", noise(300_000)), content_type="text/plain")
    github.faults.pass_by(file_id)
    github.faults.ignore_range(file_id, times=1)
    async with client_for(github, retry=ONE_TRY) as client:
        assert contents(await read(client, await listed(client), "one")) == {(file_id, "one"): noise(300_000)}


async def transformers(count: int) -> None:
    """Read three small members of each of so many artifacts of one run, 4 MiB each; check bytes and requests."""
    archive = make({"durations.bin": noise(2 * MIB), **SMALL, "outputs.bin": noise(2 * MIB, 1)})
    async with FakeGitHub() as github, client_for(github) as client:
        run = github.add_run(REPO, workflow="self-scheduled.yml")
        for number in range(count):
            github.add_artifact(run, f"run_models_gpu_models_{number}_test_reports", archive=archive)
        artifacts = client.list_run_artifacts(REPO, run.id)
        outcomes = await read(client, artifacts, list(SMALL))
        assert not errors(outcomes)
        assert [it.value.data for it in outcomes if it.value.name == "warnings.json"] == [b"{}"] * count
        assert len(outcomes) == 3 * count
        assert github.bytes_sent() <= 0.03 * count * len(archive)
        pages = -(-count // 100)
        assert (len(github.requests_to("api")), storage_requests(github)) == (pages + count, 2 * count)
        assert github.max_storage_concurrency <= 8


@pytest.mark.github_com("ranges")
async def test_transformers_case() -> None:
    """Three members of each artifact of a run: at most 3 % of the bytes, one signed URL and two ranges each."""
    await transformers(60)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.github_com("ranges")
async def test_transformers_case_in_full() -> None:
    """The same of a run with 1,000 artifacts."""
    await transformers(1000)


# --- what stays in memory


async def test_too_large(github: FakeGitHub, client: ArtifactsClient) -> None:
    """A member beyond the limit is a failure, and is not fetched; the others are read."""
    artifact_id = add(github, archive=make({"a": noise(500), "large": noise(200_001), "b": noise(200_000, 1)}))
    outcomes = await read(client, await listed(client), "*", max_bytes=200_000)
    assert set(contents(outcomes)) == {(artifact_id, "a"), (artifact_id, "b")}
    (error,) = errors(outcomes)
    assert isinstance(error, ArchiveLimitError)
    assert (error.member, error.limit, error.value) == ("large", "max_bytes", 200_001)


@pytest.mark.github_com("ranges")
async def test_further_ranges_wait_for_room(github: FakeGitHub, client: ArtifactsClient) -> None:
    """What goes beyond the limit is fetched by further ranges, after what was read before has been taken."""
    files = {str(number): noise(100_000, number) for number in range(8)}
    artifact_id = add(github, archive=make(files))
    async with client.read_members(await listed(client), "*", concurrency=1, max_bytes=450_000) as outcomes:
        await asyncio.sleep(60)
        assert storage_requests(github) == 2
        assert github.bytes_sent() < TAIL + 210_000
        found = [await anext(outcomes)]
        await asyncio.sleep(60)
        assert storage_requests(github) == 2
        found += [outcome async for outcome in outcomes]
    assert {name: data for (_, name), data in contents(found).items()} == files
    assert storage_requests(github) == 1 + 4
    assert github.bytes_sent(artifact_id) <= TAIL + len(github.content(artifact_id))


@pytest.mark.github_com("ranges")
async def test_a_member_that_fits_only_without_its_compressed_bytes(
    github: FakeGitHub, client: ArtifactsClient, temporary: Path
) -> None:
    """A member of just ``max_bytes`` is read, by way of a temporary file that is removed."""
    artifact_id = add(github, archive=make({"all": noise(MIB), "pad": noise(100_000)}))
    outcomes = await read(client, await listed(client), "all", max_bytes=MIB)
    assert contents(outcomes) == {(artifact_id, "all"): noise(MIB)}
    assert not any(temporary.iterdir())


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
async def test_memory(github: FakeGitHub, run: FakeRun, client: ArtifactsClient, method: int) -> None:
    """Whatever the archives hold and however slowly outcomes are taken, memory stays within its bound."""
    concurrency, limit = 2, MIB
    same = make({str(number): noise(MIB * 3 // 4, number) for number in range(6)}, method)
    for number in range(6):
        github.add_artifact(run, f"docs-{number}", archive=same)
    artifacts = await listed(client)
    tracemalloc.start()
    try:
        count = 0
        async with client.read_members(artifacts, "*", concurrency=concurrency, max_bytes=limit) as outcomes:
            async for outcome in outcomes:
                assert outcome.ok
                del outcome
                count += 1
                await asyncio.sleep(1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 36
    others = 2 * MIB  # the fake's own, directories, tails, chunks, and the outcome in the caller's hands
    assert peak <= concurrency * limit + others


@pytest.mark.github_com("ranges")
async def test_nobody_takes_the_outcomes(github: FakeGitHub, run: FakeRun, client: ArtifactsClient) -> None:
    """While no outcome is taken, no further artifact is begun."""
    for number in range(40):
        github.add_artifact(run, f"docs-{number}", files=SMALL)
    async with client.read_members(iter(await listed(client)), "*.txt", concurrency=4) as outcomes:
        await asyncio.sleep(60)
        assert storage_requests(github) <= 8
        assert len([outcome async for outcome in outcomes]) == 80


# --- the input, and how it ends


async def test_endless_input(github: FakeGitHub, client: ArtifactsClient) -> None:
    """An endless input is read only as outcomes are taken, and closed with the block."""
    add(github, files=SMALL)
    (artifact,) = await listed(client)
    taken, closed = 0, False

    async def endless() -> AsyncGenerator[Artifact]:
        nonlocal taken, closed
        try:
            while True:
                taken += 1
                yield artifact
        finally:
            closed = True

    async with client.read_members(endless(), "warnings.json", concurrency=4) as outcomes:
        for count in range(60):
            assert (await anext(outcomes)).ok
            assert taken <= count + 2 * 4 + 2
    assert closed
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("gh-artifacts")]


async def test_an_error_of_the_input(github: FakeGitHub, client: ArtifactsClient) -> None:
    """An error of the input is raised after the outcomes of what had been taken from it."""
    add(github, files=SMALL)
    artifacts = await listed(client)

    def broken() -> Iterator[Artifact]:
        yield from artifacts
        raise LookupError

    async with client.read_members(broken(), "*") as outcomes:
        for _ in SMALL:
            assert (await anext(outcomes)).ok
        with pytest.raises(LookupError):
            await anext(outcomes)


async def test_rejected_token(github: FakeGitHub, run: FakeRun) -> None:
    """A rejected token stops new work: of a list, all that is left fails alike, and nothing more is asked."""
    for number in range(20):
        github.add_artifact(run, f"docs-{number}", files=SMALL)
    async with client_for(github) as client:
        artifacts = await listed(client)
        github.tokens = {"another"}
        github.forget_requests()
        outcomes = await read(client, artifacts, "*", concurrency=2)
    assert [type(error) for error in errors(outcomes)] == [AuthenticationError] * 20
    assert len(github.requests) <= 4


async def test_a_rate_limit_past_its_budget(github: FakeGitHub, run: FakeRun, client: ArtifactsClient) -> None:
    """A rate limit beyond ``max_pause`` stops an iterator's input too."""
    for number in range(20):
        github.add_artifact(run, f"docs-{number}", files=SMALL)
    artifacts = await listed(client)
    github.set_rate_limit(remaining=0, reset_in=3600)
    outcomes = await read(client, iter(artifacts), "*", concurrency=2)
    assert 1 <= len(outcomes) <= 4
    assert {type(error) for error in errors(outcomes)} == {PrimaryRateLimitError}


async def test_leaving_early(github: FakeGitHub, run: FakeRun, client: ArtifactsClient, temporary: Path) -> None:
    """Leaving the block ends what is under way; no task, socket or file stays."""
    for number in range(20):
        github.add_artifact(run, f"docs-{number}", archive=apart())
    github.faults.stall(None, at=20, times=None)
    github.faults.pass_by(None, times=9)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await read(client, await listed(client), "*", max_bytes=300_000)
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("gh-artifacts")]
    assert not any(temporary.iterdir())


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("ranged", [False, True])
async def test_cancelled_anywhere(github: FakeGitHub, temporary: Path, *, twice: bool, ranged: bool) -> None:
    """Cancelled at any point, both calls end at once, and leave no task, thread, socket or file."""
    files = {"a": noise(80_000), "b": noise(60_000, 1), "pad": noise(70_000, 2)}
    artifact_id = add(github, archive=make(files))
    if not ranged:
        github.faults.ignore_range(None, times=None)

    def check(_: int) -> None:
        assert not any(temporary.iterdir())

    async with client_for(github) as client:
        artifact = await get(client, artifact_id)

        async def many(_: int) -> Coroutine[Any, Any, Any]:
            return read(client, [artifact], ["a", "b"], max_bytes=100_000)

        async def latest(_: int) -> Coroutine[Any, Any, Any]:
            return client.read_latest(REPO, ArtifactQuery(branch="main"), "a")

        assert await sweep(many, check, twice=twice) >= 4
        assert await sweep(latest, check, twice=twice) >= 6
        assert len(contents(await read(client, [artifact], ["a", "b"], max_bytes=100_000))) == 2


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        ([], {}, "names must be"),
        ("", {}, "a member's name must be a non-empty string"),
        (7, {}, "names must be"),
        ([b"a"], {}, "a member's name must be"),
        ("a", {"concurrency": 0}, "concurrency"),
        ("a", {"max_bytes": 0}, "max_bytes"),
        ("a", {"max_bytes": 1.5}, "max_bytes"),
    ],
)
def test_wrong_arguments(names: Any, options: Any, message: str) -> None:
    """Wrong arguments are refused when the call is made."""
    client = ArtifactsClient("token", base_url="http://127.0.0.1:1")
    with pytest.raises(ConfigurationError, match=message):
        client.read_members([], names, **options)


async def test_one_artifact_instead_of_several(github: FakeGitHub, client: ArtifactsClient) -> None:
    """A single artifact is refused, with what to pass instead."""
    artifact = await get(client, add(github))
    with pytest.raises(ConfigurationError, match="an iterable of artifacts"):
        await read(client, artifact, "*")


async def test_without_a_token(github: FakeGitHub) -> None:
    """Both calls need a token, and say so before any request."""
    async with client_for(github, token=None) as client:
        with pytest.raises(MissingTokenError):
            client.read_members([], "*")
        with pytest.raises(MissingTokenError):
            await client.read_latest(REPO, ArtifactQuery(), "a")
    assert not github.requests


# --- the newest that fits


@pytest.mark.github_com("ranges")
async def test_latest(github: FakeGitHub, client: ArtifactsClient) -> None:
    """The newest artifact that fits is read, with one signed URL and two ranges."""
    for number in range(3):
        run = github.add_run(REPO, branch="main", conclusion="failure" if number == 2 else "success")
        github.add_artifact(run, "coverage", archive=make({"a.json": b"%d" % number, "pad": noise(100_000)}))
        github.clock.advance(60)
    query = ArtifactQuery(branch="main", names="coverage")
    content = await client.read_latest(REPO, query, "a.json")
    assert isinstance(content, MemberContent)
    assert (content.text(), content.artifact.name, content.name) == ("1", "coverage", "a.json")
    signed = [request for request in github.requests if request.endpoint == "actions/download-artifact"]
    assert (len(signed), storage_requests(github)) == (1, 2)
    github.forget_requests()
    with pytest.raises(MemberNotFoundError):
        await client.read_latest(REPO, query, "*.json")
    with pytest.raises(ArchiveLimitError):
        await client.read_latest(REPO, query, "pad", max_bytes=99_999)
    with pytest.raises(ConfigurationError):
        await client.read_latest(REPO, query, "")
    with pytest.raises(ConfigurationError):
        await client.read_latest(REPO, query, "pad", max_bytes=0)


async def test_latest_of_a_single_file(github: FakeGitHub, run: FakeRun, client: ArtifactsClient) -> None:
    """An artifact that was uploaded without zipping has its one file."""
    github.add_artifact(run, "report.html", raw=("report.html", b"<p>"))
    query = ArtifactQuery(names="report.html")
    assert (await client.read_latest(REPO, query, "report.html")).data == b"<p>"
    with pytest.raises(MemberNotFoundError, match="a single file"):
        await client.read_latest(REPO, query, "index.html")
    with pytest.raises(ArchiveLimitError):
        await client.read_latest(REPO, query, "report.html", max_bytes=2)


async def test_nothing_matches(github: FakeGitHub, run: FakeRun, client: ArtifactsClient) -> None:
    """If nothing fits, the error names the repository and what was asked for, and only that."""
    github.add_artifact(run, "docs", files=SMALL)
    query = ArtifactQuery(branch="other", names="docs")
    with pytest.raises(NotFoundError) as caught:
        await client.read_latest(REPO, query, "a")
    expected = re.escape(f"no artifact of {REPO} matches ArtifactQuery(branch='other', names=('docs',)); explain()")
    assert re.match(expected, str(caught.value))
    assert caught.value.status == 404
    assert not github.requests_to("storage")


@pytest.mark.github_com("ranges")
async def test_nixpkgs_review_case(github: FakeGitHub, client: ArtifactsClient) -> None:
    """Commit, workflow, name and member: at most 5 requests in all, and under 200 KB of an artifact of 100 MB."""
    sha = "c0ffee" + "0" * 34
    large = Entry("outpaths.bin", bytes(100_000_000))
    archive = build(large, Entry("comparison/changed-paths.json", b'{"attrdiff": {}}'), Entry("pad", noise(80_000)))
    for number in range(6):
        other = github.add_run(REPO, workflow=f"other-{number}.yml", head_sha=sha)
        github.add_artifact(other, "comparison", files=SMALL)
    run = github.add_run(REPO, workflow="eval.yml", workflow_name="Eval", head_sha=sha)
    github.add_artifact(run, "comparison", archive=archive, digest="sha256:" + "0" * 64)
    assert len(archive) > 100_000_000
    query = ArtifactQuery(head_sha=sha, workflow="Eval", names="comparison")
    content = await client.read_latest(REPO, query, "comparison/changed-paths.json")
    assert content.text() == '{"attrdiff": {}}'
    assert len(github.requests) <= 5
    assert sum(request.bytes_sent for request in github.requests) < 200_000


# --- the rules


@given(data=st.data())
def test_batches(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Batches are the members in their order, each as long as it can be, and within the limit unless it has one."""
    path = tmp_path_factory.getbasetemp() / "batches.zip"
    sizes = data.draw(st.lists(st.integers(0, 100_000), max_size=12))
    path.write_bytes(make({str(at): bytes(size) for at, size in enumerate(sizes)}))
    chosen = sorted(audit(path), key=attrgetter("header_offset"))
    chosen = [member for member in chosen if data.draw(st.booleans())]
    limit = data.draw(st.integers(0, 400_000))
    found = [list(batch) for batch in members.batches(chosen, limit)]
    assert [member for batch in found for member in batch] == chosen
    assert all(len(batch) == 1 or members.needed(batch) <= limit for batch in found)
    for one, following in pairwise(found):
        assert members.needed([*one, following[0]]) > limit


def test_batches_have_a_bounded_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Even of empty members, only so many are read at once."""
    monkeypatch.setattr(members, "_MOST", 3)
    path = tmp_path / "a.zip"
    path.write_bytes(make({str(at): b"" for at in range(7)}))
    assert [len(batch) for batch in members.batches(audit(path), MIB)] == [3, 3, 1]


async def test_room() -> None:
    """Who waits for room is served in turn; an error frees what was reserved."""
    room = members.Room(10)
    order = []

    async def take(name: str, count: int) -> None:
        async def read() -> dict[str, bytes]:
            order.append(name)
            await asyncio.sleep(1)
            return {name: b"x" * (count // 2)}

        await room.hold(count, read)

    async def fail() -> dict[str, bytes]:
        raise LookupError

    with pytest.raises(LookupError):
        await room.hold(10, fail)
    tasks = [asyncio.create_task(take(name, count)) for name, count in (("a", 6), ("b", 10), ("c", 2))]
    await asyncio.sleep(5)
    assert order == ["a"]
    room.free(3)
    await asyncio.sleep(5)
    assert order == ["a", "b", "c"]
    await asyncio.gather(*tasks)
