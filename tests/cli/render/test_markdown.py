"""Tables of a job's summary."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gh_artifacts_async.cli.render import markdown
from gh_artifacts_async.cli.render.text import escaped


def test_plain_text_stays_readable():
    """Letters, digits and a few signs need no reference."""
    assert markdown.plain("docs 2, Größe 10/30") == "docs 2, Größe 10/30"


def test_nothing_in_a_name_is_markup():
    """Pipes, backticks, HTML, links, mentions, line breaks: all are text."""
    name = "|`<img src=x>`[a](b) @user #1 https://x\n**b**"
    shown = markdown.code(name)
    assert shown.startswith("<code>&#124;&#96;&#60;img src&#61;x&#62;&#96;&#91;a&#93;&#40;b&#41; &#64;user &#35;1 ")
    assert not set("|`[]()@*\n:").intersection(shown)
    assert shown.count("<") == 2


class Cells(HTMLParser):
    """Collects the cells of a table, and all tags."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        assert not attrs
        self.tags.append(tag)
        if tag in {"td", "th"}:
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.tags[-1] in {"td", "th", "code"}:
            self.cells[-1] += data


@given(st.text(alphabet="|`<>&*_[](){}#@:/\\\n\r\t ~$!\"'-+=.aé文\u202e", min_size=1, max_size=40))
@example("    -")
@example("www.example.com https://example.com <b>&amp;|`x`")
def test_what_a_reader_sees_is_the_name(name):
    """Rendered, a table has the cells that it should have, and nothing in a name is markup."""
    section = markdown.section("Title", ("Artifact", "Result"), [(markdown.code(name), markdown.plain(name))], name)
    seen = Cells()
    seen.feed(MarkdownIt("commonmark").enable("table").render(section))
    shown = escaped(name).strip()
    assert [cell.strip() for cell in seen.cells[:4]] == ["Artifact", "Result", shown, shown]
    assert seen.tags[:10] == ["h3", "table", "thead", "tr", "th", "th", "tbody", "tr", "td", "code"]
    assert set(seen.tags[10:]) <= {"td", "p"}


def test_a_long_cell_is_cut():
    """The summary as a whole has a bound."""
    assert markdown.plain("a" * 1000) == "a" * 400 + "&#8230;"


def test_a_section():
    """A heading, a table and a line; after whatever an earlier step's line left open."""
    rows = [(markdown.code("docs"), "11")]
    assert markdown.section("Download", ("Artifact", "ID"), rows, "1 artifact.") == (
        "\n### Download\n\n| Artifact | ID |\n| --- | --- |\n| <code>docs</code> | 11 |\n\n1 artifact&#46;\n"
    )


def test_without_rows_there_is_no_table():
    """The line says why."""
    assert markdown.section("Download", ("Artifact",), [], "nothing to download") == (
        "\n### Download\n\nnothing to download\n"
    )


def test_many_rows_are_cut():
    """The line below says how many are missing, and the whole stays small."""
    shown = markdown.section("x", ("a",), [("11",)] * 3000, "said")
    assert shown.count("\n| 11 |") == 100
    assert "\n… and 2,900 more\n" in shown
    shown = markdown.section("x", ("a",), [(markdown.code("\u6587(" * 1000),)] * 50, "said")
    assert len(shown.encode()) < 61_000
    assert "\n… and 14 more\n" in shown
