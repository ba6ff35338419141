"""The zips that artifacts store."""

from __future__ import annotations

import io
import zipfile

import pytest

from gh_artifacts_async.testing import make_zip, random_zip
from gh_artifacts_async.testing.data import zips
from gh_artifacts_async.testing.data.blobs import BLOCK


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
    monkeypatch.setattr(zips, "_ZIP64_LIMIT", 2000)
    zips.zip_blob.cache_clear()
    blob = zips.zip_blob(5000, seed=1)
    zips.zip_blob.cache_clear()
    assert blob.size == 5000
    assert b"PK\x06\x06" in blob.read(4000, 5000)
