"""What is recorded beside a part file."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from gh_artifacts_async.transfer.disk.partstate import PartState, dump, load, resumable

if TYPE_CHECKING:
    from pathlib import Path

STATE = PartState(
    artifact_id=7,
    repository="octo-org/octo-docs",
    size_in_bytes=100,
    digest=f"sha256:{'0' * 64}",
    etag='"x"',
    total=100,
)


@pytest.mark.parametrize("frontier", [None, 0, 60])
@pytest.mark.parametrize("hashed", [None, (60, "ab")])
def test_what_is_dumped_is_loaded(tmp_path: Path, frontier: int | None, hashed: tuple[int, str] | None) -> None:
    """A state survives its file."""
    state = attrs.evolve(STATE, frontier=frontier, hashed=hashed)
    (tmp_path / "state").write_text(dump(state))
    assert load(tmp_path / "state") == state


def test_of_an_earlier_release(tmp_path: Path) -> None:
    """A file without a frontier is whole, and one that has no holes is written as earlier releases read it."""
    document = json.loads(dump(STATE))
    assert "frontier" not in document
    assert document["version"] == 1
    (tmp_path / "state").write_text(json.dumps(document))
    state = load(tmp_path / "state")
    assert state is not None
    assert state.frontier is None
    assert "frontier" in json.loads(dump(attrs.evolve(STATE, frontier=5)))


@pytest.mark.parametrize(
    "change",
    [
        *({"version": 2}, {"frontier": "60"}, {"total": "60"}, {"etag": None}, {"unknown": 1}, {"hashed": [1]}),
        *({"frontier": -1}, {"total": -1}, {"total": True}, {"size_in_bytes": math.nan}, {"artifact_id": 7.0}),
        *({"hashed": [math.inf, "ab"]}, {"hashed": [1, 2]}, {"hashed": "60"}, {"hashed": 60}, {"hashed": [1, "ab", 2]}),
        *({"digest": math.nan}, {"repository": None}, {"content_type": 1}, {"disposition": []}),
    ],
    ids=str,
)
def test_what_is_not_ours(tmp_path: Path, change: dict[str, Any]) -> None:
    """A state of another version, or a damaged one, is none."""
    (tmp_path / "state").write_text(json.dumps(json.loads(dump(STATE)) | change))
    assert load(tmp_path / "state") is None
    assert load(tmp_path / "missing") is None


@pytest.mark.parametrize(("size", "frontier", "left"), [(60, None, 40), (60, 25, 75), (60, 80, 40), (60, 0, None)])
def test_resumable(tmp_path: Path, size: int, frontier: int | None, left: int | None) -> None:
    """What a later run would fetch begins at the frontier, not at the end of the file."""
    part = tmp_path / ".docs.7.x.part"
    part.write_bytes(b"x" * size)
    part.with_name(part.name + ".json").write_text(dump(attrs.evolve(STATE, frontier=frontier)))
    assert resumable(part, STATE) == left
    assert resumable(part, attrs.evolve(STATE, artifact_id=8)) is None
