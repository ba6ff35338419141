from __future__ import annotations

import os

import pytest

from gh_artifacts_async.archive import BytesReader, FileReader, readers
from gh_artifacts_async.archive.readers import MissingBytesError, TailReader, read_exactly
from gh_artifacts_async.errors import CorruptArchiveError


@pytest.mark.parametrize("has_pread", [True, False])
def test_a_file_is_read_at_any_place(has_pread, tmp_path, monkeypatch):
    """With pread, or with one position under a lock where there is none."""
    monkeypatch.setattr(readers, "_HAS_PREAD", has_pread)
    path = tmp_path / "a"
    path.write_bytes(bytes(range(100)))
    with FileReader(path) as reader:
        assert reader.size == 100
        assert reader.read_at(90, 20) == bytes(range(90, 100))
        assert reader.read_at(5, 3) == bytes([5, 6, 7])
        assert reader.read_at(200, 3) == b""
    reader.close()
    with pytest.raises(OSError, match="descriptor"):
        reader.read_at(0, 1)


def test_short_reads_are_continued(tmp_path, monkeypatch):
    """The system may return less than was asked for."""
    path = tmp_path / "a"
    path.write_bytes(b"0123456789")
    with FileReader(path) as reader:
        whole = reader._read_once
        monkeypatch.setattr(reader, "_read_once", lambda offset, length: whole(offset, min(length, 3)))
        assert reader.read_at(1, 8) == b"12345678"
        assert reader.read_at(8, 8) == b"89"


def test_a_descriptor_stays_its_owners(tmp_path):
    """A file that is still being written is read through the caller's descriptor, with the size it will have."""
    path = tmp_path / "a"
    path.write_bytes(b"0123456789")
    descriptor = os.open(path, os.O_RDONLY)
    with FileReader(descriptor, size=50) as reader:
        assert reader.size == 50
        assert reader.read_at(0, 2) == b"01"
    assert os.read(descriptor, 1) == b"0"
    os.close(descriptor)


def test_a_file_is_closed_when_its_size_is_unknown(tmp_path, monkeypatch):
    """No descriptor is left (the fixture of all tests looks)."""
    path = tmp_path / "a"
    path.write_bytes(b"")

    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(readers.os, "fstat", broken)
        with pytest.raises(OSError, match="Input/output"):
            FileReader(path)


def test_a_tail_knows_what_it_lacks():
    """It names the first byte that was asked for."""
    reader = TailReader(b"6789", 10)
    assert reader.read_at(7, 2) == b"78"
    with pytest.raises(MissingBytesError) as caught:
        reader.read_at(5, 2)
    assert caught.value.start == 5


def test_an_early_end_is_a_cut_archive():
    """Both the archive's and the member's messages say how much is there."""
    with pytest.raises(CorruptArchiveError, match=r"12 bytes are needed, but there are only 10") as caught:
        read_exactly(BytesReader(b"0123456789"), 8, 4, "m")
    assert (caught.value.rule, caught.value.member) == ("truncated", "m")
