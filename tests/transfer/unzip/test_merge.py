"""Many artifacts into one folder: what is merged, what clashes, what is asked, and what is there already."""

from __future__ import annotations

import zipfile
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from gh_artifacts_async import (
    ArchiveError,
    ArchiveLimitError,
    ArtifactExpiredError,
    ArtifactRef,
    ConfigurationError,
    ConnectionFailedError,
    CorruptArchiveError,
    DestinationExistsError,
    DigestMismatchError,
    ExtractionProgress,
    ExtractPolicy,
    MergeConflictError,
    MissingTokenError,
    StorageError,
    TransferFailed,
    TransferFinished,
    UnsafeMemberError,
)
from gh_artifacts_async.archive import overlay
from gh_artifacts_async.transfer.unzip import merge_sources
from tests.kits.archives import Entry, build
from tests.kits.transfer import ONE_TRY, REPO, Seen, add, client_for, listed, parts
from tests.kits.zips import HOSTILE, entries, leave_extraction, make, noise, tree

if TYPE_CHECKING:
    from gh_artifacts_async import ArtifactsClient, MergeResult
    from gh_artifacts_async.testing import FakeGitHub

BIG = 200_000
"""Bytes of a file whose archive does not lie in its own tail."""


def fill(github: FakeGitHub, *files: dict[str, bytes]) -> list[int]:
    """Add an artifact for each of these."""
    run = github.add_run(REPO)
    return [github.add_artifact(run, f"part-{number}", archive=make(its)) for number, its in enumerate(files)]


def split(count: int, size: int = 100) -> list[dict[str, bytes]]:
    """Return the files of so many artifacts, all different, some of them in the same folders."""
    return [{f"wheel-{it}.whl": noise(size, it), f"d/{it % 3}/{it}.txt": b"%d" % it} for it in range(count)]


async def merged(client: ArtifactsClient, folder: Path, **options: Any) -> MergeResult:
    """Merge all artifacts of the fake, the oldest first."""
    return await client.download_merged(await listed(client), folder, **options)


def united(files: list[dict[str, bytes]]) -> dict[str, bytes]:
    """Return all files of all artifacts."""
    return {name: data for its in files for name, data in its.items()}


# --- what is merged


async def test_forty(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Forty artifacts are one folder, and a record is beside it."""
    files = split(40)
    fill(github, *files)
    result = await merged(client, tmp_path / "dist")
    assert tree(tmp_path / "dist") == united(files)
    assert result.path == tmp_path / "dist"
    assert {member.path: member.size for member in result.members} == {
        tmp_path / "dist" / name: len(data) for name, data in united(files).items()
    }
    assert [artifact.name for artifact in result.artifacts] == [f"part-{number}" for number in range(40)]
    assert not result.skipped
    assert entries(tmp_path) == {"dist", ".dist.gh-artifacts.json"}


@pytest.mark.github_com("ranges")
async def test_requests(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A small archive costs a signed URL and a range, a large one a body more, under the same URL."""
    ids = fill(github, {"small": b"s" * 500}, {"large": noise(BIG)})
    artifacts = await listed(client)
    github.forget_requests()
    result = await client.download_merged(artifacts, tmp_path / "dist")
    assert [len(github.requests_to("storage", it)) for it in ids] == [1, 2]
    assert len(github.requests_to("api")) == 2
    assert result.bytes_fetched == sum(github.bytes_sent(it) for it in ids)
    assert tree(tmp_path / "dist") == {"small": b"s" * 500, "large": noise(BIG)}


@pytest.mark.github_com("ranges")
async def test_url_that_has_expired(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A URL that has expired between the audit and the body is signed again."""
    (it,) = fill(github, {"large": noise(BIG)})
    (artifact,) = await listed(client)
    github.faults.expire_url(it, times=1)
    await client.download_merged([artifact], tmp_path / "dist")
    assert tree(tmp_path / "dist") == {"large": noise(BIG)}


async def test_inputs(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """References and asynchronous iterables are taken; one that comes twice is merged once."""
    one, other = fill(github, {"a": b"1"}, {"b": b"2"})
    refs = [ArtifactRef(REPO, one), ArtifactRef(REPO, other), ArtifactRef(REPO, one)]
    result = await client.download_merged(refs, tmp_path / "refs")
    assert [artifact.id for artifact in result.artifacts] == [one, other]
    await client.download_merged(client.list_artifacts(REPO), tmp_path / "listing", concurrency=1)
    assert tree(tmp_path / "refs") == tree(tmp_path / "listing") == {"a": b"1", "b": b"2"}


async def test_raw(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """What was uploaded without zipping goes in under its own name, a wheel too, whatever its size."""
    wheel = make({"pkg/__init__.py": noise(BIG)})
    add(github, "w", raw=("pkg-1.whl", wheel))
    add(github, "t", raw=("../notes.txt", b"hello"))
    add(github, "e", raw=("empty.txt", b""))
    add(github, "z", files={"d/a": b"1"})
    result = await merged(client, tmp_path / "dist")
    assert tree(tmp_path / "dist") == {"pkg-1.whl": wheel, "notes.txt": b"hello", "empty.txt": b"", "d/a": b"1"}
    assert [member.name for member in result.members] == ["pkg-1.whl", "notes.txt", "empty.txt", "d/a"]


@pytest.mark.parametrize("github", ["ghes-3.8", "github.com"], indirect=True)
async def test_without_ranges(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Where storage has no ranges, which is asked once, each archive is fetched as a whole, once."""
    github.faults.ignore_range(times=None)
    files = [{"a": noise(BIG, 1)}, {"b": noise(BIG, 2)}]
    ids = [*fill(github, *files), add(github, "raw", raw=("r.bin", noise(BIG, 3)))]
    result = await merged(client, tmp_path / "dist", concurrency=1)
    assert tree(tmp_path / "dist") == {**united(files), "r.bin": noise(BIG, 3)}
    assert [len(github.requests_to("storage", it)) for it in ids] == [2, 1, 1]
    assert [len(github.requests_to("api", it)) for it in ids] == [1, 1, 1]
    assert result.bytes_fetched == sum(len(github.content(it)) for it in ids)
    assert entries(tmp_path) == {"dist", ".dist.gh-artifacts.json"}


# --- what clashes


@pytest.mark.github_com("ranges")
async def test_clash_among_forty(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Forty artifacts with one clash: both are named, nothing is written, and no body is requested."""
    files = split(40, 3 * BIG // 2)
    files[31]["d/1/7.txt"] = b"mine"
    files[7]["d/1/7.txt"] = b"its"
    ids = fill(github, *files)
    with pytest.raises(MergeConflictError) as caught:
        await merged(client, tmp_path / "new" / "dist")
    assert caught.value.path == "d/1/7.txt"
    assert [artifact.id for artifact in caught.value.artifacts] == [ids[7], ids[31]]
    for word in ("d/1/7.txt", '"part-7"', '"part-31"', str(ids[7]), str(ids[31]), "--conflicts newest"):
        assert word in str(caught.value)
    assert not entries(tmp_path)
    assert all(len(github.requests_to("storage", it)) <= 1 + (not github.requests) for it in ids)


async def test_identical(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Files with the same bytes are allowed at one path, in archives and as a single file, and written once."""
    same = noise(BIG, 5)
    fill(github, {"LICENSE": same, "a": b"1"}, {"LICENSE": same}, {"LICENSE": same, "b": b"2"})
    add(github, "licence", raw=("LICENSE", same))
    with pytest.raises(MergeConflictError, match="and in artifact"):
        await merged(client, tmp_path / "dist")
    result = await merged(client, tmp_path / "dist", conflicts="identical")
    assert tree(tmp_path / "dist") == {"LICENSE": same, "a": b"1", "b": b"2"}
    assert [member.name for member in result.members] == ["LICENSE", "a", "b"]


@pytest.mark.parametrize("other", [b"x" * 9, b"y" * 10])
async def test_not_identical(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, other: bytes) -> None:
    """Another size or CRC is refused before a body is requested."""
    ids = fill(github, {"a": b"x" * 10, "z": noise(BIG)}, {"a": other})
    with pytest.raises(MergeConflictError, match="with different contents") as caught:
        await merged(client, tmp_path / "dist", conflicts="identical")
    assert [artifact.id for artifact in caught.value.artifacts] == ids
    assert not entries(tmp_path)


def twins_by_crc() -> tuple[bytes, bytes]:
    """Return different bytes of the same length and CRC."""
    one = bytes(4) + b"pad!" + bytes(4)
    polynomial = 0x1DB710641  # adding a multiple of CRC-32's polynomial leaves the CRC as it is
    changed = int.from_bytes(one, "little") ^ (polynomial << 8)
    return one, changed.to_bytes(12, "little")


@pytest.mark.parametrize("raw", [False, True])
async def test_same_crc(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, *, raw: bool) -> None:
    """Bytes are compared, not their CRC; what a single file has is known only then."""
    one, other = twins_by_crc()
    assert zlib.crc32(one) == zlib.crc32(other)
    fill(github, {"a": one})
    add(github, "raw", raw=("a", other)) if raw else fill(github, {"a": other})
    with pytest.raises(MergeConflictError, match="with different contents") as caught:
        await merged(client, tmp_path / "dist", conflicts="identical")
    assert caught.value.path == "a"
    assert not entries(tmp_path)


async def test_newest(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """The newest artifact's file wins, by time and then by id; an archive that brings nothing is not fetched."""
    run, now = github.add_run(REPO), datetime(2026, 1, 1, tzinfo=UTC)
    old = {"a": b"old", "b": b"old", "big": noise(BIG)}
    ids = [
        github.add_artifact(run, "newest", archive=make({"a": b"newest"}), created_at=now, expires_at=None, id=20),
        github.add_artifact(
            run, "middle", archive=make({"a": b"middle", "b": b"middle"}), created_at=now, expires_at=None, id=10
        ),
        github.add_artifact(run, "oldest", archive=make(old), created_at=now - timedelta(1), expires_at=None, id=30),
        github.add_artifact(run, "all", archive=make({"big": noise(BIG, 1)}), created_at=now, expires_at=None, id=5),
    ]
    result = await merged(client, tmp_path / "dist", conflicts="newest")
    assert tree(tmp_path / "dist") == {"a": b"newest", "b": b"middle", "big": noise(BIG, 1)}
    assert {artifact.id for artifact in result.artifacts} == set(ids)
    if github.requests_to("storage", 30)[0].status == 206:
        assert len(github.requests_to("storage", 30)) == 1


@pytest.mark.parametrize("conflicts", ["error", "identical", "newest"])
@pytest.mark.parametrize("turned", [False, True])
async def test_file_and_folder(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, conflicts: str, *, turned: bool
) -> None:
    """A file where another artifact has a folder cannot be merged at all."""
    files: list[dict[str, bytes]] = [{"x/d": b""}, {"x/d/e": b"1"}]
    ids = fill(github, *(files[::-1] if turned else files))
    with pytest.raises(MergeConflictError, match="a folder in the other") as caught:
        await merged(client, tmp_path / "dist", conflicts=conflicts)
    assert caught.value.path == "x/d"
    assert sorted(artifact.id for artifact in caught.value.artifacts) == ids
    assert not entries(tmp_path)


async def test_case(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Names that differ in case are two files where the destination tells them apart, unless it has to be portable."""
    ids = fill(github, {"d/a.txt": b"1"}, {"D/A.txt": b"2"})
    with pytest.raises(MergeConflictError, match="differ only in case") as caught:
        await merged(client, tmp_path / "dist", policy=ExtractPolicy(names="portable"), conflicts="newest")
    assert [artifact.id for artifact in caught.value.artifacts] == ids
    await merged(client, tmp_path / "dist")
    assert tree(tmp_path / "dist") == {"d/a.txt": b"1", "D/A.txt": b"2"}


async def test_case_at_the_destination(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the destination ignores case, such names are a clash before a body is requested."""
    ids = fill(github, {"a.txt": b"1"}, {"A.txt": b"2", "big": noise(BIG)})
    exists = Path.exists
    monkeypatch.setattr(Path, "exists", lambda path, **more: exists(path, **more) or path.name == "A.txt")
    with pytest.raises(MergeConflictError) as caught:
        await merged(client, tmp_path / "dist")
    assert [artifact.id for artifact in caught.value.artifacts] == ids
    assert not entries(tmp_path)


@pytest.mark.parametrize("kind", HOSTILE)
async def test_hostile(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, kind: str) -> None:
    """A hostile archive among good ones is refused by name, and nothing is written."""
    fill(github, {"good": noise(BIG)})
    it = add(github, "evil", archive=HOSTILE[kind])
    with pytest.raises(ArchiveError, match=rf'artifact "evil" \({it}\): ') as caught:
        await merged(client, tmp_path / "dist")
    assert caught.value.rule
    assert not {name for name in entries(tmp_path) if ".part" not in name}


@pytest.mark.parametrize("kind", ["local-name", "crc", "size"])
async def test_hostile_after_the_audit(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, kind: str) -> None:
    """What only the members themselves show is found when they arrive: nothing is visible, no part stays."""
    bad = {"local-name": Entry("a", b"x", local={"name": b"b"}), "crc": Entry("a", b"x" * 100, crc=7)}
    entry = bad.get(kind) or Entry("a", b"x" * 100, method=8, size=10)
    add(github, "evil", archive=build(Entry("big", noise(BIG)), entry))
    fill(github, {"good": noise(BIG)})
    with pytest.raises(ArchiveError, match='artifact "evil"'):
        await merged(client, tmp_path / "dist", concurrency=1)
    assert not entries(tmp_path)


@pytest.mark.parametrize(
    ("policy", "limit"),
    [
        (ExtractPolicy(max_members=3), "max_members"),
        (ExtractPolicy(max_total_bytes=100), "max_total_bytes"),
        (ExtractPolicy(max_ratio=50), "max_ratio"),
    ],
)
async def test_limits_hold_for_all(
    github: FakeGitHub,
    client: ArtifactsClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    policy: ExtractPolicy,
    limit: str,
) -> None:
    """Archives that are each within a limit exceed it together."""
    monkeypatch.setattr(overlay, "RATIO_FLOOR", 150)
    run = github.add_run(REPO)
    for number in range(2):
        archive = make({f"{number}": b"0" * 90, f"{number}-": b""}, zipfile.ZIP_DEFLATED)
        github.add_artifact(run, f"part-{number}", archive=archive)
    with pytest.raises(ArchiveLimitError, match="the merged folder has") as caught:
        await merged(
            client, tmp_path / "dist", policy=attrs.evolve(policy, max_ratio=9 if limit == "max_ratio" else 250)
        )
    assert caught.value.limit == limit
    assert not entries(tmp_path)


async def test_links(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Symbolic links can be skipped in all archives; their headers are checked all the same."""
    link = Entry("link", b"/etc/passwd", attributes=0o120777 << 16)
    add(github, "links", archive=build(Entry("big", noise(BIG)), link))
    with pytest.raises(UnsafeMemberError, match='artifact "links"'):
        await merged(client, tmp_path / "dist")
    await merged(client, tmp_path / "dist", policy=ExtractPolicy(symlinks="skip"))
    assert tree(tmp_path / "dist") == {"big": noise(BIG)}


# --- what is there already


async def test_skip(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """The same call again asks storage nothing; with other artifacts the folder is in the way."""
    files = split(3)
    fill(github, *files)
    artifacts = await listed(client)
    first = await client.download_merged(artifacts, tmp_path / "dist", if_exists="skip")
    github.forget_requests()
    seen = Seen()
    again = await client.download_merged(artifacts[::-1], tmp_path / "dist", if_exists="skip", observer=seen)
    assert not github.requests
    assert again.skipped
    assert sorted(again.members, key=str) == sorted(first.members, key=str)
    assert again.bytes_fetched == 0
    assert all(event.skipped for event in seen.of(TransferFinished))
    with pytest.raises(DestinationExistsError, match="is not what these artifacts merge into"):
        await client.download_merged(artifacts[1:], tmp_path / "dist", if_exists="skip")
    with pytest.raises(DestinationExistsError):
        await client.download_merged(artifacts, tmp_path / "dist")
    assert not github.requests


@pytest.mark.parametrize("damage", ["size", "gone", "record"])
async def test_skip_of_what_was_changed(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, damage: str
) -> None:
    """A folder whose files or record were changed is not known to be the same; replace makes it anew."""
    fill(github, {"a": b"1"}, {"b": b"2"})
    await merged(client, tmp_path / "dist")
    if damage == "size":
        (tmp_path / "dist" / "a").write_bytes(b"longer")
    elif damage == "gone":
        (tmp_path / "dist" / "a").unlink()
    else:
        (tmp_path / ".dist.gh-artifacts.json").write_text("{}")
    with pytest.raises(DestinationExistsError):
        await merged(client, tmp_path / "dist", if_exists="skip")
    result = await merged(client, tmp_path / "dist", if_exists="replace")
    assert not result.skipped
    assert tree(tmp_path / "dist") == {"a": b"1", "b": b"2"}
    assert (await merged(client, tmp_path / "dist", if_exists="skip")).skipped


async def test_skip_by_the_way_of_merging(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A folder is the same for a laxer way of merging, and for a stricter one only where nothing clashed."""
    fill(github, {"a": b"1"}, {"b": b"2"})
    await merged(client, tmp_path / "plain", conflicts="newest")
    assert (await merged(client, tmp_path / "plain", if_exists="skip")).skipped
    fill(github, {"a": b"3"})
    await merged(client, tmp_path / "clash", conflicts="newest")
    assert (await merged(client, tmp_path / "clash", conflicts="newest", if_exists="skip")).skipped
    with pytest.raises(DestinationExistsError):
        await merged(client, tmp_path / "clash", conflicts="identical", if_exists="skip")


async def test_replace(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """An older folder is replaced as a whole, and the same one fetches nothing; a failure leaves it as it was."""
    fill(github, {"a": b"1"})
    await merged(client, tmp_path / "dist")
    (evil,) = [add(github, "evil", archive=HOSTILE["traversal"])]
    with pytest.raises(UnsafeMemberError):
        await merged(client, tmp_path / "dist", if_exists="replace")
    assert tree(tmp_path / "dist") == {"a": b"1"}
    await client.delete_artifact(REPO, evil)
    fill(github, {"b": b"2"})
    assert not (await merged(client, tmp_path / "dist", if_exists="replace")).skipped
    assert tree(tmp_path / "dist") == {"a": b"1", "b": b"2"}
    github.forget_requests()
    assert (await merged(client, tmp_path / "dist", if_exists="replace")).skipped
    assert not github.requests_to("storage")
    assert entries(tmp_path) == {"dist", ".dist.gh-artifacts.json"}


@pytest.mark.parametrize("where", [".", "..", "{}", "../../work"])
async def test_the_working_directory_is_not_replaced(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """A folder in which the program is at work, and which no merge has made, is nothing to be replaced as a whole."""
    fill(github, {"a": b"1"})
    here = tmp_path / "work" / "here"
    here.mkdir(parents=True)
    (here / "mine").write_bytes(b"mine")
    monkeypatch.chdir(here)
    with pytest.raises(DestinationExistsError, match=r"is, or holds, the working directory"):
        await merged(client, Path(where.format(here)), if_exists="replace")
    assert tree(tmp_path) == {"work/here/mine": b"mine"}
    assert not github.requests_to("storage")


@pytest.mark.parametrize("if_exists", ["error", "skip", "replace"])
async def test_empty_folder(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, if_exists: Any) -> None:
    """A folder that is there and empty counts as absent; a file or a link in its place never does."""
    fill(github, {"a": b"1"})
    (tmp_path / "dist").mkdir()
    await merged(client, tmp_path / "dist", if_exists=if_exists)
    assert tree(tmp_path / "dist") == {"a": b"1"}
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "dist")
    github.forget_requests()
    artifacts = await listed(client)
    for name in ("file", "link"):
        with pytest.raises(DestinationExistsError):
            await client.download_merged(artifacts, tmp_path / name, if_exists=if_exists)
    assert not github.requests_to("storage")


async def test_folder_of_a_user(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A user's own folder is in the way before anything is asked, even of the input."""
    fill(github, {"a": b"1"})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    for if_exists in ("error", "skip"):
        with pytest.raises(DestinationExistsError):
            await client.download_merged(client.list_artifacts(REPO), tmp_path / "mine", if_exists=if_exists)
    assert not github.requests


async def test_here(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative folder is taken as it is; the current one has its own name."""
    fill(github, {"a": b"1"})
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    result = await merged(client, "dist", durable=True)
    assert str(result.members[0].path) == "dist/a"
    assert (tmp_path / "here" / "dist" / "a").read_bytes() == b"1"
    assert (await merged(client, "dist", if_exists="skip")).skipped
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert (await merged(client, ".")).path == tmp_path / "empty"
    assert tree(tmp_path / "empty") == {"a": b"1"}


async def test_what_a_killed_process_left(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Staging folders of processes that are gone are removed, and a folder that one has moved away comes back."""
    fill(github, {"a": b"1"})
    leave_extraction(tmp_path, "old", "unpacking")
    with pytest.raises(DestinationExistsError):
        await merged(client, tmp_path / "docs")
    assert tree(tmp_path) == {"docs/old": b"old"}


@pytest.mark.parametrize("if_exists", ["error", "skip", "replace"])
async def test_parts_of_a_process_killed_at_the_end(github: FakeGitHub, tmp_path: Path, if_exists: Any) -> None:
    """Part files of what is merged already are removed, also where the folder is in the way; a user's file stays."""
    fill(github, {"a": b"1"})
    async with client_for(github) as client:
        await merged(client, tmp_path / "dist")
        (artifact,) = await listed(client)
    (tmp_path / f".{artifact.name}.{artifact.id}.0123456789.part").write_bytes(b"left")
    (tmp_path / f".{artifact.name}.{artifact.id}.mine").touch()
    async with client_for(github) as client:
        if if_exists == "error":
            with pytest.raises(DestinationExistsError):
                await client.download_merged([artifact], tmp_path / "dist")
        else:
            assert (await client.download_merged([artifact], tmp_path / "dist", if_exists=if_exists)).skipped
    assert entries(tmp_path) == {"dist", ".dist.gh-artifacts.json", f".{artifact.name}.{artifact.id}.mine"}


# --- what goes wrong


@pytest.mark.parametrize(
    "wrong",
    [
        {"conflicts": "first"},
        {"if_exists": "maybe"},
        {"concurrency": 0},
        {"policy": 7},
        {"artifacts": []},
        {"artifacts": "text"},
        {"artifacts": [7]},
        {"directory": 7},
    ],
)
async def test_arguments(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, wrong: dict[str, Any]) -> None:
    """Invalid arguments are errors before any request."""
    given = {"artifacts": [ArtifactRef(REPO, 1)], "directory": tmp_path / "dist", **wrong}
    with pytest.raises(ConfigurationError):
        await client.download_merged(given.pop("artifacts"), given.pop("directory"), **given)
    assert not github.requests
    assert not entries(tmp_path)


async def test_no_token(github: FakeGitHub, tmp_path: Path) -> None:
    """Without a token nothing is asked."""
    async with client_for(github, token=None) as client:
        with pytest.raises(MissingTokenError):
            await client.download_merged([ArtifactRef(REPO, 1)], tmp_path / "dist")
    assert not github.requests


async def test_expired(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """An artifact that has expired ends the merge before storage is asked; one that is there already is skipped."""
    fill(github, {"a": b"1"})
    it = add(github, "gone", expired=True)
    artifacts = await listed(client)
    github.forget_requests()
    with pytest.raises(ArtifactExpiredError, match=str(it)):
        await client.download_merged(artifacts, tmp_path / "dist")
    assert not github.requests
    await client.download_merged(artifacts[:1], tmp_path / "dist")
    late = [attrs.evolve(artifacts[0], expired=True)]
    assert (await client.download_merged(late, tmp_path / "dist", if_exists="skip")).skipped


@pytest.mark.github_com("digest")
@pytest.mark.parametrize("size", [500, BIG])
async def test_wrong_bytes(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, size: int) -> None:
    """Bytes without the digest GitHub states leave nothing visible, nor a part file; observers hear of it."""
    fill(github, {"good": noise(BIG)})
    add(github, "bad", archive=make({"x": noise(size)}), digest="sha256:" + "0" * 64)
    seen = Seen()
    with pytest.raises(DigestMismatchError):
        await merged(client, tmp_path / "dist", observer=seen)
    assert not entries(tmp_path)
    assert "bad" in {event.artifact.name for event in seen.of(TransferFailed)}


@pytest.mark.github_com("digest")
@pytest.mark.parametrize("size", [500, BIG])
async def test_wrong_bytes_once(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, size: int) -> None:
    """Bytes that arrive damaged once are fetched again."""
    (it,) = fill(github, {"x": noise(size)})
    github.faults.corrupt(it, at=60, times=1)
    await merged(client, tmp_path / "dist")
    assert tree(tmp_path / "dist") == {"x": noise(size)}


@pytest.mark.github_com("ranges")
async def test_another_archive_arrives(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Without a digest, an archive that is not the audited one is refused."""
    it = add(github, archive=make({"x": noise(BIG)}), digest=None)
    github.faults.pass_by(it, times=1)
    github.faults.corrupt(it, at=len(github.content(it)) - 30, times=9)  # in the directory, of the body alone
    with pytest.raises((StorageError, CorruptArchiveError)):
        await merged(client, tmp_path / "dist")
    assert not entries(tmp_path)


@pytest.mark.github_com("ranges")
async def test_resumed(github: FakeGitHub, tmp_path: Path) -> None:
    """After a failed connection the next call fetches only what is missing, also in another client."""
    files = [{"a": noise(BIG, 1)}, {"b": noise(BIG, 2)}]
    ids = fill(github, *files)
    cut = github.faults.cut(ids[1], at=len(github.content(ids[1])) // 2, times=None)
    async with client_for(github, retry=ONE_TRY) as client:
        with pytest.raises(ConnectionFailedError):
            await merged(client, tmp_path / "dist", concurrency=1)
    assert len(parts(tmp_path)) == 2
    assert not (tmp_path / "dist").exists()
    cut.left = 0
    github.forget_requests()
    async with client_for(github) as client:
        result = await merged(client, tmp_path / "dist")
    assert not github.requests_to("storage", ids[0])
    assert 0 < result.bytes_fetched < BIG
    assert tree(tmp_path / "dist") == united(files)
    assert entries(tmp_path) == {"dist", ".dist.gh-artifacts.json"}


async def test_events(github: FakeGitHub, tmp_path: Path) -> None:
    """Observers hear of each artifact, and the client counts them."""
    fill(github, {"a": b"1", "d/": b""}, {"b": noise(BIG)})
    seen = Seen()
    async with client_for(github) as client:
        await merged(client, tmp_path / "dist", observer=seen)
        await merged(client, tmp_path / "dist", if_exists="skip")
        assert (client.statistics.artifacts_done, client.statistics.artifacts_skipped) == (2, 2)
    assert sorted((event.written, event.members_done) for event in seen.of(ExtractionProgress)) == [(1, 2), (BIG, 1)]
    assert {event.path for event in seen.of(TransferFinished)} == {tmp_path / "dist"}


async def test_many_small_ones(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small archives beyond the memory they may take are kept in a file."""
    monkeypatch.setattr(merge_sources, "IN_MEMORY", 1000)
    files = split(8, 400)
    fill(github, *files)
    await merged(client, tmp_path / "dist")
    assert tree(tmp_path / "dist") == united(files)
