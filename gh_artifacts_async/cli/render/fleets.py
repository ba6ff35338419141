"""Fleets: a line, or an object, for each repository, and one for the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gh_artifacts_async.cli.render import documents, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from gh_artifacts_async.fleet import FleetReport, RepositoryReport

_SIZE = 8
"""Columns of a size, like ``999.9 kB``."""


def line(report: RepositoryReport) -> str:
    """Return one line about a repository that is done."""
    parts = [f"{report.fetched:,} new"] if report.fetched or report.ok else []
    parts += [f"{report.kept:,} already there"] if report.kept else []
    parts += [f"{len(report.failed):,} failed"] if report.failed else []
    parts += ["not done"] if report.error is not None else []
    return f"{text.size(report.bytes_fetched):>{_SIZE}}  {report.repository}  {', '.join(parts)}"


def total(report: FleetReport, elapsed: float, destination: str) -> str:
    """Return one line about all of them."""
    done = _repositories(len(report.repositories) - len(report.unfinished))
    parts = [f"nothing new in {destination}, {done}"]
    if report.fetched:
        fetched = f"{text.size(report.bytes_fetched)} downloaded in {text.duration(elapsed)}"
        parts = [f"{text.count(report.fetched, 'artifact')} new in {destination}, {done} ({fetched})"]
    parts += [f"{report.kept:,} already there"] if report.kept else []
    parts += [f"{report.failed:,} failed"] if report.failed else []
    parts += [f"{_repositories(len(report.unfinished))} not done"] if report.unfinished else []
    return "; ".join(parts)


def document(report: RepositoryReport, said: Callable[[Exception], str]) -> dict[str, Any]:
    """Return a repository's report for a program.

    Args:
        report: the report.
        said: makes a sentence of an error.
    """
    error = report.error
    return {
        "repository": str(report.repository),
        "fetched": report.fetched,
        "kept": report.kept,
        "failed": [
            documents.failed(one.artifact.id, one.artifact.name, one.error, said(one.error)) for one in report.failed
        ],
        "bytes": report.bytes_fetched,
        "error": None if error is None else {"error": said(error), "type": type(error).__name__},
        "worker": report.worker,
    }


def _repositories(number: int) -> str:
    return f"{number:,} repositor{'y' if number == 1 else 'ies'}"
