"""A mirror over loopback: what a run fetches, links, keeps, repairs, removes and refuses."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import pickle
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pytest

from gh_artifacts_async import (
    ArtifactExpiredError,
    ArtifactQuery,
    ArtifactRef,
    ArtifactsError,
    AuthenticationError,
    ConfigurationError,
    DestinationExistsError,
    MissingTokenError,
    NotFoundError,
    PlanRefusedError,
    TransferFinished,
)
from gh_artifacts_async.automation import mirror as module
from gh_artifacts_async.automation import mirror_plan, mirror_prune, mirrored
from gh_artifacts_async.automation.manifest import JOURNAL, MANIFEST
from tests.kits.transfer import INLINE_SIZE, ONE_TRY, REPO, Seen, client_for, fetch_all, fill, listed, names, parts

if TYPE_CHECKING:
    from pathlib import Path

    from gh_artifacts_async import ArtifactsClient, MirrorReport
    from gh_artifacts_async.testing import FakeGitHub, FakeRun


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a mirror but its own."""
    return {name: (folder / name).read_bytes() for name in names(folder) - {MANIFEST}}


def wanted(github: FakeGitHub, *ids: int, suffix: str = ".zip") -> dict[str, bytes]:
    """Return what the layout "id" makes of artifacts."""
    return {f"{github.artifact(it).name}-{it}{suffix}": github.content(it) for it in ids}


def ids(entries: Any) -> set[int]:
    """Return the ids of entries."""
    return {entry.id for entry in entries}


def stored(github: FakeGitHub) -> int:
    """Return how many requests storage got."""
    return len(github.requests_to("storage"))


async def mirrored_ok(client: ArtifactsClient, folder: Path, **options: Any) -> MirrorReport:
    """Mirror, and expect no failure."""
    report = await client.mirror(REPO, folder, **options)
    assert report.failed == ()
    return report


# --- runs ------------------------------------------------------------------------------------------------------------


async def test_first_run_second_run_and_something_new(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """A first run fetches everything, a second one nothing, a third one what is new, whole and by its digest."""
    first = fill(github, 5)
    report = await mirrored_ok(client, tmp_path / "mirror")
    assert ids(report.fetched) == set(first)
    assert report.kept == report.removed == ()
    assert report.bytes_fetched == 5 * INLINE_SIZE
    assert contents(tmp_path / "mirror") == wanted(github, *first)
    github.forget_requests()
    again = await mirrored_ok(client, tmp_path / "mirror")
    assert stored(github) == 0
    assert len(github.requests) == 1
    assert ids(again.kept) == set(first)
    assert again.fetched == ()
    assert again.bytes_fetched == 0
    (new,) = fill(github, 1)
    third = await mirrored_ok(client, tmp_path / "mirror")
    assert ids(third.fetched) == {new}
    assert ids(third.kept) == set(first)
    assert contents(tmp_path / "mirror") == wanted(github, *first, new)
    assert pickle.loads(pickle.dumps(third)) == third  # noqa: S301 - our own


async def test_second_run_does_not_write(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A run without news leaves the manifest as it is, and no file of its own."""
    fill(github, 2)
    await mirrored_ok(client, tmp_path)
    before = (tmp_path / MANIFEST).stat().st_mtime_ns
    await mirrored_ok(client, tmp_path)
    assert (tmp_path / MANIFEST).stat().st_mtime_ns == before
    assert len(names(tmp_path)) == 3


async def test_nothing_to_mirror(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A repository without artifacts makes an empty mirror, with prune too."""
    github.add_run(REPO)
    report = await mirrored_ok(client, tmp_path, prune=True)
    assert report == module.MirrorReport()
    assert names(tmp_path) == {MANIFEST}


@pytest.mark.github_com("digest")
async def test_manifest_tells_no_secret_and_no_place(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """The manifest names artifacts by relative paths, and holds no URL, no token and no folder of this machine."""
    (it,) = fill(github, 1)
    await mirrored_ok(client, tmp_path)
    text = (tmp_path / MANIFEST).read_text()
    (found,) = json.loads(text)["artifacts"]
    assert (found["id"], found["path"], found["size"]) == (it, f"docs-0-{it}.zip", INLINE_SIZE)
    assert found["digest"] == f"sha256:{found['sha256']}"
    for secret in ("token", "http", str(tmp_path)):
        assert secret not in text


async def test_what_another_download_left_is_taken_over(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """Files that download_many has put there, or a killed run could not record, are recognized and not fetched."""
    first = fill(github, 3)
    await fetch_all(client, await listed(client), tmp_path)
    github.forget_requests()
    report = await mirrored_ok(client, tmp_path)
    assert ids(report.kept) == set(first)
    assert stored(github) == 0
    assert len(json.loads((tmp_path / MANIFEST).read_text())["artifacts"]) == 3


@pytest.mark.github_com("digest")
async def test_many_artifacts_in_few_requests(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A mirror of 1,000 artifacts of one content sends one request to storage, and a second run only reads pages."""
    run = github.add_run(REPO)
    for number in range(1000):
        github.add_artifact(run, f"docs-{number}", size=200)
    report = await mirrored_ok(client, tmp_path)
    assert len(report.fetched) == 1000
    assert stored(github) == 1
    github.forget_requests()
    assert len((await mirrored_ok(client, tmp_path)).kept) == 1000
    assert len(github.requests) == 10


async def test_file_that_is_missing_is_fetched_again(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """What somebody removed comes back, at its old place, also if the layout is another one now."""
    first = fill(github, 2)
    await mirrored_ok(client, tmp_path)
    (tmp_path / f"docs-0-{first[0]}.zip").unlink()
    report = await mirrored_ok(client, tmp_path, layout="{branch}/{name}-{id}")
    assert ids(report.fetched) == {first[0]}
    assert contents(tmp_path) == wanted(github, *first)


@pytest.mark.parametrize("extract", [False, True])
async def test_without_digests_nothing_is_taken_for_another(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, *, extract: bool
) -> None:
    """Without a digest, the same size is no proof: a new artifact is fetched over an old one, and a repair is one."""
    options = {"layout": "name", "extract": extract}
    old = github.add_artifact(github.add_run(REPO), "docs", files={"a.txt": "a" * 9}, digest=None)
    await mirrored_ok(client, tmp_path, **options)
    github.remove_artifact(old)
    new = github.add_artifact(github.add_run(REPO), "docs", files={"a.txt": "b" * 9}, digest=None)
    assert ids((await mirrored_ok(client, tmp_path, prune=True, **options)).fetched) == {new}
    path = tmp_path / ("docs/a.txt" if extract else "docs.zip")

    def content() -> bytes:
        if extract:
            return path.read_bytes()
        with ZipFile(path) as archive:
            return archive.read("a.txt")

    assert content() == b"b" * 9
    path.write_bytes(bytes(path.stat().st_size))
    assert ids((await mirrored_ok(client, tmp_path, verify=True, **options)).fetched) == {new}
    assert content() == b"b" * 9


async def test_failure_of_one_artifact(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """The failure of one artifact is reported, the others come, and the next run fetches it."""
    first = fill(github, 3)
    github.faults.status(first[1], 404, times=None)
    report = await client.mirror(REPO, tmp_path)
    (failure,) = report.failed
    assert failure.artifact.id == first[1]
    assert isinstance(failure.error, ArtifactsError)
    assert ids(report.fetched) == {first[0], first[2]}


async def test_rejected_token_stops_new_work_and_prunes_nothing(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """A token that is rejected in the middle fails the rest at once, and nothing is removed."""
    (old,) = fill(github, 1)
    await mirrored_ok(client, tmp_path)
    github.remove_artifact(old)
    fill(github, 6)

    def revoke(_: Any) -> None:
        github.tokens = ["another"]

    github.on_page(revoke)
    report = await client.mirror(REPO, tmp_path, prune=True, concurrency=1)
    assert {type(failure.error) for failure in report.failed} == {AuthenticationError}
    assert len(report.failed) == 6
    assert report.removed == ()
    assert (tmp_path / f"docs-0-{old}.zip").exists()


async def test_cancelled_run_is_continued(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A run that is cancelled leaves the manifest up to date and the folder unlocked; the next one does the rest."""
    first = fill(github, 6)
    seen = asyncio.Event()

    def observe(event: Any) -> None:
        if isinstance(event, TransferFinished):
            seen.set()

    github.faults.stall(first[5], at=1000, times=1)
    task = asyncio.create_task(client.mirror(REPO, tmp_path, concurrency=2, observer=observe))
    await seen.wait()
    for _ in range(200):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not (tmp_path / JOURNAL).exists()
    report = await mirrored_ok(client, tmp_path)
    assert len(report.kept) + len(report.fetched) == 6
    assert contents(tmp_path) == wanted(github, *first)


# --- one content, many artifacts -------------------------------------------------------------------------------------


@pytest.mark.github_com("digest")
async def test_hundred_runs_of_one_content(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """100 artifacts with the same content are fetched once and stored once."""
    everything = [github.add_artifact(github.add_run(REPO), "docs", size=INLINE_SIZE) for _ in range(100)]
    seen = Seen()
    report = await mirrored_ok(client, tmp_path, observer=seen)
    assert ids(report.fetched) == set(everything)
    assert report.bytes_fetched == INLINE_SIZE
    assert stored(github) == 1
    assert len({path.stat().st_ino for path in tmp_path.glob("docs-*.zip")}) == 1
    assert contents(tmp_path) == wanted(github, *everything)
    assert len(seen.of(TransferFinished)) == 100


@pytest.mark.github_com("digest")
async def test_one_content_over_many_runs_of_the_mirror(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """What comes later with a content that is there already is linked, not fetched."""
    first = github.add_artifact(github.add_run(REPO), "docs", size=INLINE_SIZE)
    await mirrored_ok(client, tmp_path)
    github.forget_requests()
    second = github.add_artifact(github.add_run(REPO), "docs", size=INLINE_SIZE)
    report = await mirrored_ok(client, tmp_path, durable=True)
    assert stored(github) == 0
    assert report.bytes_fetched == 0
    assert ids(report.fetched) == {second}
    assert (tmp_path / f"docs-{first}.zip").samefile(tmp_path / f"docs-{second}.zip")


@pytest.mark.github_com("digest")
async def test_copies_rather_than_links(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """With link=False each artifact is a file of its own, and is not fetched for that."""
    for _ in range(3):
        github.add_artifact(github.add_run(REPO), "docs", size=INLINE_SIZE)
    await mirrored_ok(client, tmp_path, link=False)
    assert stored(github) == 1
    assert len({path.stat().st_ino for path in tmp_path.glob("docs-*.zip")}) == 3
    assert parts(tmp_path) == []


@pytest.mark.github_com("digest")
@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM, errno.EMLINK])
async def test_where_links_are_not_possible(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """A file system without hard links, or a file with too many, is given a copy."""
    first = github.add_artifact(github.add_run(REPO), "docs", size=INLINE_SIZE)
    await mirrored_ok(client, tmp_path)

    def link(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", link)
    second = github.add_artifact(github.add_run(REPO), "docs", size=INLINE_SIZE)
    github.forget_requests()
    await mirrored_ok(client, tmp_path)
    assert stored(github) == 0
    assert contents(tmp_path) == wanted(github, first, second)


@pytest.mark.github_com("digest")
async def test_twin_that_was_changed_is_no_source(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A file that no longer has its content is linked to nothing: the new artifact is fetched."""
    first = github.add_artifact(github.add_run(REPO), "docs", size=INLINE_SIZE)
    await mirrored_ok(client, tmp_path)
    changed = tmp_path / f"docs-{first}.zip"
    changed.write_bytes(bytes(INLINE_SIZE))
    second = github.add_artifact(github.add_run(REPO), "docs", size=INLINE_SIZE)
    await mirrored_ok(client, tmp_path)
    assert (tmp_path / f"docs-{second}.zip").read_bytes() == github.content(second)
    assert not changed.samefile(tmp_path / f"docs-{second}.zip")


@pytest.mark.github_com("digest")
async def test_raw_twins_keep_their_kind(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Two files that were not uploaded as zips are one content, and both keep their extension."""
    both = [github.add_artifact(github.add_run(REPO), "app.whl", raw=("app.whl", b"x" * 500)) for _ in range(2)]
    await mirrored_ok(client, tmp_path)
    assert set(contents(tmp_path)) == {f"app-{it}.whl" for it in both}
    assert stored(github) == 1


async def test_without_digests_each_is_fetched(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Without a digest nobody knows that two are the same; a second run knows them all the same."""
    for _ in range(2):
        github.add_artifact(github.add_run(REPO), "docs", size=INLINE_SIZE, digest=None)
    await mirrored_ok(client, tmp_path)
    assert stored(github) == 2
    github.forget_requests()
    assert len((await mirrored_ok(client, tmp_path, verify=True)).kept) == 2
    assert stored(github) == 0


@pytest.mark.parametrize("github", ["ghes-3.8"], indirect=True)
async def test_old_enterprise_server(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Where sizes are those of the raw files, the manifest knows what arrived, and prune removes the record too."""
    first = github.add_artifact(github.add_run(REPO), "docs", files={"a.txt": b"a" * 5000})
    second = github.add_artifact(github.add_run(REPO), "docs", files={"a.txt": b"b" * 5000})
    await mirrored_ok(client, tmp_path)
    github.forget_requests()
    assert len((await mirrored_ok(client, tmp_path)).kept) == 2
    assert stored(github) == 0
    github.remove_artifact(first)
    report = await mirrored_ok(client, tmp_path, prune=True)
    assert ids(report.removed) == {first}
    assert {name for name in os.listdir(tmp_path) if str(first) in name} == set()  # noqa: PTH208
    assert (tmp_path / f"docs-{second}.zip").exists()


# --- layouts ---------------------------------------------------------------------------------------------------------


async def test_layout_of_folders(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, run: FakeRun) -> None:
    """A template makes folders; only what is new asks for its run."""
    it = github.add_artifact(run, "docs", size=INLINE_SIZE)
    layout = "{workflow}/{branch}/{run_id}/{name}"
    await mirrored_ok(client, tmp_path, layout=layout)
    path = tmp_path / "ci" / "main" / str(run.id) / "docs.zip"
    assert path.read_bytes() == github.content(it)
    github.forget_requests()
    await mirrored_ok(client, tmp_path, layout=layout)
    assert [record.endpoint for record in github.requests] == ["actions/list-artifacts-for-repo"]
    github.remove_artifact(it)
    github.add_artifact(github.add_run(REPO), "other", size=INLINE_SIZE)
    await mirrored_ok(client, tmp_path, layout="id", prune=True)
    assert not (tmp_path / "ci").exists()


async def test_run_that_is_gone_fails_its_artifact_only(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, run: FakeRun
) -> None:
    """An artifact whose run cannot be looked up is one failure; its place is not known."""
    it = github.add_artifact(run, "docs", size=INLINE_SIZE)
    other = github.add_artifact(github.add_run(REPO), "other", size=INLINE_SIZE)
    del github.scenario.runs[run.id]
    report = await client.mirror(REPO, tmp_path, layout="{workflow}/{name}")
    (failure,) = report.failed
    assert failure.artifact.id == it
    assert isinstance(failure.error, NotFoundError)
    assert ids(report.fetched) == {other}


async def test_two_artifacts_at_one_place(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Two artifacts with one place are an error before anything is fetched."""
    for _ in range(2):
        github.add_artifact(github.add_run(REPO), "docs", size=INLINE_SIZE)
    with pytest.raises(DestinationExistsError, match="would both be"):
        await client.mirror(REPO, tmp_path, layout="name")
    assert stored(github) == 0


async def test_new_artifact_takes_the_place_of_a_pruned_one(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """The newest build under one name: with prune the new one replaces the old one, without it that is an error."""
    old = github.add_artifact(github.add_run(REPO), "docs", size=INLINE_SIZE)
    await mirrored_ok(client, tmp_path, layout="name")
    github.remove_artifact(old)
    new = github.add_artifact(github.add_run(REPO), "docs", size=INLINE_SIZE, seed=9)
    with pytest.raises(DestinationExistsError, match="prune the mirror"):
        await client.mirror(REPO, tmp_path, layout="name")
    report = await mirrored_ok(client, tmp_path, layout="name", prune=True)
    assert ids(report.fetched) == {new}
    assert report.removed == ()
    assert contents(tmp_path) == {"docs.zip": github.content(new)}
    assert ids((await mirrored_ok(client, tmp_path, layout="name", prune=True)).kept) == {new}


@pytest.mark.github_com("digest")
async def test_same_content_takes_the_place(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A new artifact of the same content and place needs no bytes at all."""
    old = github.add_artifact(github.add_run(REPO), "docs", size=INLINE_SIZE)
    await mirrored_ok(client, tmp_path, layout="name")
    github.remove_artifact(old)
    new = github.add_artifact(github.add_run(REPO), "docs", size=INLINE_SIZE)
    github.forget_requests()
    report = await mirrored_ok(client, tmp_path, layout="name", prune=True)
    assert ids(report.kept) == {new}
    assert stored(github) == 0


@pytest.mark.parametrize("seed", [0, 9])
async def test_newest_raw_file_under_one_name(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, seed: int
) -> None:
    """A raw file yields to the newest of its name too, whether its content is new or not."""
    old = github.add_artifact(github.add_run(REPO), "app.whl", raw="app.whl", size=500)
    await mirrored_ok(client, tmp_path, layout="name", prune=True)
    github.remove_artifact(old)
    new = github.add_artifact(github.add_run(REPO), "app.whl", raw="app.whl", size=500, seed=seed)
    report = await mirrored_ok(client, tmp_path, layout="name", prune=True)
    assert ids((*report.fetched, *report.kept)) == {new}
    assert contents(tmp_path) == {"app.whl": github.content(new)}


async def test_only_one_place_is_taken(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Where the new artifact turns out to belong elsewhere, what somebody has put there stays."""
    old = github.add_artifact(github.add_run(REPO), "app.whl", raw="app.whl", size=500)
    await mirrored_ok(client, tmp_path, layout="name")
    github.remove_artifact(old)
    new = github.add_artifact(github.add_run(REPO), "app.whl", size=500, seed=3)
    (tmp_path / "app.whl.zip").write_bytes(b"mine")
    report = await client.mirror(REPO, tmp_path, layout="name", prune=True)
    (failure,) = report.failed
    assert isinstance(failure.error, DestinationExistsError)
    assert (tmp_path / "app.whl.zip").read_bytes() == b"mine"
    assert ids(report.kept) == {old}
    (tmp_path / "app.whl.zip").unlink()
    report = await mirrored_ok(client, tmp_path, layout="name", prune=True)
    assert (ids(report.fetched), ids(report.removed)) == ({new}, {old})
    assert contents(tmp_path) == {"app.whl.zip": github.content(new)}


@pytest.mark.parametrize("added", [True, False])
async def test_newest_folder_under_one_name(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, *, added: bool
) -> None:
    """A folder yields to the newest of its name, unless somebody has put something into it."""
    old = github.add_artifact(github.add_run(REPO), "docs", files={"a.txt": b"a"})
    await mirrored_ok(client, tmp_path, layout="name", extract=True)
    if added:
        (tmp_path / "docs" / "mine.txt").write_text("mine")
    github.remove_artifact(old)
    github.add_artifact(github.add_run(REPO), "docs", files={"b.txt": b"b"})
    report = await client.mirror(REPO, tmp_path, layout="name", extract=True, prune=True)
    assert len(report.failed) == added
    assert {path.name for path in (tmp_path / "docs").iterdir()} == ({"a.txt", "mine.txt"} if added else {"b.txt"})


@pytest.mark.github_com("digest")
async def test_raw_twin_that_was_not_recorded(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A raw file that a killed run has put in place, and could not record, is recognized beside its twin."""
    for _ in range(2):
        github.add_artifact(github.add_run(REPO), "app.whl", raw="app.whl", size=500)
    await mirrored_ok(client, tmp_path)
    document = json.loads((tmp_path / MANIFEST).read_text())
    document["artifacts"].pop()
    (tmp_path / MANIFEST).write_text(json.dumps(document))
    github.forget_requests()
    assert len((await mirrored_ok(client, tmp_path)).kept) == 2
    assert stored(github) == 0


@pytest.mark.github_com("digest")
async def test_everything_was_removed_by_hand(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Twins that all are gone are fetched once again."""
    everything = [github.add_artifact(github.add_run(REPO), "docs", size=500) for _ in range(20)]
    await mirrored_ok(client, tmp_path)
    for path in tmp_path.glob("docs-*.zip"):
        path.unlink()
    github.forget_requests()
    await mirrored_ok(client, tmp_path)
    assert stored(github) == 1
    assert contents(tmp_path) == wanted(github, *everything)


async def test_place_that_was_changed_is_not_taken(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """What somebody has written over an obsolete artifact stays, and the new artifact is a failure."""
    old = github.add_artifact(github.add_run(REPO), "docs", size=INLINE_SIZE)
    await mirrored_ok(client, tmp_path, layout="name")
    (tmp_path / "docs.zip").write_bytes(b"mine")
    github.remove_artifact(old)
    new = github.add_artifact(github.add_run(REPO), "docs", size=INLINE_SIZE, seed=9)
    report = await client.mirror(REPO, tmp_path, layout="name", prune=True)
    assert [failure.artifact.id for failure in report.failed] == [new]
    assert ids(report.kept) == {old}
    assert (tmp_path / "docs.zip").read_bytes() == b"mine"


# --- prune -----------------------------------------------------------------------------------------------------------


async def test_prune_removes_what_is_gone_and_nothing_else(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """Deleted artifacts go with prune only; other people's files stay."""
    first = fill(github, 3)
    await mirrored_ok(client, tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    github.remove_artifact(first[0])
    assert ids((await mirrored_ok(client, tmp_path)).kept) == set(first)
    report = await mirrored_ok(client, tmp_path, prune=True)
    assert ids(report.removed) == {first[0]}
    assert ids(report.kept) == set(first[1:])
    assert contents(tmp_path) == {**wanted(github, *first[1:]), "notes.txt": b"mine"}


async def test_prune_keeps_what_was_changed(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A file that somebody changed is kept and reported; one that was only touched is removed."""
    first = fill(github, 3)
    await mirrored_ok(client, tmp_path)
    changed, touched = (tmp_path / f"docs-{number}-{first[number]}.zip" for number in (0, 1))
    changed.write_bytes(bytes(INLINE_SIZE))
    os.utime(touched, ns=(1, 1))
    for it in first[:2]:
        github.remove_artifact(it)
    report = await client.mirror(REPO, tmp_path, prune=True)
    assert ids(report.removed) == {first[1]}
    (failure,) = report.failed
    assert failure.artifact == ArtifactRef(REPO, first[0], "docs-0")
    assert isinstance(failure.error, DestinationExistsError)
    assert changed.exists()
    changed.unlink()
    assert (await mirrored_ok(client, tmp_path, prune=True)).removed == ()


async def test_prune_keeps_what_has_expired(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An expired artifact stays: while GitHub lists it, and when GitHub has forgotten it."""
    first = fill(github, 3)
    await mirrored_ok(client, tmp_path)
    github.expire_artifact(first[0])
    assert ids((await mirrored_ok(client, tmp_path, prune=True)).kept) == set(first)
    github.remove_artifact(first[0])
    end = github.artifact(first[1]).expires_at
    assert end is not None
    monkeypatch.setattr(module, "utcnow", lambda: end + timedelta(days=1))
    assert ids((await mirrored_ok(client, tmp_path, prune=True)).kept) == set(first)


@pytest.mark.parametrize("prune", [True, False])
async def test_the_place_of_what_has_expired(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, prune: bool
) -> None:
    """It is not given away, not even by prune; the error says what helps: once moved away, the new one comes."""
    query = ArtifactQuery(names="docs")
    old = github.add_artifact(github.add_run(REPO), "docs", size=INLINE_SIZE)
    await mirrored_ok(client, tmp_path, query=query, layout="name")
    end = github.artifact(old).expires_at
    assert end is not None
    monkeypatch.setattr(module, "utcnow", lambda: end + timedelta(days=1))
    monkeypatch.setattr(mirror_plan, "utcnow", lambda: end + timedelta(days=1))
    github.clock.advance(60)
    new = github.add_artifact(github.add_run(REPO), "docs", size=INLINE_SIZE, seed=1)
    says = r"is, which has expired and is kept; move that file away, or use layout='id'"
    with pytest.raises(DestinationExistsError, match=says):
        await client.mirror(REPO, tmp_path, query=query, layout="name", prune=prune)
    assert (tmp_path / "docs.zip").read_bytes() == github.content(old)
    (tmp_path / "docs.zip").rename(tmp_path / "old.zip")
    await mirrored_ok(client, tmp_path, query=query, layout="name", prune=prune)
    assert contents(tmp_path) == {"docs.zip": github.content(new), "old.zip": github.content(old)}


async def test_expired_artifacts_are_not_fetched(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """What has expired before the first run is no part of the mirror."""
    fill(github, 1)
    github.add_artifact(github.add_run(REPO), "old", expired=True)
    assert len((await mirrored_ok(client, tmp_path)).fetched) == 1


@pytest.mark.parametrize("prune", [True, False])
async def test_listing_that_failed(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, *, prune: bool) -> None:
    """A listing that fails removes nothing: a refusal with prune, its own error without."""
    first = fill(github, 2)
    await mirrored_ok(client, tmp_path)
    github.remove_artifact(first[0])
    async with client_for(github, "another") as refused:
        github.tokens = ["token"]
        with pytest.raises(PlanRefusedError if prune else AuthenticationError):
            await refused.mirror(REPO, tmp_path, prune=prune)
    assert len(contents(tmp_path)) == 2


async def test_listing_that_is_empty(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """An empty listing is no reason to remove everything."""
    first = fill(github, 2)
    await mirrored_ok(client, tmp_path)
    for it in first:
        github.remove_artifact(it)
    with pytest.raises(PlanRefusedError, match="nothing was pruned: GitHub lists no artifact"):
        await client.mirror(REPO, tmp_path, prune=True)
    assert ids((await mirrored_ok(client, tmp_path)).kept) == set(first)
    assert len(contents(tmp_path)) == 2


async def test_what_cannot_be_removed(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that the system does not let go of is a failure, and stays in the manifest."""
    first = fill(github, 2)
    await mirrored_ok(client, tmp_path)
    github.remove_artifact(first[0])

    def refuse(*_: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(mirror_prune, "remove", refuse)
    report = await client.mirror(REPO, tmp_path, prune=True)
    assert isinstance(report.failed[0].error, PermissionError)
    monkeypatch.undo()
    assert ids((await mirrored_ok(client, tmp_path, prune=True)).removed) == {first[0]}


async def test_link_of_what_is_pruned_stays(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Removing one of two links leaves the other's content."""
    old, new = (github.add_artifact(github.add_run(REPO), "docs", size=INLINE_SIZE) for _ in range(2))
    await mirrored_ok(client, tmp_path)
    github.remove_artifact(old)
    await mirrored_ok(client, tmp_path, prune=True)
    assert contents(tmp_path) == wanted(github, new)


# --- a query ---------------------------------------------------------------------------------------------------------


async def test_query_by_name(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Only what the query selects is in the mirror; a narrower query prunes the rest."""
    first = fill(github, 3)
    query = ArtifactQuery(names="docs-[01]", conclusion=None, latest=False)
    assert ids((await mirrored_ok(client, tmp_path, query=query)).fetched) == set(first[:2])
    narrow = ArtifactQuery(names="docs-1", conclusion=None, latest=False)
    report = await mirrored_ok(client, tmp_path, query=narrow, prune=True)
    assert ids(report.removed) == {first[0]}
    assert contents(tmp_path) == wanted(github, first[1])


async def test_newest_build_under_one_name(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """The latest good build of a branch, kept under its plain name by a nightly job."""
    query = ArtifactQuery(branch="main", names="docs")
    for seed in range(3):
        it = github.add_artifact(github.add_run(REPO), "docs", size=INLINE_SIZE, seed=seed)
        github.add_artifact(github.add_run(REPO, branch="other"), "docs", size=INLINE_SIZE, seed=9)
        await mirrored_ok(client, tmp_path, query=query, layout="name", prune=True)
        assert contents(tmp_path) == {"docs.zip": github.content(it)}
        github.clock.advance(60)


async def test_query_keeps_what_has_expired_early(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """What GitHub calls expired before its time stays, though the query does not select it any more."""
    first = fill(github, 3)
    query = ArtifactQuery(names="docs-*", conclusion=None, latest=False)
    await mirrored_ok(client, tmp_path, query=query)
    github.expire_artifact(first[0])
    github.remove_artifact(first[1])
    report = await mirrored_ok(client, tmp_path, query=query, prune=True)
    assert ids(report.removed) == {first[1]}
    assert ids(report.kept) == {first[0], first[2]}


# --- verify ----------------------------------------------------------------------------------------------------------


async def test_verify_repairs(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """With verify what differs in content, size or kind is fetched again; the rest is read and kept."""
    first = fill(github, 4)
    await mirrored_ok(client, tmp_path)
    paths = [tmp_path / f"docs-{number}-{it}.zip" for number, it in enumerate(first)]
    paths[0].write_bytes(bytes(INLINE_SIZE))
    paths[1].write_bytes(b"short")
    paths[2].unlink()
    paths[2].symlink_to(paths[3])
    report = await mirrored_ok(client, tmp_path, verify=True)
    assert ids(report.fetched) == set(first[:3])
    assert ids(report.kept) == {first[3]}
    assert contents(tmp_path) == wanted(github, *first)
    assert not paths[2].is_symlink()


async def test_without_verify_a_changed_file_is_reported(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """A file of another size is somebody's work: it stays, and the failure says how to get the artifact."""
    first = fill(github, 2)
    await mirrored_ok(client, tmp_path)
    (tmp_path / f"docs-0-{first[0]}.zip").write_bytes(b"mine")
    report = await client.mirror(REPO, tmp_path)
    (failure,) = report.failed
    assert "verify the mirror" in str(failure.error)
    assert ids(report.kept) == {first[1]}


@pytest.mark.github_com("digest")
async def test_verify_of_twins_reads_and_fetches_once(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit of one link changes its twins: one fetch repairs them all, and they are one file again."""
    both = [github.add_artifact(github.add_run(REPO), "docs", size=INLINE_SIZE) for _ in range(5)]
    await mirrored_ok(client, tmp_path)
    with (tmp_path / f"docs-{both[0]}.zip").open("r+b") as file:
        file.write(b"mine")
    github.forget_requests()
    read: list[object] = []
    real = mirrored.hash_file
    monkeypatch.setattr(mirrored, "hash_file", lambda *given: read.append(given) or real(*given))
    report = await mirrored_ok(client, tmp_path, verify=True, concurrency=1)
    assert ids(report.fetched) == set(both)
    assert stored(github) == 1
    assert len(read) == 1
    assert contents(tmp_path) == wanted(github, *both)
    assert len({path.stat().st_ino for path in tmp_path.glob("docs-*.zip")}) == 1


async def test_verify_what_can_no_longer_be_fetched(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """A damaged file of an expired artifact is a failure, and stays as it is; one that is gone is forgotten."""
    first = fill(github, 3)
    await mirrored_ok(client, tmp_path)
    damaged, gone, _ = (tmp_path / f"docs-{number}-{it}.zip" for number, it in enumerate(first))
    damaged.write_bytes(b"?")
    gone.unlink()
    for it in first[:2]:
        github.expire_artifact(it)
    report = await client.mirror(REPO, tmp_path, verify=True)
    (failure,) = report.failed
    assert isinstance(failure.error, ArtifactExpiredError)
    assert damaged.read_bytes() == b"?"
    assert ids(report.kept) == {first[2]}


async def test_verify_what_is_not_listed(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """An artifact that was deleted and is intact is kept; a damaged one cannot be found any more."""
    first = fill(github, 3)
    await mirrored_ok(client, tmp_path)
    (tmp_path / f"docs-0-{first[0]}.zip").write_bytes(b"?")
    for it in first[:2]:
        github.remove_artifact(it)
    report = await client.mirror(REPO, tmp_path, verify=True)
    (failure,) = report.failed
    assert isinstance(failure.error, NotFoundError)
    assert str(failure.error).startswith(
        f"{tmp_path / f'docs-0-{first[0]}.zip'} was changed since it was mirrored, and"
    )
    assert failure.error.status == 404
    assert ids(report.kept) == set(first[1:])


# --- extracted -------------------------------------------------------------------------------------------------------


async def test_extracted_folders(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Zips become folders; a second run knows them, verify reads them, and a raw file stays a file."""
    run = github.add_run(REPO)
    it = github.add_artifact(run, "docs", files={"a.txt": b"a", "sub/b.txt": b"b"})
    raw = github.add_artifact(run, "app.whl", raw=("app.whl", b"w" * 300))
    await mirrored_ok(client, tmp_path, extract=True)
    folder = tmp_path / f"docs-{it}"
    assert (folder / "sub" / "b.txt").read_bytes() == b"b"
    assert (tmp_path / f"app-{raw}.whl").exists()
    github.forget_requests()
    assert len((await mirrored_ok(client, tmp_path, extract=True, verify=True)).kept) == 2
    assert stored(github) == 0
    (folder / "a.txt").write_bytes(b"X")
    assert ids((await mirrored_ok(client, tmp_path, extract=True)).kept) == {it, raw}
    assert ids((await mirrored_ok(client, tmp_path, extract=True, verify=True)).fetched) == {it}
    assert (folder / "a.txt").read_bytes() == b"a"


async def test_extracted_twins_are_not_linked(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Folders are fetched each."""
    for _ in range(2):
        github.add_artifact(github.add_run(REPO), "docs", files={"a.txt": b"a"})
    await mirrored_ok(client, tmp_path, extract=True)
    assert stored(github) >= 2


async def test_prune_of_extracted_folders(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A folder's own files are removed with their record; what somebody has added stays, and a changed folder whole."""
    run = github.add_run(REPO)
    first = [github.add_artifact(run, "docs", files={"a.txt": b"a", "sub/b.txt": b"b"}) for _ in range(4)]
    await mirrored_ok(client, tmp_path, extract=True)
    (tmp_path / f"docs-{first[1]}" / "sub" / "mine.txt").write_text("mine")
    (tmp_path / f"docs-{first[2]}" / "a.txt").write_text("X")
    for it in first[:3]:
        github.remove_artifact(it)
    report = await client.mirror(REPO, tmp_path, extract=True, prune=True)
    assert ids(report.removed) == set(first[:2])
    assert [failure.artifact.id for failure in report.failed] == [first[2]]
    kept = {name.partition("-")[2] for name in names(tmp_path) if name.startswith("docs")}
    assert kept == {
        f"{first[1]}/sub/mine.txt",
        f"{first[2]}/a.txt",
        f"{first[2]}/sub/b.txt",
        f"{first[3]}/a.txt",
        f"{first[3]}/sub/b.txt",
    }
    assert not (tmp_path / f".docs-{first[0]}.gh-artifacts.json").exists()


async def test_extract_of_a_mirror_of_archives(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A mirror holds either archives or folders."""
    fill(github, 1)
    await mirrored_ok(client, tmp_path)
    with pytest.raises(ConfigurationError, match="is a mirror of archives; use extract=False"):
        await client.mirror(REPO, tmp_path, extract=True)


# --- what is refused -------------------------------------------------------------------------------------------------


async def test_two_mirrors_of_one_folder(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A second mirror of a folder is refused while the first is at work, and works afterwards."""
    (it,) = fill(github, 1)
    github.faults.stall(it, at=1000, times=1)
    task = asyncio.create_task(client.mirror(REPO, tmp_path))
    while not github.requests_to("storage"):
        await asyncio.sleep(0)
    with pytest.raises(PlanRefusedError, match="another mirror is at work"):
        await client.mirror(REPO, tmp_path)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await mirrored_ok(client, tmp_path)


async def test_symbolic_links_are_not_followed(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, run: FakeRun
) -> None:
    """A link in the place of one of the mirror's folders is a failure: nothing is written, or removed, behind it."""
    it = github.add_artifact(run, "docs", size=INLINE_SIZE)
    folder, other = tmp_path / "mirror", tmp_path / "other"
    layout = "{branch}/{name}-{id}"
    await mirrored_ok(client, folder, layout=layout)
    (folder / "main").rename(other)
    (folder / "main").symlink_to(other)
    new = github.add_artifact(run, "more", size=INLINE_SIZE, seed=3)
    report = await client.mirror(REPO, folder, layout=layout, verify=True)
    assert {failure.artifact.id for failure in report.failed} == {it, new}
    assert "symbolic link" in str(report.failed[0].error)
    github.remove_artifact(it)
    report = await client.mirror(REPO, folder, layout=layout, prune=True)
    assert report.removed == ()
    assert names(other) == {f"docs-{it}.zip"}


async def test_manifest_of_another_repository(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A folder that mirrors another repository is refused, whatever the case of its letters."""
    fill(github, 1)
    await mirrored_ok(client, tmp_path)
    with pytest.raises(ConfigurationError, match="is a mirror of octo-org/octo-docs"):
        await client.mirror("octo-org/other", tmp_path)
    await client.mirror(REPO.upper(), tmp_path)


async def test_manifest_of_another_server(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """The same name on another server is another repository: nothing is pruned in its favour."""
    fill(github, 1)
    await mirrored_ok(client, tmp_path)
    document = json.loads((tmp_path / MANIFEST).read_text())
    (tmp_path / MANIFEST).write_text(json.dumps({**document, "host": "api.github.com"}))
    with pytest.raises(ConfigurationError, match=r"is a mirror of octo-org/octo-docs at api\.github\.com; use another"):
        await client.mirror(REPO, tmp_path, prune=True)
    assert document["host"] == "127.0.0.1"


@pytest.mark.parametrize("options", [{"layout": "{nothing}"}, {"concurrency": 0}, {"query": "main"}])
async def test_arguments(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, options: Any) -> None:
    """A wrong argument is an error before any request."""
    with pytest.raises(ConfigurationError):
        await client.mirror(REPO, tmp_path, **options)
    assert github.requests == []


async def test_without_a_token(github: FakeGitHub, tmp_path: Path) -> None:
    """Without a token nothing can be fetched, so nothing is asked."""
    async with client_for(github, None) as client:
        with pytest.raises(MissingTokenError):
            await client.mirror(REPO, tmp_path)
    assert github.requests == []


@pytest.mark.github_com("ranges")
async def test_resumes_what_broke(github: FakeGitHub, tmp_path: Path) -> None:
    """What a failed transfer left is continued by the next run."""
    it = github.add_artifact(github.add_run(REPO), "docs", size=600_000)
    github.faults.cut(it, at=400_000, times=1)
    async with client_for(github, retry=ONE_TRY) as client:
        report = await client.mirror(REPO, tmp_path)
        assert len(report.failed) == 1
        report = await mirrored_ok(client, tmp_path)
    assert 0 < report.bytes_fetched < 600_000
    assert contents(tmp_path) == wanted(github, it)
