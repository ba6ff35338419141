"""Responses as values: what a handler returns, and the errors it raises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from gh_artifacts_async.testing.data.blobs import Blob, BytesBlob
from gh_artifacts_async.testing.data.error_bodies import DOCS, JSON
from gh_artifacts_async.testing.faults.effects import Framing


@attrs.frozen
class Response:
    """A response before it is sent.

    Attributes:
        status: the HTTP status.
        headers: without the framing; ``Content-Type`` only where the response has one.
        body: where the body's bytes come from.
        start: first byte of ``body`` to send; faults count from the beginning of ``body``.
        stop: the byte after the last one; None: to the end.
        framing: how the end of the body is marked.
        head_only: the response to HEAD: the length, no body.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: Blob = attrs.field(factory=lambda: BytesBlob(b""))
    start: int = 0
    stop: int | None = None
    framing: Framing = "length"
    head_only: bool = False

    @property
    def end(self) -> int:
        """The byte after the last one."""
        return self.body.size if self.stop is None else self.stop


def json_response(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:  # noqa: ANN401
    """Return ``document`` as GitHub sends JSON."""
    return Response(status, {**JSON, **(headers or {})}, BytesBlob(json.dumps(document).encode()))


class HTTPError(Exception):
    """A response that refuses the request: raised by a handler, sent by the server."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        documentation: str = DOCS,
        headers: Mapping[str, str] | None = None,
        text: bool = False,
    ) -> None:
        """Refuse with ``status`` and ``message``: in GitHub's JSON, or as bare text."""
        super().__init__(status, message)
        self.status = status
        self.message = message
        self.documentation = documentation
        self.headers: Mapping[str, str] = headers or {}
        self.text = text

    def response(self) -> Response:
        """Return it as a response."""
        if self.text:
            return Response(self.status, {"Content-Type": "text/html"}, BytesBlob(self.message.encode()))
        document = {"message": self.message, "documentation_url": self.documentation, "status": str(self.status)}
        return json_response(document, self.status, self.headers)
