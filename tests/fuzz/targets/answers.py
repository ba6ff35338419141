"""Whole answers of the API, whatever their status, headers and body: a judgement, and errors that can be shown."""

from __future__ import annotations

import json
import math
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gh_artifacts_async.errors import APIError, ArtifactsError, UnexpectedResponseError
from gh_artifacts_async.models import RepositoryName
from gh_artifacts_async.protocol import requests
from gh_artifacts_async.protocol.denials import error_details, page_text
from gh_artifacts_async.protocol.echoes import hidden, without_token
from gh_artifacts_async.protocol.installations import dated, read_installation_id, read_token
from gh_artifacts_async.protocol.responses import Document, Good, Moved, Refused, Response, judge
from gh_artifacts_async.results import Secret
from tests.fuzz.inputs import lines, taken
from tests.fuzz.tally import note
from tests.fuzz.targets.decode import VALUES
from tests.fuzz.targets.decode import _changed as changed

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 4096
NOW = datetime(2026, 10, 9, 12, tzinfo=UTC)
REPO = RepositoryName.parse("octo-org/octo-docs")
BASES = [
    requests.BaseURL.parse(url)
    for url in ("https://api.github.com", "https://ghes.example:8443/api/v3", "http://localhost:1")
]
REQUESTS = [
    requests.get_artifact(REPO, 11),
    requests.list_artifacts_for_repo(REPO),
    requests.download_artifact(REPO, 11),
    requests.delete_artifact(REPO, 11),
]
STATUSES = [200, 403, 404, 204, 302, 301, 307, 400, 401, 410, 406, 415, 422, 429, 451, 500, 503, 304, 206, 999]
CHOICES = [
    (status, request, base) for status in STATUSES for request in range(len(REQUESTS)) for base in range(len(BASES))
]
NAMES = (
    *("content-type", "link", "location", "date", "retry-after", "x-ratelimit-remaining", "x-ratelimit-reset"),
    *("x-github-sso", "x-accepted-github-permissions", "x-github-request-id"),
)
TOKEN = Secret("ghp_T0kenOfTheFuzzer")
WORDS: tuple[bytes, ...] = (b"\n", b"ghp_T0kenOfTheFuzzer", b"application/json", b"text/html")
WORDS += (b"required; url=https://github.com/orgs/o/sso?x=1", b"{", b"[")
WORDS += (b'{"message":"Not Found","documentation_url":"https://docs.github.com"}', b"<html>", b"<script>")
WORDS += (b"</script>", b"<!--", b"-->", b"Whoa there!", b"&amp;", b"&#0;", b"\xff", b"\\ud800", b"\\u001b[31m")
WORDS += (b"\x1b[31m", b"rate limit", b"SAML", b'"errors":[', b'"block":{', b"99999999999999999999", b'"id":11')
WORDS += (b'"id":12', b"/login?return_to=", b"https://api.github.com/repositories/1", b"NaN", b"<a", b">")
WORDS += (b"GHP_T0KENOFTHEFUZZER", b"ghp_\\u00540kenOfTheFuzzer")
ERROR = {
    "message": "Validation Failed",
    "documentation_url": "https://docs.github.com/rest/x",
    "errors": [{"resource": "A", "field": "per_page", "code": "invalid"}, "plain"],
    "block": {"reason": "dmca", "html_url": "https://github.com/contact/dmca"},
}


def seeds() -> list[bytes]:
    """Return good answers, refusals, and pages of proxies."""
    bodies = [
        json.dumps({"id": 11, "token": "ghs_x", "expires_at": "2026-10-09T13:00:00Z"}),
        json.dumps({"id": 12}),
        json.dumps(ERROR),
        json.dumps({"message": "API rate limit exceeded for ghp_T0kenOfTheFuzzer"}),
        json.dumps({"message": "Resource not accessible by integration"}),
        "<!DOCTYPE html><title>x</title><p>Whoa there! You have exceeded a secondary rate limit.</p>",
        "",
        "[" * 3000,
        "<" * 2000,
        "<script" * 400,
    ]
    head = 'application/json\n<https://api.github.com/x?page=2>; rel="next"\nhttps://blob.example/x?se=2026-10-09&sig=s3cret\n'
    head += "Fri, 09 Oct 2026 12:00:00 GMT\n60\n0\n1791547200\nrequired; url=https://github.com/orgs/o/sso\nactions=read\nC0DE:1\n"
    every = range(0, len(CHOICES), 11)
    return [bytes([number]) + (head + body).encode() for body in bodies for number in every] + [
        bytes([number]) + "\n".join([""] * len(NAMES) + [body]).encode()
        for body in bodies
        for number in range(0, len(CHOICES), 29)
    ]


def fuzz(data: bytes) -> None:
    """Judge an answer."""
    (status, request, number), rest = taken(data, CHOICES)
    *values, body = lines(rest, len(NAMES) + 1)
    headers = {name: value for name, value in zip(NAMES, values, strict=True) if value}
    base = BASES[number]
    response = Response(
        status=status,
        headers=headers,
        body=body.encode("utf-8", "surrogateescape"),
        url=f"{base}{REQUESTS[request].path}",
    )
    echoed = without_token(response, TOKEN)
    for given in (*echoed.headers.values(), *_texts(echoed.body)):
        assert TOKEN.reveal().lower() not in given.lower()
    found = judge(REQUESTS[request], echoed, base=base, now=lambda: NOW)
    found = dated(found, echoed)
    note(f"{type(found).__name__}: {_what(found)}")
    page_text(response.body)
    if isinstance(found, Refused):
        _can_be_shown(found)
        elsewhere = "".join((body, *values[:2], values[2].partition("?")[0], *values[3:]))
        assert "sig=s3cret" not in str(found.error) or "s3cret" in elsewhere.lower()
    elif isinstance(found, Moved):
        assert base.owns(found.to)
    elif isinstance(found.result, Document):
        _app(found.result)


def _texts(body: bytes) -> Iterator[str]:
    """Yield what of a body may be quoted: all of a text, and the strings of a document, but not its keys."""
    try:
        values = [json.loads(body)]
    except (ValueError, RecursionError):
        yield body.decode("latin-1")
        return
    while values:
        value = values.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, list | dict):
            values += value.values() if isinstance(value, dict) else value


def _what(found: Good | Moved | Refused) -> str:
    if isinstance(found, Refused):
        return type(found.error).__name__
    return "" if isinstance(found, Moved) else type(found.result).__name__


def _can_be_shown(found: Refused) -> None:
    error = found.error
    assert isinstance(error, ArtifactsError)
    message = str(error)
    assert message
    assert len(message) < 2500
    assert hidden(message, TOKEN) == message
    message.encode()
    assert message.isprintable()
    if isinstance(error, APIError):
        assert not isinstance(error, UnexpectedResponseError)
    for wait in (found.retry_after, None if found.throttle is None else found.throttle.wait):
        assert wait is None or 0 <= wait < math.inf


def _app(document: Document) -> None:
    """What a GitHub App reads from it."""
    number = read_installation_id(document)
    assert number is None or number > 0
    token = read_token(document)
    assert token is None or token.expires_at.tzinfo is not None
    if isinstance(document.data, dict):
        assert error_details(document.data.get("errors")).isprintable()


def mutate(rng: random.Random, data: bytes) -> bytes:
    """Change values in the body's document."""
    head = data[:1] if rng.random() < 0.7 else bytes([rng.randrange(len(CHOICES))])
    parts = data[1:].split(b"\n", len(NAMES))
    try:
        document = json.loads(parts[-1])
    except (ValueError, RecursionError):
        document = rng.choice((ERROR, *VALUES))
    parts[-1] = json.dumps(changed(rng, json.loads(json.dumps(document)))).encode()
    return head + b"\n".join(parts)
