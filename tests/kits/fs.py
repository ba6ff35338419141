"""What the tests of the file system share: instances, and a fake GitHub that code without an event loop can use."""

from __future__ import annotations

import functools
import io
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gh_artifacts_async.fs import ArtifactsFileSystem
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.zips import MIB, noise

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

REPO = "octo-org/octo-docs"
CSV = b"name,seconds\n" + b"".join(b"test_%d,%d\n" % (number, number % 7) for number in range(2000))

SMALL = {"report.csv": CSV, "junit/one.xml": b"<one/>", "junit/two.xml": b"<two/>", "notes.txt": "grün\n".encode()}
"""Files of an artifact that lies in its tail as a whole."""


def zipped(files: Mapping[str, bytes], *, stored: tuple[str, ...] = ()) -> bytes:
    """Return a zip whose members are deflated, but for some that are stored."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data, zipfile.ZIP_STORED if name in stored else None)
    return buffer.getvalue()


@functools.cache
def large(size: int = 2 * MIB, head: int = 0) -> bytes:
    """Return a zip of small files, and then one of ``size`` random bytes: the small ones are not in the tail.

    Args:
        size: of ``data.bin``, which is stored.
        head: bytes of a stored file before all others.
    """
    filler = noise(MIB) * (size // MIB) + noise(size % MIB)
    return zipped({"first.bin": noise(head), **SMALL, "data.bin": filler}, stored=("first.bin", "data.bin"))


def filesystem(github: FakeGitHub, **options: Any) -> ArtifactsFileSystem:
    """Return an instance that no other test gets."""
    given = {"token": "token", "base_url": github.base_url, "skip_instance_cache": True, **options}
    return ArtifactsFileSystem(**given)


@contextmanager
def mounted(github: FakeGitHub, **options: Any) -> Generator[ArtifactsFileSystem]:
    """Provide an instance for code that is not asyncio."""
    fs = filesystem(github, **options)
    try:
        yield fs
    finally:
        fs.close()


def add(github: FakeGitHub, name: str = "docs", **values: Any) -> int:
    """Add an artifact of a new run, of small files unless ``values`` say otherwise."""
    values = values if values.keys() & {"files", "archive", "raw", "size"} else {"files": SMALL, **values}
    return github.add_artifact(github.add_run(REPO), name, **values)


def kinds(github: FakeGitHub) -> list[str]:
    """Return what each request was for, in order: the end of its path, or the range."""
    return [
        record.headers.get("Range", "whole") if record.host == "storage" else record.path.rpartition("/")[2]
        for record in github.requests
    ]
