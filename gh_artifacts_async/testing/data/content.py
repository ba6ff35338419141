"""What an artifact stores: a zip of files, given bytes, or generated ones, and what storage says about them."""

from __future__ import annotations

import mimetypes
import zipfile
from collections.abc import Mapping
from io import BytesIO

import attrs

from gh_artifacts_async.testing.data.blobs import Blob, BytesBlob, SeededBlob
from gh_artifacts_async.testing.data.zips import make_zip, zip_blob

_ZIP_TYPE = "application/zip"


@attrs.frozen
class Content:
    """Bytes as an artifact stores them, and what GitHub says about them."""

    blob: Blob
    raw_size: int
    content_type: str
    filename: str
    files: Mapping[str, bytes | str] | None = None
    is_raw: bool = False


def content_of(
    name: str,
    *,
    files: Mapping[str, bytes | str] | None = None,
    archive: bytes | None = None,
    raw: tuple[str, bytes] | str | None = None,
    size: int | None = None,
    seed: int = 0,
) -> Content:
    """Return what an artifact called ``name`` stores; one of the keywords says what (default: one small text file).

    Args:
        name: the artifact's name, which names its zip.
        files: members of a zip.
        archive: the bytes of a zip, taken as they are.
        raw: ``(file name, bytes)`` of an artifact that is no zip, or a file name alone with ``size``.
        size: this many bytes that take no memory: a valid zip with one random member, or raw with ``raw="name"``.
        seed: of those bytes.

    Raises:
        ValueError: more than one of them says what, or no zip is so small.
    """
    given = {"files": files, "archive": archive, "raw": raw, "size": None if isinstance(raw, str) else size}
    names = [word for word, value in given.items() if value is not None]
    if len(names) > 1:
        msg = f"artifact {name!r} has {' and '.join(names)}; give one of them"
        raise ValueError(msg)
    zip_name = f"{name}.zip"
    if raw is not None:
        return _raw_content(raw, size, seed)
    if archive is not None:
        return Content(BytesBlob(archive), _raw_size(archive), _ZIP_TYPE, zip_name)
    if size is not None:
        blob = zip_blob(size, seed)
        return Content(blob, blob.parts[1].size, _ZIP_TYPE, zip_name)
    files = {"artifact.txt": f"{name}\n"} if files is None else dict(files)
    raw_size = sum(len(body.encode() if isinstance(body, str) else body) for body in files.values())
    return Content(BytesBlob(make_zip(files)), raw_size, _ZIP_TYPE, zip_name, files)


def _raw_content(raw: tuple[str, bytes] | str, size: int | None, seed: int) -> Content:
    filename, blob = (raw, SeededBlob(size or 0, seed)) if isinstance(raw, str) else (raw[0], BytesBlob(raw[1]))
    content_type = mimetypes.guess_type(filename)[0] or "application/octet-stream"
    return Content(blob, blob.size, content_type, filename, is_raw=True)


def _raw_size(archive: bytes) -> int:
    try:
        return sum(member.file_size for member in zipfile.ZipFile(BytesIO(archive)).infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return len(archive)
