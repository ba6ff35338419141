"""Archives of any bytes, in memory: what the audit accepts, every other reader reads the same."""

from __future__ import annotations

import io
import lzma
import random
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from gh_artifacts_async.archive import (
    ArchiveDirectory,
    BytesReader,
    NeedMore,
    audit_directory,
    audit_reader,
    parse_tail,
    read_member,
)
from gh_artifacts_async.errors import ArchiveError
from gh_artifacts_async.settings import ExtractPolicy
from tests.fuzz.inputs import taken
from tests.fuzz.tally import note
from tests.kits import reference_reader as reference
from tests.kits.archives import Entry, build, descriptor
from tests.kits.tampering import ATTRIBUTES, FIELDS, INTERESTING, ODD_DATA, ODD_EXTRAS, ODD_NAMES, good, tampered

if TYPE_CHECKING:
    from gh_artifacts_async.archive import Member

LONGEST = 8192
STRUCTURED = 0.85
WORDS: tuple[bytes, ...] = (
    *FIELDS,
    reference.DESCRIPTOR,
    reference.ZIP64_LOCATOR,
    reference.ZIP64_END,
    b"../",
    b"./",
    b"/",
    b"\\",
)
WORDS += (b"C:", b"\xff\xff\xff\xff", b"\1\0\x08\0", b"\1\0\x10\0", b"up", b"UT\x05\0\1", b"\xe2\x80\xae", b"CON")
WORDS += (b"a" * 256,)
POLICIES = [
    ExtractPolicy(),
    ExtractPolicy(names="portable"),
    ExtractPolicy(symlinks="skip"),
    ExtractPolicy(max_members=3, max_total_bytes=2000, max_depth=2),
]
_SAMPLES = Path(__file__).parents[2] / "zips"
_ODD_SIDES = (0, 1, 0x7FFF, 0xFFFFFFFF)
_KINDS: tuple[str, ...] = (
    "flip",
    "delete",
    "double",
    "swap",
    "insert",
    "write",
    "field",
    "field",
    "field",
    "both",
    "both",
    "field-by",
)
_KINDS += ("both-by", "drop-record", "double-record", "swap-records", "move-record")


def seeds() -> list[bytes]:
    """Return archives that are right, and the small ones of the corpus of hostile zips."""
    samples = [path.read_bytes() for path in sorted(_SAMPLES.glob("*.zip"))]
    archives = [*good(), *(data for data in samples if len(data) < LONGEST // 2)]
    return [bytes([number % len(POLICIES)]) + data for number, data in enumerate(archives)] + [
        b"\2" + data for data in good()
    ]


def fuzz(data: bytes) -> None:
    """Audit an archive; read all of one that is accepted, and compare."""
    policy, zipped = taken(data, POLICIES)
    reader = BytesReader(zipped)
    try:
        archive = audit_reader(reader, policy)
    except ArchiveError as error:
        note(f"refused: {error.rule}")
        _refused_by_all(zipped, policy, error)
        return
    found: dict[int, bytes] = {}
    try:
        for member in archive:
            found[member.header_offset] = b"".join(read_member(reader, member))
    except ArchiveError as error:
        note(f"content: {error.rule}")
        _content_is_refused_from_afar(reader, policy, error)
        return
    note("accepted")
    _keeps_limits(archive, found, policy)
    _same_from_afar(reader, archive, found, policy)
    _same_to_zipfile(zipped, archive, found)
    _same_to_reference(zipped, archive, found, policy)


def _refused_by_all(zipped: bytes, policy: ExtractPolicy, error: ArchiveError) -> None:
    """The end of an archive, fetched alone, is refused for the same; a local header is looked at later."""
    assert error.rule
    assert str(error).isprintable()
    try:
        seen = parse_tail(zipped, len(zipped), policy)
    except ArchiveError as again:
        assert (again.rule, str(again)) == (error.rule, str(error))
    else:
        assert not isinstance(seen, NeedMore)


def _content_is_refused_from_afar(reader: BytesReader, policy: ExtractPolicy, error: ArchiveError) -> None:
    try:
        for member in audit_directory(reader, policy):
            b"".join(read_member(reader, member))
    except ArchiveError as again:
        assert again.rule == error.rule
    else:
        raise AssertionError("content that is damaged is accepted from afar")


def _keeps_limits(archive: ArchiveDirectory, found: dict[int, bytes], policy: ExtractPolicy) -> None:
    size = sum(map(len, found.values()))
    assert size == archive.total_size
    assert policy.max_total_bytes is None or size <= policy.max_total_bytes
    assert policy.max_members is None or len(archive) <= policy.max_members
    assert policy.max_depth is None or all(
        member.name.removeprefix("./").count("/") <= policy.max_depth for member in archive
    )


def _facts(member: Member) -> tuple[object, ...]:
    return member.name, member.size, member.is_dir, member.executable, member.mtime, member.folder, member.span_end


def _same_from_afar(
    reader: BytesReader, archive: ArchiveDirectory, found: dict[int, bytes], policy: ExtractPolicy
) -> None:
    """Without a look at the local headers first, as a remote archive is read, it is the same."""
    seen = parse_tail(reader.read_at(0, reader.size), reader.size, policy)
    assert isinstance(seen, ArchiveDirectory)
    assert list(map(_facts, seen)) == list(map(_facts, archive))
    assert seen.folders == archive.folders
    for member in seen:
        assert member.data_offset is None
        assert b"".join(read_member(reader, member)) == found[member.header_offset]


def _same_to_zipfile(zipped: bytes, archive: ArchiveDirectory, found: dict[int, bytes]) -> None:
    """Python's own reader opens it, has the same members at the same places, and finds no bad one."""
    try:
        opened = zipfile.ZipFile(io.BytesIO(zipped))
    except NotImplementedError as error:  # a version that is needed says nothing: each feature has a sign of its own
        assert "zip file version" in str(error)
        note("of a version that zipfile does not know")
        return
    _hides_nothing(zipped, archive)
    with opened as theirs:
        listed = {info.header_offset: info for info in theirs.infolist()}
        ours = {member.header_offset: member for member in (*archive.members, *archive.skipped)}
        assert listed.keys() == ours.keys()
        for offset, member in ours.items():
            info = listed[offset]
            assert (info.file_size, info.compress_size, info.CRC) == (
                member.size,
                member.compressed_size,
                member.crc32,
            )
            raw = info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437")
            assert raw == member.raw_name or "up" in repr(info.extra)
            if offset in found:
                assert _their_content(theirs, info) in {None, found[offset]}


def _hides_nothing(zipped: bytes, archive: ArchiveDirectory) -> None:
    """No byte follows the end of a deflate stream, where one more file could hide."""
    for member in archive:
        if member.method == zipfile.ZIP_DEFLATED and member.compressed_size and member.data_offset is not None:
            stream = zlib.decompressobj(-15)
            stream.decompress(zipped[member.data_offset : member.data_offset + member.compressed_size])
            assert stream.eof
            assert not stream.unused_data


def _their_content(theirs: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | None:
    """Read a member; None where bytes follow an LZMA stream without an end mark, whose size tells where it ends."""
    info.filename = info.orig_filename
    try:
        return theirs.read(info)
    except lzma.LZMAError:
        assert info.compress_type == zipfile.ZIP_LZMA
        assert not info.flag_bits & 2
        note("surplus after LZMA")
        return None


def _same_to_reference(
    zipped: bytes, archive: ArchiveDirectory, found: dict[int, bytes], policy: ExtractPolicy
) -> None:
    """Readers that begin at the end and those that begin at the start see what is seen here."""
    skip = policy.symlinks == "skip"
    central = reference.central_view(zipped, skip_links=skip)
    skipped = {member.offset for member in central if skip and reference.is_link(member)}
    sequential = reference.sequential_view(zipped, skipped)
    in_order = sorted(central, key=lambda member: member.offset)
    assert len(sequential) == len(central)
    for first, second in zip(sequential, in_order, strict=True):
        assert first._replace(name="") == second._replace(name="", mode=0, dos=0, maker=0)
        assert first.name == second.name or _is_renamed(zipped, first.offset)
    assert {seen.offset: (seen.name, seen.data) for seen in central if seen.offset not in skipped} == {
        member.header_offset: (member.name, found[member.header_offset]) for member in archive
    }
    files, folders = reference.tree(central, skip_links=skip)
    mine = {
        member.name.removeprefix("./"): (found[member.header_offset], member.executable)
        for member in archive
        if not member.is_dir
    }
    assert mine == files
    assert {archive.folder_path(number) for number in range(1, len(archive.folders))} == folders


def _is_renamed(zipped: bytes, offset: int) -> bool:
    """Whether only the central directory has a Unicode path, for a name of no stated encoding: archivers do so."""
    flags, length = int.from_bytes(zipped[offset + 6 : offset + 8], "little"), zipped[offset + 26]
    raw = zipped[offset + 30 : offset + 30 + length]
    return not flags & 0x800 and not raw.isascii()


# --- tampering


def mutate(rng: random.Random, data: bytes) -> bytes:
    """Tamper with records and fields, or build an archive that is odd from the start."""
    head, zipped = data[:1] or b"\0", data[1:]
    if rng.random() < 0.1:
        head = bytes([rng.randrange(len(POLICIES))])
    if rng.random() < 0.15:
        return head + _odd(rng)
    changes = [_change(rng) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
    return head + tampered(zipped, changes, repair=rng.random() < 0.7)


def _change(rng: random.Random) -> tuple[str, int, int, bytes | int]:
    kind = rng.choice(_KINDS)
    value: bytes | int = b""
    if kind in {"insert", "write"}:
        value = rng.choice((rng.randbytes(rng.randrange(1, 6)), rng.choice(WORDS)))
    elif kind in {"field", "both"}:
        value = rng.choice(INTERESTING)
    elif kind.endswith("by"):
        value = rng.randint(-4, 4)
    return kind, rng.randrange(2**16), rng.randrange(2**16), value


def _odd(rng: random.Random) -> bytes:
    entries = [_odd_entry(rng) for _ in range(rng.randrange(5))]
    zip64 = rng.choice((*[None] * 12, {}, {}, {"record_size": 45}, {"count": 1}, {"offset": 0}))
    comment = rng.choice((*[b""] * 12, b"PK\5\6", b"PK\1\2" + bytes(60), b"c" * 40, bytes(30)))
    return build(*entries, zip64=zip64, comment=comment)


def _odd_entry(rng: random.Random) -> Entry:
    entry = Entry(
        rng.choice(ODD_NAMES),
        rng.choice(ODD_DATA),
        method=rng.choice((0, 0, 8, 8)),
        flags=rng.choice((0, 0, 8, 8, 2, 0x800)),
        attributes=rng.choice(ATTRIBUTES),
        extra=rng.choice(ODD_EXTRAS),
        maker=rng.choice((3, 3, 0, 19)),
    )
    if isinstance(entry.name, str) and entry.name.endswith("/") and rng.random() < 0.8:
        entry.data, entry.method = b"", 0
    if entry.flags & 8 and rng.random() < 0.8:
        entry.descriptor = descriptor(entry, rng.choice(("12", "16", "20", "24")))
    if rng.random() < 0.2:
        side = rng.choice((entry.local, entry.central))
        side[rng.choice(("size", "compressed_size", "crc"))] = rng.choice(_ODD_SIDES)
    if rng.random() < 0.1:
        entry.local["extra"] = rng.choice(ODD_EXTRAS)
    return entry
