"""Responses as values."""

from __future__ import annotations

import json

from gh_artifacts_async.testing.data.blobs import BytesBlob
from gh_artifacts_async.testing.server.responses import HTTPError, Response, json_response


def test_the_end_of_a_body() -> None:
    """A body ends where it is told to, or with its bytes."""
    assert Response(200, body=BytesBlob(b"12345")).end == 5
    assert Response(206, body=BytesBlob(b"12345"), start=1, stop=3).end == 3


def test_json() -> None:
    """A document is sent as GitHub sends JSON, with more headers if there are any."""
    response = json_response({"a": 1}, 201, {"Link": "x"})
    assert response.headers == {"Content-Type": "application/json; charset=utf-8", "Link": "x"}
    assert (response.status, json.loads(response.body.read(0, 100))) == (201, {"a": 1})


def test_errors() -> None:
    """An error is GitHub's JSON with its status as text, or bare text."""
    response = HTTPError(404, "Not Found", headers={"x": "y"}).response()
    document = json.loads(response.body.read(0, 1000))
    assert (response.status, response.headers["x"]) == (404, "y")
    assert document == {"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}
    text = HTTPError(403, "forbidden", text=True).response()
    assert (text.headers["Content-Type"], text.body.read(0, 100)) == ("text/html", b"forbidden")
