"""Text in columns, compared with what a terminal shows."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async.cli.render import cells, text

COLUMNS = 400
SHOWN = st.text(
    st.one_of(
        st.characters(codec="ascii"), st.sampled_from("漢字한글ｱ\uff21é\u0301\u0327🎉🚀\u1161…ßжא"), st.characters()
    )
)


def on_screen(line: str) -> int:
    """Return where the cursor stands after some text."""
    screen = pyte.Screen(COLUMNS, 1)
    pyte.Stream(screen).feed(line)
    return int(screen.cursor.x)


@pytest.mark.parametrize(
    ("line", "columns"),
    [
        ("", 0),
        ("wheel", 5),
        ("漢字", 4),
        ("한글", 4),
        ("ｱ", 1),
        ("\uff21", 2),
        ("e\u0301te\u0301", 3),
        ("🎉", 2),
        ("a\u20dd", 1),
        ("\u1112\u1161\u11ab", 2),
        ("❤\ufe0f", 2),
        ("ß…ж", 3),
    ],
)
def test_widths(line, columns):
    """Two columns for what is wide, none for what joins the character before it."""
    assert cells.width(line) == columns


@pytest.mark.parametrize("line", ["wheel", "漢字 ｱ\uff21", "e\u0301te\u0301", "🎉 party", "ßжא…"])
def test_a_terminal_agrees(line):
    """pyte, which measures as wcwidth does."""
    assert cells.width(line) == on_screen(line)


@given(SHOWN, st.integers(0, 30))
def test_no_more_than_the_room(line, columns):
    """However it is cut; what fits is not."""
    shown = text.escaped(line)
    for cut in (cells.cut, cells.fitted):
        found = cut(shown, columns)
        assert cells.width(found) <= columns
        assert (found == shown) == (cells.width(shown) <= columns)
    for padded in (cells.left(shown, columns), cells.right(shown, columns)):
        assert cells.width(padded) == columns
        assert padded.strip(" ") == cells.fitted(shown, columns).strip(" ")


@pytest.mark.parametrize(
    ("line", "columns", "end", "middle"),
    [
        ("test-results", 12, "test-results", "test-results"),
        ("test-results", 11, "test-resul…", "test-re…lts"),
        ("test-results", 8, "test-re…", "test-…ts"),
        ("test-results", 7, "test-r…", "test-r…"),
        ("test-results", 2, "t…", "t…"),
        ("test-results", 1, "t", "t"),
        ("test-results", 0, "", ""),
        ("wheel-linux-x86_64", 12, "wheel-linux…", "wheel-li…_64"),
        ("日本語の名前です", 15, "日本語の名前で…", "日本語の名…です"),
        ("日本語の名前です", 5, "日本…", "日本…"),
        ("日本語", 1, "…", "…"),
        ("漢字漢字漢字", 11, "漢字漢字漢…", "漢字漢…字"),
        ("漢字漢字漢字", 9, "漢字漢字…", "漢字漢…字"),
        ("漢字漢字漢字", 8, "漢字漢…", "漢字…字"),
        ("abcdefghe\u0301", 8, "abcdefg…", "abcde…he\u0301"),
        ("abcdefghijk❤\ufe0f", 8, "abcdefg…", "abcde…❤\ufe0f"),
        ("abcdefghij漢\ufe0f", 8, "abcdefg…", "abcde…"),
    ],
)
def test_where_it_is_cut(line, columns, end, middle):
    """At its end, or in its middle; a mark without its character is left out, a wide character as a whole."""
    assert cells.cut(line, columns) == end
    assert cells.fitted(line, columns) == middle


def test_a_terminal_without_the_ellipsis():
    """Three points take up three columns; where there are fewer, there is none."""
    assert cells.fitted("wheel-linux", 7, "...") == "whee..."
    assert cells.fitted("wheel-linux", 2, "...") == "wh"
    assert cells.fitted("漢字", 1, "...") == ""


@pytest.mark.parametrize(
    ("line", "columns", "lines"),
    [
        ("", 5, [""]),
        ("one two three", 13, ["one two three"]),
        ("one two three", 12, ["one two", "three"]),
        ("one two three", 7, ["one two", "three"]),
        ("one two three", 4, ["one", "two", "thre", "e"]),
        ("sha256:0123", 4, ["sha2", "56:0", "123"]),
        (" blank", 4, [" bla", "nk"]),
        ("漢字漢字", 5, ["漢字", "漢字"]),
    ],
)
def test_folding(line, columns, lines):
    """At blanks where there are any."""
    assert cells.folded(line, columns) == lines


@given(SHOWN, st.integers(2, 30))
def test_folding_loses_nothing_but_blanks(line, columns):
    """And no line is too long."""
    shown = text.escaped(line)
    lines = cells.folded(shown, columns)
    assert "".join(lines).replace(" ", "") == shown.replace(" ", "")
    assert max(map(cells.width, lines)) <= columns
