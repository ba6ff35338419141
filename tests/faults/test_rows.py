"""The table of faults: every row has tests that exist, and the page says which."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

from tests.faults.rows import ROWS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "faults.md"


@functools.cache
def _tests_of(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return frozenset(it.name for it in ast.walk(tree) if isinstance(it, kinds) and it.name.startswith("test_"))


def _rows_of(name: str) -> set[int]:
    """Return the rows that a test's name gives: ``test_row_01_to_03_16_x`` is of 1, 2, 3 and 16."""
    numbers = re.match(r"test_row((?:_\d\d(?=_)|_to(?=_\d\d_))+)", name)
    assert numbers is not None, name
    found: set[int] = set()
    words = numbers[1].strip("_").split("_")
    for place, word in enumerate(words):
        if word == "to":
            found |= set(range(int(words[place - 1]), int(words[place + 1])))
        else:
            found.add(int(word))
    return found


def test_every_row_is_there() -> None:
    """The faults are numbered without a gap, and each has a test."""
    assert sorted(ROWS) == list(range(1, len(ROWS) + 1))
    assert all(ROWS.values())


@pytest.mark.parametrize("row", ROWS)
def test_tests_of_a_row_exist(row: int) -> None:
    """Each named test is a function of its file; one that names its rows is of this one."""
    for node in ROWS[row]:
        path, name = node.split("::")
        assert name in _tests_of(path), node
        if path.startswith("tests/faults/") and name.startswith("test_row_"):  # elsewhere they are other tables' rows
            assert row in _rows_of(name), node


def test_no_test_is_forgotten() -> None:
    """A test here that names a row is in that row's list."""
    for path in Path(__file__).parent.glob("test_*.py"):
        relative = path.relative_to(ROOT).as_posix()
        for name in _tests_of(relative):
            if name.startswith("test_row_"):
                for row in _rows_of(name):
                    assert f"{relative}::{name}" in ROWS[row]


def _sections() -> dict[int, str]:
    parts = re.split(r"^### (\d+)\. ", PAGE.read_text(), flags=re.MULTILINE)
    return {int(number): text.partition("\n## ")[0] for number, text in zip(parts[1::2], parts[2::2], strict=True)}


def test_page_and_rows_agree() -> None:
    """The page has a section for each row, and names the same tests."""
    sections = _sections()
    assert sorted(sections) == sorted(ROWS)
    for row, text in sections.items():
        assert re.findall(r"`(tests/\S+::test_\w+)`", text) == ROWS[row], f"row {row}"


def test_page_says_what_is_on_the_disk() -> None:
    """Each section has its promise, what is on the disk afterwards, and its tests."""
    for row, text in _sections().items():
        for word in ("Promise", "On disk", "Tests"):
            assert f"\n{word}\n: " in text, f"row {row}"
