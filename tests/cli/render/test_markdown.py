"""Tables of a job's summary."""

from __future__ import annotations

from gh_artifacts_async.cli.render import markdown


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
