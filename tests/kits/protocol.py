"""What the tests of the rules share: requests, answers, strategies."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from gh_artifacts_async.models import RepositoryName
from gh_artifacts_async.protocol import requests
from gh_artifacts_async.protocol.requests import BaseURL
from gh_artifacts_async.protocol.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = datetime(2026, 7, 9, 12, 47, 44, tzinfo=UTC)
DATE = "Thu, 09 Jul 2026 12:47:44 GMT"
BASE = BaseURL.parse("https://api.github.com")
GHES = BaseURL.parse("https://ghe.example/api/v3")
REPO = RepositoryName("octo-org", "octo-docs")

LISTING = requests.list_artifacts_for_repo(REPO)
ARTIFACT = requests.get_artifact(REPO, 7)
DELETE = requests.delete_artifact(REPO, 7)
DOWNLOAD = requests.download_artifact(REPO, 7)


def answer(
    status: int,
    body: bytes | str | Mapping[str, Any] | None = b"",
    base: BaseURL = BASE,
    request: requests.Request = ARTIFACT,
    **headers: str,
) -> Response:
    """Return an answer; ``x_github_request_id="…"`` makes a header."""
    if isinstance(body, str):
        body = body.encode()
    elif not isinstance(body, bytes):
        body = json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, headers=named, body=body, url=base.url(request))


HEADER_NAMES = [
    "accept-ranges",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "date",
    "etag",
    "link",
    "location",
    "retry-after",
    "transfer-encoding",
    "x-accepted-github-permissions",
    "x-github-request-id",
    "x-ms-error-code",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
]

_PIECES = [
    "0",
    "1",
    "60",
    "-5",
    "99999999999999999999",
    "9" * 5000,
    "bytes",
    "bytes 0-9/10",
    "bytes 5-9/10",
    "bytes */10",
    '"abc"',
    'W/"abc"',
    "gzip",
    "chunked",
    "application/zip",
    DATE,
    "Fri, 31 Dec 9999 23:59:59 -2300",
    "Mon, 01 Jan 0001 00:00:00 +2300",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "https://storage.example/a.zip?se=0001-01-01T00:00:00%2B10:00",
    "https://storage.example/a.zip?X-Amz-Date=20260101T000000Z&X-Amz-Expires=999999999999999999",
    "https://storage.example/a.zip?Expires=999999999999999999",
    "https://api.github.com/repositories/1/actions/artifacts",
    "//[",
    "http://[x>",
    '<https://api.github.com/x?page=2>; rel="next"',
    "<//[>; rel=next",
    "<",
    ">",
    ";",
    "=",
    ",",
    '"',
    "\\",
    "\ud800",
    "é",
    "\x00",
]
values = st.one_of(st.sampled_from(_PIECES), st.lists(st.sampled_from(_PIECES), max_size=6).map("".join), st.text())
headers = st.dictionaries(st.sampled_from(HEADER_NAMES), values, max_size=6)
statuses = st.one_of(
    st.sampled_from([200, 204, 206, 301, 302, 304, 307, 400, 401, 403, 404, 408, 410, 412, 416, 422, 429, 500, 503]),
    st.integers(100, 999),
)
bodies = st.one_of(
    st.binary(max_size=50),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.sampled_from(["message", "documentation_url", "errors", "field", "code"]), inner),
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
)
answers = st.builds(Response, status=statuses, headers=headers, body=bodies, url=st.just("https://api.github.com/x"))
