"""Mirrors: a line for each artifact that is new or removed, and one for the whole."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gh_artifacts_async.cli.render import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gh_artifacts_async import MirroredArtifact, MirrorReport


def rows(report: MirrorReport, directory: str) -> Iterator[str]:
    """Return what has changed in the folder, a line each."""
    for what, entries in (("new", report.fetched), ("removed", report.removed)):
        for entry in entries:
            yield _row(what, entry, directory)


def _row(what: str, entry: MirroredArtifact, directory: str) -> str:
    return f"{text.size(entry.size):>9}  {what:<7}  {text.escaped(os.path.join(directory, entry.path))}\n"  # noqa: PTH118


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
