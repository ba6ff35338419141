"""Which operation a path belongs to."""

from __future__ import annotations

import pytest

from gh_artifacts_async.testing.server.routes import ROUTES


@pytest.mark.parametrize(
    ("method", "path", "endpoint"),
    [
        ("GET", "/repos/o/r", "repos/get"),
        ("GET", "/repositories/7", "repos/get"),
        ("GET", "/repos/o/r/branches/a/b", "repos/get-branch"),
        ("GET", "/repos/o/r/actions/artifacts/1", "actions/get-artifact"),
        ("DELETE", "/repositories/7/actions/artifacts/1", "actions/delete-artifact"),
        ("GET", "/repos/o/r/actions/artifacts/1/zip", "actions/download-artifact"),
        ("GET", "/repos/o/r/actions/runs/1/attempts/2/jobs", "actions/list-jobs-for-workflow-run-attempt"),
        ("GET", "/repos/o/r/actions/workflows/a.yml/runs", "actions/list-workflow-runs"),
        ("GET", "/repos/o/r/pulls/7", "pulls/get"),
        ("GET", "/repos/o/r/check-runs/7/annotations", "checks/list-annotations"),
        ("GET", "/orgs/o/repos", "repos/list-for-org"),
        ("GET", "/users/o/repos", "repos/list-for-user"),
        (
            "PUT",
            "/repos/o/r/actions/permissions/artifact-and-log-retention",
            "actions/set-artifact-and-log-retention-settings-repository",
        ),
        ("POST", "/repos/o/r/actions/artifacts/1", None),
        ("GET", "/repos/o/r/", None),
        ("GET", "/repos/o/r/actions/artifacts/x", None),
        ("GET", "/repos/o/r/actions/artifacts/12345678901234567890", None),
    ],
)
def test_each_path_has_one_operation_or_none(method: str, path: str, endpoint: str | None) -> None:
    """A path matches exactly one operation, as a whole, or none."""
    found = [route.endpoint for route in ROUTES if route.method == method and route.pattern.fullmatch(path)]
    assert found == ([] if endpoint is None else [endpoint])


def test_operations_are_named_once_for_each_method() -> None:
    """No operation id is there twice."""
    names = [route.endpoint for route in ROUTES]
    assert len(names) == len(set(names))
