"""Pull requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kits.probe import REPO, Probe

if TYPE_CHECKING:
    from gh_artifacts_async.testing import FakeGitHub

# What GitHub's description requires of a pull request.
REQUIRED = [
    "_links",
    "additions",
    "assignee",
    "author_association",
    "auto_merge",
    "base",
    "body",
    "changed_files",
    "closed_at",
    "comments",
    "comments_url",
    "commits",
    "commits_url",
    "created_at",
    "deletions",
    "diff_url",
    "head",
    "html_url",
    "id",
    "issue_url",
    "labels",
    "locked",
    "maintainer_can_modify",
    "merge_commit_sha",
    "mergeable",
    "mergeable_state",
    "merged",
    "merged_at",
    "merged_by",
    "milestone",
    "node_id",
    "number",
    "patch_url",
    "review_comment_url",
    "review_comments",
    "review_comments_url",
    "state",
    "statuses_url",
    "title",
    "updated_at",
    "url",
    "user",
]
LINKS = {"self", "html", "issue", "comments", "review_comments", "review_comment", "commits", "statuses"}


@pytest.mark.parametrize(
    ("head", "label"), [("same", "octo-org:patch"), ("fork-er/x", "fork-er:patch"), (None, "unknown:patch")]
)
async def test_a_pull_request(github: FakeGitHub, probe: Probe, head: str | None, label: str) -> None:
    """Its head is its branch's latest commit, also in a fork that was deleted; a push changes it."""
    github.add_pull_request(REPO, 7, head_sha="ab" * 20, head_repository=head)
    got = (await probe.api("/pulls/7")).json
    assert (got["number"], got["head"]["sha"], got["head"]["label"]) == (7, "ab" * 20, label)
    assert (got["head"]["repo"] is None) is (got["head"]["user"] is None) is (head is None)
    assert got["base"]["repo"]["full_name"] == REPO
    github.add_pull_request(REPO, 7, head_sha="cd" * 20)
    assert (await probe.api("/pulls/7")).json["head"]["sha"] == "cd" * 20
    assert (await probe.api("/pulls/8")).status == 404


@pytest.mark.parametrize("head", ["same", "fork-er/x", None])
async def test_every_field_is_there(github: FakeGitHub, probe: Probe, head: str | None) -> None:
    """A pull request has all that GitHub's description requires; its links say what its addresses say."""
    github.add_pull_request(REPO, 7, head_sha="ab" * 20, head_repository=head)
    got = (await probe.api("/pulls/7")).json
    assert [name for name in REQUIRED if name not in got] == []
    assert got["_links"].keys() == LINKS
    for name, link in got["_links"].items():
        assert link["href"] == got["url" if name == "self" else f"{name}_url"]
    assert (await probe.request("GET", got["url"], {"Authorization": "Bearer t"})).json == got


async def test_it_is_the_one_that_a_run_tells_of(github: FakeGitHub, probe: Probe) -> None:
    """A run names the same pull request by the same id and address."""
    github.add_pull_request(REPO, 7, head_sha="ab" * 20)
    run = github.add_run(REPO, pull_requests=[7])
    got = (await probe.api("/pulls/7")).json
    (short,) = (await probe.api(f"/actions/runs/{run.id}")).json["pull_requests"]
    assert {name: got[name] for name in ("id", "number", "url")} == {
        name: short[name] for name in ("id", "number", "url")
    }
