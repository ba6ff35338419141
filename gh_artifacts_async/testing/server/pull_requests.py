"""Pull requests, and the operation that gets one.

https://docs.github.com/en/rest/pulls/pulls
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async.testing.clock import iso
from gh_artifacts_async.testing.server.rendering import node_id, pull_id
from gh_artifacts_async.testing.server.responses import HTTPError, Response, json_response

if TYPE_CHECKING:
    from gh_artifacts_async.testing.data.models import FakePullRequest, FakeRepository
    from gh_artifacts_async.testing.server.backend import Backend, Call
    from gh_artifacts_async.testing.server.rendering import Document, Renderer

_NOTHING = {
    **dict.fromkeys(("assignee", "auto_merge", "body", "closed_at", "merge_commit_sha", "merged_at", "merged_by")),
    **dict.fromkeys(("active_lock_reason", "mergeable", "milestone", "rebaseable")),
    **dict.fromkeys(("additions", "changed_files", "comments", "deletions", "review_comments"), 0),
    **dict.fromkeys(("draft", "locked", "maintainer_can_modify", "merged"), False),
    "mergeable_state": "unknown",
}
"""What the fake's pull requests have none of; whether one can be merged is not known yet, as on GitHub at first."""


async def get_pull_request(backend: Backend, call: Call) -> Response:
    """Get a pull request."""
    found = backend.scenario.pull_requests.get((backend.repository(call).id, int(call.values["pull_number"])))
    if found is None:
        raise HTTPError(404, "Not Found")
    return json_response(pull_request(backend.render, found))


def pull_request(render: Renderer, pull: FakePullRequest) -> Document:
    """Return an open pull request of one commit."""
    scenario = render.scenario
    repository = scenario.repositories[pull.repository_id]
    head = scenario.repositories.get(pull.head_repository_id or 0)
    started = iso(scenario.clock.start)
    urls = _urls(render, repository, pull)
    user = render.user(repository.owner if head is None else head.owner)
    return {
        **_NOTHING,
        "id": pull_id(repository, pull.number),
        "node_id": node_id("PullRequest", pull_id(repository, pull.number)),
        "number": pull.number,
        "state": "open",
        "title": f"Pull request {pull.number}",
        **{f"{name}_url": url for name, url in urls.items()},
        "url": urls["self"],
        "_links": {name: {"href": url} for name, url in urls.items() if name not in {"diff", "patch"}},
        "user": user,
        "assignees": [],
        "author_association": "MEMBER" if head == repository else "CONTRIBUTOR",
        "commits": 1,
        "created_at": started,
        "updated_at": started,
        "labels": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "head": _side(render, head, pull.branch, pull.head_sha),
        "base": _side(
            render,
            repository,
            repository.default_branch,
            scenario.branch_head(repository, repository.default_branch) or "",
        ),
    }


def _urls(render: Renderer, repository: FakeRepository, pull: FakePullRequest) -> dict[str, str]:
    """Return the addresses of a pull request's parts, by the names they have in ``_links``."""
    base = f"{render.base_url}/repos/{repository.full_name}"
    url, page = f"{base}/pulls/{pull.number}", f"{render.page(repository)}/pull/{pull.number}"
    return {
        "self": url,
        "html": page,
        "issue": f"{base}/issues/{pull.number}",
        "comments": f"{base}/issues/{pull.number}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": f"{base}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": f"{base}/statuses/{pull.head_sha}",
        "diff": f"{page}.diff",
        "patch": f"{page}.patch",
    }


def _side(render: Renderer, repository: FakeRepository | None, branch: str, sha: str) -> Document:
    """Return the head or the base; of a fork that was deleted, GitHub knows no more than the commit."""
    if repository is None:
        return {"label": f"unknown:{branch}", "ref": branch, "sha": sha, "user": None, "repo": None}
    owner = repository.owner
    whole = render.repository(repository)
    return {"label": f"{owner}:{branch}", "ref": branch, "sha": sha, "user": render.user(owner), "repo": whole}
