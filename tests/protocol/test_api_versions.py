"""What to do about a refused version of the API."""

from __future__ import annotations

import pytest

from gh_artifacts_async.errors import APIError, BadRequestError
from gh_artifacts_async.protocol.api_versions import DEFAULT, is_retired_version, version_hint
from gh_artifacts_async.protocol.responses import Refused, judge
from tests.kits.protocol import ARTIFACT, BASE, NOW, answer

NEW = "2026-03-10"
LEAVE = f"leave it at its default, {DEFAULT}"


@pytest.mark.parametrize(
    ("headers", "asked", "hint"),
    [
        ({}, NEW, f"the server does not know api_version '{NEW}'; {LEAVE}"),
        (
            {"x-github-enterprise-version": "3.19.0", "x-github-api-version-selected": DEFAULT},
            NEW,
            f"GitHub Enterprise Server 3.19.0 does not know api_version '{NEW}' and offers {DEFAULT}; {LEAVE}",
        ),
        (
            {"x-github-api-version-selected": NEW},  # the one that was asked for, as it is, is no offer
            NEW,
            f"the server does not know api_version '{NEW}'; {LEAVE}",
        ),
        ({}, DEFAULT, f"the server does not know api_version '{DEFAULT}'; set api_version to one that it supports"),
    ],
)
@pytest.mark.parametrize("message", ["Unsupported API version: 2026-03-10", "X-GitHub-Api-Version is invalid"])
def test_a_version_that_the_server_does_not_know(headers, asked, hint, message):
    """The error names the version, the server, what it offers instead, and the way out."""
    assert version_hint(400, headers, message, asked) == hint


def test_errors_about_something_else():
    """Neither another 400 nor another status that mentions versions."""
    assert not version_hint(400, {}, "Problems parsing JSON", NEW)
    assert not version_hint(422, {}, "API version", NEW)


def test_a_retired_version():
    """A 410 other than that of an expired artifact."""
    assert version_hint(410, {}, "Gone", NEW) == f"API version {NEW} may have been retired; set another api_version"
    assert is_retired_version("API Version 2022-11-28 is no longer supported")
    assert not is_retired_version("Artifact has expired")
    assert not is_retired_version("This version of the artifact has expired")


@pytest.mark.parametrize(
    ("status", "said", "cls", "end"),
    [
        (400, "The API version 'x' is not supported.", BadRequestError, f"leave it at its default, {DEFAULT}"),
        (410, "API version x is gone.", APIError, "set another api_version"),
    ],
)
def test_the_error(status, said, cls, end):
    """GitHub's own words come first, then the advice."""
    found = judge(ARTIFACT, answer(status, {"message": said}), base=BASE, now=lambda: NOW, api_version="x")
    assert isinstance(found, Refused)
    assert type(found.error) is cls
    assert f": {status} {said.rstrip('.')}: " in str(found.error)
    assert str(found.error).endswith(end)
