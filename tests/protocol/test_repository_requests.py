"""What each operation on repositories, pull requests and retention sends."""

from __future__ import annotations

import json

import pytest

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.protocol import repository_requests
from tests.kits.protocol import BASE, REPO

RETENTION = "/repos/octo-org/octo-docs/actions/permissions/artifact-and-log-retention"


@pytest.mark.parametrize(
    ("request_", "url"),
    [
        (repository_requests.get_pull_request(REPO, 7), "/repos/octo-org/octo-docs/pulls/7"),
        (repository_requests.list_repos_for_org("octo-org"), "/orgs/octo-org/repos?per_page=30&page=1"),
        (
            repository_requests.list_repos_for_user("octocat", per_page=5, page=2),
            "/users/octocat/repos?per_page=5&page=2",
        ),
        (repository_requests.get_artifact_retention(REPO), RETENTION),
    ],
)
def test_what_is_read(request_, url):
    """Path and query; each is a GET of one point."""
    assert BASE.url(request_) == f"https://api.github.com{url}"
    assert (request_.method, request_.points, request_.answer, request_.body) == ("GET", 1, "json", None)


def test_what_is_set():
    """A PUT with a JSON document, of five points, with an empty answer."""
    request = repository_requests.set_artifact_retention(REPO, 30)
    assert request.label == f"PUT {RETENTION}"
    assert (request.points, request.answer) == (5, "nothing")
    assert json.loads(request.body) == {"days": 30}


@pytest.mark.parametrize(
    ("function", "args"),
    [
        ("get_pull_request", (REPO, 0)),
        ("list_repos_for_org", ("",)),
        ("list_repos_for_org", ("a/b",)),
        ("list_repos_for_org", (None,)),
        ("list_repos_for_user", ("..",)),
        ("set_artifact_retention", (REPO, 0)),
        ("set_artifact_retention", (REPO, True)),
        ("set_artifact_retention", (REPO, 1.5)),
    ],
)
def test_what_cannot_be_right_is_refused_here(function, args):
    """Wrong values are the caller's mistake, found without a request."""
    with pytest.raises(ConfigurationError):
        getattr(repository_requests, function)(*args)
