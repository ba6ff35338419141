"""Is it a zip, and which path is safe for it: Content-Type, magic number and Content-Disposition."""

from __future__ import annotations

import functools
import os
import re
import unicodedata
from pathlib import Path
from typing import Literal
from urllib.parse import unquote_to_bytes

import attrs

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.models.values import Value
from gh_artifacts_async.protocol.media_types import media_type

Kind = Literal["zip", "raw"]

# What uploaders and storages are known to send; Azure's bare "zip" stands in uploads of 2023-08 to 2026-02.
_ZIP_TYPES = frozenset(
    {
        "application/zip",
        "application/x-zip",
        "application/x-zip-compressed",
        "application/zip-compressed",
        "multipart/x-zip",
        "zip",
    }
)
_UNDECIDED_TYPES = frozenset({"application/octet-stream", "binary/octet-stream"})
_MEDIA_TYPE = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+/[!#$%&'*+.^_`|~0-9a-z-]+", re.ASCII)  # RFC 9110 section 8.3.1
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_END_RECORD = b"PK\x05\x06"
_END_RECORD_SIZE = 22
_MOST_PADDING = 64 * 1024  # NUL bytes after the end record, as bsdtar pads an archive that it writes to a pipe
END_RECORD_REACH = _END_RECORD_SIZE + 65535 + _MOST_PADDING
"""Bytes from the end within which a zip's end record starts (APPNOTE 4.3.16), padding included."""

_LONGEST_EXTENSION = 16  # bytes; anything longer is not an extension
_LONGEST_NAME = 200  # bytes; the usual 255 less a suffix and a part file's own marks
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(?:\..*)?", re.IGNORECASE)
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ORDINARY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_. ()+@=,-]{0,197}[A-Za-z0-9_)+=-]", re.ASCII)
_HOUSEKEEPING = re.compile(
    r"\..*\.(?:part(?:\.json(?:\.new)?)?|gh-artifacts\.json(?:\..*)?)|\.gh-artifacts-.*", re.IGNORECASE | re.DOTALL
)
_FORBIDDEN = frozenset('<>:"/\\|?*')
_PARAMETER = r"""(?:^|;)\s*([A-Za-z0-9_-]+\*?)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)"""  # compiled when first needed
_EXTENDED = r"""([A-Za-z0-9-]+)'[^']*'([^;\s]+)"""


@functools.lru_cache(maxsize=64)
def kind_by_type(content_type: str | None) -> Kind | None:
    """Tell zip from raw by the Content-Type; None if it cannot tell: absent, no ``type/subtype``, or octet-stream."""
    kind = media_type(content_type)
    if kind in _ZIP_TYPES:
        return "zip"
    return None if kind in _UNDECIDED_TYPES or not _MEDIA_TYPE.fullmatch(kind) else "raw"


def kind_by_name(content_disposition: str | None) -> Kind | None:
    """Tell a raw file by its name in the Content-Disposition, where the type cannot tell.

    A wheel, a jar or an apk begins with a zip's magic number, and is a file of its own all the same.

    Returns:
        ``"raw"`` if there is a name with an extension other than ``.zip``; None if only the bytes can tell.
    """
    stem, dot, extension = (disposition_filename(content_disposition) or "").rpartition(".")
    return "raw" if stem and dot and extension and extension.lower() != "zip" else None


def kind_by_magic(head: bytes) -> Kind:
    """Tell zip from raw by the first four bytes (APPNOTE 4.3.7, 4.3.16: an empty archive is its end record alone)."""
    return "zip" if head.startswith(_ZIP_MAGIC) else "raw"


def ends_as_zip(tail: bytes) -> bool:
    """Whether the last bytes (up to ``END_RECORD_REACH``) hold an end record, and after its comment only padding."""
    content = len(tail.rstrip(b"\0"))
    position = tail.rfind(_END_RECORD)
    while position >= 0:
        end = position + _END_RECORD_SIZE
        ends = end + int.from_bytes(tail[end - 2 : end], "little") if end <= len(tail) else len(tail) + 1
        if content <= ends <= len(tail) <= ends + _MOST_PADDING:
            return True
        position = tail.rfind(_END_RECORD, 0, position)
    return False


def disposition_filename(value: str | None) -> str | None:
    """Return the file name of a Content-Disposition; ``filename*`` before ``filename`` (RFC 6266 section 4.3).

    Only its last component is returned; None if there is none that can name a file.
    """
    if not value:
        return None
    given: dict[str, str] = {}
    for name, text in re.findall(_PARAMETER, value):
        given.setdefault(name.lower(), text.strip())
    text = _extended(given.get("filename*", "")) or _plain(given.get("filename", ""))
    base = re.split(r"[/\\]", text)[-1].strip()
    return None if base in {"", ".", ".."} else base


def _extended(value: str) -> str | None:
    match = re.fullmatch(_EXTENDED, value)
    if match is None or match[1].lower() not in {"utf-8", "iso-8859-1"}:
        return None
    try:
        return unquote_to_bytes(match[2]).decode(match[1])
    except UnicodeError:  # in either direction: what is not UTF-8 in a header is lone surrogates
        return None


def _plain(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] == '"'
    text = re.sub(r"\\(.)", r"\1", value[1:-1]) if quoted else value
    try:  # servers put UTF-8 here, and HTTP libraries decode it as Latin-1
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


@functools.lru_cache(maxsize=1024)
def safe_component(name: str) -> str:
    """Return one path component that is safe on every system and as close to ``name`` as possible.

    Separators, control characters and what Windows forbids become ``_``; ``.`` and ``..``, trailing dots and blanks,
    device names and names that are too long are changed, and so is a name like those of part files and records; an
    empty name becomes ``_``. A safe name is kept.
    """
    if _ORDINARY.fullmatch(name) and not _RESERVED.fullmatch(name):
        return name
    kept = _well_ended("".join("_" if _is_bad(char) else char for char in name))
    if _RESERVED.fullmatch(kept):
        kept = f"_{kept}"
    safe = _well_ended(_shortened(kept)) or "_"
    return f"_{safe[1:]}" if _HOUSEKEEPING.fullmatch(safe) else safe


def _well_ended(name: str) -> str:
    """Replace trailing dots and blanks, which Windows drops, with ``_``."""
    stripped = name.rstrip(" .")
    return stripped + "_" * (len(name) - len(stripped))


def _is_bad(char: str) -> bool:
    """Whether a character must not be in a name: separators, controls, surrogates, and marks that reverse text."""
    return char in _FORBIDDEN or char in _TURNING or unicodedata.category(char) in {"Cc", "Cs"}


def _shortened(name: str, longest: int = _LONGEST_NAME) -> str:
    """Cut a name to the length file systems allow, keeping its extension."""
    encoded = name.encode()
    if len(encoded) <= longest:
        return name
    stem, dot, extension = name.rpartition(".")
    suffix = f"{dot}{extension}".encode() if stem and len(extension.encode()) <= _LONGEST_EXTENSION else b""
    return (encoded[: longest - len(suffix)] + suffix).decode(errors="ignore")


def tagged(artifact_name: str, tag: str) -> str:
    """Return ``<artifact name>-<tag>``, made safe; if it is too long, the name is cut and not the tag."""
    return f"{_shortened(safe_component(artifact_name), _LONGEST_NAME - len(tag) - 1)}-{tag}"


def fold(name: str) -> str:
    """Fold case and normalisation: names that are equal then may be one file (NTFS, APFS, HFS+, FAT).

    As the Unicode Standard defines a canonical caseless match (section 3.13, D145), which decomposes before it folds.
    """
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def folded(path: str) -> str:
    """Return what a path has in common with those that are the same place where the file system folds names.

    That is case, and Unicode normalisation too, but not on Windows.
    """
    return path.casefold() if os.name == "nt" else fold(path)


def zip_filename(artifact_name: str) -> str:
    """Return ``<artifact name>.zip``, made safe; a name that ends in ``.zip`` is kept."""
    safe = safe_component(artifact_name)
    return safe if safe.lower().endswith(".zip") else f"{safe}.zip"


def raw_filename(artifact_name: str, content_disposition: str | None) -> str:
    """Return the name storage gives a raw artifact, made safe; the artifact's own if it gives none."""
    return safe_component(disposition_filename(content_disposition) or artifact_name)


PART_NAME = re.compile(
    r"(?P<part>(?P<prefix>\..+\.(?P<id>[1-9][0-9]*)\.)[0-9a-f]{9,}(?:-[0-9a-f]{9,})?\.part)(?P<state>\.json(?:\.new)?)?",
    re.ASCII | re.DOTALL,
)
"""The names of part files and their states: ``.<name>.<artifact id>.<token>.part`` and ``.json`` or ``.json.new``."""

RECORD_NAME = re.compile(r"\.(?P<name>.+)\.gh-artifacts\.json(?P<staged>\.[0-9a-f]{8}\.new)?", re.ASCII | re.DOTALL)
"""The names of the records beside results: ``.<name>.gh-artifacts.json``, and while one is written, ``.<hex>.new``."""

MARKER_NAME = re.compile(r"\.gh-artifacts-[0-9a-f]{16}\.json", re.ASCII)
"""The names of the markers of extractions: ``.gh-artifacts-<token>.json``."""

_STAGING_NAME = re.compile(r"\.gh-artifacts-(?:unpacking|old|doomed)-[0-9a-f]{16}", re.ASCII)

LONGEST_FILENAME = 255
"""The longest file name, in bytes, that all common file systems allow."""


def check_filename(name: str) -> str:
    """Check a file name that the caller chose.

    Raises:
        ConfigurationError: it is not a single safe path component.
    """
    is_one = isinstance(name, str) and name not in {"", ".", ".."} and "/" not in name and "\\" not in name
    if not is_one or not name.isprintable():
        msg = f"filename must be a file name without folders, not {name!r}"
        raise ConfigurationError(msg)
    if any(pattern.fullmatch(name) for pattern in (PART_NAME, RECORD_NAME, MARKER_NAME, _STAGING_NAME)):
        msg = f"filename must not be that of a part file or a record, as {name!r} is; downloads remove such files"
        raise ConfigurationError(msg)
    if os.name == "nt" and (_RESERVED.fullmatch(name) or _well_ended(name) != name or not _FORBIDDEN.isdisjoint(name)):
        msg = f"filename must be one that Windows can store, not {name!r}"
        raise ConfigurationError(msg)
    if len(name.encode()) > LONGEST_FILENAME:
        msg = f"filename has {len(name.encode())} bytes; the limit is {LONGEST_FILENAME}"
        raise ConfigurationError(msg)
    return name


_NO_SEPARATOR = (os.sep, ".", ":")
"""What the paths end with to which a name is not, or perhaps not, joined by a separator."""


@attrs.frozen(kw_only=True)
class Destination(Value):
    """Where one artifact goes.

    Attributes:
        folder: the folder its file is put in.
        stem: the name before ``.zip`` is added; a raw file under the layout ``"name"`` keeps storage's name instead.
        exact: the caller chose the file's whole name.
        raw_name: a raw file's whole name; None to keep the one its storage gives it.
    """

    folder: Path
    stem: str
    exact: bool = False
    raw_name: str | None = None

    @property
    def folder_path(self) -> Path:
        """Where an archive is extracted."""
        return self.path(extract=True)

    @property
    def zip_path(self) -> Path:
        """Where an archive goes that is not extracted."""
        return self.path()

    def raw_path(self, content_disposition: str | None) -> Path:
        """Where a raw file goes, once storage's headers are known."""
        return self.path("raw", content_disposition)

    def path(self, kind: Kind = "zip", content_disposition: str | None = None, *, extract: bool = False) -> Path:
        """Where it goes: a folder for a zip that is extracted, else a file."""
        return Path(self.place(kind, content_disposition, extract=extract))

    def place(self, kind: Kind = "zip", content_disposition: str | None = None, *, extract: bool = False) -> str:
        """Return :meth:`path` as a string, which costs a tenth."""
        if self.exact:
            name = self.stem
        elif kind == "raw":
            name = self.raw_name or raw_filename(self.stem, content_disposition)
        else:
            name = safe_component(self.stem) if extract else zip_filename(self.stem)
        folder = str(self.folder)
        return str(self.folder / name) if folder.endswith(_NO_SEPARATOR) else f"{folder}{os.sep}{name}"
