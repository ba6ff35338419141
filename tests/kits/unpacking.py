"""What the tests of unpacking share: one archive of small and large members, and what is in a folder afterwards."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gh_artifacts_async.archive import ArchiveDirectory, BytesReader, audit_reader
from gh_artifacts_async.settings import ExtractPolicy
from tests.kits.archives import Entry, build

LARGE = bytes(range(256)) * 2000
MIXED = {"a.txt": b"alpha", "d/b.bin": LARGE, "d/e/c.bin": LARGE[1:], "d/e/empty": b"", "z.bin": LARGE[2:]}
posix = pytest.mark.skipif(os.name == "nt", reason="POSIX modes and links")


def mixed_zip(**more: bytes) -> bytes:
    """Return a zip of :data:`MIXED` and more, deflated, with data descriptors."""
    return build(*(Entry(name, data, method=8, flags=8) for name, data in {**MIXED, **more}.items()))


def contents(root: Path) -> dict[str, bytes]:
    """Return every file below a folder by its relative path."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def audited(data: bytes, **policy: object) -> ArchiveDirectory:
    """Audit a zip in memory under a policy that differs from the default one in these fields."""
    return audit_reader(BytesReader(data), ExtractPolicy(**policy))
