"""Zips that are right, changes that make them wrong, and the parts of odd ones."""

from __future__ import annotations

import functools
import io
import struct
import zipfile

from tests.kits import reference_reader as reference
from tests.kits.archives import FOLDER, LINK, Entry, Unseekable, build, descriptor, extra, unicode_path, zip64_extra

TEXT = b"line of text, again and again\n" * 40


def written(method: int, *, streamed: bool = False) -> bytes:
    """Let ``zipfile`` write an archive, one member of it with forced zip64."""
    stream = Unseekable() if streamed else io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("d/a.txt", TEXT)
        archive.writestr("é.bin", bytes(range(256)))
        archive.writestr("empty", b"")
        archive.mkdir("folder")
        with archive.open("zip64", "w", force_zip64=True) as member:
            member.write(TEXT[:100])
    return bytes(stream.data) if streamed else stream.getvalue()


def _described() -> bytes:
    """Return an archive with a descriptor of each layout."""
    entries = []
    for number, layout in enumerate(["12", "16", "20", "24"]):
        entry = Entry(f"f{number}", TEXT[:200] + bytes([number]), method=8 * (number % 2), flags=8)
        entry.descriptor = descriptor(entry, layout)
        entries.append(entry)
    return build(*entries)


@functools.cache
def good() -> list[bytes]:
    """Return archives that are right, of every kind that is supported."""
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    stamp = extra(0x5455, b"\1" + struct.pack("<I", 1_700_000_000))
    return [
        *(written(method) for method in methods),
        *(written(method, streamed=True) for method in methods[:3]),
        _described(),
        build(
            Entry("a", b"alpha" * 9, method=8, extra=stamp),
            Entry("d/", attributes=FOLDER),
            Entry("d/run.sh", b"#!/bin/sh\n", attributes=0o100755 << 16),
            Entry("./d/dotted", b"x"),
            zip64={},
            comment=b"a comment",
        ),
        build(Entry("link", b"d", attributes=LINK), Entry("e", b""), Entry("e/f", b"in e"), Entry("g", TEXT, method=8)),
        build(Entry("needless", b"12345678", extra=zip64_extra(8, 8)), Entry("inner.zip", build(Entry("x", b"y")))),
        build(),
    ]


# --- tampering


INTERESTING = [0, 1, 2, 4, 8, 12, 14, 0x800, 0xFFFF, 0xFFFFFFFF, 0x7FFFFFFF, 2**24, 2**20, 30, 46, 22]
LOCAL_FIELDS = [(4, 2), (6, 2), (8, 2), (10, 4), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2)]
CENTRAL_FIELDS = [(4, 2), (6, 2), (8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (34, 2)]
CENTRAL_FIELDS += [(36, 2), (38, 4), (42, 4)]
END_FIELDS = [(4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2)]
FIELDS = {reference.LOCAL: LOCAL_FIELDS, reference.CENTRAL: CENTRAL_FIELDS, reference.END: END_FIELDS}
TWINS = {6: 8, 8: 10, 14: 16, 18: 20, 22: 24}  # the same field: in a local header, in a central one


def _change_bytes(data: bytearray, kind: str, first: int, second: int, value: bytes) -> None:
    at, length = first % (len(data) or 1), 1 + second % 48
    if kind == "flip":
        data[at : at + 1] = bytes([data[at] ^ 1 << second % 8]) if data else b""
    elif kind == "delete":
        del data[at : at + length]
    elif kind == "double":
        data[at:at] = data[at : at + length]
    elif kind == "swap":
        other = second % (len(data) or 1)
        data[at : at + 4], data[other : other + 4] = data[other : other + 4], data[at : at + 4]
    elif kind == "insert":
        data[at:at] = value
    else:
        data[at : at + len(value)] = value


def _change_records(data: bytearray, kind: str, first: int, second: int) -> bytearray:
    try:
        pieces = [bytes(data[begin:end]) for begin, end in reference.records(bytes(data))]
    except reference.UnreadableError:
        return data
    one, two = first % len(pieces), second % len(pieces)
    if kind == "drop-record":
        del pieces[one]
    elif kind == "double-record":
        pieces.insert(two, pieces[one])
    elif kind == "swap-records":
        pieces[one], pieces[two] = pieces[two], pieces[one]
    else:
        pieces.insert(two, pieces.pop(one))
    return bytearray(b"".join(pieces))


def places(data: bytes, signature: bytes) -> list[int]:
    """Return where a signature is."""
    found, at = [], data.find(signature)
    while at >= 0:
        found.append(at)
        at = data.find(signature, at + 1)
    return found


def _change_field(data: bytearray, kind: str, first: int, second: int, value: int) -> None:
    """Set a field of a header, or change it by a little; ``both`` does so in the local and the central header."""
    if kind.startswith("both"):
        local, central = (places(bytes(data), signature) for signature in (reference.LOCAL, reference.CENTRAL))
        if not (local and central):
            return
        place, width = [field for field in LOCAL_FIELDS if field[0] in TWINS][second % len(TWINS)]
        targets = [local[first % len(local)] + place, central[first % len(central)] + TWINS[place]]
    else:
        headers = [(at, signature) for signature in FIELDS for at in places(bytes(data), signature)]
        if not headers:
            return
        at, signature = headers[first % len(headers)]
        place, width = FIELDS[signature][second % len(FIELDS[signature])]
        targets = [at + place]
    for at in targets:
        old = int.from_bytes(data[at : at + width], "little")
        new = old + value if kind.endswith("by") else value
        if at + width <= len(data):
            data[at : at + width] = (new % 256**width).to_bytes(width, "little")


def _repair(data: bytearray) -> None:
    """Let end record and central offsets fit again, so that what was tampered with is looked at more closely."""
    ends = places(bytes(data), reference.END)
    central = places(bytes(data), reference.CENTRAL)
    if not ends or len(data) < ends[-1] + 22:
        return
    end = ends[-1]
    begin = central[0] if central else end
    stop = next((at for at in places(bytes(data), reference.ZIP64_END) if at > begin), end)
    struct.pack_into("<HHII", data, end + 8, len(central), len(central), max(stop - begin, 0), begin)
    for at, offset in zip(central, places(bytes(data[:begin]), reference.LOCAL), strict=False):
        if at + 46 <= len(data) and data[at + 42 : at + 46] != b"\xff\xff\xff\xff":
            struct.pack_into("<I", data, at + 42, offset)


def tampered(data: bytes, changes: list[tuple], *, repair: bool) -> bytes:
    """Return an archive after some changes."""
    changed = bytearray(data)
    for kind, first, second, value in changes:
        if "record" in kind:
            changed = _change_records(changed, kind, first, second)
        elif isinstance(value, int):
            _change_field(changed, kind, first, second, value)
        else:
            _change_bytes(changed, kind, first, second, value)
    if repair:
        _repair(changed)
    return bytes(changed)


# --- parts of archives that are odd from the start


ODD_NAMES: list[str | bytes] = [
    b"\x82",
    "a",
    "a",
    "b",
    "a/",
    "a/b",
    "./a",
    "./",
    "b/",
    "A",
    "é",
    "a/b/c",
    "b//c",
    "../a",
    "a/./b",
    ".a",
    "a ",
    "aux",
]
ODD_DATA = [b"", b"", b"x", TEXT, build(Entry("in", b"in")), reference.DESCRIPTOR + bytes(20), b"PK\3\4" + bytes(40)]
ODD_EXTRAS = [
    *[b""] * 12,
    extra(0x5455, b"\1" + bytes(4)),
    zip64_extra(),
    zip64_extra(0),
    zip64_extra(1, 1),
    zip64_extra(0, 0, 0),
    zip64_extra(1) + zip64_extra(1),
    extra(0x7075, b"\1" + bytes(4) + b"a"),
    extra(0x7075, b"\1" + bytes(4) + b"b"),
    unicode_path(b"a", "b"),
    unicode_path("é".encode(), "é"),
    unicode_path(b"\x82", "b"),
    b"\1\0\x08",
    b"\1\0\x20\0" + bytes(8),
]
ATTRIBUTES = [
    0,
    0,
    0o100644 << 16,
    0o100755 << 16,
    FOLDER,
    0x10,
    LINK,
    0xFFFF << 16,
    0xFFFF << 16 | 0x10,
    0x400,
    0o755 << 16,
]
