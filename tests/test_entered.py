"""How much of the package a call enters: the figures of the documentation's page on architecture, and their bounds."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BOUNDS = {"get_artifact": (38, 14), "one-page listing": (52, 16), "5 MB download": (156, 33)}


@pytest.mark.realtime
def test_a_call_enters_few_functions_in_few_files():
    """Counted by sys.setprofile in a process of its own, once everything is imported and connected."""
    if not (ROOT / "benchmarks").is_dir():
        pytest.skip("the benchmarks are not in the source distribution")
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.entered"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=50
    )
    found = {
        match[1]: (int(match[2]), int(match[3]))
        for match in re.finditer(r"(?m)^(\S.*?) +(\d+) functions +(\d+) files$", ran.stdout)
    }
    assert found.keys() == BOUNDS.keys()
    for call, (functions, files) in found.items():
        assert functions <= BOUNDS[call][0], call
        assert files <= BOUNDS[call][1], call


def test_the_page_states_figures_within_the_bounds():
    """The table of docs/explanation/architecture.md has a figure for each call."""
    page = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| `[^|]+ \| (\d+) \| (\d+) \|$", page)
    assert len(rows) == len(BOUNDS)
    for (functions, files), bound in zip(rows, BOUNDS.values(), strict=True):
        assert (int(functions), int(files)) <= bound
