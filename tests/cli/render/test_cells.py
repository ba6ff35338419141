"""Text in the cells of a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async.cli.render import cells, text


@pytest.mark.parametrize(
    ("said", "columns", "fitted"),
    [
        ("wheel", 5, "wheel"),
        ("wheel", 4, "whe…"),
        ("wheel-linux-x86_64", 12, "wheel-li…_64"),
        ("日本語の名前です", 16, "日本語の名前です"),
        ("日本語の名前です", 15, "日本語の名…です"),
        ("日本語の名前です", 5, "日本…"),
        ("日本語", 1, "…"),
        ("wheel", 0, ""),
    ],
)
def test_a_text_that_is_too_long_loses_its_middle(said, columns, fitted):
    """Of a short one its end; a wide character is never halved."""
    assert cells.fitted(said, columns) == fitted


def test_a_terminal_without_the_ellipsis():
    """Three points take up three cells; where there are fewer, there is none."""
    assert cells.fitted("wheel-linux", 7, "...") == "whee..."
    assert cells.fitted("wheel-linux", 2, "...") == "wh"


@given(name=st.text(), columns=st.integers(0, 60))
def test_a_text_takes_up_what_it_is_given(name, columns):
    """Whatever an artifact is called, it fills its columns, and no more."""
    escaped = text.escaped(name)
    assert cells.width(cells.fitted(escaped, columns)) <= columns
    assert cells.width(cells.left(escaped, columns)) == columns
    assert cells.width(cells.right(escaped, columns)) == columns
