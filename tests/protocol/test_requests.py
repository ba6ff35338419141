"""What each operation sends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qsl

import pytest

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.protocol import requests
from tests.kits.protocol import BASE, GHES, REPO


@pytest.mark.parametrize(
    ("request_", "label", "query", "answer", "points"),
    [
        (
            requests.list_artifacts_for_repo(REPO, name="a b&c+d", per_page=5, page=2),
            "GET /repos/octo-org/octo-docs/actions/artifacts",
            [("per_page", "5"), ("page", "2"), ("name", "a b&c+d")],
            "json",
            1,
        ),
        (
            requests.list_workflow_run_artifacts(REPO, 9, name="n", direction="asc"),
            "GET /repos/octo-org/octo-docs/actions/runs/9/artifacts",
            [("per_page", "30"), ("page", "1"), ("name", "n"), ("direction", "asc")],
            "json",
            1,
        ),
        (requests.get_artifact(REPO, 7), "GET /repos/octo-org/octo-docs/actions/artifacts/7", [], "json", 1),
        (requests.delete_artifact(REPO, 7), "DELETE /repos/octo-org/octo-docs/actions/artifacts/7", [], "nothing", 5),
        (
            requests.download_artifact(REPO, 7, known_expired=False),
            "GET /repos/octo-org/octo-docs/actions/artifacts/7/zip",
            [],
            "location",
            1,
        ),
        (
            requests.get_workflow_run(REPO, 9),
            "GET /repos/octo-org/octo-docs/actions/runs/9",
            [("exclude_pull_requests", "true")],
            "json",
            1,
        ),
        (
            requests.list_workflow_runs(REPO, filters=(("branch", "a/b"),), created=">=2026-01-01T00:00:00+00:00"),
            "GET /repos/octo-org/octo-docs/actions/runs",
            [
                ("per_page", "100"),
                ("page", "1"),
                ("exclude_pull_requests", "true"),
                ("created", ">=2026-01-01T00:00:00+00:00"),
                ("branch", "a/b"),
            ],
            "json",
            1,
        ),
    ],
)
def test_what_each_operation_sends(request_, label, query, answer, points):
    """Method, path, query and cost of each operation."""
    assert request_.label == label
    assert request_.answer == answer
    assert request_.points == points
    url = BASE.url(request_)
    path, _, sent = url.partition("?")
    assert path == f"https://api.github.com{label.partition(' ')[2]}"
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
    request = requests.list_workflow_runs(REPO, workflow=workflow)
    assert request.path == f"/repos/octo-org/octo-docs/actions/{path}/runs"
    assert request.operation == "list_workflow_runs"
    assert requests.list_workflow_runs(REPO).operation == "list_workflow_runs_for_repo"


def test_the_base_path_comes_first():
    """On GitHub Enterprise Server everything is below /api/v3."""
    url = GHES.url(requests.get_artifact(REPO, 7))
    assert url == "https://ghe.example/api/v3/repos/octo-org/octo-docs/actions/artifacts/7"


def test_another_place_takes_all_of_the_url():
    """GitHub's own link is used as it stands, and the label stays."""
    request = requests.get_artifact(REPO, 7).at("https://api.github.com/repositories/1?x=%2F")
    assert BASE.url(request) == "https://api.github.com/repositories/1?x=%2F"
    assert request.label == "GET /repos/octo-org/octo-docs/actions/artifacts/7"


def _call(function, *args, **kwargs):
    return function, args, kwargs


@pytest.mark.parametrize(
    ("function", "args", "kwargs"),
    [
        _call(requests.list_artifacts_for_repo, REPO, per_page=0),
        _call(requests.list_artifacts_for_repo, REPO, per_page=101),
        _call(requests.list_artifacts_for_repo, REPO, per_page=True),
        _call(requests.list_artifacts_for_repo, REPO, per_page="5"),
        _call(requests.list_artifacts_for_repo, REPO, page=0),
        _call(requests.list_artifacts_for_repo, REPO, page=1.5),
        _call(requests.list_artifacts_for_repo, REPO, name=""),
        _call(requests.list_artifacts_for_repo, REPO, name=5),
        _call(requests.list_artifacts_for_repo, REPO, name="a\udcff"),
        _call(requests.list_workflow_run_artifacts, REPO, 0),
        _call(requests.list_workflow_run_artifacts, REPO, "9"),
        _call(requests.list_workflow_run_artifacts, REPO, 9, direction="up"),
        _call(requests.list_workflow_run_artifacts, REPO, 9, name=""),
        _call(requests.get_artifact, REPO, -1),
        _call(requests.get_artifact, REPO, artifact_id=True),
        _call(requests.delete_artifact, REPO, None),
        _call(requests.download_artifact, REPO, 0),
        _call(requests.get_workflow_run, REPO, 0),
        _call(requests.list_workflow_runs, REPO, workflow=""),
        _call(requests.list_workflow_runs, REPO, workflow="dir/"),
        _call(requests.list_workflow_runs, REPO, workflow=".."),
        _call(requests.list_workflow_runs, REPO, workflow="a\udcff"),
        _call(requests.list_workflow_runs, REPO, workflow=0),
        _call(requests.list_workflow_runs, REPO, workflow=True),
        _call(requests.list_workflow_runs, REPO, workflow=1.5),
        _call(requests.list_workflow_runs, REPO, filters=(("branch", ""),)),
        _call(requests.list_workflow_runs, REPO, filters=(("branch", 5),)),
        _call(requests.created_range, datetime(2026, 1, 1), None),  # noqa: DTZ001
    ],
)
def test_what_cannot_be_right_is_refused_here(function, args, kwargs):
    """Wrong values are the caller's mistake, found without a request."""
    with pytest.raises(ConfigurationError):
        function(*args, **kwargs)


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
    assert requests.created_range(start, end) == text


@pytest.mark.parametrize("created", [5, ("x",), (1, 2), (datetime(2026, 1, 1), None), "2026"])  # noqa: DTZ001
def test_a_range_of_times_must_be_a_pair_with_zones(created):
    """Anything else is the caller's mistake."""
    with pytest.raises(ConfigurationError, match="created"):
        requests.created_bounds(created)


@pytest.mark.parametrize("created", [(None, None), (datetime(2026, 1, 1, tzinfo=UTC), None)])
def test_either_end_of_a_range_of_times_may_be_open(created):
    """Both too, as if no range were given."""
    assert requests.created_bounds(created) == created
    assert requests.created_bounds(None) == (None, None)
