"""The operations of the file system, with ``await``; what each of them asks GitHub and its storage."""

from __future__ import annotations

import asyncio
import io
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async import (
    ArchiveLimitError,
    ArtifactExpiredError,
    ArtifactsError,
    ConfigurationError,
    CorruptArchiveError,
    DigestMismatchError,
    NotFoundError,
    RetryPolicy,
)
from tests.kits.fs import CSV, REPO, SMALL, add, filesystem, large, zipped
from tests.kits.zips import HOSTILE, noise

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gh_artifacts_async.fs import ArtifactsFileSystem
    from gh_artifacts_async.testing import FakeGitHub

    Do = Callable[[ArtifactsFileSystem, str], Awaitable[object]]


# --- folders


async def test_levels(github: FakeGitHub, fs: ArtifactsFileSystem) -> None:
    """Owners have repositories, those have artifacts by id and by run, and artifacts have files and folders."""
    run = github.add_run(REPO, workflow="ci.yml", branch="main")
    one = github.add_artifact(run, "docs", files=SMALL)
    owner = REPO.partition("/")[0]
    assert await fs._ls(owner, detail=False) == [REPO]
    assert await fs._ls(REPO, detail=False) == [f"{REPO}/latest", f"{REPO}/runs", f"{REPO}/{one}"]
    assert await fs._ls(f"ghartifacts://{REPO}/runs/", detail=False) == [f"{REPO}/runs/{run.id}"]
    assert await fs._ls(f"{REPO}/runs/{run.id}", detail=False) == [f"{REPO}/runs/{run.id}/docs"]
    assert await fs._ls(f"{REPO}/latest?branch=main", detail=False) == [f"{REPO}/latest;branch=main/docs"]
    for base in (
        f"{REPO}/{one}",
        f"{REPO}/runs/{run.id}/docs",
        f"{REPO}/latest/docs",
        f"{REPO}/latest;branch=main/docs",
    ):
        found = await fs._ls(base, detail=False)
        assert found == [f"{base}/junit", f"{base}/report.csv", f"{base}/notes.txt"]
        assert await fs._ls(f"{base}/junit", detail=False) == [f"{base}/junit/one.xml", f"{base}/junit/two.xml"]
        assert await fs._cat_file(f"{base}/junit/one.xml") == b"<one/>"
        assert await fs._ls(f"{base}/junit/one.xml", detail=False) == [f"{base}/junit/one.xml"]


@pytest.mark.github_com("size")
async def test_details(github: FakeGitHub, fs: ArtifactsFileSystem) -> None:
    """Folders of artifacts say which artifact it is; files say how large they are, and how compressed."""
    run = github.add_run(REPO, branch="main")
    number = github.add_artifact(run, "docs", archive=zipped(SMALL, stored=("notes.txt",)))
    (*_, about) = await fs._ls(REPO)
    assert about == await fs._info(f"{REPO}/{number}")
    assert about["type"] == "directory"
    assert (about["artifact_name"], about["run_id"], about["branch"]) == ("docs", run.id, "main")
    assert about["size_in_bytes"] == len(github.content(number))
    assert about["expires"] > about["created"]
    csv, text = [await fs._info(f"{REPO}/{number}/{name}") for name in ("report.csv", "notes.txt")]
    assert (csv["type"], csv["size"], csv["compression"], csv["artifact_id"]) == ("file", len(CSV), "deflate", number)
    assert text["compression"] is None
    assert isinstance(csv["mtime"], datetime)
    assert csv["created"] == about["created"]
    folder = await fs._info(f"{REPO}/{number}/junit")
    assert folder == {"name": f"{REPO}/{number}/junit", "size": 0, "type": "directory", "artifact_id": number}
    (listed,) = await fs._ls(f"{REPO}/runs")
    assert (listed["run_id"], listed["branch"], listed["event"], listed["conclusion"]) == (
        run.id,
        "main",
        "push",
        "success",
    )
    (named,) = await fs._ls(f"{REPO}/latest")
    assert named == {**about, "name": f"{REPO}/latest/docs"}


@pytest.mark.parametrize("path", ["", "octo-org", REPO, f"{REPO}/runs", f"{REPO}/latest", f"{REPO}/latest;branch=x"])
async def test_folders_that_exist(github: FakeGitHub, fs: ArtifactsFileSystem, path: str) -> None:
    """Each level is a folder; one request tells, which is remembered."""
    add(github)
    for _ in range(3):
        assert await fs._isdir(path)
        assert not await fs._isfile(path)
    assert len(github.requests) == (1 if path else 0)
    assert await fs._exists(path)


@pytest.mark.parametrize(
    "path",
    [
        "nobody",
        "nobody/at-all",
        "octo-org/nothing",
        f"{REPO}/99",
        f"{REPO}/99/x",
        f"{REPO}/runs/99",
        f"{REPO}/runs/99/docs",
        f"{REPO}/runs/{{run}}/other",
        f"{REPO}/runs/{{run}}/other/x",
        f"{REPO}/latest/other",
        f"{REPO}/latest;branch=other/docs/report.csv",
        f"{REPO}/{{id}}/nope",
        f"{REPO}/{{id}}/junit/nope.xml",
        f"{REPO}/{{id}}/report.csv/nope",
        f"{REPO}/other",
    ],
)
async def test_what_is_not_there(github: FakeGitHub, fs: ArtifactsFileSystem, path: str) -> None:
    """It is not found, whatever asks; globs and searches find nothing."""
    run = github.add_run(REPO)
    number = github.add_artifact(run, "docs", files=SMALL)
    path = path.format(run=run.id, id=number)
    assert not await fs._exists(path)
    assert not await fs._isfile(path)
    assert not await fs._isdir(path)
    for ask in (fs._info, fs._ls, fs._cat_file, fs.open_async):
        with pytest.raises(FileNotFoundError):
            await ask(path)
    assert await fs._glob(path) == []
    assert await fs._glob(f"{path}/*") == []
    assert await fs._find(path) == []


async def test_the_root(fs: ArtifactsFileSystem) -> None:
    """It is a folder that cannot be listed."""
    assert await fs._isdir("ghartifacts://")
    with pytest.raises(FileNotFoundError, match="name one, as in ghartifacts://OWNER"):
        await fs._ls("")
    assert await fs._glob("*") == []


async def test_expired(github: FakeGitHub, fs: ArtifactsFileSystem) -> None:
    """An artifact that has expired is in no listing, and not found; the error says so, and has its cause."""
    run = github.add_run(REPO)
    number = github.add_artifact(run, "docs", files=SMALL, expired=True)
    alive = github.add_artifact(run, "live", files=SMALL)
    assert await fs._glob(f"{REPO}/*/report.csv") == [f"{REPO}/{alive}/report.csv"]
    assert await fs._ls(f"{REPO}/runs/{run.id}", detail=False) == [f"{REPO}/runs/{run.id}/live"]
    with pytest.raises(FileNotFoundError, match=f"artifact {number} has expired"):
        await fs._info(f"{REPO}/{number}")
    with pytest.raises(FileNotFoundError) as caught:
        await fs._cat_file(f"{REPO}/{number}/report.csv")
    assert isinstance(caught.value.__cause__, ArtifactExpiredError)
    with pytest.raises(FileNotFoundError, match="'docs' in that run"):
        await fs._info(f"{REPO}/runs/{run.id}/docs")
    with pytest.raises(FileNotFoundError, match="'docs' that matches"):
        await fs._info(f"{REPO}/latest/docs")


async def test_names_that_recur(github: FakeGitHub, fs: ArtifactsFileSystem) -> None:
    """Of a run that was done again the newest artifact of a name counts; ``latest`` is of the newest good run."""
    first = github.add_run(REPO, branch="main")
    github.add_artifact(first, "docs", files={"a": b"1"})
    github.add_artifact(first, "docs", files={"a": b"2"})
    assert await fs._cat_file(f"{REPO}/runs/{first.id}/docs/a") == b"2"
    assert await fs._ls(f"{REPO}/runs/{first.id}", detail=False) == [f"{REPO}/runs/{first.id}/docs"]
    second = github.add_run(REPO, branch="main", conclusion="failure")
    github.add_artifact(second, "docs", files={"a": b"3"})
    third = github.add_run(REPO, branch="next")
    github.add_artifact(third, "docs", files={"a": b"4"})
    read = [await fs._cat_file(f"{REPO}/latest/docs/a{query}") for query in ("?branch=main", "", "?conclusion=failure")]
    assert read == [b"2", b"4", b"3"]


@pytest.mark.github_com("ranges")
async def test_single_file(github: FakeGitHub, fs: ArtifactsFileSystem) -> None:
    """An artifact that was uploaded without zipping is a folder with that file, which is read by ranges."""
    data = noise(300_000)
    number = add(github, "data", raw=("data.bin", data))
    assert await fs._ls(f"{REPO}/{number}", detail=False) == [f"{REPO}/{number}/data.bin"]
    path = f"{REPO}/{number}/data.bin"
    assert (await fs._info(path))["size"] == len(data)
    assert await fs._cat_file(path, 1000, 1010) == data[1000:1010]
    assert github.bytes_sent() < 100_000
    assert await fs._cat_file(path) == data
    assert (await fs._isfile(path), await fs._isdir(path)) == (True, False)
    with pytest.raises(FileNotFoundError):
        await fs._info(f"{REPO}/{number}/other.bin")


@pytest.mark.github_com("storage")
@pytest.mark.parametrize("data", [b"hello", b""])
async def test_the_name_of_a_single_file(
    github: FakeGitHub, fs: ArtifactsFileSystem, tmp_path: Path, data: bytes
) -> None:
    """It is the one that a download gives the file, also if it is empty or unsafe."""
    run = github.add_run(REPO)
    for name in ("report.txt", "CON", "a:b", "x?y=1"):
        github.add_artifact(run, f"of {name[0]}", raw=(name, data), content_type="text/plain")
    found = await fs._find(f"{REPO}/runs/{run.id}")
    assert sorted(path.rpartition("/")[2] for path in found) == ["_CON", "a_b", "report.txt", "x_y=1"]
    await fs._get(f"{REPO}/runs/{run.id}/", f"{tmp_path}/", recursive=True)
    assert [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()] == [data] * 4


ODD_NAMES = ("..", ".", "a/b", "../up", "a\\..\\up", "what?now=x")
"""Names of artifacts, as no official action uploads them, that are no paths of their own."""


async def test_names_of_artifacts_that_are_no_paths(
    github: FakeGitHub, fs: ArtifactsFileSystem, tmp_path: Path
) -> None:
    """They are left out where artifacts are listed by name, and disturb nothing there; their ids lead to them."""
    run = github.add_run(REPO)
    ids = [github.add_artifact(run, name, files={"m": name}) for name in (*ODD_NAMES, "docs")]
    for view in (f"{REPO}/latest", f"{REPO}/latest;branch=main", f"{REPO}/runs/{run.id}"):
        by_run = ["what?now=x"] if "runs" in view else []  # there, it is a path
        assert await fs._ls(view, detail=False) == [f"{view}/{name}" for name in ("docs", *by_run)]
        assert await fs._find(view) == [f"{view}/{name}/m" for name in ("docs", *by_run)]
        target = tmp_path / str(len(view)) / "deep"
        target.mkdir(parents=True)
        await fs._get(f"{view}/", f"{target}/", recursive=True)
        assert [path.name for path in target.parent.iterdir()] == ["deep"]
        assert (target / "docs" / "m").read_bytes() == b"docs"
    for number, name in zip(ids, ODD_NAMES, strict=False):
        assert await fs._find(f"{REPO}/{number}") == [f"{REPO}/{number}/m"]
        assert await fs._cat_file(f"{REPO}/{number}/m") == name.encode()


async def test_names_of_files_that_look_like_a_query(github: FakeGitHub, fs: ArtifactsFileSystem) -> None:
    """Below ``latest`` they cannot be told from one, and are left out; elsewhere they are names like others."""
    number = add(github, archive=zipped({"a?b=c": b"1", "d?branch=main": b"2", "why?": b"3"}))
    assert await fs._find(f"{REPO}/latest/docs") == [f"{REPO}/latest/docs/why?"]
    assert await fs._cat_file(f"{REPO}/latest/docs/why?") == b"3"
    found = await fs._find(f"{REPO}/{number}")
    assert [await fs._cat_file(path) for path in found] == [b"1", b"2", b"3"]


async def test_names_with_a_dot(github: FakeGitHub, fs: ArtifactsFileSystem) -> None:
    """A member whose name begins with ``./`` has a path without it."""
    number = add(github, archive=zipped({"./a/b.txt": b"b"}))
    assert await fs._find(f"{REPO}/{number}") == [f"{REPO}/{number}/a/b.txt"]
    assert await fs._cat_file(f"{REPO}/{number}/a/b.txt") == b"b"


# --- globs and searches


async def test_glob(github: FakeGitHub, fs: ArtifactsFileSystem) -> None:
    """Wildcards for artifacts, folders and files; ``runs`` and ``latest`` show nothing twice."""
    run = github.add_run(REPO)
    ids = [github.add_artifact(run, name, files=SMALL) for name in ("docs", "junit")]
    every = sorted(f"{REPO}/{number}/junit/{name}.xml" for number in ids for name in ("one", "two"))
    for pattern in ("*/junit/*.xml", "*/*/*.xml", "**/*.xml", "*/junit/[to]*.xml", "*/j?nit/*"):
        assert await fs._glob(f"ghartifacts://{REPO}/{pattern}") == every, pattern
    assert await fs._glob(f"octo-*/{REPO.partition('/')[2]}/*/junit/one.xml") == []  # owners cannot be listed
    assert await fs._glob(f"octo-org/octo-*/{ids[0]}/junit/one.xml") == [f"{REPO}/{ids[0]}/junit/one.xml"]
    assert await fs._glob(f"{REPO}/*") == sorted([f"{REPO}/latest", f"{REPO}/runs", *(f"{REPO}/{it}" for it in ids)])
    assert await fs._glob(f"{REPO}/{ids[0]}/*/") == [f"{REPO}/{ids[0]}/junit"]
    assert await fs._glob(f"{REPO}/{ids[0]}/**/") == [f"{REPO}/{ids[0]}", f"{REPO}/{ids[0]}/junit"]
    assert await fs._glob(f"{REPO}/latest/d*/*.csv?branch=main") == [f"{REPO}/latest;branch=main/docs/report.csv"]
    assert await fs._glob(f"{REPO}/runs/*/docs/report.csv") == [f"{REPO}/runs/{run.id}/docs/report.csv"]
    assert await fs._glob(f"{REPO}/{ids[0]}/report.csv/*") == []
    assert await fs._glob(f"{REPO}/*/report.csv/*") == []
    detailed = await fs._glob(f"{REPO}/*/report.csv", detail=True)
    assert [info["size"] for info in detailed.values()] == [len(CSV)] * 2
    literal = await fs._glob(f"{REPO}/{ids[0]}/report.csv", detail=True)
    assert literal == {f"{REPO}/{ids[0]}/report.csv": await fs._info(f"{REPO}/{ids[0]}/report.csv")}
    assert await fs._glob(f"{REPO}/*", maxdepth=1) == await fs._glob(f"{REPO}/*")


@pytest.mark.github_com("ranges")
async def test_requests_of_a_glob(github: FakeGitHub, fs: ArtifactsFileSystem) -> None:
    """The listing, and two requests an artifact; only artifacts whose name can match, where the path names them."""
    run = github.add_run(REPO)
    ids = [github.add_artifact(run, f"n{at}", files=SMALL) for at in range(5)]
    github.forget_requests()
    found = await fs._glob(f"{REPO}/*/report.csv")
    assert len(found) == len(ids)
    assert len(github.requests) == 1 + 2 * len(ids)
    for path in found:
        assert await fs._cat_file(path) == CSV
    assert len(github.requests) == 1 + 2 * len(ids)
    github.forget_requests()
    fs.invalidate_cache()
    assert len(await fs._glob(f"{REPO}/runs/{run.id}/n[12]/report.csv")) == 2
    assert len(github.requests) == 1 + 2 * 2


async def test_find_and_walk(github: FakeGitHub, fs: ArtifactsFileSystem) -> None:
    """They go down into artifacts, not from the repository into ``runs`` and ``latest``, unless they begin there."""
    run = github.add_run(REPO)
    number = github.add_artifact(run, "docs", files=SMALL)
    for base in (f"{REPO}/{number}", f"{REPO}/runs/{run.id}/docs", f"{REPO}/latest/docs"):
        below = sorted(f"{base}/{name}" for name in SMALL)
        assert await fs._find(base) == below
        parent = base.rpartition("/")[0]
        assert await fs._find(parent) == below
        assert await fs._find(parent, maxdepth=1) == []
        assert await fs._find(f"{base}/report.csv") == [f"{base}/report.csv"]
        assert await fs._find(base, withdirs=True) == sorted([base, f"{base}/junit", *below])
        walked = [found async for found in fs._walk(parent)]
        assert [path for path, _, _ in walked] == [parent, base, f"{base}/junit"]
        assert sorted(walked[1][2]) == ["notes.txt", "report.csv"]
    assert [path async for path, _, _ in fs._walk(f"{REPO}/runs", maxdepth=2)] == [
        f"{REPO}/runs",
        f"{REPO}/runs/{run.id}",
    ]
    assert [path async for path, _, _ in fs._walk("octo-org")] == [
        "octo-org",
        REPO,
        f"{REPO}/{number}",
        f"{REPO}/{number}/junit",
    ]
    assert list(await fs._find(REPO, detail=True)) == [f"{REPO}/{number}/{name}" for name in sorted(SMALL)]
    with pytest.raises(ValueError, match="maxdepth"):
        await fs._find(REPO, maxdepth=0)
    assert await fs._du(f"{REPO}/{number}") == sum(map(len, SMALL.values()))


# --- files


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("compressed", [False, True])
async def test_ranges(github: FakeGitHub, fs: ArtifactsFileSystem, *, compressed: bool) -> None:
    """Limits are those of a slice; of what is stored, only they are fetched, of what is compressed, the whole, once."""
    data = noise(150_000) * 2
    number = add(github, archive=zipped({"m": data, "z": noise(99_999)}, stored=() if compressed else ("m",)))
    path = f"{REPO}/{number}/m"
    await fs._info(path)
    before = github.bytes_sent()
    limits: list[tuple[int | None, int | None]] = [
        (0, 10),
        (200_000, 200_100),
        (-10, None),
        (None, 5),
        (-20, -10),
        (9, 3),
        (299_990, 400_000),
        (500_000, None),
    ]
    for start, end in limits:
        assert await fs._cat_file(path, start, end) == data[start:end], (start, end)
    fetched = github.bytes_sent() - before
    assert fetched > 150_000 if compressed else fetched < 1000
    if compressed:
        assert len(github.requests) == 4
    assert await fs._cat_ranges([path] * 3, [0, 5, -4], [3, 9, None]) == [data[:3], data[5:9], data[-4:]]
    assert await fs._cat_file(path) == data
    count = len(github.requests)
    assert await fs._cat_file(path, 7, 77) == data[7:77]  # of the whole, which is kept
    assert len(github.requests) == count
    assert await fs._cat([path]) == {path: data}


@pytest.mark.github_com("ranges")
async def test_one_opening_for_many(github: FakeGitHub, fs: ArtifactsFileSystem) -> None:
    """However many ask at once, an artifact is opened once, and a file is fetched once."""
    number = add(github, archive=large(200_000))
    path = f"{REPO}/{number}/report.csv"
    found = await asyncio.gather(*(fs._cat_file(path) for _ in range(10)), fs._info(path), fs._ls(f"{REPO}/{number}"))
    assert found[:10] == [CSV] * 10
    assert len(github.requests) == 4


async def test_max_bytes(github: FakeGitHub) -> None:
    """A compressed file that is larger is not read into memory; it can be copied, and a stored one read."""
    number = add(github, archive=zipped({"big": b"x" * 5000, "stored": b"y" * 5000}, stored=("stored",)))
    fs = filesystem(github, asynchronous=True, max_bytes=4000)
    for start, end in [(None, None), (0, 10)]:
        with pytest.raises(ArchiveLimitError, match=r"'big' has 5000 bytes .* max_bytes is 4000; .* get_file\(\)"):
            await fs._cat_file(f"{REPO}/{number}/big", start, end)
    assert await fs._cat_file(f"{REPO}/{number}/stored") == b"y" * 5000
    await fs.aclose()


@pytest.mark.github_com("ranges")
async def test_contents_are_bounded(github: FakeGitHub) -> None:
    """What does not fit is not kept, and fetched again."""
    number = add(github, archive=zipped({"a": noise(3000, 1), "b": noise(3000, 2), "z": noise(99_999)}))
    fs = filesystem(github, asynchronous=True, cache_bytes=4000)
    await fs._info(f"{REPO}/{number}")
    await fs._ls(f"{REPO}/{number}")
    github.forget_requests()
    for name in ("a", "a", "b", "b", "a"):
        await fs._cat_file(f"{REPO}/{number}/{name}")
    assert len(github.requests) == 3
    await fs.aclose()


@pytest.mark.parametrize("path", ["", "octo-org", REPO, f"{REPO}/runs", f"{REPO}/{{id}}", f"{REPO}/{{id}}/junit"])
async def test_folders_are_no_files(github: FakeGitHub, fs: ArtifactsFileSystem, path: str) -> None:
    """Reading a folder is an error of its own."""
    path = path.format(id=add(github))
    for read in (fs._cat_file, fs.open_async):
        with pytest.raises(IsADirectoryError):
            await read(path)


async def test_open_async(github: FakeGitHub, fs: ArtifactsFileSystem) -> None:
    """A file that is read with ``await``."""
    number = add(github)
    file = await fs.open_async(f"{REPO}/{number}/report.csv")
    assert await file.read(4) == CSV[:4]
    file.seek(10)
    assert await file.read() == CSV[10:]
    with pytest.raises(NotImplementedError, match="read-only"):
        await fs.open_async(f"{REPO}/{number}/report.csv", "wb")


@pytest.mark.parametrize("kind", ["deflated", "stored", "raw"])
async def test_get_file(github: FakeGitHub, tmp_path: Path, kind: str) -> None:
    """A file of any size goes to disk, verified, with its folders; nothing else is left there."""
    data = noise(200_000)
    if kind == "raw":
        number = add(github, "m", raw=("m", data))
    else:
        number = add(github, archive=zipped({"m": data, "z": noise(99_999)}, stored=("m",) if kind == "stored" else ()))
    fs = filesystem(github, asynchronous=True, max_bytes=1000)
    place = tmp_path / "new" / "folder" / "here.bin"
    await fs._get_file(f"{REPO}/{number}/m", str(place))
    assert place.read_bytes() == data
    await fs._get_file(f"{REPO}/{number}/m", place)  # replaced
    assert os.listdir(place.parent) == ["here.bin"]  # noqa: PTH208
    await fs._get_file(f"{REPO}/{number}", str(tmp_path / "a folder"))
    assert list((tmp_path / "a folder").iterdir()) == []
    await fs.aclose()


async def test_get_file_into_an_open_file(github: FakeGitHub, fs: ArtifactsFileSystem) -> None:
    """It may be an open file as well."""
    number = add(github)
    target = io.BytesIO()
    await fs._get_file(f"{REPO}/{number}/report.csv", target)
    assert target.getvalue() == CSV


@pytest.mark.github_com("digest")
@pytest.mark.parametrize("kind", ["crc", "raw"])
async def test_get_file_that_is_damaged(github: FakeGitHub, fs: ArtifactsFileSystem, tmp_path: Path, kind: str) -> None:
    """What is there stays, and nothing is left beside it."""
    place = tmp_path / "here"
    place.write_bytes(b"as it was")
    if kind == "raw":
        number = add(github, "a", raw=("a", noise(5000)), digest="sha256:" + "0" * 64)
    else:
        number = add(github, archive=HOSTILE["crc"])
    with pytest.raises((CorruptArchiveError, DigestMismatchError)):
        await fs._get_file(f"{REPO}/{number}/a", place)
    assert place.read_bytes() == b"as it was"
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


async def test_get(github: FakeGitHub, fs: ArtifactsFileSystem, tmp_path: Path) -> None:
    """A tree goes to disk as it is."""
    number = add(github)
    await fs._get(f"{REPO}/{number}/", str(tmp_path / "all"), recursive=True)
    found = {
        path.relative_to(tmp_path / "all").as_posix(): path.read_bytes()
        for path in (tmp_path / "all").rglob("*")
        if path.is_file()
    }
    assert found == SMALL
    await fs._get(f"{REPO}/latest/docs/report.csv?branch=main", str(tmp_path / "one.csv"))
    assert (tmp_path / "one.csv").read_bytes() == CSV


@pytest.mark.parametrize("github", ["ghes-3.4"], indirect=True)
async def test_storage_without_ranges(github: FakeGitHub, fs: ArtifactsFileSystem, tmp_path: Path) -> None:
    """An old Enterprise Server sends the whole, once; the temporary file goes when it is no longer kept."""
    number = add(github, archive=zipped(SMALL, stored=("notes.txt",)))
    assert await fs._cat_file(f"{REPO}/{number}/notes.txt", 1, 3) == SMALL["notes.txt"][1:3]
    assert await fs._cat_file(f"{REPO}/{number}/report.csv") == CSV
    await fs._get_file(f"{REPO}/{number}/report.csv", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == CSV
    assert len(github.requests_to("storage")) == 2  # the first one asked for a range


# --- freshness


async def test_listings_are_kept(github: FakeGitHub, fs: ArtifactsFileSystem) -> None:
    """For a minute, or until they are asked for anew, or forgotten."""
    add(github)
    first = await fs._ls(REPO, detail=False)
    first_info = (await fs._ls(REPO))[0]
    first_info["name"] = "changed by the caller"
    add(github)
    assert await fs._ls(REPO, detail=False) == first
    assert len(await fs._ls(REPO, refresh=True)) == len(first) + 1
    add(github)
    fs.invalidate_cache(f"{REPO}/runs")  # also of what it is in
    assert len(await fs._ls(REPO)) == len(first) + 2
    add(github)
    fs.invalidate_cache()
    assert len(await fs._ls(REPO)) == len(first) + 3
    assert fs.dircache.listings_expiry_time == 60.0


async def test_listings_that_are_not_kept(github: FakeGitHub) -> None:
    """With ``use_listings_cache=False``, each is a new one."""
    fs = filesystem(github, asynchronous=True, use_listings_cache=False)
    for count in (1, 2):
        add(github)
        assert len(await fs._ls(f"{REPO}/runs")) == count
    await fs.aclose()


async def test_latest_is_remembered_for_a_minute(github: FakeGitHub, fs: ArtifactsFileSystem) -> None:
    """Then, or when it is forgotten, the answer is a new one."""
    path = f"{REPO}/latest/docs/a"

    async def upload(data: bytes) -> None:
        await asyncio.sleep(1)  # a newer run
        add(github, files={"a": data})

    await upload(b"1")
    assert await fs._cat_file(path) == b"1"
    await upload(b"2")
    assert await fs._cat_file(path) == b"1"
    await asyncio.sleep(60)
    assert await fs._cat_file(path) == b"2"
    await upload(b"3")
    fs.invalidate_cache(f"{REPO}/latest/other")
    assert await fs._cat_file(path) == b"2"
    fs.invalidate_cache(f"ghartifacts://{REPO}/latest/docs")
    assert await fs._cat_file(path) == b"3"
    await upload(b"4")
    fs.invalidate_cache("no/such/path")
    fs.invalidate_cache(path)  # the file itself
    assert await fs._cat_file(path) == b"4"


async def test_one_listing_for_many(github: FakeGitHub, fs: ArtifactsFileSystem) -> None:
    """However many ask at once, a folder is listed once; an artifact that is deleted is gone a minute later."""
    number = add(github)
    found = await asyncio.gather(*(fs._ls(REPO) for _ in range(5)))
    assert len(github.requests) == 1
    found[0][0]["name"] = "changed"
    assert found[1][0]["name"] == f"{REPO}/latest"
    github.remove_artifact(number)
    assert await fs._exists(f"{REPO}/{number}")
    await asyncio.sleep(61)
    assert not await fs._exists(f"{REPO}/{number}")


async def test_resolve(github: FakeGitHub, fs: ArtifactsFileSystem) -> None:
    """A path by the id always means the same."""
    number = add(github)
    expected = f"{REPO}/{number}/junit/one.xml"
    assert await fs._resolve(f"ghartifacts://{REPO}/latest/docs/junit/one.xml?branch=main") == expected
    assert await fs._resolve(expected) == expected
    assert await fs._resolve(f"{REPO}/runs") == f"{REPO}/runs"
    with pytest.raises(FileNotFoundError):
        await fs._resolve(f"{REPO}/latest/nothing/x")
    github.forget_requests()
    assert fs.ukey(expected) == fs.ukey(f"ghartifacts://{expected}")
    assert fs.ukey(expected) != fs.ukey(f"{REPO}/{number}/junit/two.xml")
    assert not github.requests


# --- what fails


@pytest.mark.parametrize(
    "do",
    [
        lambda fs, path: fs._cat_file(path),
        lambda fs, path: fs._info(path),
        lambda fs, path: fs._ls(path.rpartition("/")[0]),
        lambda fs, path: fs._glob(path.replace("report", "*")),
        lambda fs, path: fs._find(path.rpartition("/")[0]),
        lambda fs, path: fs._get_file(path, "nowhere"),
        lambda fs, path: fs.open_async(path),
        lambda fs, path: fs._exists(path),
        lambda fs, path: fs._isfile(path),
        lambda fs, path: fs._isdir(path),
    ],
    ids=["cat", "info", "ls", "glob", "find", "get", "open", "exists", "isfile", "isdir"],
)
@pytest.mark.parametrize("token", ["rejected", "scopeless", None])
async def test_permissions(github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, do: Do, token: str | None) -> None:
    """A token that is rejected, may not, or is missing is a PermissionError that says what to do, without a token."""
    for name in ("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    number = add(github)
    github.tokens = {"token", "scopeless"}
    github.scopeless_tokens = {"scopeless"}
    fs = filesystem(github, asynchronous=True, token=token)
    with pytest.raises(PermissionError) as caught:
        await do(fs, f"{REPO}/{number}/report.csv")
    assert isinstance(caught.value.__cause__, ArtifactsError)
    if token is None:
        assert "GH_ENTERPRISE_TOKEN" in str(caught.value)
    else:
        assert token not in str(caught.value)
    await fs.aclose()


async def test_other_errors_pass(github: FakeGitHub) -> None:
    """What has no counterpart among a file system's errors is this package's own."""
    number = add(github, archive=HOSTILE["traversal"])
    fs = filesystem(github, asynchronous=True, retry=RetryPolicy(attempts=1))
    for ask in (fs._ls, fs._find, fs._info):
        with pytest.raises(ArtifactsError):
            await ask(f"{REPO}/{number}/x")
    with pytest.raises(ConfigurationError, match="'latest' can be narrowed by"):
        await fs._info(f"{REPO}/latest/docs/x?tag=1")
    with pytest.raises(FileNotFoundError) as caught:
        await fs._info(f"{REPO}/99")
    assert isinstance(caught.value.__cause__, NotFoundError)
    await fs.aclose()


# --- without ``await``


@pytest.mark.realtime
def test_without_await(served: FakeGitHub, mount: ArtifactsFileSystem) -> None:
    """What is not awaited does the same."""
    number = add(served)
    by_id, by_name = f"{REPO}/{number}/notes.txt", f"ghartifacts://{REPO}/latest/docs/notes.txt?branch=main"
    assert mount.resolve(by_name) == by_id
    assert mount.ukey(by_name) == mount.ukey(by_id)
    about, info = mount.info(f"{REPO}/{number}"), mount.info(by_id)
    assert mount.created(by_id) == mount.created(f"{REPO}/{number}") == about["created"]
    assert mount.modified(by_id) == info["mtime"]
    assert mount.modified(f"{REPO}/{number}") == about["created"]
    assert mount.created(REPO) is None
    assert mount._strip_protocol([by_name, by_id]) == [f"{REPO}/latest;branch=main/docs/notes.txt", by_id]
    assert mount.unstrip_protocol(by_id) == f"ghartifacts://{by_id}"
    assert mount.expand_path(f"{REPO}/{number}/junit/*") == [f"{REPO}/{number}/junit/{it}.xml" for it in ("one", "two")]
    assert mount.cat(f"{REPO}/{number}/junit/*") == {
        f"{REPO}/{number}/junit/{it}.xml": SMALL[f"junit/{it}.xml"] for it in ("one", "two")
    }
    assert dict(mount.get_mapper(f"{REPO}/{number}/junit")) == {"one.xml": b"<one/>", "two.xml": b"<two/>"}
    assert [path for path, _, _ in mount.walk(f"{REPO}/{number}")] == [f"{REPO}/{number}", f"{REPO}/{number}/junit"]
    assert mount.sizes([by_id]) == [len(SMALL["notes.txt"])]
    assert "junit" in mount.tree(f"{REPO}/{number}")
