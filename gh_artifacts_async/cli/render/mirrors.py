"""Mirrors: a line for each artifact that is new or removed, and one for the whole."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gh_artifacts_async.cli.render import tables, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gh_artifacts_async import MirrorReport


COLUMNS = (
    tables.Column("", right=True),
    tables.Column(""),
    tables.Column("", easy=20, middle=True),
)
"""Size, what has happened, and path; without a heading, like the lines of a download."""


def rows(report: MirrorReport, directory: str) -> Iterator[tables.Row]:
    """Yield what has changed in the folder, as rows of ``COLUMNS``."""
    for what, entries in (("new", report.fetched), ("removed", report.removed)):
        for entry in entries:
            path = os.path.join(directory, entry.path)  # noqa: PTH118 - as the user gave it
            yield tables.Row((text.size(entry.size), what, path))


def total(report: MirrorReport, elapsed: float, directory: str) -> str:
    """Return one line about a whole run."""
    parts = [f"nothing new in {directory}"]
    if report.fetched:
        fetched = f"{text.size(report.bytes_fetched)} downloaded in {text.duration(elapsed)}"
        parts = [f"{text.count(len(report.fetched), 'artifact')} new in {directory} ({fetched})"]
    parts += [f"{len(report.kept):,} already there"] if report.kept else []
    parts += [f"{len(report.removed):,} removed"] if report.removed else []
    parts += [f"{len(report.failed):,} failed"] if report.failed else []
    return "; ".join(parts)
