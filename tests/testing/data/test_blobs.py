"""The stored bytes."""

from __future__ import annotations

import hashlib

from gh_artifacts_async.testing.data.blobs import (
    BLOCK,
    BytesBlob,
    FlippedBlob,
    JoinedBlob,
    SeededBlob,
    SliceBlob,
    chunks,
    sha256,
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
