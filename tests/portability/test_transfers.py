"""What moves and keeps files, under the rules of Windows and macOS, see tests/kits/ports.py."""

from __future__ import annotations

import asyncio
import os
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import (
    DestinationExistsError,
    DigestMismatchError,
    MergeConflictError,
    PlanRefusedError,
    TransferVerified,
    UnsafeMemberError,
)
from tests.kits.archives import Entry
from tests.kits.transfer import (
    INLINE_SIZE,
    RECEIVER_SIZE,
    REPO,
    WORKER_SIZE,
    add,
    client_for,
    everything,
    fetch,
    fetch_all,
    fill,
    get,
    leave_part,
    listed,
    parts,
)
from tests.kits.zips import entries, leave_extraction, make, padded, several, tree

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from gh_artifacts_async import Artifact, ArtifactsClient
    from gh_artifacts_async.testing import FakeGitHub
    from tests.kits.ports import Rules

pytestmark = [pytest.mark.usefixtures("system"), pytest.mark.once]

SIZES = [INLINE_SIZE, WORKER_SIZE, pytest.param(RECEIVER_SIZE, marks=pytest.mark.slow)]


@pytest.mark.parametrize("size", SIZES)
async def test_download(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, size: int) -> None:
    """A file, nothing beside it; the second time it is there already, and can be replaced."""
    artifact_id = add(github, size=size)
    result = await fetch(client, artifact_id, tmp_path)
    assert result.path.read_bytes() == github.content(artifact_id)
    assert (await fetch(client, artifact_id, tmp_path, if_exists="skip")).skipped
    with pytest.raises(DestinationExistsError):
        await fetch(client, artifact_id, tmp_path)
    result.path.write_bytes(b"other")
    await fetch(client, artifact_id, tmp_path, if_exists="replace")
    assert tree(tmp_path) == {"docs.zip": github.content(artifact_id)}


@pytest.mark.parametrize("size", SIZES)
async def test_resumed(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, size: int) -> None:
    """What a run has left is continued by the next."""
    artifact_id = add(github, size=size)
    left = (await leave_part(github, artifact_id, tmp_path, at=size // 2)).stat().st_size
    assert (await fetch(client, artifact_id, tmp_path)).resumed_from == left
    assert tree(tmp_path) == {"docs.zip": github.content(artifact_id)}


@pytest.mark.slow
async def test_two_clients_on_one_file(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Neither takes the other's part; one brings the file, the other finds it."""
    artifact_id = add(github, size=RECEIVER_SIZE)
    async with client_for(github) as other:
        both = [fetch(it, artifact_id, tmp_path, if_exists="skip") for it in (client, other)]
        results = await asyncio.gather(*both)
    assert len({result.path for result in results}) == 1
    assert tree(tmp_path) == {"docs.zip": github.content(artifact_id)}


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("size", [WORKER_SIZE, pytest.param(RECEIVER_SIZE, marks=pytest.mark.slow)])
async def test_taken_meanwhile(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, kind: str, size: int
) -> None:
    """What appears while the bytes come is not overwritten, and the bytes do not stay."""
    artifact = await get(client, add(github, size=size, digest=None))
    place = tmp_path / "docs.zip"

    def appear(event: object) -> None:
        if isinstance(event, TransferVerified):
            place.write_bytes(b"theirs") if kind == "file" else place.mkdir()

    with pytest.raises(DestinationExistsError):
        await client.download(artifact, tmp_path, observer=appear)
    assert entries(tmp_path) == {"docs.zip"}


async def test_a_folder_is_not_replaced(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Not even one that appears meanwhile; the error is the one of every system, and nothing is left."""
    artifact = await get(client, add(github))

    def appear(event: object) -> None:
        if isinstance(event, TransferVerified):
            (tmp_path / "docs.zip").mkdir()

    with pytest.raises(DestinationExistsError):
        await client.download(artifact, tmp_path, observer=appear, if_exists="replace")
    assert entries(tmp_path) == {"docs.zip"}


@pytest.mark.parametrize("extract", [pytest.param(False, marks=pytest.mark.slow), True])
async def test_wrong_bytes(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, *, extract: bool) -> None:
    """Nothing of them is left, though a reader may have them open while they are thrown away."""
    artifact_id = add(github, archive=make(several()), digest="sha256:" + "0" * 64)
    with pytest.raises(DigestMismatchError):
        await fetch(client, artifact_id, tmp_path, extract=extract)
    assert entries(tmp_path) == set()


@pytest.mark.slow
@pytest.mark.parametrize("extract", [False, True])
async def test_cancelled(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, *, extract: bool) -> None:
    """What has arrived is kept in a part file, and continued."""
    archive = make(several())
    artifact_id = add(github, archive=archive)
    stall = github.faults.stall(artifact_id, at=len(archive) // 2, seconds=29)
    task = asyncio.create_task(fetch(client, artifact_id, tmp_path, extract=extract))
    while github.bytes_sent(artifact_id) < len(archive) // 2:
        await asyncio.sleep(0.01)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    stall.left = 0
    (part,) = parts(tmp_path)
    assert entries(tmp_path) == {part.name, f"{part.name}.json"}
    result = await fetch(client, artifact_id, tmp_path, extract=extract)
    assert result.resumed_from > 0
    assert parts(tmp_path) == []


# --- extraction


async def test_extract(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A folder with its record; the second time it is there already, and can be replaced; an empty one is filled."""
    (tmp_path / "docs").mkdir()
    for files in ({"a.txt": b"a", "folder/b.bin": bytes(5000)}, {"folder": b"other"}):
        artifact_id = add(github, archive=make(files))
        for skipped in (False, True):
            result = await fetch(client, artifact_id, tmp_path, extract=True, if_exists="replace")
            assert result.skipped is skipped
            assert tree(tmp_path / "docs") == files
            assert entries(tmp_path) == {"docs", ".docs.gh-artifacts.json"}


async def test_extract_while_it_arrives(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Storage begins again, in other words, while members are read from the part: it is removed in the end."""
    archive = make(several())
    artifact_id = add(github, archive=archive)
    github.faults.cut(artifact_id, at=len(archive) // 2)
    github.faults.ignore_range(artifact_id)
    await fetch(client, artifact_id, tmp_path, extract=True)
    assert tree(tmp_path / "docs") == several()
    assert entries(tmp_path) == {"docs", ".docs.gh-artifacts.json"}


@pytest.mark.parametrize(
    "names",
    [
        ["README", "readme"],
        *(pytest.param(names, marks=pytest.mark.slow) for names in (["../evil"], ["a/b", "A/c"], ["\u00e9", "\u00c9"])),
    ],
)
async def test_refused(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, names: list[str]) -> None:
    """What leads out of the folder, or would be one file here, leaves nothing."""
    archive = padded([Entry(name.encode(), b"x", flags=0x800) for name in names], 1000)
    with pytest.raises(UnsafeMemberError):
        await fetch(client, add(github, archive=archive), tmp_path, extract=True)
    assert entries(tmp_path) == set()


async def test_leftovers(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """What killed processes have left is cleared away, and a folder that was being replaced comes back."""
    artifact_id = add(github, archive=make({"a": b"a"}))
    leave_extraction(tmp_path, "old", "unpacking")
    with pytest.raises(DestinationExistsError):
        await fetch(client, artifact_id, tmp_path, extract=True)
    assert tree(tmp_path) == {"docs/old": b"old"}
    await fetch(client, artifact_id, tmp_path, extract=True, if_exists="replace")
    assert tree(tmp_path / "docs") == {"a": b"a"}
    assert entries(tmp_path) == {"docs", ".docs.gh-artifacts.json"}


# --- many


@pytest.mark.parametrize("if_exists", ["error", "replace"])
async def test_twins(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, if_exists: str) -> None:
    """Of two artifacts whose files would be one, the second is an error, whatever may be replaced."""
    folder = tmp_path / "in"
    folder.mkdir()
    run = github.add_run(REPO)
    ids = [github.add_artifact(run, name, size=INLINE_SIZE) for name in ("Build", "build", "other")]
    artifacts = await listed(client)
    options: Any = {"layout": "name", "if_exists": if_exists}
    planned = await client.plan_downloads(artifacts, folder, **options)
    assert [it.action for it in planned] == ["conflict", "conflict", "download"]
    with pytest.raises(DestinationExistsError, match="both"):
        await fetch_all(client, artifacts, folder, **options)
    assert entries(folder) == set()

    async def one_by_one() -> AsyncGenerator[Artifact]:
        for artifact in artifacts:
            yield artifact

    outcomes = await fetch_all(client, one_by_one(), folder, concurrency=1, **options)
    (failure,) = [outcome for outcome in outcomes if not outcome.ok]
    assert failure.artifact.id == ids[1]
    assert isinstance(failure.error, DestinationExistsError)
    assert tree(folder) == {"Build.zip": github.content(ids[0]), "other.zip": github.content(ids[2])}


@pytest.mark.slow
async def test_many(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Some go side by side; a second run finds them all."""
    ids = fill(github, 12)
    artifacts = await listed(client)
    for expected in (False, True):
        outcomes = await fetch_all(client, artifacts, tmp_path, if_exists="skip")
        assert {outcome.unwrap().skipped for outcome in outcomes} == {expected}
    assert sorted(tree(tmp_path).values()) == sorted(map(github.content, ids))


async def test_merge(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Archives go into one folder, and come again; names that are one file here are a conflict."""
    run = github.add_run(REPO)
    for number in range(2):
        github.add_artifact(run, f"part-{number}", archive=make({f"in/{number}.txt": bytes(number), "same": b"s"}))
    artifacts = await listed(client)
    for how in ("error", "skip", "replace"):
        await client.download_merged(artifacts, tmp_path / "all", conflicts="identical", if_exists=how)
        assert tree(tmp_path / "all") == {"in/0.txt": b"", "in/1.txt": bytes(1), "same": b"s"}
    github.add_artifact(run, "part-2", archive=make({"In/x.txt": b"x"}))
    with pytest.raises(MergeConflictError):
        await client.download_merged(await listed(client), tmp_path / "other", conflicts="identical")
    assert entries(tmp_path) == {"all", ".all.gh-artifacts.json"}


@pytest.mark.parametrize("extract", [pytest.param(False, marks=pytest.mark.slow), True])
async def test_mirror(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, *, extract: bool) -> None:
    """A second run keeps all; what is gone is removed, and what somebody has changed is not."""
    run = github.add_run(REPO)
    ids = [github.add_artifact(run, f"docs-{n}", archive=make({"a": bytes(n)})) for n in range(4)]
    options: Any = {"extract": extract}
    assert len((await client.mirror(REPO, tmp_path, **options)).fetched) == 4
    assert len((await client.mirror(REPO, tmp_path, **options)).kept) == 4
    place = tmp_path / f"docs-1-{ids[1]}" / "a" if extract else tmp_path / f"docs-1-{ids[1]}.zip"
    place.write_bytes(b"mine")
    github.remove_artifact(ids[0])
    github.remove_artifact(ids[1])
    report = await client.mirror(REPO, tmp_path, prune=True, **options)
    assert [entry.id for entry in report.removed] == ids[:1]
    assert place.read_bytes() == b"mine"
    assert parts(tmp_path) == []


async def test_two_mirrors_of_one_folder(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """The second is refused while the first is at work, and not afterwards."""
    fill(github, 1)
    (artifact,) = await listed(client)
    github.faults.stall(artifact.id, at=100, seconds=5)
    first = asyncio.create_task(client.mirror(REPO, tmp_path))
    while github.bytes_sent(artifact.id) < 100:
        await asyncio.sleep(0.01)
    async with client_for(github) as other:
        with pytest.raises(PlanRefusedError, match="another mirror"):
            await other.mirror(REPO, tmp_path)
        await first
        assert len((await other.mirror(REPO, tmp_path)).kept) == 1
    assert everything(tmp_path) == {f"docs-0-{artifact.id}.zip", ".gh-artifacts-mirror.json"}


async def test_a_mirror_whose_names_change_their_case(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """An artifact may take the place of one that is gone and had its name but for case: not while that is kept."""
    folder = tmp_path / "in"
    run = github.add_run(REPO)
    old = github.add_artifact(run, "Docs", size=INLINE_SIZE)
    await client.mirror(REPO, folder, layout="name")
    github.remove_artifact(old)
    new = github.add_artifact(run, "docs", size=INLINE_SIZE, seed=5)
    with pytest.raises(DestinationExistsError, match="prune"):
        await client.mirror(REPO, folder, layout="name")
    report = await client.mirror(REPO, folder, layout="name", prune=True)
    assert [entry.id for entry in report.fetched] == [new], report
    files = {name.lower(): data for name, data in tree(folder).items() if name.endswith(".zip")}
    assert files == {"docs.zip": github.content(new)}


async def test_something_in_the_manifest_s_place(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A folder there is told as what it is, though Windows opens none."""
    fill(github, 1)
    (tmp_path / ".gh-artifacts-mirror.json").mkdir()
    with pytest.raises(DestinationExistsError, match="not a file"):
        await client.mirror(REPO, tmp_path)


@pytest.mark.slow
async def test_members(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Single files of an archive that stays where it is, by way of temporary files."""
    artifact_id = add(github, archive=make(several()))
    async with client.open_archive(await get(client, artifact_id)) as archive:
        await archive.extract(list(several()), tmp_path / "out")
    assert tree(tmp_path / "out") == several()
    assert entries(tmp_path) == {"out"}


def test_the_rules_hold(tmp_path: Path, system: Rules) -> None:
    """The fake does what it says."""
    (tmp_path / "File").write_bytes(b"x")
    assert (tmp_path / "fILE").exists()
    with pytest.raises(FileExistsError):
        os.open(tmp_path / "file", os.O_CREAT | os.O_EXCL)
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):  # noqa: PT011 - which one depends on the system
        (tmp_path / "FOLDER").unlink()
    refused: Any = pytest.raises(PermissionError) if system.system.windows else nullcontext()
    with (tmp_path / "file").open("rb"), refused:
        (tmp_path / "file").rename(tmp_path / "new")
    assert entries(tmp_path) == {"folder", "File" if system.system.windows else "new"}
