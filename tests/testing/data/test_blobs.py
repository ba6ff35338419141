"""The stored bytes."""

from __future__ import annotations

import hashlib
import io
import zipfile

import pytest

from gh_artifacts_async.testing import make_zip, random_zip
from gh_artifacts_async.testing.data import blobs as blobs_module
from gh_artifacts_async.testing.data.blobs import (
    BLOCK,
    BytesBlob,
    FlippedBlob,
    JoinedBlob,
    SeededBlob,
    SliceBlob,
    chunks,
    sha256,
    zip_blob,
)


def test_seeded_bytes_are_the_same_wherever_they_are_read() -> None:
    """Any slice of a seeded blob equals that slice of the whole, across block borders too."""
    blob = SeededBlob(2 * BLOCK + 100, seed=3)
    whole = blob.read(0, blob.size)
    assert len(whole) == blob.size
    for start, stop in [(0, 5), (3, 12), (BLOCK - 3, BLOCK + 3), (BLOCK + 9, 2 * BLOCK + 7), (2 * BLOCK + 90, 10**9)]:
        assert blob.read(start, stop) == whole[start:stop]


def test_seeded_blocks_differ() -> None:
    """Two blocks of one blob, and two seeds, give different bytes."""
    blob = SeededBlob(2 * BLOCK)
    assert blob.read(0, BLOCK) != blob.read(BLOCK, 2 * BLOCK)
    assert blob.read(0, 64) != SeededBlob(64, seed=1).read(0, 64)


def test_joined_and_sliced_bytes() -> None:
    """Joined blobs read like one; a slice ends early."""
    joined = JoinedBlob((BytesBlob(b"abc"), BytesBlob(b""), BytesBlob(b"defg")))
    assert joined.size == 7
    assert joined.read(2, 5) == b"cde"
    assert SliceBlob(joined, 4).read(1, 100) == b"bcd"


def test_flipped_bytes() -> None:
    """Exactly the named bytes are turned over, whatever slice is read."""
    flipped = FlippedBlob(BytesBlob(b"\x00" * 6), (2, 4))
    assert flipped.size == 6
    assert flipped.read(0, 6) == b"\x00\x00\xff\x00\xff\x00"
    assert flipped.read(3, 6) == b"\x00\xff\x00"


def test_sha256_of_both_kinds() -> None:
    """The digest of computed bytes is that of the bytes."""
    blob = SeededBlob(BLOCK + 17, seed=9)
    assert sha256(blob) == hashlib.sha256(blob.read(0, blob.size)).hexdigest()
    assert sha256(BytesBlob(b"x")) == hashlib.sha256(b"x").hexdigest()
    assert b"".join(chunks(blob, 1000)) == blob.read(0, blob.size)


def test_a_made_zip_can_be_opened_and_is_always_the_same() -> None:
    """A zip of given files has these files, byte for byte the same each time."""
    made = make_zip({"a/b.txt": b"one", "c.txt": "zwei"})
    assert made == make_zip({"a/b.txt": b"one", "c.txt": "zwei"})
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {"a/b.txt": b"one", "c.txt": b"zwei"}


@pytest.mark.parametrize("size", [118, 119, 5000, BLOCK + 1])
def test_a_random_zip_has_exactly_the_size_asked_for(size: int) -> None:
    """A generated zip is valid to the last byte."""
    data = random_zip(size, seed=2)
    assert len(data) == size
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None


def test_a_random_zip_cannot_be_smaller_than_an_empty_one() -> None:
    """A size that no zip can have is a ValueError."""
    with pytest.raises(ValueError, match="118 bytes"):
        random_zip(117)


def test_a_random_zip_beyond_four_gibibytes_is_zip64(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where 32 bits do not hold its size, a generated zip is in zip64 form, and still exact."""
    monkeypatch.setattr(blobs_module, "_ZIP64_LIMIT", 2000)
    blobs_module.zip_blob.cache_clear()
    blob = zip_blob(5000, seed=1)
    blobs_module.zip_blob.cache_clear()
    assert blob.size == 5000
    assert b"PK\x06\x06" in blob.read(4000, 5000)
