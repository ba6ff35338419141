"""judge(): every response GitHub sends, and every one it should not send."""

from __future__ import annotations

import json
import pickle
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async import errors
from gh_artifacts_async.errors import APIError
from gh_artifacts_async.protocol import requests, responses
from gh_artifacts_async.protocol.redirects import check_target
from gh_artifacts_async.protocol.responses import Document, Good, Location, Moved, Nothing, Refused, judge
from gh_artifacts_async.settings import StoragePolicy
from tests.kits.protocol import (
    ARTIFACT,
    BASE,
    DATE,
    DELETE,
    DOWNLOAD,
    GHES,
    LISTING,
    NOW,
    REPO,
    answer,
    answers,
)

EXPIRED = requests.download_artifact(REPO, 7, known_expired=True)
FRESH = requests.download_artifact(REPO, 7, known_expired=False)
SECONDARY = {"message": "You have exceeded a secondary rate limit."}
PRIMARY = {"message": "API rate limit exceeded for user ID 1."}
DOCS = "https://docs.github.com/rest"


def _judged(request, got, base=BASE):
    return judge(request, got, base=base, now=lambda: NOW)


def _failure(request, got, base=BASE):
    found = _judged(request, got, base)
    assert isinstance(found, Refused)
    assert found.error.__traceback__ is None
    return found.error


# --- good answers


def test_a_json_answer():
    """The document, the links and the rate limit as of this answer."""
    got = answer(
        200,
        {"total_count": 0, "artifacts": []},
        request=LISTING,
        link='<https://api.github.com/repositories/1/actions/artifacts?page=2>; rel="next"',
        x_ratelimit_limit="5000",
        x_ratelimit_remaining="4999",
    )
    found = _judged(LISTING, got)
    assert isinstance(found, Good)
    assert found.result.data == {"total_count": 0, "artifacts": []}
    assert found.result.links.next_page == 2
    assert found.rate_limit.remaining == 4999


@pytest.mark.parametrize("status", [204, 200])
def test_an_answer_of_nothing(status):
    """A delete is answered with 204."""
    assert _judged(DELETE, answer(status)) == Good(Nothing())


def test_the_302_of_a_download():
    """The Location is kept, byte for byte, and not followed."""
    location = "https://storage.example/a%2Fb.zip?sig=s3cr3t"
    found = _judged(DOWNLOAD, answer(302, location=location, date=DATE))
    assert isinstance(found.result, Location)
    assert found.result.signed_url.url == location
    assert "s3cr3t" not in repr(found)


@pytest.mark.parametrize("status", [302, 303, 307])
def test_storage_on_the_apis_own_host(status):
    """Enterprise Server serves the bytes itself, beside its API; that is no renamed repository."""
    location = "https://ghe.example/_services/pipelines/t/_apis/pipelines/1/runs/9/signedartifactscontent?urlExpires=x"
    found = _judged(DOWNLOAD, answer(status, base=GHES, location=location), GHES)
    assert found.result.signed_url.url == location


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("request_", [LISTING, ARTIFACT, DELETE, DOWNLOAD], ids=lambda request: request.operation)
def test_a_renamed_repository(status, request_):
    """A redirect to a repository of this API names the new URL, for download and delete too."""
    location = "https://api.github.com/repositories/1/actions/artifacts/7?per_page=5"
    found = _judged(request_, answer(status, location=location))
    assert found == Moved(location)


def test_a_relative_place_of_a_renamed_repository():
    """Resolved against the URL that was asked."""
    found = _judged(ARTIFACT, answer(301, base=GHES, location="/api/v3/repositories/1/actions/artifacts/7"), GHES)
    assert found.to == "https://ghe.example/api/v3/repositories/1/actions/artifacts/7"


# --- redirects that are refused


@pytest.mark.parametrize(
    ("request_", "status", "location"),
    [
        (ARTIFACT, 301, "https://evil.example/repos/o/r/actions/artifacts/7?t=s3cr3t"),
        (ARTIFACT, 302, "http://api.github.com/repositories/1/actions"),
        (ARTIFACT, 307, "https://api.github.com:8443/repositories/1/actions"),
        (ARTIFACT, 308, "https://u:s3cr3t@api.github.com/repositories/1/actions"),
        (ARTIFACT, 302, "//evil.example/repositories/1"),
        (ARTIFACT, 302, "/login?return_to=s3cr3t"),
        (DELETE, 302, "https://evil.example/?s3cr3t"),
        (DOWNLOAD, 301, "https://storage.example/a.zip?sig=s3cr3t"),
        (DOWNLOAD, 308, "https://storage.example/a.zip?sig=s3cr3t"),
        (ARTIFACT, 302, "javascript:s3cr3t"),
        (ARTIFACT, 302, "https://evil\x9b[31m.example/"),
        (ARTIFACT, 302, "https://evil\udcff.example/"),
        (ARTIFACT, 302, "https://evil.example\u2028/"),
    ],
)
def test_a_redirect_to_elsewhere_is_not_followed(request_, status, location):
    """It would be sent the token; the error names the host alone."""
    error = _failure(request_, answer(status, location=location))
    assert isinstance(error, errors.UnsafeRedirectError)
    assert "s3cr3t" not in str(error)
    assert request_.label in str(error)
    assert str(error).isprintable()


def test_a_temporary_redirect_of_a_download_may_lead_anywhere_until_the_policy_is_asked():
    """judge() hands any Location on; the policy of storage refuses it before a request."""
    found = _judged(DOWNLOAD, answer(302, location="http://evil.example/a"))
    with pytest.raises(errors.UnsafeRedirectError):
        check_target(found.result.signed_url, StoragePolicy(), api_is_http=False)


@pytest.mark.parametrize("location", [{}, {"location": ""}, {"location": "//["}])
def test_a_redirect_to_nowhere(location):
    """A 302 without a Location is not a response of GitHub's."""
    assert isinstance(_failure(DOWNLOAD, answer(302, **location)), errors.UnexpectedResponseError)


# --- answers that are not GitHub's


@pytest.mark.parametrize(
    ("request_", "got", "said"),
    [
        (ARTIFACT, answer(200, "<html>Sign in", content_type="text/html; charset=utf-8"), "text/html instead of JSON"),
        (ARTIFACT, answer(200, "{", content_type="application/json"), "application/json instead of JSON"),
        (ARTIFACT, answer(200, b"\xff\xfe{"), "an unnamed type instead of JSON"),
        (ARTIFACT, answer(200, "[" * 100_000), "instead of JSON"),
        (ARTIFACT, answer(200, "9" * 5000), "instead of JSON"),
        (ARTIFACT, answer(204), "no body"),
        (DOWNLOAD, answer(200, "PK"), "instead of a redirect to storage"),
        (DELETE, answer(200, "<html>Sign in", content_type="text/html"), "text/html instead of an empty body"),
    ],
)
def test_what_no_rule_covers(request_, got, said):
    """HTML for JSON and its kin: an UnexpectedResponseError that names host and type."""
    error = _failure(request_, got)
    assert isinstance(error, errors.UnexpectedResponseError)
    assert said in str(error)


def test_the_host_is_named_without_its_secrets():
    """Who reads "is HOST GitHub's REST API?" learns which host to look at."""
    assert "is api.github.com GitHub" in str(_failure(ARTIFACT, answer(200, "x")))


# --- errors of the API


NO_URL = {"message": "Failed to generate URL to download artifact."}


@pytest.mark.parametrize(
    ("request_", "got", "kind"),
    [
        (ARTIFACT, answer(304), APIError),
        (ARTIFACT, answer(300), APIError),
        (LISTING, answer(400, {"message": "Problems parsing JSON"}), errors.BadRequestError),
        (LISTING, answer(422, {"message": "Validation Failed"}), errors.BadRequestError),
        (ARTIFACT, answer(401, {"message": "Bad credentials"}), errors.AuthenticationError),
        (ARTIFACT, answer(403, {"message": "Resource not accessible by integration"}), errors.PermissionDeniedError),
        (
            DOWNLOAD,
            answer(403, {"message": "You must have the actions scope to download artifacts."}),
            errors.PermissionDeniedError,
        ),
        (
            ARTIFACT,
            answer(403, {"message": "Must have admin rights"}, x_ratelimit_remaining="0"),
            errors.PermissionDeniedError,
        ),
        (ARTIFACT, answer(403, "\r\nRequest forbidden by administrative rules."), errors.PermissionDeniedError),
        (ARTIFACT, answer(403, SECONDARY), errors.SecondaryRateLimitError),
        (ARTIFACT, answer(429, SECONDARY, retry_after="5"), errors.SecondaryRateLimitError),
        (ARTIFACT, answer(429), errors.SecondaryRateLimitError),
        (ARTIFACT, answer(403, PRIMARY, x_ratelimit_remaining="0"), errors.PrimaryRateLimitError),
        (ARTIFACT, answer(429, PRIMARY, x_ratelimit_remaining="0"), errors.PrimaryRateLimitError),
        (ARTIFACT, answer(404, {"message": "Not Found"}), errors.NotFoundError),
        (DELETE, answer(404), errors.NotFoundError),
        (DOWNLOAD, answer(410, {"message": "Artifact has expired"}), errors.ArtifactExpiredError),
        (DOWNLOAD, answer(410), errors.ArtifactExpiredError),
        (DOWNLOAD, answer(410, {"message": "This API version has been retired."}), APIError),
        (ARTIFACT, answer(410, {"message": "Artifact has expired"}), APIError),
        (LISTING, answer(410), APIError),
        (DOWNLOAD, answer(415, {"message": "Unsupported 'Accept' header"}), APIError),
        (ARTIFACT, answer(418), APIError),
        (ARTIFACT, answer(500), errors.ServerError),
        (ARTIFACT, answer(502, "<html>"), errors.ServerError),
        (ARTIFACT, answer(599), errors.ServerError),
        (DOWNLOAD, answer(500, NO_URL), errors.ServerError),
        (FRESH, answer(500, NO_URL), errors.ServerError),
        (
            EXPIRED,
            answer(500, NO_URL),
            errors.ArtifactExpiredError,
        ),
        (EXPIRED, answer(503), errors.ArtifactExpiredError),
        (EXPIRED, answer(404), errors.NotFoundError),
    ],
)
def test_each_status_has_its_error(request_, got, kind):
    """The whole table of 401, 403, 404, 410 and their neighbours."""
    error = _failure(request_, got)
    assert type(error) is kind
    assert error.status == got.status
    assert error.request == request_.label
    assert str(error).startswith(f"{request_.label}: {got.status}")
    assert pickle.loads(pickle.dumps(error)).args == error.args  # noqa: S301


def test_an_error_carries_githubs_facts():
    """Message, documentation, request id: what a person needs to ask GitHub's support."""
    got = answer(
        404, {"message": "Not Found", "documentation_url": DOCS, "status": "404"}, x_github_request_id="ABCD:1234"
    )
    error = _failure(ARTIFACT, got)
    assert error.request_id == "ABCD:1234"
    assert error.documentation_url == DOCS
    assert str(error) == (
        "GET /repos/octo-org/octo-docs/actions/artifacts/7: 404: not found, or the token has no access "
        "[request id ABCD:1234]"
    )


@pytest.mark.parametrize(
    ("accepted", "said"),
    [
        (None, "lacks a permission"),
        ("actions=read", "the token needs actions=read"),
        ("actions=write; contents=read", "the token needs actions=write or contents=read"),
    ],
)
def test_a_missing_permission_is_named(accepted, said):
    """``X-Accepted-GitHub-Permissions`` says which would do."""
    named = {} if accepted is None else {"x_accepted_github_permissions": accepted}
    error = _failure(ARTIFACT, answer(403, {"message": "Resource not accessible by integration"}, **named))
    assert error.accepted_permissions == accepted
    assert said in str(error)


@pytest.mark.parametrize(
    ("given_errors", "said"),
    [
        ([{"resource": "X", "field": "per_page", "code": "invalid"}], "(per_page: invalid)"),
        ([{"field": "a", "code": "missing", "message": "a is missing"}, "plain"], "(a: missing: a is missing; plain)"),
        ([{"code": 5}, {}, None, 7, [], {"message": ["x"]}], "422 Validation Failed"),
        ("text", "422 Validation Failed"),
        (None, "422 Validation Failed"),
    ],
)
def test_what_was_not_valid(given_errors, said):
    """The ``errors`` of a 422 are told, whatever their shape."""
    error = _failure(LISTING, answer(422, {"message": "Validation Failed", "errors": given_errors}))
    assert said in str(error)
    assert ("(" in str(error)) is ("(" in said)


def test_a_message_is_made_fit_for_a_terminal():
    """Control characters are blanked and long texts cut."""
    error = _failure(
        ARTIFACT, answer(500, {"message": "a\x1b[31m\n\ud800" + "x" * 10_000}, x_github_request_id="\x1b]0;")
    )
    assert str(error).isprintable()
    assert len(str(error)) < 600


@pytest.mark.parametrize("document", ["[]", '"x"', "null", '{"message": 5, "documentation_url": []}', "{", ""])
def test_an_error_without_githubs_document(document):
    """A proxy's 404 is a 404, too."""
    error = _failure(ARTIFACT, answer(404, document))
    assert error.documentation_url is None
    assert str(error).startswith("GET /repos/octo-org/octo-docs/actions/artifacts/7: 404: ")


def test_a_retired_version_says_so():
    """A 410 elsewhere than on a download is about the API version."""
    assert "api_version" in str(_failure(LISTING, answer(410)))


# --- waiting


def test_a_server_error_says_how_long_to_wait():
    """Retry-After of a 503."""
    found = _judged(ARTIFACT, answer(503, retry_after="7"))
    assert found.retry_after == 7
    assert found.throttle is None


def test_a_rate_limit_is_told_in_both_ways():
    """For the gate a Throttle, for the caller an error with what GitHub said and nothing invented."""
    stated = _judged(ARTIFACT, answer(403, SECONDARY, retry_after="90", date=DATE))
    assert stated.throttle.wait == 90
    assert stated.error.retry_after == 90
    assert "wait 90 s, until 2026-07-09 12:49:14 UTC" in str(stated.error)
    unstated = _judged(ARTIFACT, answer(403, SECONDARY))
    assert unstated.throttle.wait == 60
    assert unstated.error.retry_after is None
    assert unstated.error.reset_at is None


# --- properties


@given(st.sampled_from([LISTING, ARTIFACT, DELETE, DOWNLOAD, EXPIRED]), answers)
def test_no_answer_breaks_it(request_, got):
    """Any status, headers and body: a result, another place or an error of ours, and nothing raised."""
    found = _judged(request_, got)
    if isinstance(found, Refused):
        assert isinstance(found.error, errors.ArtifactsError)
        assert str(found.error)
    elif isinstance(found, Moved):
        assert BASE.owns(found.to)
    else:
        kinds = {"json": Document, "nothing": Nothing, "location": Location}
        assert type(found.result) is kinds[request_.answer]


@given(
    st.sampled_from([LISTING, ARTIFACT, DELETE, DOWNLOAD]),
    st.sampled_from([301, 302, 303, 307, 308]),
    st.text(max_size=9),
)
def test_no_redirect_shows_its_query(request_, status, path):
    """Whatever the path, the secret behind the question mark stays there."""
    got = answer(status, location=f"https://h.example/{path}?sig=s3cr3t")
    found = _judged(request_, got)
    assert "s3cr3t" not in repr(found)
    assert not isinstance(found, Refused) or "s3cr3t" not in str(found.error)


def test_a_request_is_named_without_host_and_query():
    """``APIError.request`` can be logged."""
    error = _failure(LISTING, answer(404, request=LISTING))
    assert error.request == "GET /repos/octo-org/octo-docs/actions/artifacts"
    assert "per_page" not in str(error)
    assert "api.github.com" not in str(error)


def test_the_fastest_reader_is_taken(monkeypatch):
    """Orjson where it is installed, else the standard library's."""
    fast = SimpleNamespace(loads=lambda _: {"fast": True})
    monkeypatch.setitem(sys.modules, "orjson", fast)
    assert responses._loads.__wrapped__()(b"[]") == {"fast": True}
    monkeypatch.setitem(sys.modules, "orjson", None)
    assert responses._loads.__wrapped__() is json.loads


@pytest.mark.parametrize(
    "number",
    [*(2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**20, -(2**63), -(2**63) - 1, -(10**19), -(2**64)), 0, -1, 1.5, -1e300],
)
@pytest.mark.parametrize("written", ['{"id":%s}', '{"id": %s}', '{"id" :\n\t  %s\n}', '{"a": [{"id":%s ,"b":1}]}'])
def test_both_readers_read_the_same_numbers(number, written):
    """Whatever their length, and the blanks before them: orjson reads an integer of more than 64 bits as a float."""
    text = (written % json.dumps(number)).encode()
    assert repr(responses._loads()(text)) == repr(json.loads(text))
