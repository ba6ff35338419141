"""What arrived, and under which name it may stand: Content-Type, magic and Content-Disposition."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Literal
from urllib.parse import unquote_to_bytes

from gh_artifacts_async.errors import ConfigurationError

Kind = Literal["zip", "raw"]

_ZIP_TYPES = frozenset({"application/zip", "application/x-zip-compressed", "application/zip-compressed"})
_UNDECIDED_TYPES = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_END_RECORD = b"PK\x05\x06"
_END_RECORD_SIZE = 22
END_RECORD_REACH = _END_RECORD_SIZE + 65535
"""Bytes from the end within which a zip's end record starts (APPNOTE 4.3.16)."""

_LONGEST_EXTENSION = 16  # bytes; what is longer is no extension
_LONGEST_NAME = 200  # bytes; leaves room below the usual 255 for a suffix and a part file's own marks
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(?:\..*)?", re.IGNORECASE)
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ORDINARY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_. ()+@=,-]{0,197}[A-Za-z0-9_)+=-]", re.ASCII)
_FORBIDDEN = frozenset('<>:"/\\|?*')
_PARAMETER = re.compile(r"""(?:^|;)\s*([A-Za-z0-9_-]+\*?)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)""")
_EXTENDED = re.compile(r"""([A-Za-z0-9-]+)'[^']*'([^;\s]+)""")


def media_type(content_type: str | None) -> str:
    """Return the type without parameters, in lower case; empty where there is none."""
    return (content_type or "").partition(";")[0].strip().lower()


def kind_by_type(content_type: str | None) -> Kind | None:
    """Tell zip from raw by the Content-Type; None where only the bytes can tell."""
    kind = media_type(content_type)
    if kind in _ZIP_TYPES:
        return "zip"
    return None if kind in _UNDECIDED_TYPES else "raw"


def kind_by_magic(head: bytes) -> Kind:
    """Tell zip from raw by the first four bytes (APPNOTE 4.3.7, 4.3.16: an empty archive is its end record alone)."""
    return "zip" if head.startswith(_ZIP_MAGIC) else "raw"


def ends_as_zip(tail: bytes) -> bool:
    """Whether the last bytes (up to ``END_RECORD_REACH``) hold an end record whose comment ends just there."""
    position = tail.rfind(_END_RECORD)
    while position >= 0:
        end = position + _END_RECORD_SIZE
        if end <= len(tail) and end + int.from_bytes(tail[end - 2 : end], "little") == len(tail):
            return True
        position = tail.rfind(_END_RECORD, 0, position)
    return False


def disposition_filename(value: str | None) -> str | None:
    """Return the file name of a Content-Disposition; ``filename*`` before ``filename`` (RFC 6266 section 4.3).

    Only its last component is returned; None where there is none that could name a file.
    """
    if not value:
        return None
    given: dict[str, str] = {}
    for name, text in _PARAMETER.findall(value):
        given.setdefault(name.lower(), text.strip())
    text = _extended(given.get("filename*", "")) or _plain(given.get("filename", ""))
    base = re.split(r"[/\\]", text)[-1].strip()
    return None if base in {"", ".", ".."} else base


def _extended(value: str) -> str | None:
    match = _EXTENDED.fullmatch(value)
    if match is None or match[1].lower() not in {"utf-8", "iso-8859-1"}:
        return None
    try:
        return unquote_to_bytes(match[2]).decode(match[1])
    except UnicodeDecodeError:
        return None


def _plain(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] == '"'
    text = re.sub(r"\\(.)", r"\1", value[1:-1]) if quoted else value
    try:  # servers put UTF-8 here, and HTTP libraries hand it on byte by byte
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


@functools.lru_cache(maxsize=1024)
def safe_component(name: str) -> str:
    """Return one path component that is safe on every system and as close to ``name`` as can be.

    Separators, control characters and what Windows forbids become ``_``; ``.`` and ``..``, trailing dots and blanks,
    device names and over-long names are changed; an empty name becomes ``_``. A name that needs no change gets none.
    """
    if _ORDINARY.fullmatch(name) and not _RESERVED.fullmatch(name):
        return name
    kept = _well_ended("".join("_" if _is_bad(char) else char for char in name))
    if _RESERVED.fullmatch(kept):
        kept = f"_{kept}"
    return _well_ended(_shortened(kept)) or "_"


def _well_ended(name: str) -> str:
    """Put ``_`` in place of trailing dots and blanks, which Windows drops."""
    stripped = name.rstrip(" .")
    return stripped + "_" * (len(name) - len(stripped))


def _is_bad(char: str) -> bool:
    """Whether a character has no place in a name: separators, controls, surrogates, and marks that turn text around."""
    return char in _FORBIDDEN or char in _TURNING or unicodedata.category(char) in {"Cc", "Cs"}


def _shortened(name: str, room: int = _LONGEST_NAME) -> str:
    """Cut a name to what file systems hold, keeping its extension."""
    encoded = name.encode()
    if len(encoded) <= room:
        return name
    stem, dot, extension = name.rpartition(".")
    suffix = f"{dot}{extension}".encode() if stem and len(extension.encode()) <= _LONGEST_EXTENSION else b""
    return (encoded[: room - len(suffix)] + suffix).decode(errors="ignore")


def tagged(artifact_name: str, tag: str) -> str:
    """Return ``<artifact name>-<tag>``, made safe; of an over-long name, not the tag is cut."""
    return f"{_shortened(safe_component(artifact_name), _LONGEST_NAME - len(tag) - 1)}-{tag}"


def zip_filename(artifact_name: str) -> str:
    """Return ``<artifact name>.zip``, made safe; a name that ends in ``.zip`` already gets no second one."""
    safe = safe_component(artifact_name)
    return safe if safe.lower().endswith(".zip") else f"{safe}.zip"


def raw_filename(artifact_name: str, content_disposition: str | None) -> str:
    """Return the name storage gives a raw artifact, made safe; else the artifact's own, which is its file's."""
    return safe_component(disposition_filename(content_disposition) or artifact_name)


LONGEST_FILENAME = 255
"""Bytes that a file's name may have on all common file systems."""


def check_filename(name: str) -> str:
    """Check a file name that the caller chose.

    Raises:
        ConfigurationError: it is no single safe path component.
    """
    is_one = isinstance(name, str) and name not in {"", ".", ".."} and "/" not in name and "\\" not in name
    if not is_one or not name.isprintable():
        msg = f"filename must be the name of one file, without folders, not {name!r}"
        raise ConfigurationError(msg)
    if len(name.encode()) > LONGEST_FILENAME:
        msg = f"filename has {len(name.encode())} bytes; file systems take {LONGEST_FILENAME}"
        raise ConfigurationError(msg)
    return name
