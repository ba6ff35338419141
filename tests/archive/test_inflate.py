from __future__ import annotations

import bz2
import io
import lzma
import os
import random
import zipfile
import zlib

import pytest

from gh_artifacts_async.archive import Member, audit_reader, inflate_member
from gh_artifacts_async.archive.inflate import BLOCK, MAX_DICTIONARY, inflate_whole
from gh_artifacts_async.archive.readers import BytesReader
from gh_artifacts_async.errors import ArchiveError, UnsupportedArchiveError
from tests.kits.archives import Entry, build, deflate

EMPTY_STORED = b"\0\0\0\xff\xff"
EMPTY_FIXED = bytes.fromhex("0208208000")  # four empty blocks with the fixed Huffman code, ten bits each
LAST = b"\3\0"
TEXT = b"".join(b"line %d of a log that repeats itself\n" % n for n in range(3000))
LZMA_FILTER = {"id": lzma.FILTER_LZMA1, "preset": 6, "dict_size": 2**16}


def _member(data: bytes, packed: bytes, method: int, **fields: int) -> Member:
    entry = Entry("m", data, method=method, packed=packed, **fields)
    return audit_reader(BytesReader(build(entry)))["m"]


def _lzma(data: bytes, *, marker: bool = True) -> bytes:
    """Compress as APPNOTE 5.8.8 says: version, properties, raw LZMA."""
    properties = bytes([9, 20, 5, 0]) + lzma._encode_filter_properties(LZMA_FILTER)
    raw = lzma.compress(data, lzma.FORMAT_RAW, filters=[LZMA_FILTER])
    if not marker:
        raw = lzma.compress(data, lzma.FORMAT_ALONE, filters=[LZMA_FILTER])[13:]
    return properties + raw


def _pieces(data: bytes, length: int) -> list[bytes]:
    return [data[at : at + length] for at in range(0, len(data), length)]


FORMS = [(0, 0, TEXT), (8, 0, deflate(TEXT)), (12, 0, bz2.compress(TEXT)), (14, 2, _lzma(TEXT))]


@pytest.mark.parametrize("piece", [1, 7, 1000, 10**6])
@pytest.mark.parametrize(("method", "flags", "packed"), FORMS, ids=["stored", "deflate", "bzip2", "lzma"])
def test_every_method_unpacks_in_pieces_of_any_size(method, flags, packed, piece, library):
    """Stored, deflate, bzip2 and LZMA, however the bytes arrive."""
    assert library
    member = _member(TEXT, packed, method, flags=flags)
    assert b"".join(inflate_member(member, _pieces(packed, piece))) == TEXT
    assert inflate_whole(member, packed) == TEXT


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_zipfile_writes_is_read(kind, unpack):
    """The standard library is an archiver of its own."""
    stream = io.BytesIO()
    contents = {"text": TEXT, "empty": b"", "noise": os.urandom(5000)}
    with zipfile.ZipFile(stream, "w", kind) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    assert unpack(stream.getvalue()) == contents


@pytest.mark.parametrize(("method", "flags", "packed"), FORMS[1:], ids=["deflate", "bzip2", "lzma"])
@pytest.mark.parametrize("piece", [100, 10**6])
def test_each_kind_of_damage_has_its_rule(method, flags, packed, piece, library):
    """Cut short, followed by junk, too long, too short, another CRC: each is a refusal with its rule."""
    assert library

    def rule(changed: bytes, **fields: int) -> str:
        member = _member(TEXT, changed, method, flags=flags, **fields)
        with pytest.raises(ArchiveError) as caught:
            list(inflate_member(member, _pieces(changed, piece)))
        assert caught.value.member == "m"
        with pytest.raises(ArchiveError) as whole:
            inflate_whole(member, changed)
        assert whole.value.rule == caught.value.rule
        return caught.value.rule

    assert rule(packed[:-20]) == "data"
    assert rule(packed + b"junk") == "surplus-data"
    assert rule(packed + b"j" * 100) == "surplus-data"
    assert rule(packed, size=len(TEXT) - 1) == "size"
    assert rule(packed, size=len(TEXT) + 1) == "size"
    assert rule(packed, crc=0) == "crc"
    assert rule(b"\xff" * 500) in {"data", "size"}
    assert rule(b"") == "data"


@pytest.mark.parametrize("method", [0, 8, 12, 14])
def test_nothing_is_nothing_by_any_method(method):
    """Some writers give an empty member or a folder a method and no bytes at all; empty pieces mean nothing either."""
    member = _member(b"", b"", method)
    assert inflate_whole(member, b"") == b"".join(inflate_member(member, [])) == b""
    packed = dict(zip((0, 8, 12, 14), (form[2] for form in FORMS), strict=True))[method]
    member = _member(TEXT, packed, method, flags=2 if method == 14 else 0)
    assert b"".join(inflate_member(member, [b"", packed, b""])) == TEXT


def test_stored_data_is_checked_too():
    """Its size is held by the spans; the CRC, and what a caller hands over, are checked here."""
    member = _member(TEXT, TEXT, 0)
    for chunks, rule in (([TEXT[:-1]], "size"), ([TEXT, b"x"], "size"), ([TEXT[:-1] + b"x"], "crc")):
        with pytest.raises(ArchiveError) as caught:
            list(inflate_member(member, chunks))
        assert caught.value.rule == rule


@pytest.mark.parametrize("method", [8, 12])
def test_no_step_unpacks_more_than_a_block(method, library):
    """Memory is bounded whatever the ratio, and what lies too far is never unpacked."""
    assert library
    data = bytes(5 * BLOCK + 1)
    packed = deflate(data) if method == 8 else bz2.compress(data)
    member = _member(data, packed, method)
    sizes = [len(chunk) for chunk in inflate_member(member, [packed])]
    assert max(sizes) <= BLOCK
    assert sum(sizes) == len(data)
    liar = _member(data, packed, method, size=BLOCK + 10)
    seen = []
    with pytest.raises(ArchiveError, match="larger than"):
        seen.extend(len(chunk) for chunk in inflate_member(liar, [packed]))
    assert sum(seen) == BLOCK


@pytest.mark.parametrize(("method", "flags", "packed"), FORMS[1:], ids=["deflate", "bzip2", "lzma"])
def test_junk_in_a_piece_of_its_own_is_seen(method, flags, packed, library):
    """Where the stream ends with a piece, the next one is too much."""
    assert library
    with pytest.raises(ArchiveError) as caught:
        list(inflate_member(_member(TEXT, packed, method, flags=flags), [packed, b"junk"]))
    assert caught.value.rule == "surplus-data"


def test_lzma_without_an_end_marker_ends_with_its_size():
    """Most writers leave the marker out and clear bit 1 (APPNOTE 4.4.4)."""
    packed = _lzma(TEXT, marker=False)
    member = _member(TEXT, packed, 14)
    for piece in (50, 10**6):
        assert b"".join(inflate_member(member, _pieces(packed, piece))) == TEXT
    with pytest.raises(ArchiveError, match="declares"):
        list(inflate_member(member, [packed[: len(packed) // 2]]))


@pytest.mark.parametrize("head", [b"", b"\x09\x14\5\0\x5d", b"\x09\x14\6\0\x5d\0\0\1\0", b"\x09\x14\5\0\xe1\0\0\1\0"])
def test_a_bad_lzma_header_is_refused(head):
    """Cut short, of another length, or with properties that do not exist."""
    member = _member(TEXT, head, 14)
    with pytest.raises(ArchiveError) as caught:
        list(inflate_member(member, [head] if head else []))
    assert caught.value.rule == "data"


def test_a_huge_lzma_dictionary_is_not_allocated():
    """Its size comes from the archive: what would be used is bounded, what is larger is refused by name."""
    packed = bytearray(_lzma(TEXT))
    packed[5:9] = (2**32 - 1).to_bytes(4, "little")
    member = _member(TEXT, bytes(packed), 14, flags=2)
    assert b"".join(inflate_member(member, [bytes(packed)])) == TEXT
    member = _member(TEXT, bytes(packed), 14, flags=2, size=MAX_DICTIONARY + 1)
    with pytest.raises(UnsupportedArchiveError, match="dictionary"):
        list(inflate_member(member, [bytes(packed)]))


@pytest.mark.parametrize("seed", range(3))
def test_both_libraries_agree_on_mutations(seed, library):
    """Whatever is wrong with deflated data, it ends in a refusal or in the right bytes."""
    assert library
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    packed = deflate(TEXT)
    member = _member(TEXT, packed, 8)
    rules = set()
    for _ in range(100):
        changed = bytearray(packed)
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        try:
            assert b"".join(inflate_member(member, _pieces(bytes(changed), 100))) == TEXT
        except ArchiveError as error:
            rules.add(error.rule)
    assert rules <= {"data", "size", "crc", "surplus-data"}


def test_crcs_are_real():
    """The builder's CRC is zlib's, so that the tests above test something."""
    assert _member(TEXT, TEXT, 0).crc32 == zlib.crc32(TEXT)


def _refused(member: Member, chunks: object) -> str:
    with pytest.raises(ArchiveError) as caught:
        list(inflate_member(member, chunks))
    return caught.value.rule


@pytest.mark.parametrize("content", [b"", b"x" * 100], ids=["at once", "after content"])
@pytest.mark.parametrize("block", [EMPTY_STORED, EMPTY_FIXED], ids=["stored", "fixed"])
@pytest.mark.parametrize("piece", [1000, 10**9])
def test_input_without_content_is_bounded(block, content, piece, library):
    """A gibibyte of empty blocks would take minutes and be nothing."""
    assert library
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    begin = packer.compress(content) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = begin + block * (2**20 // len(block)) + LAST
    member = _member(content, packed, 8, size=len(content) + 1)
    taken = 0

    def chunks():
        nonlocal taken
        for chunk in _pieces(packed, piece):
            taken += len(chunk)
            yield chunk

    assert _refused(member, chunks()) == "empty-blocks"
    assert taken <= max(2**17, min(piece, len(packed)))
    with pytest.raises(ArchiveError) as caught:
        inflate_whole(member, packed)
    assert caught.value.rule == "empty-blocks"
    assert f"only {len(content)} bytes of content" in str(caught.value)


def test_writers_may_flush_after_each_byte(library):
    """The least content for its input that a real writer produces, and a little that is empty."""
    assert library
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    data = b"abc" * 20_000
    packed = b"".join(packer.compress(data[at : at + 1]) + packer.flush(zlib.Z_FULL_FLUSH) for at in range(len(data)))
    packed = EMPTY_STORED * 10_000 + packed + packer.flush()
    assert len(packed) > 7 * len(data)
    member = _member(data, packed, 8)
    assert b"".join(inflate_member(member, _pieces(packed, 1000))) == data
    assert inflate_whole(member, packed) == data


def test_a_large_member_that_is_slow_is_begun_again(slow_isal):
    """With the other library, and nothing is yielded twice; what cannot be read again goes on as it began."""
    data = os.urandom(3 * 2**20).hex().encode()
    packed = deflate(data)
    member = _member(data, packed, 8)
    assert b"".join(inflate_member(member, _pieces(packed, 2**18))) == data
    assert len(slow_isal) < 5
    assert b"".join(inflate_member(member, iter(_pieces(packed, 2**18)))) == data
    assert len(slow_isal) > 10
