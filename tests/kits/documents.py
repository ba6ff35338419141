"""Documents as GitHub answers with them: one artifact, one workflow run."""

from __future__ import annotations

from typing import Any

ARTIFACT: dict[str, Any] = {
    "id": 10338854604,
    "node_id": "MDg6QXJ0aWZhY3QxMQ==",
    "name": "Rails",
    "size_in_bytes": 556,
    "url": "https://api.github.com/repos/octo-org/octo-docs/actions/artifacts/11",
    "archive_download_url": "https://api.github.com/repos/octo-org/octo-docs/actions/artifacts/11/zip",
    "expired": False,
    "created_at": "2020-01-10T14:59:22Z",
    "expires_at": "2020-03-21T14:59:22+02:00",
    "updated_at": None,
    "digest": "sha256:" + "Ab" * 32,
    "workflow_run": {
        "id": 2332938,
        "repository_id": 1296269,
        "head_repository_id": 1296269,
        "head_branch": "main",
        "head_sha": "328faa0536e6fef19753d9d91dc96a9931694ce3",
    },
}

RUN: dict[str, Any] = {
    "id": 30433642,
    "name": "Build",
    "workflow_id": 159038,
    "path": ".github/workflows/build.yml@main",
    "event": "push",
    "status": "queued",
    "conclusion": None,
    "head_branch": "main",
    "head_sha": "acb5820ced9479c074f688cc328bf03f341a511d",
    "run_number": 562,
    "run_attempt": 1,
    "created_at": "2020-01-22T19:33:08Z",
    "updated_at": "2020-01-22T19:33:08+01:00",
    "run_started_at": "2020-01-22T19:33:08Z",
    "html_url": "https://github.com/octo-org/octo-docs/actions/runs/30433642",
    "repository": {"id": 1296269, "full_name": "octo-org/octo-docs"},
    "head_repository": {"id": 1296270, "full_name": "octocat/octo-docs"},
    "actor": {"login": "octocat", "id": 1},
    "pull_requests": [{"id": 9, "number": 7}, {"id": 10, "number": 8}],
}
