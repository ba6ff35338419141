"""What is accepted means the same to every reader: compared with a second one, on archives that were tampered with."""

from __future__ import annotations

import bz2
import functools
import io
import struct
import tempfile
import tracemalloc
import zipfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gh_artifacts_async.archive import extract
from gh_artifacts_async.errors import ArchiveError
from gh_artifacts_async.settings import ExtractPolicy
from tests.kits import reference_reader as reference
from tests.kits.archives import FOLDER, LINK, Entry, Unseekable, build, descriptor, extra, unicode_path, zip64_extra

TEXT = b"line of text, again and again\n" * 40
MOST_MEMORY = 24 * 2**20  # an LZMA dictionary of 16 MiB is the most that is allocated
PATIENCE = timedelta(seconds=10)
POLICIES = [ExtractPolicy(), ExtractPolicy(names="portable"), ExtractPolicy(symlinks="skip")]


def _written(method: int, *, streamed: bool = False) -> bytes:
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
        *(_written(method) for method in methods),
        *(_written(method, streamed=True) for method in methods[:3]),
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
BYTES = st.one_of(
    st.binary(min_size=1, max_size=6),
    st.sampled_from([*FIELDS, reference.DESCRIPTOR, reference.ZIP64_LOCATOR, b"../", b"/", b"\0", extra(1, bytes(16))]),
)
PLACE = st.integers(0, 2**16)
CHANGE = st.one_of(
    st.tuples(st.sampled_from(["flip", "delete", "double", "swap"]), PLACE, PLACE, st.just(b"")),
    st.tuples(st.sampled_from(["insert", "write"]), PLACE, PLACE, BYTES),
    st.tuples(
        st.sampled_from(["drop-record", "double-record", "swap-records", "move-record"]), PLACE, PLACE, st.just(b"")
    ),
    st.tuples(st.sampled_from(["field", "field", "both"]), PLACE, PLACE, st.sampled_from(INTERESTING)),
    st.tuples(st.sampled_from(["field-by", "both-by"]), PLACE, PLACE, st.integers(-4, 4)),
)


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


def _places(data: bytes, signature: bytes) -> list[int]:
    found, at = [], data.find(signature)
    while at >= 0:
        found.append(at)
        at = data.find(signature, at + 1)
    return found


def _change_field(data: bytearray, kind: str, first: int, second: int, value: int) -> None:
    """Set a field of a header, or change it by a little; ``both`` does so in the local and the central header."""
    if kind.startswith("both"):
        local, central = (_places(bytes(data), signature) for signature in (reference.LOCAL, reference.CENTRAL))
        if not (local and central):
            return
        place, width = [field for field in LOCAL_FIELDS if field[0] in TWINS][second % len(TWINS)]
        targets = [local[first % len(local)] + place, central[first % len(central)] + TWINS[place]]
    else:
        headers = [(at, signature) for signature in FIELDS for at in _places(bytes(data), signature)]
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
    ends = _places(bytes(data), reference.END)
    central = _places(bytes(data), reference.CENTRAL)
    if not ends or len(data) < ends[-1] + 22:
        return
    end = ends[-1]
    begin = central[0] if central else end
    stop = next((at for at in _places(bytes(data), reference.ZIP64_END) if at > begin), end)
    struct.pack_into("<HHII", data, end + 8, len(central), len(central), max(stop - begin, 0), begin)
    for at, offset in zip(central, _places(bytes(data[:begin]), reference.LOCAL), strict=False):
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


# --- comparing


def _found(out: Path) -> tuple[dict[str, tuple[bytes, bool]], set[str]]:
    assert not any(path.is_symlink() for path in out.rglob("*"))
    files = {
        path.relative_to(out).as_posix(): (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in out.rglob("*")
        if path.is_file()
    }
    return files, {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_dir()}


def judge(data: bytes, policy: ExtractPolicy) -> str:
    """Unpack, and compare with the reference; return the rule that has refused it, or nothing."""
    with tempfile.TemporaryDirectory() as root:
        base = Path(root)
        (base / "a.zip").write_bytes(data)
        (base / "neighbour").write_bytes(b"as before")
        tracemalloc.start()
        try:
            extract(base / "a.zip", base / "in" / "out", policy)
        except ArchiveError as error:
            refused = error.rule
        else:
            refused = ""
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < MOST_MEMORY
        assert (base / "a.zip").read_bytes() == data
        assert (base / "neighbour").read_bytes() == b"as before"
        expected = {"a.zip", "neighbour"} | (set() if refused else {"in"})
        assert {path.name for path in base.iterdir()} == expected
        if refused:
            return refused
        assert [path.name for path in (base / "in").iterdir()] == ["out"]
        found = _found(base / "in" / "out")
    skip = policy.symlinks == "skip"
    central = reference.central_view(data, skip_links=skip)
    skipped = {member.offset for member in central if skip and reference.is_link(member)}
    sequential = reference.sequential_view(data, skipped)
    assert found == reference.tree(central, skip_links=skip)
    assert sequential == [
        member._replace(mode=0, dos=0, maker=0) for member in sorted(central, key=lambda member: member.offset)
    ]
    return ""


@pytest.mark.parametrize("number", range(len(good())))
def test_good_archives_are_the_same_to_both(number: int):
    """The reference reads what is right, both ways, as it is unpacked; the one with a link is refused by default."""
    linked = any(member.name == "link" for member in reference.central_view(good()[number]))
    assert judge(good()[number], POLICIES[0]) == ("link" if linked else "")
    assert not judge(good()[number], POLICIES[2])


SETTINGS = settings(
    deadline=PATIENCE, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], derandomize=True
)
TAMPERING = (
    st.sampled_from(range(len(good()))),
    st.lists(CHANGE, min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from(POLICIES),
)


@settings(SETTINGS, max_examples=100)
@given(*TAMPERING)
def test_tampering_is_seen_or_means_nothing(number, changes, repair, policy):
    """A changed archive is refused and leaves nothing, or is to both views of the reference what is unpacked."""
    judge(tampered(good()[number], changes, repair=repair), policy)


@pytest.mark.slow
@settings(SETTINGS, max_examples=1000)
@given(*TAMPERING)
def test_much_tampering_is_seen_or_means_nothing(number, changes, repair, policy):
    """The same, longer."""
    judge(tampered(good()[number], changes, repair=repair), policy)


# --- archives that are odd from the start


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
SIDE: st.SearchStrategy[dict] = st.one_of(
    st.just({}),
    st.just({}),
    st.fixed_dictionaries(
        {},
        optional={
            "extra": st.sampled_from(ODD_EXTRAS),
            "flags": st.sampled_from([0, 2, 4, 8, 0x800, 0x808]),
            "size": st.sampled_from([0, 1, len(TEXT), 0xFFFFFFFF]),
            "compressed_size": st.sampled_from([0, 1, len(TEXT), 0xFFFFFFFF]),
            "crc": st.sampled_from([0, 0xFFFFFFFF]),
            "method": st.sampled_from([0, 8, 12, 14]),
            "name": st.sampled_from([b"a", b"b", b"a/", b"A"]),
        },
    ),
)
LAYOUTS = st.sampled_from([None, None, "12", "16", "20", "24", ""])


@st.composite
def odd_entry(draw: st.DrawFn) -> Entry:
    """Draw one member; most of it fits together."""
    entry = Entry(
        draw(st.sampled_from(ODD_NAMES)),
        draw(st.sampled_from(ODD_DATA)),
        method=draw(st.sampled_from([0, 0, 8, 8, 12])),
        flags=draw(st.sampled_from([0, 0, 8, 8, 2, 0x800])),
        attributes=draw(st.sampled_from(ATTRIBUTES)),
        extra=draw(st.sampled_from(ODD_EXTRAS)),
        maker=draw(st.sampled_from([3, 3, 0, 19])),
    )
    if isinstance(entry.name, str) and entry.name.endswith("/") and draw(st.booleans()):
        entry.data, entry.method = b"", 0
    if entry.method == 12:
        entry.packed = bz2.compress(entry.data)
    if draw(st.booleans()):
        return entry
    entry.local, entry.central = draw(SIDE), draw(SIDE)
    if draw(st.booleans()):  # the same in both headers
        entry.local = entry.central
    layout = draw(LAYOUTS)
    if layout is not None:
        entry.descriptor = descriptor(entry, layout) if layout else b""
    entry.after = draw(st.sampled_from([b"", b"", b"", b"\0", bytes(12), bytes(16), b"PK\3\4"]))
    return entry


ODD = (
    st.lists(odd_entry(), max_size=4),
    st.sampled_from([*[None] * 12, {}, {}, {"record_size": 45}, {"count": 1}, {"offset": 0}]),
    st.sampled_from([*[b""] * 12, b"PK\5\6", b"PK\1\2" + bytes(60), b"c" * 40]),
    st.sampled_from(POLICIES),
)


@settings(SETTINGS, max_examples=100)
@given(*ODD)
def test_odd_archives_mean_the_same(entries, zip64, comment, policy):
    """Names that meet, headers that differ, needless and wrong extra fields: refused, or the same to all."""
    judge(build(*entries, zip64=zip64, comment=comment), policy)


@pytest.mark.slow
@settings(SETTINGS, max_examples=1000)
@given(*ODD)
def test_many_odd_archives_mean_the_same(entries, zip64, comment, policy):
    """The same, longer."""
    judge(build(*entries, zip64=zip64, comment=comment), policy)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(good())))
def test_every_field_and_record(number: int):
    """Each field of each header takes telling numbers, and each record is dropped, doubled and moved, one at a time."""
    data = good()[number]
    rules: Counter[str] = Counter()
    records = len(reference.records(data))
    changes = [("move-record", one, two, b"") for one in range(records) for two in range(records) if one != two]
    changes += [(kind, one, one, b"") for kind in ("drop-record", "double-record") for one in range(records)]
    headers = sum(len(_places(data, signature)) for signature in FIELDS)
    changes += [
        ("field", header, field, value)
        for header in range(headers)
        for field in range(14)
        for value in INTERESTING[::3]
    ]
    for change in changes:
        rules[judge(tampered(data, [change], repair=change[1] % 2 == 0), POLICIES[2])] += 1
    assert rules[""]
    assert len(rules) > 3


@pytest.mark.parametrize("code", [*range(5, 9), 13, 44, 224, 225, 255])
def test_properties_that_no_lzma_decoder_takes(code: int):
    """LZMA properties that add up to more than liblzma allows are damaged data, and no error of its own."""
    data = bytearray(_written(zipfile.ZIP_LZMA))
    begin = 30 + len("d/a.txt")
    data[begin + 4] = code
    assert judge(bytes(data), POLICIES[0]) == "data"
