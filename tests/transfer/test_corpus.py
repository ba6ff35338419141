"""Hostile and odd zips over the wire: each gets its verdict from a download that is unpacked and from an open archive.

``EXTRA_ZIPS`` may name another folder that has an ``INDEX.jsonl``.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from gh_artifacts_async import ArchiveError, ArtifactsError, ExtractPolicy, IncompleteDownloadError
from gh_artifacts_async.archive import extract
from gh_artifacts_async.testing import FakeGitHub
from gh_artifacts_async.transfer.unzip import pipeline
from tests.kits.archives import Entry, build
from tests.kits.transfer import add, client_for, get

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from gh_artifacts_async import ArtifactsClient, ExtractedMember

SAMPLES = Path(__file__).parent.parent / "zips"
NAMES = ["native", "portable"]
SHARES = 4
OLD = b"what was there before"
MOST = 2**30

pytestmark = pytest.mark.slow


class Sample(NamedTuple):
    """One archive.

    Attributes:
        name: of its file.
        data: its bytes.
        verdict: ``accept``, ``reject`` or ``either``.
        rule: that refuses it; None where that is not known.
    """

    name: str
    data: bytes
    verdict: str
    rule: str | None


def _indexed(folder: Path, names: str) -> Iterator[Sample]:
    for line in (folder / "INDEX.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        portable = row.get("portable") or row.get("verdict_portable")
        verdict = row["verdict"] if names == "native" else portable
        rule = row.get("rule" if names == "native" else "portable_rule")
        yield Sample(row["file"], (folder / row["file"]).read_bytes(), verdict, rule)


@functools.cache
def _zeros(mebibytes: int) -> tuple[bytes, int]:
    """Deflate zeros without holding them."""
    packer, checksum, block = zlib.compressobj(6, zlib.DEFLATED, -15), 0, bytes(2**20)
    packed = []
    for _ in range(mebibytes):
        packed.append(packer.compress(block))
        checksum = zlib.crc32(block, checksum)
    return b"".join([*packed, packer.flush()]), checksum


def _made() -> Iterator[Sample]:
    """Make what is too big to keep."""
    yield Sample("name-64k", build(Entry("ok", b"fine"), Entry("a" * 65535, b"x")), "reject", "component-length")
    packed, crc = _zeros(101)
    honest = Entry("zeros", packed=packed, crc=crc, size=101 * 2**20, method=8)
    yield Sample("bomb", build(honest), "reject", "limit")
    yield Sample("bomb-liar", build(Entry("zeros", packed=packed, crc=crc, size=10, method=8)), "reject", "size")
    honest.local = {"size": 10}
    yield Sample("bomb-liar-local", build(honest), "reject", None)
    packed, crc = _zeros(8)
    ratio = Entry("zeros", packed=packed, crc=crc, size=8 * 2**20, method=8)
    yield Sample("bomb-ratio", build(ratio), "either", None)


def samples(names: str, share: int = 0, shares: int = 1) -> list[Sample]:
    """Return all archives, or one share of them."""
    found = [*_indexed(SAMPLES, names), *_made()]
    if extra := os.environ.get("EXTRA_ZIPS"):
        found += _indexed(Path(extra), names)
    return found[share::shares]


def picture(folder: Path, *, folders: bool = True) -> dict[str, Any]:
    """Return all that is below a folder: kinds, modes, times and contents."""
    found: dict[str, Any] = {}
    for path in folder.rglob("*"):
        about = path.lstat()
        name = path.relative_to(folder).as_posix()
        if path.is_dir() and not path.is_symlink():
            if folders:
                found[f"{name}/"] = about.st_mode
        else:
            found[name] = (about.st_mode, about.st_mtime_ns // 10**6, zlib.crc32(path.read_bytes()), about.st_size)
    return found


def _timeless(seen: dict[str, Any], wanted: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Take out of both the times that are those of the unpacking itself: the archive had none that makes sense."""
    recent = max((value[1] for value in wanted.values() if isinstance(value, tuple)), default=0) - 3_600_000

    def plain(tree: dict[str, Any]) -> dict[str, Any]:
        return {
            name: (value[0], 0, *value[2:]) if isinstance(value, tuple) and value[1] > recent else value
            for name, value in tree.items()
        }

    return plain(seen), plain(wanted)


def _same(seen: dict[str, Any], wanted: dict[str, Any]) -> bool:
    one, other = _timeless(seen, wanted)
    return one == other


class Scene:
    """One sample, its place in a folder with neighbours, and what the local unpacking makes of it."""

    def __init__(self, base: Path, sample: Sample, policy: ExtractPolicy) -> None:
        """Prepare the folder; everything in it goes with :meth:`close`."""
        self.sized = True
        self.sample = sample
        self.policy = policy
        self.base = Path(tempfile.mkdtemp(dir=base))
        self.wanted: Path | None = self.base / "local" / "out"
        self.folder = self.base / "in"
        self.folder.mkdir()
        for place in (self.base / "neighbour", self.folder / "neighbour"):
            place.write_bytes(OLD)
        (self.base / "local").mkdir()
        (self.base / "local" / "it.zip").write_bytes(sample.data)
        try:
            extract(self.base / "local" / "it.zip", self.wanted, policy)
        except ArchiveError:
            self.wanted = None

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.base)

    def judge(self, error: Exception | None) -> None:
        """Compare the outcome with the verdict and with what is unpacked locally."""
        assert self.sample.verdict in {"either", "reject" if error else "accept"}, error
        assert (self.wanted is None) == (error is not None), error
        if error is not None:
            if isinstance(error, ArchiveError):
                assert error.rule, error
            else:  # without a length and a digest, what has no end record has not arrived whole
                assert not self.sized, error
                assert self.sample.rule in {None, "end-record", "trailing-data"}, error
            assert str(error).isprintable(), error


async def _all(names: str, base: Path, share: int, use: Callable[[Scene], Awaitable[None]]) -> None:
    """Run every archive of a share, and tell all that went wrong."""
    wrong = []
    policy = ExtractPolicy(names=names)
    for sample in samples(names, share, SHARES):
        scene = Scene(base, sample, policy)
        try:
            await use(scene)
        except (AssertionError, ArtifactsError, OSError, ArithmeticError, LookupError, ValueError) as error:
            wrong.append(f"{sample.name}: {type(error).__name__}: {error}")
        finally:
            scene.close()
    assert not wrong, "\n".join(wrong)


def _sampled(shares: int = SHARES) -> list[Any]:
    """Return the shares, the first of which is run by ``make test`` too."""
    return [pytest.param(number, marks=pytest.mark.sample if not number else ()) for number in range(shares)]


# --- downloaded and unpacked


async def _download(client: ArtifactsClient, github: FakeGitHub, scene: Scene, *, old: bool) -> None:
    artifact = await get(client, add(github, archive=scene.sample.data))
    if old:
        (scene.folder / "docs").mkdir()
        (scene.folder / "docs" / "old").write_bytes(OLD)
    before = picture(scene.base)
    error: Exception | None = None
    result = None
    try:
        result = await client.download(
            artifact, scene.folder, extract=scene.policy, if_exists="replace" if old else "error"
        )
    except ArchiveError as caught:
        error = caught
    scene.judge(error)
    if error is not None:
        assert scene.sample.rule in {None, error.rule}, error.rule
        assert _same(picture(scene.base), before)
        return
    assert scene.wanted is not None
    assert result is not None
    assert result.path == scene.folder / "docs"
    assert _same(picture(result.path), picture(scene.wanted))
    assert {path.name for path in scene.folder.iterdir()} == {"docs", "neighbour", ".docs.gh-artifacts.json"}
    assert {path.name for path in scene.base.iterdir()} == {"in", "local", "neighbour"}
    assert result.members is not None
    assert all(member.path.stat().st_size == member.size for member in result.members)


@pytest.mark.github_com("digest")
@pytest.mark.parametrize("share", _sampled())
@pytest.mark.parametrize("names", NAMES)
async def test_download(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, names: str, share: int) -> None:
    """A download is refused and leaves everything as it was, or makes the folder that unpacking the file makes."""
    await _all(names, tmp_path, share, lambda scene: _download(client, github, scene, old=False))


@pytest.mark.github_com("digest")
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("names", NAMES)
async def test_download_in_place_of_another(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: str, share: int
) -> None:
    """Unpacked while it arrives, in place of an older folder: that is replaced, or stays as it was to the last byte."""
    monkeypatch.setattr(pipeline, "FROM", 1)
    monkeypatch.setattr(pipeline, "_ENOUGH", 1)
    await _all(names, tmp_path, share, lambda scene: _download(client, github, scene, old=True))


# --- opened where it is


async def _open(client: ArtifactsClient, github: FakeGitHub, scene: Scene, *, tail: bool) -> None:
    artifact = await get(client, add(github, archive=scene.sample.data))
    before = picture(scene.base)
    into = scene.folder / "docs"
    error: Exception | None = None
    errors: list[ArchiveError] = []
    contents: dict[str, int] = {}
    members: list[ExtractedMember] = []
    try:
        async with client.open_archive(artifact, policy=scene.policy) as archive:
            if not tail and archive.ranged:
                archive._source._tail = b""  # a short archive is all in the tail: let each member cost its request
            files = archive.directory.files
            for member in files:
                try:
                    contents[member.path] = zlib.crc32(await archive.read(member.name, max_bytes=MOST))
                except ArchiveError as caught:
                    errors.append(caught)
            try:
                members = await archive.extract([member.name for member in files], into)
            except ArchiveError as caught:
                error = caught
            assert bool(errors) == (error is not None), (errors, error)
    except (ArchiveError, IncompleteDownloadError) as caught:
        error = caught
    scene.sized = artifact.digest is not None
    scene.judge(error)
    if error is not None:
        assert _same(picture(scene.base), before)
        return
    assert scene.wanted is not None
    wanted = picture(scene.wanted, folders=False)
    assert _same(picture(into, folders=False), wanted)
    assert contents == {name: value[2] for name, value in wanted.items()}
    assert {member.path for member in members} == {into / name for name in wanted}
    assert {path.name for path in scene.folder.iterdir()} == {"docs", "neighbour"}
    assert {path.name for path in scene.base.iterdir()} == {"in", "local", "neighbour"}


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("tail", [True, False], ids=["tail", "ranges"])
async def test_open_archive(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, names: str, share: int, *, tail: bool
) -> None:
    """An archive is refused when it is opened, or when its bad member is read and extracted; else it is as unpacked."""
    await _all(names, tmp_path, share, lambda scene: _open(client, github, scene, tail=tail))


@pytest.mark.parametrize("share", range(SHARES))
async def test_open_archive_without_ranges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: int) -> None:
    """Where storage has no ranges the whole is fetched, and judged the same; no file of it is left."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    async with FakeGitHub(profile="ghes-3.8") as github, client_for(github) as client:
        await _all("native", tmp_path, share, lambda scene: _open(client, github, scene, tail=True))
    assert not [*temporary.iterdir()]
