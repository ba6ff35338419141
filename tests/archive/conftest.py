"""What the tests of the archive package share."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async.archive import audit_reader, deflate_library, extract, folders, inflate
from gh_artifacts_async.archive.readers import BytesReader
from gh_artifacts_async.errors import ArchiveError
from gh_artifacts_async.settings import ExtractPolicy
from tests.kits.archives import Entry, build
from tests.kits.unpacking import LARGE, MIXED, mixed_zip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def refuse(tmp_path: Path) -> Callable[..., ArchiveError]:
    """Return a function that checks that bytes are refused by a rule, at audit or when unpacked, and leave nothing."""

    def check(data: bytes, rule: str, policy: ExtractPolicy | None = None, *, audited: bool = True) -> ArchiveError:
        chosen = policy or ExtractPolicy()
        if audited:
            with pytest.raises(ArchiveError) as at_audit:
                audit_reader(BytesReader(data), chosen)
            assert at_audit.value.rule == rule
        else:
            audit_reader(BytesReader(data), chosen)
        base = tmp_path / "refused"
        base.mkdir(exist_ok=True)
        archive = base / "refused.zip"
        archive.write_bytes(data)
        with pytest.raises(ArchiveError) as caught:
            extract(archive, base / "into" / "out", chosen)
        assert caught.value.rule == rule
        assert [path.name for path in base.iterdir()] == ["refused.zip"]
        return caught.value

    return check


@pytest.fixture
def unpack(tmp_path: Path) -> Callable[..., dict[str, bytes]]:
    """Return a function that unpacks bytes and returns the files' contents by relative name."""

    def run(data: bytes, policy: ExtractPolicy | None = None) -> dict[str, bytes]:
        archive = tmp_path / "taken.zip"
        archive.write_bytes(data)
        out = tmp_path / "out"
        extract(archive, out, policy or ExtractPolicy())
        return {
            path.relative_to(out).as_posix() + ("/" if path.is_dir() else ""): b""
            if path.is_dir()
            else path.read_bytes()
            for path in out.rglob("*")
        }

    return run


@pytest.fixture(params=["zlib", "isal"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Inflate with each of the two libraries."""
    if request.param == "zlib":
        monkeypatch.setitem(__import__("sys").modules, "isal", None)
    else:
        pytest.importorskip("isal")
    deflate_library.backend.cache_clear()
    monkeypatch.setattr(deflate_library, "speed", deflate_library.Speed())
    assert deflate_library.backend().name == request.param
    yield request.param
    deflate_library.backend.cache_clear()


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Return a good archive in a folder of its own."""
    path = tmp_path / "in" / "mixed.zip"
    path.parent.mkdir()
    path.write_bytes(mixed_zip())
    return path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Return an archive whose last member has a wrong CRC."""
    path = tmp_path / "in" / "broken.zip"
    path.parent.mkdir(exist_ok=True)
    entries = [Entry(name, data, method=8) for name, data in MIXED.items()]
    path.write_bytes(build(*entries, Entry("zz.bin", LARGE, method=8, crc=1)))
    return path


@pytest.fixture(params=["descriptors", "paths"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make files relative to open folders, or by their paths as on Windows."""
    if request.param == "descriptors" and not folders.HAS_DIR_FD:
        pytest.skip("this platform has no dir_fd")
    monkeypatch.setattr(folders, "HAS_DIR_FD", request.param == "descriptors")
    return request.param


@pytest.fixture
def masked() -> object:
    """Return a function that sets the umask until the test ends."""
    with contextlib.ExitStack() as undo:

        def set_umask(mask: int) -> None:
            undo.callback(os.umask, os.umask(mask))

        yield set_umask


@pytest.fixture
def slow_isal(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let every step of the faster library take a second of thread time; return the steps."""
    pytest.importorskip("isal")
    deflate_library.backend.cache_clear()
    fast, clock, steps = deflate_library.backend(), [0.0], []
    speed = deflate_library.Speed()

    class Slow:
        def __init__(self, window: int) -> None:
            self._inner = fast.decompressobj(window)

        def decompress(self, data: bytes, length: int) -> bytes:
            clock[0] += 1
            steps.append(clock[0])
            return self._inner.decompress(data, length)

        def __getattr__(self, name: str) -> object:
            return getattr(self._inner, name)

    for module in (inflate, deflate_library):
        monkeypatch.setattr(module, "speed", speed)
        monkeypatch.setattr(module, "backend", lambda: fast._replace(decompressobj=Slow))
    monkeypatch.setattr(inflate.time, "thread_time", lambda: clock[0])
    return steps
