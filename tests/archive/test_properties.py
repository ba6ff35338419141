from __future__ import annotations

import io
import os
import random
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gh_artifacts_async.archive import audit_reader, extract
from gh_artifacts_async.archive.readers import BytesReader
from gh_artifacts_async.errors import ArchiveError
from tests.kits.archives import Entry, Unseekable, build
from tests.kits.sampling import mostly_slow

COMPONENT = st.text("abcdefgXYZ0123456789._- é日", min_size=1, max_size=8).filter(lambda part: part.strip(".") != "")
NAME = st.lists(COMPONENT, min_size=1, max_size=4).map("/".join)
DATA = st.one_of(st.binary(max_size=300), st.integers(0, 40_000).map(os.urandom))
METHOD = st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])


def _without_conflicts(files: dict[str, bytes]) -> dict[str, bytes]:
    """Drop what lies in a file."""
    return {name: data for name, data in files.items() if not any(name.startswith(f"{other}/") for other in files)}


def _zip(files: dict[str, bytes], methods: list[int], *, streamed: bool) -> bytes:
    stream = Unseekable() if streamed else io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for at, (name, data) in enumerate(files.items()):
            archive.writestr(name, data, methods[at % len(methods)])
    return bytes(stream.data) if streamed else stream.getvalue()


def _extract(data: bytes) -> dict[str, bytes]:
    """Unpack into a new folder, look at everything around it, and remove all."""
    with tempfile.TemporaryDirectory() as root:
        base = Path(root)
        archive = base / "a.zip"
        archive.write_bytes(data)
        try:
            extract(archive, base / "in" / "out")
        except ArchiveError:
            assert [path.name for path in base.iterdir()] == ["a.zip"]
            raise
        out = base / "in" / "out"
        assert sorted(path.name for path in base.iterdir()) == ["a.zip", "in"]
        assert [path.name for path in out.parent.iterdir()] == ["out"]
        assert not any(path.is_symlink() for path in out.rglob("*"))
        return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(NAME, DATA, max_size=8), st.lists(METHOD, min_size=1, max_size=3), st.booleans())
def test_what_zipfile_makes_comes_out_as_it_went_in(files, methods, streamed):
    """Stored or deflated, with sizes in the header or in a descriptor after the data."""
    kept = _without_conflicts(files)
    assert _extract(_zip(kept, methods, streamed=streamed)) == kept


GOOD = build(
    Entry("a.txt", b"alpha" * 30, method=8),
    Entry("d/", attributes=0o040755 << 16 | 0x10),
    Entry("d/run.sh", b"#!/bin/sh\n", attributes=0o100755 << 16),
    Entry("d/log", b"line\n" * 200, method=8, flags=8),
    Entry("é/x", b"stored", flags=8),
    comment=b"comment",
)
CONTENTS = {"a.txt": b"alpha" * 30, "d/run.sh": b"#!/bin/sh\n", "d/log": b"line\n" * 200, "é/x": b"stored"}


def _mutate(data: bytes, chance: random.Random) -> bytes:
    """Flip, cut, repeat, move, or write a telling number somewhere."""
    changed = bytearray(data)
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        at = chance.randrange(max(len(changed), 1))
        length = chance.choice([1, 2, 4, 30, 46])
        kind = chance.randrange(6)
        if kind == 0:
            changed[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            changed[at : at + 4] = chance.choice(
                [b"\xff\xff\xff\xff", bytes(4), b"PK\5\6", b"PK\1\2", b"/../", b"\\..\\"]
            )
        elif kind == 2:
            del changed[at : at + length]
        elif kind == 3:
            changed[at:at] = changed[at : at + length]
        elif kind == 4:
            changed[at:at] = chance.randbytes(length)
        else:
            del changed[at:]
    return bytes(changed)


@pytest.mark.parametrize("seed", range(8))
def test_mutations_are_refused_or_harmless(seed):
    """Nothing but an ArchiveError ever comes out, and nothing is ever left or made outside."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    errors = []
    for _ in range(100):
        data = _mutate(GOOD, chance)
        try:
            found = _extract(data)
        except ArchiveError as error:
            errors.append(error)
        else:
            assert sum(map(len, found.values())) <= sum(map(len, CONTENTS.values()))
    assert errors
    assert all(error.rule and str(error).isprintable() for error in errors)


@pytest.mark.parametrize("step", mostly_slow([7, 1]))
def test_every_single_bit_counts_or_means_nothing(step: int):
    """Flip each bit once: the archive is refused, or the bytes are right under names that are safe.

    What may change without notice are times, modes, versions and comments: no reader compares them.
    """
    contents = set(CONTENTS.values())
    taken = 0
    for at in range(0, len(GOOD) * 8, step):
        data = bytearray(GOOD)
        data[at // 8] ^= 1 << at % 8
        try:
            archive = audit_reader(BytesReader(bytes(data)))
        except ArchiveError:
            continue
        if at % 11:  # unpacking each would take long
            continue
        try:
            found = _extract(bytes(data))
        except ArchiveError:
            continue
        taken += 1
        assert set(found.values()) <= contents
        assert len(archive) == len(CONTENTS) + 1
    assert taken > 20 / step


def test_every_cut_is_refused():
    """However much of the end is missing, it is never taken for a smaller archive."""
    for length in range(len(GOOD)):
        with pytest.raises(ArchiveError):
            audit_reader(BytesReader(GOOD[:length]))
