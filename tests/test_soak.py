"""The soak: a short one passes, and its figures are recorded beside the benchmarks'."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("the benchmarks are not in the source distribution", allow_module_level=True)
if not Path("/proc/self/statm").exists():
    pytest.skip("the soak looks into /proc", allow_module_level=True)

from benchmarks import report  # noqa: E402 - only where they are
from benchmarks.soak.gauges import drift  # noqa: E402
from benchmarks.soak.transfers import leftovers  # noqa: E402


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.alone
@pytest.mark.timeout(220)
@pytest.mark.parametrize("options", [[], ["--no-surplus", "--seed", "2"]])
def test_a_few_seconds_of_the_soak_pass(options):
    """No result is wrong, nothing hangs, nothing is left on disk, and nothing is recorded."""
    before = (report.RECORD.read_bytes(), report.RESULTS.read_bytes())
    ran = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "benchmarks.soak", "--minutes", "0.05", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,  # a transfer that meets one fault after the other may take half a minute
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stderr == ""
    assert re.search(r"wrong results +0 +yes", ran.stdout)
    assert ("surplus in the same segment" in ran.stdout) == (options == [])
    assert (report.RECORD.read_bytes(), report.RESULTS.read_bytes()) == before


def test_growth_is_what_the_last_quarter_has_more_than_the_second():
    """A figure is flat if it grew by a tenth, or by 8, at most; a peak between does not count."""
    flat = drift([1, 1, 100, 100, 500, 100, 109, 109])
    assert flat is not None
    assert (flat.before, flat.after, flat.peak, flat.flat) == (100, 109, 500, True)
    grown = drift([1, 1, 100, 100, 100, 100, 111, 111])
    assert grown is not None
    assert not grown.flat
    few = drift([10, 10, 10, 10, 10, 10, 18, 18])
    assert few is not None
    assert few.flat
    assert drift([1] * 7) is None


def test_part_files_are_leftovers_and_records_are_not(tmp_path):
    """What is finished, and the record beside it, may stay; everything else is left over."""
    folder = tmp_path / "folder"
    folder.mkdir()
    names = ["a.zip", ".a.zip.gh-artifacts.json", ".a.zip.1.0123456789.part", "b.zip", "folder/member"]
    for name in names:
        (tmp_path / name).touch()
    assert leftovers(tmp_path, {tmp_path / "a.zip", folder}) == [".a.zip.1.0123456789.part", "b.zip"]


def test_a_soak_is_recorded_beside_the_benchmarks(tmp_path):
    """Neither loses the other's figures, and RESULTS.md has a section of it."""
    record, results = tmp_path / "results.json", tmp_path / "RESULTS.md"
    benchmarks = report.load_record()
    report.save_record(benchmarks, record)
    assert report.load_soak(record) is None
    some = next(iter(benchmarks["full"].values()))
    soak = {
        "date": "2026-01-10 14:59",
        "minutes": 10,
        "transfers": 32,
        "seed": 1,
        "load": [0.1, 2.0],
        "machine": some.machine,
        "versions": {"aiohttp": "3.14.5"},
        "criteria": [["wrong results", "0", True], ["files left on disk", "1", False]],
        "done": {"download": 1000, "extract": 500},
        "failed": {},
        "cancelled": 2,
        "bytes": 3 * 2**30,
        "latest": 0.0504,
        "faults": {"cut": 3, "API: surplus later": 4, "storage: surplus in the same segment": 1, "drip": 0},
        "samples": {"memory": [50.123456]},
    }
    report.record_soak(soak, record, results)
    report.save_record(report.load_record(record), record)
    assert report.load_record(record) == benchmarks
    assert report.load_soak(record) == json.loads(record.read_text("utf-8"))["soak"]
    page = results.read_text("utf-8")
    assert "## Soak: 32 transfers at once for 10 minutes, with faults" in page
    assert "| files left on disk | 1 | NO |" in page
    assert "8 faults, 5 surplus answers among them (cut 3, API: surplus later 4" in page
    assert "1,500 done (download 1,000, extract 500)" in page
    assert page.startswith("# Measured")
    report.record_soak(soak | {"minutes": 20}, record, results)
    assert results.read_text("utf-8") == page.replace("for 10 minutes", "for 20 minutes")
