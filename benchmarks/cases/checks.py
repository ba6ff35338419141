"""Looks at what a rival has left: whoever gets it wrong does not count."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from typing import TYPE_CHECKING

from benchmarks.runner import RunError
from benchmarks.tools import LOG

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.data import Blob, Dataset

    Check = Callable[[], None]


def check_blobs(out: Path, blobs: tuple[Blob, ...]) -> Check:
    """Return a check: these files, whole and right, and no others."""

    def check() -> None:
        found = {path.name for path in out.iterdir()}
        if found != {blob.filename for blob in blobs}:
            msg = f"left {len(found)} files instead of {len(blobs)}, e.g. {sorted(found)[:3]}"
            raise RunError(msg)
        for blob in blobs:
            with (out / blob.filename).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != blob.sha256:
                    msg = f"left a wrong {blob.filename}"
                    raise RunError(msg)

    return check


def check_tree(root: Path, archive: Path) -> Check:
    """Return a check: every member of the archive is there, and right."""

    def check() -> None:
        with zipfile.ZipFile(archive) as zipped:
            members = zipped.infolist()
        for member in members:
            path = root / member.filename
            if not path.is_file() or zlib.crc32(path.read_bytes()) != member.CRC:
                msg = f"did not unpack {member.filename}"
                raise RunError(msg)
        files = sum(path.is_file() for path in root.rglob("*"))
        if files != len(members):
            msg = f"unpacked {files} files instead of {len(members)}"
            raise RunError(msg)

    return check


def check_trees(root: Path, dataset: Dataset) -> Check:
    """Return a check: every member of every archive is there, and right, in a folder of the archive's name."""
    archives = [(root / blob.name, dataset.folder / "blobs" / f"{blob.id}.zip") for blob in dataset.blobs]
    checks = [check_tree(folder, archive) for folder, archive in archives]

    def check() -> None:
        for one in checks:
            one()

    return check


def check_member(out: Path, archive: Path) -> Check:
    """Return a check: the one member is there, and right."""

    def check() -> None:
        with zipfile.ZipFile(archive) as zipped:
            right = zipped.read("report.txt")
        path = out / "report.txt"
        if not path.is_file() or path.read_bytes() != right:
            msg = "did not get report.txt"
            raise RunError(msg)

    return check


def check_help() -> None:
    """Check that the last run printed a help text."""
    if "download" not in (LOG / "stdout").read_text("utf-8"):
        msg = "printed no help"
        raise RunError(msg)
