"""What each operation on runs, attempts, jobs and workflows sends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qsl

import pytest

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.protocol import run_requests
from tests.kits.protocol import BASE, REPO

ACTIONS = "GET /repos/octo-org/octo-docs/actions"
FIRST_PAGE = [("per_page", "30"), ("page", "1")]
EXCLUDED = [("exclude_pull_requests", "true")]


@pytest.mark.parametrize(
    ("request_", "label", "query"),
    [
        (run_requests.get_workflow_run(REPO, 9), "/runs/9", EXCLUDED),
        (run_requests.get_workflow_run(REPO, 9, pull_requests=True), "/runs/9", []),
        (run_requests.get_workflow_run_attempt(REPO, 9, 2), "/runs/9/attempts/2", EXCLUDED),
        (run_requests.get_workflow_run_attempt(REPO, 9, 2, pull_requests=True), "/runs/9/attempts/2", []),
        (
            run_requests.list_workflow_runs(REPO, filters=(("branch", "a/b"),), created=">=2026-01-01T00:00:00+00:00"),
            "/runs",
            [
                ("per_page", "100"),
                ("page", "1"),
                *EXCLUDED,
                ("created", ">=2026-01-01T00:00:00+00:00"),
                ("branch", "a/b"),
            ],
        ),
        (
            run_requests.list_workflow_runs(REPO, pull_requests=True, per_page=5, page=2),
            "/runs",
            [("per_page", "5"), ("page", "2")],
        ),
        (run_requests.list_jobs_for_workflow_run(REPO, 9), "/runs/9/jobs", [*FIRST_PAGE, ("filter", "latest")]),
        (
            run_requests.list_jobs_for_workflow_run(REPO, 9, attempts="all"),
            "/runs/9/jobs",
            [*FIRST_PAGE, ("filter", "all")],
        ),
        (run_requests.list_repo_workflows(REPO), "/workflows", FIRST_PAGE),
    ],
)
def test_what_each_operation_sends(request_, label, query):
    """Path and query of each operation; all are GETs of one point."""
    assert request_.label == f"{ACTIONS}{label}"
    assert (request_.answer, request_.points) == ("json", 1)
    assert request_.about == (9 if label.startswith("/runs/9") else None)
    sent = BASE.url(request_).partition("?")[2]
    assert parse_qsl(sent, strict_parsing=bool(sent)) == query


@pytest.mark.parametrize(
    ("workflow", "path"),
    [
        (161335, "workflows/161335"),
        ("ci.yml", "workflows/ci.yml"),
        (".github/workflows/ci.yml", "workflows/ci.yml"),
        ("a b?.yml", "workflows/a%20b%3F.yml"),
    ],
)
def test_workflows_go_by_id_or_file_name(workflow, path):
    """Each part of a path is percent-encoded."""
    request = run_requests.list_workflow_runs(REPO, workflow=workflow)
    assert request.path == f"/repos/octo-org/octo-docs/actions/{path}/runs"
    assert request.operation == "list_workflow_runs"
    assert run_requests.list_workflow_runs(REPO).operation == "list_workflow_runs_for_repo"


@pytest.mark.parametrize(
    ("function", "args", "kwargs"),
    [
        ("get_workflow_run", (REPO, 0), {}),
        ("get_workflow_run_attempt", (REPO, 0, 1), {}),
        ("get_workflow_run_attempt", (REPO, 9, 0), {}),
        ("list_jobs_for_workflow_run", (REPO, 0), {}),
        ("list_jobs_for_workflow_run", (REPO, 9), {"attempts": "first"}),
        ("list_jobs_for_workflow_run", (REPO, 9), {"per_page": 101}),
        ("list_repo_workflows", (REPO,), {"page": 0}),
        ("list_workflow_runs", (REPO,), {"workflow": ""}),
        ("list_workflow_runs", (REPO,), {"workflow": "dir/"}),
        ("list_workflow_runs", (REPO,), {"workflow": ".."}),
        ("list_workflow_runs", (REPO,), {"workflow": "a\udcff"}),
        ("list_workflow_runs", (REPO,), {"workflow": 0}),
        ("list_workflow_runs", (REPO,), {"workflow": True}),
        ("list_workflow_runs", (REPO,), {"workflow": 1.5}),
        ("list_workflow_runs", (REPO,), {"filters": (("branch", ""),)}),
        ("list_workflow_runs", (REPO,), {"filters": (("branch", 5),)}),
        ("created_range", (datetime(2026, 1, 1), None), {}),  # noqa: DTZ001
    ],
)
def test_what_cannot_be_right_is_refused_here(function, args, kwargs):
    """Wrong values are the caller's mistake, found without a request."""
    with pytest.raises(ConfigurationError):
        getattr(run_requests, function)(*args, **kwargs)


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (None, None, None),
        (datetime(2026, 1, 2, tzinfo=UTC), None, ">=2026-01-02T00:00:00+00:00"),
        (None, datetime(2026, 1, 2, tzinfo=UTC), "<=2026-01-02T00:00:00+00:00"),
        (
            datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
            datetime(2026, 2, 3, tzinfo=timezone(timedelta(hours=2))),
            "2026-01-02T03:04:05+00:00..2026-02-03T00:00:00+02:00",
        ),
    ],
)
def test_ranges_of_times(start, end, text):
    """GitHub's search syntax for a range, both ends included."""
    assert run_requests.created_range(start, end) == text


@pytest.mark.parametrize("created", [5, ("x",), (1, 2), (datetime(2026, 1, 1), None), "2026"])  # noqa: DTZ001
def test_a_range_of_times_must_be_a_pair_with_zones(created):
    """Anything else is the caller's mistake."""
    with pytest.raises(ConfigurationError, match="created"):
        run_requests.created_bounds(created)


@pytest.mark.parametrize("created", [(None, None), (datetime(2026, 1, 1, tzinfo=UTC), None)])
def test_either_end_of_a_range_of_times_may_be_open(created):
    """Both too, as if no range were given."""
    assert run_requests.created_bounds(created) == created
    assert run_requests.created_bounds(None) == (None, None)
