"""What a GitHub App asks with its JSON Web Token, and what it makes of the answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from gh_artifacts_async.errors import AuthenticationError, NotFoundError
from gh_artifacts_async.models import RepositoryName
from gh_artifacts_async.protocol import installations
from gh_artifacts_async.protocol.requests import BaseURL
from gh_artifacts_async.protocol.responses import Document, Good, Moved, Nothing, Refused, Response, judge
from gh_artifacts_async.results import Secret

JWT = Secret("ey.canary.jwt")
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
DATE = "Thu, 26 Nov 2026 12:00:00 GMT"


def test_the_requests():
    """Their paths below the base URL, GitHub's own in any case; the credential does not show."""
    found = [
        installations.get_repo_installation(RepositoryName.parse("octo-org/octo-docs"), JWT),
        installations.get_org_installation("octo-org", JWT),
        installations.get_org_installation("../x?y", JWT),
        installations.create_installation_access_token(5, JWT),
    ]
    assert [request.label for request in found] == [
        "GET /repos/octo-org/octo-docs/installation",
        "GET /orgs/octo-org/installation",
        "GET /orgs/..%2Fx%3Fy/installation",
        "POST /app/installations/5/access_tokens",
    ]
    assert {request.credential for request in found} == {JWT}
    assert "canary" not in repr(found)
    assert [request.points for request in found] == [1, 1, 1, 5]


@pytest.mark.parametrize(
    ("narrowed", "body"),
    [
        ({}, {}),
        ({"permissions": {"actions": "read"}}, {"permissions": {"actions": "read"}}),
        ({"repositories": ("a", "b")}, {"repositories": ["a", "b"]}),
    ],
)
def test_what_a_token_is_narrowed_to(narrowed, body):
    """Only what is given is in the body."""
    request = installations.create_installation_access_token(5, JWT, **narrowed)
    assert json.loads(request.body or b"") == body


@pytest.mark.parametrize(("date", "moment"), [(DATE, NOON), ("never", None), (None, None)])
def test_the_time_of_an_answer(date, moment):
    """It is kept with a document, and with a 401."""
    response = Response(status=200, headers={} if date is None else {"date": date})
    good = installations.dated(Good(Document({})), response)
    assert isinstance(good, Good)
    assert isinstance(good.result, Document)
    assert good.result.date == moment
    refused = installations.dated(Refused(AuthenticationError("x")), response)
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, AuthenticationError)
    assert refused.error.server_time == moment


@pytest.mark.parametrize("found", [Good(Nothing()), Moved("https://x"), Refused(NotFoundError("x"))])
def test_other_answers_have_no_time(found):
    """They are left as they are."""
    assert installations.dated(found, Response(status=200, headers={"date": DATE})) is found


@pytest.mark.parametrize(("status", "said"), [(401, "the private key is one"), (404, "not installed there")])
def test_an_app_is_told_what_to_check(status, said):
    """Other hints than those for a token of the caller's own."""
    request = installations.get_org_installation("octo-org", JWT)
    response = Response(status=status, headers={}, body=b'{"message": "No"}')
    found = judge(request, response, base=BaseURL.parse("github.com"), now=lambda: NOON)
    assert isinstance(found, Refused)
    assert said in str(found.error)
    assert "wrong or expired" not in str(found.error)


def test_a_token_is_read():
    """The secret, and the time at which it ends."""
    found = installations.read_token(Document({"token": "ghs_canary", "expires_at": "2026-11-26T12:00:00Z"}))
    assert found is not None
    assert found.secret.reveal() == "ghs_canary"
    assert found.expires_at == NOON
    assert "canary" not in repr(found)


@pytest.mark.parametrize(
    "data",
    [None, [], {}, {"token": "t"}, {"token": "t", "expires_at": "x"}, {"token": "t", "expires_at": "2026-11-26"}],
)
def test_no_token(data):
    """Nothing is raised: an error's frames would show what there is of it."""
    assert installations.read_token(Document(data)) is None


@pytest.mark.parametrize(("data", "number"), [({"id": 5}, 5), ({"id": 0}, None), ({"id": True}, None), ([], None)])
def test_the_number_of_an_installation(data, number):
    """A positive integer."""
    assert installations.read_installation_id(Document(data)) == number
