"""Small archives that were once rejected or misread, one test for each; ``tests/zips/inputs/zips.json`` says why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gh_artifacts_async.archive import audit, extract, parse_tail
from gh_artifacts_async.errors import ArchiveError

INPUTS = Path(__file__).parent.parent / "zips" / "inputs"
ROWS = json.loads((INPUTS / "zips.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"].removesuffix(".zip"))
def test_each_input_gets_its_verdict(row: dict, tmp_path: Path):
    """Accepted with exactly these names, or rejected with nothing left; the last bytes alone tell the same."""
    path = INPUTS / row["file"]
    data = path.read_bytes()
    if "reject" in row["expect"]:
        with pytest.raises(ArchiveError):
            audit(path)
        with pytest.raises(ArchiveError):
            extract(path, tmp_path / "out")
        assert list(tmp_path.iterdir()) == []
        return
    names = row["expect"]["accept"]
    assert [member.name for member in audit(path).members] == names
    assert [member.name for member in parse_tail(data, len(data)).members] == names
    assert [member.name for member in extract(path, tmp_path / "out")] == names
    assert sorted(found.name for found in (tmp_path / "out").iterdir()) == sorted(names)
