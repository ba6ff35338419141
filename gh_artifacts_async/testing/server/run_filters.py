"""The filters of GitHub's listing of workflow runs.

https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gh_artifacts_async.testing.server.responses import HTTPError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gh_artifacts_async.testing.data.models import FakeRun

SEARCH_CAP = 1000
"""GitHub shows at most this many results of a filtered listing."""

_TESTS: dict[str, Callable[[FakeRun, str], bool]] = {
    "actor": lambda run, value: run.actor == value,
    "branch": lambda run, value: run.branch == value,
    "check_suite_id": lambda run, value: str(run.id + 1) == value,
    "created": lambda run, value: created_within(run.created_at, value),
    "event": lambda run, value: run.event == value,
    "head_sha": lambda run, value: run.head_sha == value,
    "status": lambda run, value: value in {run.status, run.conclusion},
}
_OPEN = "*"


def matching_runs(runs: list[FakeRun], query: Mapping[str, str]) -> tuple[list[FakeRun], bool]:
    """Return the runs that match the filters in ``query``, and whether there are any filters."""
    filters = {name: value for name, value in query.items() if name in _TESTS}
    passing = [run for run in runs if all(_TESTS[name](run, value) for name, value in filters.items())]
    return passing, bool(filters)


def created_within(created: datetime, expression: str) -> bool:
    """Match GitHub's date syntax: ``A..B``, ``*..B``, ``A..*``, ``>=A``, ``>A``, ``<=A``, ``<A`` or a day.

    https://docs.github.com/en/search-github/getting-started-with-searching-on-github/understanding-the-search-syntax

    Raises:
        HTTPError: 422, there is no date where there should be one.
    """
    if ".." in expression:
        low, _, high = expression.partition("..")
        return (low == _OPEN or created >= _bounds(low)[0]) and (high == _OPEN or created < _bounds(high)[1])
    match = re.fullmatch(r"(>=|<=|>|<)?(.+)", expression)
    if match is None:
        return False
    first, after = _bounds(match[2])
    tests = {
        ">=": created >= first,
        ">": created >= after,
        "<=": created < after,
        "<": created < first,
        None: first <= created < after,
    }
    return tests[match[1]]


def _bounds(text: str) -> tuple[datetime, datetime]:
    """Return the start of a day or second, and its end."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment, moment + (timedelta(seconds=1) if "T" in text else timedelta(days=1))
    except (ValueError, OverflowError):
        raise HTTPError(422, f"Invalid request: created must be a date or a range of dates, not {text}") from None
