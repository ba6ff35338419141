"""What the tests of archives share: zips made by other code than the package's, and what is in a folder afterwards."""

from __future__ import annotations

import io
import random
import zipfile
from typing import TYPE_CHECKING

from tests.kits.archives import Entry, build

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

MIB = 2**20


def noise(size: int, seed: int = 0) -> bytes:
    """Return bytes that do not compress."""
    return random.Random(seed).randbytes(size)  # noqa: S311 - the same bytes for the same seed


def make(files: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """Return a zip of some files; a name that ends in a slash is a folder."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def several(count: int = 12, size: int = MIB // 2) -> dict[str, bytes]:
    """Return some files that are more than 4 MiB together, so that they are unpacked while they arrive."""
    return {f"folder-{number % 3}/file-{number}.bin": noise(size, number) for number in range(count)}


SEVERAL = several()
SEVERAL_ZIP = make(SEVERAL)

HOSTILE: dict[str, bytes] = {
    "traversal": build(Entry("../evil", b"x")),
    "absolute": build(Entry("/etc/evil", b"x")),
    "duplicate": build(Entry("a", b"x"), Entry("a", b"y")),
    "link": build(Entry("a", b"/etc/passwd", attributes=0o120777 << 16)),
    "file-as-folder": build(Entry("a", b"x"), Entry("a/b", b"y")),
    "crc": build(Entry("a", b"x" * 100, crc=7)),
    "local-name": build(Entry("a", b"x", local={"name": b"b"})),
    "gap": build(Entry("a", b"x"), prefix=b"MZ stub"),
    "size": build(Entry("a", b"x" * 100, method=8, size=10)),
    "encrypted": build(Entry("a", b"x" * 20, flags=1)),
}


def padded(entries: Iterable[Entry], size: int = 6 * MIB) -> bytes:
    """Return a zip of these members behind a large one, so that it is unpacked while it arrives."""
    return build(Entry("large.bin", noise(size)), *entries)


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder by its relative path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def entries(folder: Path) -> set[str]:
    """Return the names that stand in a folder itself; none where it does not exist."""
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


# --- what an extraction leaves whose process is killed

LEFT_TOKEN = "0123456789abcdef"
LEFT_MARKER = f".gh-artifacts-{LEFT_TOKEN}.json"
LEFT_STATE = '{"version": 1, "destination": "docs"}'

SWEPT: list[tuple[tuple[str, ...], dict[str, bytes]]] = [
    ((), {}),
    (("unpacking",), {}),
    (("doomed",), {}),
    (("docs", "unpacking"), {"docs/docs": b"docs"}),
    (("docs", "old"), {"docs/docs": b"docs"}),
    (("old", "unpacking"), {"docs/old": b"old"}),
    (("old",), {"docs/old": b"old"}),
]
"""What is left, as :func:`leave_extraction` takes it, and what a sweep makes of it."""


def leave_extraction(folder: Path, *names: str) -> None:
    """Leave the marker and some folders of an extraction to ``docs``, and ``docs`` itself if it is named."""
    (folder / LEFT_MARKER).write_text(LEFT_STATE)
    for name in names:
        place = folder / (name if name == "docs" else f".gh-artifacts-{name}-{LEFT_TOKEN}")
        place.mkdir()
        (place / name).write_text(name)
