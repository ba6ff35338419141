"""Open files: what they fetch and hold, and as text."""

from __future__ import annotations

import io
import json
import pickle
import random
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import StorageError
from gh_artifacts_async.fs.handles import BLOCK_SIZE, ArtifactFile, Blocks
from tests.kits.fs import CSV, REPO, SMALL, add, filesystem, large, mounted, zipped
from tests.kits.zips import MIB, noise

if TYPE_CHECKING:
    from gh_artifacts_async.fs import ArtifactsFileSystem
    from gh_artifacts_async.testing import FakeGitHub

pytestmark = pytest.mark.realtime


def test_open(served: FakeGitHub, mount: ArtifactsFileSystem) -> None:
    """A file is read like any other, as bytes and as text."""
    path = f"{REPO}/{add(served)}/report.csv"
    with mount.open(path) as file:
        assert isinstance(file, ArtifactFile)
        assert (file.readable(), file.writable(), file.seekable(), file.size) == (True, False, True, len(CSV))
        assert file.read(4) == CSV[:4]
        assert file.readline() == b",seconds\n"[0:0] + CSV[4:].split(b"\n")[0] + b"\n"
        assert file.seek(-5, 2) == len(CSV) - 5
        assert file.read() == CSV[-5:]
        assert file.read() == b""
        assert file.info()["size"] == len(CSV)
        file.seek(0)
        assert list(file) == CSV.splitlines(keepends=True)
    assert file.closed
    text = f"{REPO}/latest/docs/notes.txt?branch=main"
    with mount.open(text, "r", encoding="utf-8") as lines:
        assert list(lines) == ["grün\n"]
    assert mount.read_text(text, encoding="utf-8") == "grün\n"
    assert mount.cat(text) == SMALL["notes.txt"]
    assert mount.head(path, 7) == CSV[:7]
    assert mount.tail(path, 7) == CSV[-7:]
    assert mount.read_block(path, 3, 20, delimiter=b"\n") == CSV[CSV.index(b"\n") + 1 : CSV.index(b"\n", 23) + 1]


def test_modes(served: FakeGitHub, mount: ArtifactsFileSystem) -> None:
    """Nothing is opened for writing; a folder is not opened, nor what is not there."""
    number = add(served)
    for mode in ("wb", "ab", "xb", "w", "r+b"):
        with pytest.raises(NotImplementedError, match="read-only"):
            mount.open(f"{REPO}/{number}/report.csv", mode)
    with pytest.raises(IsADirectoryError):
        mount.open(f"{REPO}/{number}/junit")
    with pytest.raises(FileNotFoundError):
        mount.open(f"{REPO}/{number}/nope")


@pytest.mark.slow
@pytest.mark.sample
def test_small_reads_of_a_large_stored_file(served: FakeGitHub, mount: ArtifactsFileSystem) -> None:
    """A thousand small reads, one after the other or anywhere, take a request for each block; a large one takes one."""
    size = 5 * BLOCK_SIZE + 17
    number = add(served, archive=large(size))
    data = served.content(number)
    begin = data.index(noise(MIB)[:50])
    data = data[begin : begin + size]
    path = f"{REPO}/{number}/data.bin"
    mount.info(path)
    before = len(served.requests)
    with mount.open(path) as file:
        for at in range(1000):
            assert file.read(100) == data[100 * at : 100 * at + 100]
        assert len(served.requests) - before == 1
        for _ in range(1000):
            at = random.randrange(size)  # noqa: S311 - no secret
            file.seek(at)
            assert file.read(100) == data[at : at + 100]
        assert len(served.requests) - before <= 6
    before = len(served.requests)
    with mount.open(path) as file:
        assert file.read() == data
    assert len(served.requests) - before == 1


def test_a_compressed_file_is_held_while_it_is_open(served: FakeGitHub) -> None:
    """It is fetched once, whatever else is kept meanwhile."""
    number = add(served, archive=zipped({"a": noise(50_000, 1), "b": noise(50_000, 2), "z": noise(99_999)}))
    with mounted(served, cache_bytes=60_000) as fs, fs.open(f"{REPO}/{number}/a") as file:
        assert file.read(10) == noise(50_000, 1)[:10]
        assert fs.cat_file(f"{REPO}/{number}/b") == noise(50_000, 2)
        count = len(served.requests)
        assert file.read() == noise(50_000, 1)[10:]
        assert len(served.requests) == count


@pytest.mark.parametrize("cache", ["blockcache", "readahead", "bytes", "none", "all", None])
def test_caches(served: FakeGitHub, mount: ArtifactsFileSystem, cache: str | None) -> None:
    """The caches of fsspec, by name and with their options."""
    data = noise(30_000)
    number = add(served, archive=zipped({"a": data, "z": noise(99_999)}, stored=("a",)))
    options = (
        {}
        if cache is None
        else {"cache_type": cache, "cache_options": {"maxblocks": 2} if cache == "blockcache" else {}}
    )
    with mount.open(f"{REPO}/{number}/a", block_size=1000, **options) as file:
        assert file.blocksize == 1000
        for start, length in [(0, 10), (29_000, 5000), (500, 1000), (0, 20_000), (3, 0)]:
            file.seek(start)
            assert file.read(length) == data[start : start + length]
        used = file.cache
        assert isinstance(used, Blocks) == (cache in {"blockcache", None})
    if isinstance(used, Blocks):
        assert used.cache_info().currsize == 0  # they do not wait for a garbage collection


def test_pickled(served: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """An open file can be sent to another process, which goes on where it was; its token is that process's own."""
    number = add(served)
    monkeypatch.setenv("GH_ENTERPRISE_TOKEN", "another")
    with mounted(served, token="canary") as fs, fs.open(f"{REPO}/{number}/report.csv") as file:
        file.read(10)
        pickled = pickle.dumps(file)
        assert b"canary" not in pickled
        again = pickle.loads(pickled)  # noqa: S301  our own
        assert again.read() == CSV[10:]
        assert served.requests[-1].host == "storage"
        assert served.requests_to("api")[-1].headers["Authorization"] == "Bearer another"
        again.fs.close()
        again.close()


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("kind", ["stored", "deflated", "raw"])
def test_what_has_changed(served: FakeGitHub, mount: ArtifactsFileSystem, kind: str) -> None:
    """An open file never goes on with the bytes of another one; who opens it again has what is there now."""

    def content(seed: int) -> dict[str, Any]:
        data = noise(200_000, seed)
        if kind == "raw":
            return {"raw": ("a", data), "content_type": "text/plain"}
        files = {"a": data, "b": noise(150_000, seed), "z": noise(99_999)}
        return {"archive": zipped(files, stored=("a",) if kind == "stored" else ())}

    number = add(served, digest=None, **content(1))
    path = f"{REPO}/{number}/a"
    with mount.open(path, block_size=1000) as file, mount.open(path, block_size=1000) as other:
        if kind != "deflated":
            assert file.read(10) == noise(200_000, 1)[:10]
        new = content(2)
        served.faults.change_etag(number, new["raw"][1] if kind == "raw" else new["archive"])
        file.seek(50_000)
        with pytest.raises(StorageError, match="changed"):
            file.read(10)
        with mount.open(path) as again:
            assert again.read() == noise(200_000, 2)
        for before in (file, other):
            with pytest.raises(StorageError, match="has changed since it was opened; open it again"):
                before.read(10)


@pytest.mark.github_com("ranges")
async def test_what_has_changed_with_await(github: FakeGitHub) -> None:
    """So it is with a file that is awaited."""
    number = add(github, archive=zipped({"a": noise(200_000, 1), "z": noise(99_999)}, stored=("a",)))
    fs = filesystem(github, asynchronous=True)
    file = await fs.open_async(f"{REPO}/{number}/a")
    assert await file.read(10) == noise(200_000, 1)[:10]
    github.faults.change_etag(number, zipped({"a": noise(200_000, 2), "z": noise(99_999)}, stored=("a",)))
    with pytest.raises(StorageError, match="changed"):
        await file.read(10)
    assert await fs._cat_file(f"{REPO}/{number}/a", 5, 9) == noise(200_000, 2)[5:9]
    with pytest.raises(StorageError, match="has changed since it was opened"):
        await file.read(10)
    await fs.aclose()


def test_a_file_is_a_stream_for_others(served: FakeGitHub, mount: ArtifactsFileSystem) -> None:
    """What takes a binary stream takes it."""
    number = add(served, files={"a.json": json.dumps({"a": [1, 2]}).encode()})
    with mount.open(f"{REPO}/{number}/a.json") as file:
        assert json.load(io.BufferedReader(file)) == {"a": [1, 2]}
