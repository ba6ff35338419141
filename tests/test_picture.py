"""The picture of the packages in the documentation."""

from __future__ import annotations

import pytest

grimp = pytest.importorskip("grimp")  # comes with import-linter, for those who work on the package

from docs.picture import PAGE, Imports, draw, drawn  # noqa: E402

pytestmark = pytest.mark.once


def graph_of(*imports: str):
    """Return an import graph made of lines like ``cli.app -> client``."""
    graph = grimp.ImportGraph()
    graph.add_module("gh_artifacts_async")
    for line in imports:
        importer, imported = (f"gh_artifacts_async.{name}" for name in line.split(" -> "))
        for module in (importer, imported):
            names = module.split(".")
            for count in range(len(names)):
                graph.add_module(".".join(names[: count + 1]))
        graph.add_import(importer=importer, imported=imported)
    return graph


def test_the_picture_is_up_to_date():
    """What the page shows is what the source imports now; else: make picture."""
    page = PAGE.read_text(encoding="utf-8")
    assert drawn(page) == page


def test_a_part_stands_right_below_its_lowest_importer():
    """A row holds what only higher rows import, and imports inside a part do not count."""
    imports = Imports(graph_of("cli.app -> client", "cli.app -> cli.text", "client -> errors", "cli.app -> errors"))
    assert imports.rows() == [["__init__", "cli"], ["client"], ["errors"]]
    assert imports.of["cli"] == {"cli", "client", "errors"}


def test_parts_in_a_cycle_stand_in_one_row():
    """A cycle, which the import contracts forbid, is drawn all the same."""
    assert Imports(graph_of("api -> transfer", "transfer -> api")).rows() == [["__init__", "api", "transfer"]]


def test_a_small_picture():
    """Boxes name the packages inside them, and every line is as wide as the others."""
    lines = draw(Imports(graph_of("cli.work.app -> client"))).splitlines()
    boxes = lines[: lines.index("")]
    assert len({len(line) for line in boxes}) == 1
    assert [line.split() for line in boxes if "work" in line] == [["|", "|", "work", "|"]]
    assert lines[-1] == "cli  imports client"


def test_a_page_without_a_place_for_it():
    """A page that has lost the mark is an error, not a page without a picture."""
    with pytest.raises(ValueError, match="no place for the picture"):
        drawn("# Architecture\n")
