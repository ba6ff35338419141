"""Whether a file on disk is an artifact, also by the record beside one that GitHub says too little about."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

import attrs
import pytest

from gh_artifacts_async import Artifact, Digest
from gh_artifacts_async.transfer.disk import verify

if TYPE_CHECKING:
    from pathlib import Path

DATA = b"0123456789"
SHA = hashlib.sha256(DATA).hexdigest()
WITH = Artifact(
    id=7,
    node_id="n",
    name="docs",
    size_in_bytes=10,
    url="u",
    archive_download_url="d",
    expired=False,
    digest=Digest("sha256", SHA),
)
WITHOUT = attrs.evolve(WITH, digest=None)
UNKNOWN = attrs.evolve(WITH, digest=Digest("blake3", "00"))


def test_same_file_by_digest(tmp_path: Path) -> None:
    """With a digest size and sha256 must both be right."""
    path = tmp_path / "docs.zip"
    assert not verify.is_same(WITH, path)
    path.write_bytes(DATA)
    assert verify.is_same(WITH, path)
    path.write_bytes(DATA[::-1])
    assert not verify.is_same(WITH, path)
    path.write_bytes(DATA + b"x")
    assert not verify.is_same(WITH, path)
    path.unlink()
    path.mkdir()
    assert not verify.is_same(WITH, path)


def test_same_file_by_size(tmp_path: Path) -> None:
    """Without a digest the size alone decides."""
    path = tmp_path / "docs.zip"
    path.write_bytes(DATA[::-1])
    assert verify.is_same(WITHOUT, path)
    path.write_bytes(DATA[:-1])
    assert not verify.is_same(WITHOUT, path)


def test_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be read is not known to be the same."""
    path = tmp_path / "docs.zip"
    path.write_bytes(DATA)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(type(path), "open", refuse)
    assert not verify.is_same(WITH, path)


def test_hashing_can_be_stopped(tmp_path: Path) -> None:
    """A long hash ends after the block at which it is told to."""
    path = tmp_path / "docs.zip"
    path.write_bytes(DATA)
    stopped = threading.Event()
    assert verify.hash_file(path, stopped) == SHA
    stopped.set()
    assert verify.hash_file(path, stopped) == ""
