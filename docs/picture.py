"""Draws the packages in docs/explanation/architecture.md from the imports in the source: ``make picture``.

Those for type checkers alone count too. A package stands right below the lowest of those that import it.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import grimp

PACKAGE = "gh_artifacts_async"
PAGE = Path(__file__).parent / "explanation/architecture.md"
WIDTH = 72
_FENCE = re.compile(r"(?<=<!-- picture: make picture -->\n\n```text\n).*?(?=```\n)", re.DOTALL)


class Imports:
    """Who imports whom, among the package's parts.

    A part is what lies directly in the package, a module or a package; the root itself is ``__init__``.
    """

    def __init__(self, graph: grimp.ImportGraph) -> None:
        """Count the imports of each part's modules as the part's."""
        self.parts = sorted({_part(module) for module in graph.modules})
        self.of: dict[str, set[str]] = {part: set() for part in self.parts}
        for module in graph.modules:
            self.of[_part(module)] |= {_part(name) for name in graph.find_modules_directly_imported_by(module)}
        self.inner = {part: _children(graph, part) for part in self.parts}
        self.depth = cache(self._depth)

    def _reached(self, part: str) -> set[str]:
        found: set[str] = set()
        ahead = [part]
        while ahead:
            fresh = self.of[ahead.pop()] - found
            found |= fresh
            ahead += fresh
        return found

    def _depth(self, part: str) -> int:
        mine = self._reached(part)  # what imports the part and is imported by it is beside it, not above
        above = [other for other in self.parts if part in self._reached(other) and other not in mine | {part}]
        return 1 + max(map(self.depth, above), default=-1)

    def rows(self) -> list[list[str]]:
        """Return the parts by depth, the highest first."""
        depths = sorted({self.depth(part) for part in self.parts})
        return [[part for part in self.parts if self.depth(part) == depth] for depth in depths]


def _part(module: str) -> str:
    names = module.split(".")
    return names[1] if len(names) > 1 else "__init__"


def _children(graph: grimp.ImportGraph, part: str) -> list[str]:
    module = f"{PACKAGE}.{part}"
    if module not in graph.modules:
        return []
    return sorted(child.rpartition(".")[2] for child in graph.find_children(module) if graph.find_children(child))


def _row(parts: list[str], inner: dict[str, list[str]]) -> list[str]:
    width, spare = divmod(WIDTH - 1, len(parts))
    widths = [width - 1 + (place < spare) for place in range(len(parts))]
    lines = [list(parts)]
    if any(inner[part] for part in parts):
        lines.append([f"  {' | '.join(inner[part])}" if inner[part] else "" for part in parts])
    texts = ["|" + "|".join(f" {cell}".ljust(w) for cell, w in zip(line, widths, strict=True)) + "|" for line in lines]
    return ["+" + "+".join("-" * w for w in widths) + "+", *texts]


def draw(imports: Imports) -> str:
    """Return the picture: rows of boxes, and under them what each part imports."""
    boxes = [line for row in imports.rows() for line in _row(row, imports.inner)]
    names = [part for row in imports.rows() for part in row if imports.of[part] - {part}]
    pad = max(map(len, names))
    lines = [f"{part.ljust(pad)}  imports {', '.join(sorted(imports.of[part] - {part}))}" for part in names]
    return "\n".join([*boxes, "+" + "-" * (WIDTH - 2) + "+", "", *lines, ""])


def drawn(page: str) -> str:
    """Return the page with the picture of the source as it is now."""
    picture = draw(Imports(grimp.build_graph(PACKAGE, cache_dir=None)))
    if not _FENCE.search(page):
        message = f"{PAGE.name} has no place for the picture"
        raise ValueError(message)
    return _FENCE.sub(lambda _: picture, page)


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
