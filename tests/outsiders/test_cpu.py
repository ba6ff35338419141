"""Row 12: hostile members cost no more time or memory than their content is worth, by any method."""

from __future__ import annotations

import bz2
import lzma
import os
import time

import pytest

from gh_artifacts_async.archive import Member, audit_reader, inflate_member
from gh_artifacts_async.archive.inflate import MAX_DICTIONARY
from gh_artifacts_async.archive.readers import BytesReader
from gh_artifacts_async.errors import ArchiveError, CorruptArchiveError
from gh_artifacts_async.settings import ExtractPolicy
from tests.kits.archives import Entry, build

MIB = 2**20
PIECE = 2**18
END = 0x177245385090  # of a bzip2 stream


def _member(data: bytes, packed: bytes, method: int, **fields: int) -> Member:
    whole = build(Entry("m", data, method=method, packed=packed, **fields))
    return audit_reader(BytesReader(whole), ExtractPolicy(max_ratio=None))["m"]


def _pieces(data: bytes) -> list[bytes]:
    return [data[at : at + PIECE] for at in range(0, len(data), PIECE)]


def _refused(member: Member, packed: bytes) -> tuple[ArchiveError, int]:
    """Return the error, and how many compressed bytes were taken before it."""
    taken = 0

    def chunks():
        nonlocal taken
        for piece in _pieces(packed):
            taken += len(piece)
            yield piece

    with pytest.raises(ArchiveError) as caught:
        for _ in inflate_member(member, chunks()):
            pass
    return caught.value, taken


def _tiny_blocks(content: bytes, count: int) -> bytes:
    """Return a bzip2 stream of many blocks with a little content each, which no archiver writes."""
    packed = bz2.compress(content)
    bits = int.from_bytes(packed, "big")
    padding = next(it for it in range(8) if (bits >> (it + 32)) & (2**48 - 1) == END)
    length = len(packed) * 8 - 32 - 80 - padding
    block = (bits >> (padding + 80)) & ((1 << length) - 1)
    crc, combined = (block >> (length - 80)) & (2**32 - 1), 0
    for _ in range(count):
        combined = ((combined << 1 | combined >> 31) & (2**32 - 1)) ^ crc
    stream = int.from_bytes(b"BZh9", "big")
    body = int(f"{block:0{length}b}" * count, 2)
    whole = (stream << (length * count)) | body
    whole = (((whole << 48) | END) << 32) | combined
    total = 32 + length * count + 80
    return (whole << (-total % 8)).to_bytes((total + 7) // 8, "big")


@pytest.mark.parametrize(("content", "count"), [(b"x", 80_000), (b"xy" * 4, 200_000)])
def test_row_12_bzip2_of_tiny_blocks(content: bytes, count: int) -> None:
    """A block for each byte, or for eight, is refused long before its end."""
    packed = _tiny_blocks(content, count)
    assert len(packed) > 1.7 * MIB
    assert bz2.decompress(_tiny_blocks(content, 100)) == content * 100
    error, taken = _refused(_member(content * count, packed, 12), packed)
    assert isinstance(error, CorruptArchiveError)
    assert error.rule == "empty-blocks"
    assert taken <= 3.5 * MIB


@pytest.mark.parametrize("level", [1, 9])
def test_row_12_honest_bzip2(level: int) -> None:
    """Whole blocks are collected before their content comes out, and what does not compress grows a little."""
    for data in (os.urandom(2 * MIB), b"\0" * (20 * MIB), b"x"):
        packed = bz2.compress(data, level)
        member = _member(data, packed, 12)
        assert b"".join(inflate_member(member, _pieces(packed))) == data


def test_row_12_concatenated_bzip2() -> None:
    """A zip's member is one stream: empty ones behind each other are refused behind the first."""
    packed = bz2.compress(b"") * (MIB // 14)
    error, taken = _refused(_member(b"x", packed, 12), packed)
    assert error.rule == "surplus-data"
    assert taken <= 2 * PIECE


PROPERTIES = {"id": lzma.FILTER_LZMA1, "preset": 6, "dict_size": 2**16}


def _lzma(data: bytes, dictionary: int = 2**16) -> bytes:
    """Compress as most writers do, without an end marker."""
    head = bytes([9, 20, 5, 0]) + lzma._encode_filter_properties(PROPERTIES)[:1] + dictionary.to_bytes(4, "little")
    return head + lzma.compress(data, lzma.FORMAT_ALONE, filters=[PROPERTIES])[13:]


@pytest.mark.parametrize("content", [b"x", b"x" * 100_000])
def test_row_12_lzma_with_other_data_behind_it(content: bytes) -> None:
    """What follows the declared size is not read to its end, and is not ignored either."""
    packed = _lzma(content) + os.urandom(MIB)
    error, taken = _refused(_member(content, packed, 14), packed)
    assert isinstance(error, CorruptArchiveError)
    assert error.rule in {"surplus-data", "empty-blocks"}
    assert taken <= 2 * PIECE


@pytest.mark.parametrize("method", [8, 12, 14])
def test_row_12_an_empty_member_with_much_data(method: int) -> None:
    """Nothing is declared, and a mebibyte is there."""
    packed = {8: b"\0\0\0\xff\xff" * (MIB // 5), 12: _tiny_blocks(b"x", 40_000), 14: _lzma(b"") + bytes(MIB)}[method]
    error, taken = _refused(_member(b"", packed, method), packed)
    assert isinstance(error, CorruptArchiveError)
    assert taken <= 2 * PIECE


@pytest.mark.parametrize("dictionary", [2**25, 2**26])
def test_row_12_dictionaries_of_real_archivers(dictionary: int) -> None:
    """7-Zip states up to 64 MiB; what is allocated is no more than the member's size."""
    packed = _lzma(b"x" * 1000, dictionary)
    assert b"".join(inflate_member(_member(b"x" * 1000, packed, 14), [packed])) == b"x" * 1000
    declared = _member(b"", packed, 14, size=2**30)
    error, _ = _refused(declared, packed)
    assert error.rule == "size"  # it is allowed, and then too short


def test_row_12_a_dictionary_of_four_gibibytes() -> None:
    """It is refused by its name and size before anything is allocated."""
    packed = _lzma(b"x" * 1000, 2**32 - 1)
    began = time.perf_counter()
    error, taken = _refused(_member(b"", packed, 14, size=2**32 - 2), packed)
    assert error.rule == "method"
    assert str(MAX_DICTIONARY) in str(error)
    assert taken == len(packed)
    assert time.perf_counter() - began < 1
