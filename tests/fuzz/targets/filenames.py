"""Content-Disposition, Content-Type and artifact names: what becomes a file name is safe on every system."""

from __future__ import annotations

import random
import re
import unicodedata
import warnings
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import quote_from_bytes, unquote_to_bytes

from aiohttp.multipart import content_disposition_filename, parse_content_disposition

from gh_artifacts_async.protocol.filenames import (
    LONGEST_FILENAME,
    check_filename,
    disposition_filename,
    ends_as_zip,
    kind_by_magic,
    kind_by_name,
    kind_by_type,
    raw_filename,
    safe_component,
    tagged,
    zip_filename,
)
from tests.fuzz.inputs import lines
from tests.fuzz.tally import note

LONGEST = 2048
WORDS: tuple[bytes, ...] = (
    b"attachment; ",
    b"filename=",
    b"filename*=UTF-8''",
    b"filename*=iso-8859-1''",
    b'"',
    b"\\",
    b"/",
    b"..",
)
WORDS += (b"%2F", b"%00", b"CON", b"nul.txt", b"com1", b"COM\xc2\xb9.", b"LPT\xc2\xb3", b"conin$", b".zip")
WORDS += (b".part", b".gh-artifacts.json", b":", b"\xe2\x80\xae", b"\xcc\x81", b"\xc3\xa9", b"\xff")
WORDS += (b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b" ", b".", b"\t", b"\0", b"~1", b".gh-artifacts-")
WORDS += (b".x.1.012345678.part", b"a" * 255, b"\xc3\xa4" * 130, b"application/zip", b"=?utf-8?b?YQ==?=", b";")
_PLAIN = re.compile(
    r"attachment(?:; filename=\"(?P<plain>[ !#-.0-\[\]-~]+)\"|"
    r"; filename\*=UTF-8''(?P<coded>(?:[A-Za-z0-9._-]|%[2-7][0-9A-F])+))"
)
"""Content-Dispositions about which all agree (RFC 6266 section 4.1, RFC 8187), without a folder."""
_LETTERS = (b"a", b"Z", b"7", b"-", b"_", b".", b" ", b"x.txt", b"docs", b"report-", b"\xc3\xa9")
_DEVICES = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?:\.|$)", re.IGNORECASE
)


def seeds() -> list[bytes]:
    """Return headers as storages send them, names as people give them, and worse."""
    dispositions = [
        'attachment; filename="docs.zip"',
        "attachment; filename=docs.zip",
        "attachment; filename*=UTF-8''na%C3%AFve%20file.txt",
        "attachment; filename=\"x.txt\"; filename*=UTF-8''%e2%82%ac.txt",
        'attachment; filename="a\\"b.txt"',
        'attachment; filename="..\\\\..\\\\evil.exe"',
        'attachment; filename="../../etc/passwd"',
        "attachment; filename*=UTF-8''..%2F..%2Fx",
        "attachment; filename*=iso-8859-1'en'%A3.txt",
        "filename=;",
        'attachment; filename="CON.txt"',
        'inline; a="filename=x"; filename=y',
    ]
    names = [
        "Rails",
        "..",
        ".",
        "",
        "a/b",
        "CON",
        "nul.txt",
        "a" * 300,
        "é" * 200 + ".tar.gz",
        "x.",
        "x ",
        ".x.1.part",
        "a\0b",
    ]
    return [
        f"{one}\n{names[number % len(names)]}\napplication/zip".encode() for number, one in enumerate(dispositions)
    ] + [f"\n{name}\ntext/plain; charset=utf-8".encode() for name in names]


def mutate(rng: random.Random, data: bytes) -> bytes:
    """Write a header as it should be, with a name out of letters, or of the words that are special."""
    _, name, content_type = (*data.split(b"\n", 2), b"", b"")[:3]
    parts = [rng.choice(_LETTERS) if rng.random() < 0.7 else rng.choice(WORDS) for _ in range(rng.randrange(1, 9))]
    given = b"".join(parts).replace(b"\n", b"")
    if rng.random() < 0.5:
        header = b'attachment; filename="' + given + b'"'
    else:
        header = b"attachment; filename*=UTF-8''" + quote_from_bytes(given, safe="").encode()
    return b"\n".join((header, name if rng.random() < 0.5 else given, content_type))


def fuzz(data: bytes) -> None:
    """Derive every name that there is from a header and an artifact's name."""
    disposition, name, content_type = lines(data, 3)
    assert kind_by_type(content_type) in {"zip", "raw", None}
    assert kind_by_name(disposition) in {"raw", None}
    assert kind_by_magic(data) in {"zip", "raw"}
    ends_as_zip(data)
    given = disposition_filename(disposition)
    if given is not None:
        note("a name")
        assert given
        assert not re.search(r"[/\\]", given)
        assert given not in {".", ".."}
    _safe(safe_component(name))
    assert safe_component(safe_component(name)) == safe_component(name)
    _safe(raw_filename(name, disposition))
    _safe(zip_filename(name))
    assert zip_filename(name).lower().endswith(".zip")
    _safe(tagged(name, "12345678901234567890"))
    assert tagged(name, "123").endswith("-123")
    if given is not None:
        assert raw_filename(name, disposition) == safe_component(given)
    if _is_harmless(name):
        note("kept")
        assert safe_component(name) == name
    _agrees(disposition, given)


def _safe(name: str) -> None:
    """A file name that is safe: what the systems' own rules say, in other words than the package's."""
    assert name
    assert len(name.encode()) <= LONGEST_FILENAME - 12  # room for the marks of part files
    if name.isprintable():
        assert check_filename(name) == name
    assert PurePosixPath(name).name == name
    windows = PureWindowsPath(name)
    assert (windows.name, windows.drive, windows.root) == (name, "", "")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        assert not windows.is_reserved()
    assert not _DEVICES.match(name)
    assert name[-1] not in " ."
    assert not any(unicodedata.category(char) in {"Cc", "Cs"} or char in '<>:"/\\|?*' for char in name)


def _is_harmless(name: str) -> bool:
    return re.fullmatch(r"[a-z0-9]{1,3}(?:[-_][a-z0-9]{4,9}){1,9}", name) is not None


def _agrees(disposition: str, given: str | None) -> None:
    """Where there can be no two opinions, aiohttp's parser and the text itself give the same name."""
    match = _PLAIN.fullmatch(disposition)
    if match is None:
        return
    expected = match["plain"] or unquote_to_bytes(match["coded"]).decode()
    if "\\" in expected or "/" in expected or expected != expected.strip() or expected in {"", ".", ".."}:
        return
    note("plain")
    assert given == expected
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, parameters = parse_content_disposition(disposition)
    theirs = content_disposition_filename(parameters)
    assert theirs in {expected, None} or ";" in expected
