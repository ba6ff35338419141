"""A body in memory becomes a file: the right bytes under a free name, or nothing at all."""

from __future__ import annotations

import errno
import hashlib
import os
from typing import Any

import pytest

from gh_artifacts_async.transfer.disk import filesystem
from gh_artifacts_async.transfer.disk.whole import put_whole

BODY = os.urandom(5000)
SHA256 = hashlib.sha256(BODY).hexdigest()


def names(folder):
    """Return what is in a folder."""
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("body", [BODY, memoryview(BODY), memoryview(bytearray(BODY))])
def test_right_bytes(tmp_path, body):
    """They are in place, and the part is gone."""
    assert put_whole(body, SHA256, f"{tmp_path}/.part", tmp_path / "docs.zip")
    assert (tmp_path / "docs.zip").read_bytes() == BODY
    assert names(tmp_path) == {"docs.zip"}


def test_wrong_bytes(tmp_path):
    """They are never written."""
    assert not put_whole(BODY + b"!", SHA256, tmp_path / ".part", tmp_path / "docs.zip")
    assert names(tmp_path) == set()


@pytest.mark.parametrize("taken", ["docs.zip", ".part"])
def test_a_name_that_is_taken(tmp_path, taken):
    """What has the final name, or the part's, stays as it is."""
    (tmp_path / taken).write_bytes(b"older")
    assert not put_whole(BODY, SHA256, tmp_path / ".part", tmp_path / "docs.zip")
    assert names(tmp_path) == {taken}
    assert (tmp_path / taken).read_bytes() == b"older"


@pytest.mark.parametrize("call", ["write", "link"])
def test_a_disk_that_fails(tmp_path, monkeypatch, call):
    """Nothing stays."""

    def fail(*_arguments: Any, **_options: Any) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, call, fail)
    assert not put_whole(BODY, SHA256, tmp_path / ".part", tmp_path / "docs.zip")
    assert names(tmp_path) == set()


def test_short_writes(tmp_path, monkeypatch):
    """The system may write less than it is given."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:999]))
    assert put_whole(BODY, SHA256, tmp_path / ".part", tmp_path / "docs.zip")
    assert (tmp_path / "docs.zip").read_bytes() == BODY


def test_a_file_system_without_links(tmp_path, monkeypatch):
    """There it is renamed, and still replaces nothing."""

    def refused(*_arguments: Any, **_options: Any) -> None:
        raise OSError(min(filesystem.NO_LINKS), "no links")

    monkeypatch.setattr(os, "link", refused)
    assert put_whole(BODY, SHA256, tmp_path / ".part", tmp_path / "docs.zip")
    assert not put_whole(BODY, SHA256, tmp_path / ".part", tmp_path / "docs.zip")
    assert names(tmp_path) == {"docs.zip"}


def test_a_part_that_cannot_be_removed(tmp_path, monkeypatch):
    """The file is right and in place; a later run sweeps the part, which has two names by then."""

    def refused(*_arguments: Any, **_options: Any) -> None:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", refused)
        assert put_whole(BODY, SHA256, tmp_path / ".part", tmp_path / "docs.zip")
    assert names(tmp_path) == {"docs.zip", ".part"}
