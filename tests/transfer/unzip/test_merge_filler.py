"""What is written and compared in threads when artifacts are merged."""

from __future__ import annotations

from concurrent.futures import CancelledError
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async import CorruptArchiveError, ExtractPolicy, MergeConflictError, StorageError
from gh_artifacts_async.archive import BytesReader, Extraction, audit_directory, audit_reader
from gh_artifacts_async.archive.overlay import Layer, overlay, single_file
from gh_artifacts_async.transfer.unzip.merge_filler import Filler, changed
from tests.archive.test_overlay import artifact
from tests.kits.archives import Entry, build
from tests.kits.zips import make, noise, tree

if TYPE_CHECKING:
    from pathlib import Path

    from gh_artifacts_async import Conflicts

POLICY = ExtractPolicy(symlinks="skip")


def merge(folder: Path, contents: list[bytes], conflicts: Conflicts = "error", *, stop: bool = False) -> None:
    """Merge zips, and single files (named raw) where the bytes are no zip."""
    its = [
        Layer(artifact(number), audit_directory(BytesReader(data), POLICY))
        if data.startswith(b"PK")
        else Layer(artifact(number), single_file("raw", len(data), POLICY), raw=True)
        for number, data in enumerate(contents, 1)
    ]
    plan = overlay(its, POLICY, conflicts)
    with Extraction(plan.directory, folder) as extraction:
        filler = Filler(extraction, plan)
        for layer, share, data in zip(its, plan.shares, contents, strict=True):
            if stop and layer is its[-1]:
                extraction.stop()
            filler.fill(BytesReader(data), layer, share)
        extraction.commit()


def test_files(tmp_path: Path) -> None:
    """Members of archives and single files are written, those of several blocks too."""
    large = noise(3 * 2**20)
    merge(tmp_path / "out", [make({"a": b"1", "d/b": b"2"}), large, make({"d/c": b"3"})])
    assert tree(tmp_path / "out") == {"a": b"1", "d/b": b"2", "d/c": b"3", "raw": large}


def test_identical(tmp_path: Path) -> None:
    """Alike files are compared, in whichever of them; different ones name both artifacts."""
    merge(tmp_path / "out", [make({"raw": b"same"}), b"same", make({"raw": b"same", "b": b""})], "identical")
    assert tree(tmp_path / "out") == {"raw": b"same", "b": b""}
    with pytest.raises(MergeConflictError, match="different contents") as caught:
        merge(tmp_path / "no", [make({"raw": b"same"}), b"SAME"], "identical")
    assert [it.id for it in caught.value.artifacts] == [1, 2]
    assert not (tmp_path / "no").exists()


def test_stopped(tmp_path: Path) -> None:
    """Stopping ends what only compares as well."""
    with pytest.raises(CancelledError):
        merge(tmp_path / "out", [make({"raw": b"same"}), b"same"], "identical", stop=True)


def test_headers_of_skipped_links(tmp_path: Path) -> None:
    """The headers of links that are skipped are checked as those of everything else."""
    link = Entry("link", b"a", attributes=0o120777 << 16, local={"name": b"knil"})
    with pytest.raises(CorruptArchiveError):
        merge(tmp_path / "out", [build(Entry("a", b"1"), link)])


def test_another_size(tmp_path: Path) -> None:
    """A single file of another length than was announced is another one."""
    layer = Layer(artifact(1), single_file("raw", 5, POLICY), raw=True)
    plan = overlay([layer], POLICY, "error")
    with Extraction(plan.directory, tmp_path / "out") as extraction, pytest.raises(StorageError, match="artifact 1"):
        Filler(extraction, plan).fill(BytesReader(b"four"), layer, plan.shares[0])
    assert "run again" in str(changed(artifact(1)))


def test_audited_headers(tmp_path: Path) -> None:
    """An archive that was audited as a whole is written by the offsets that are known."""
    data = make({"a": noise(2**20)})
    layer = Layer(artifact(1), audit_reader(BytesReader(data)))
    plan = overlay([layer], POLICY, "error")
    with Extraction(plan.directory, tmp_path / "out") as extraction:
        Filler(extraction, plan).fill(BytesReader(data), layer, plan.shares[0])
        extraction.commit()
    assert tree(tmp_path / "out") == {"a": noise(2**20)}
