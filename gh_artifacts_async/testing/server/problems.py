"""Answers of the API as values: JSON, errors, pages with their Link header."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

import attrs

from gh_artifacts_async.testing.data.blobs import BytesBlob
from gh_artifacts_async.testing.server.errordocs import DOCS
from gh_artifacts_async.testing.server.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_JSON_TYPE = "application/json; charset=utf-8"
_DEFAULT_PAGE = 30
_LARGEST_PAGE = 100
_T = TypeVar("_T")


def json_reply(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:  # noqa: ANN401
    """Return ``document`` as GitHub sends JSON."""
    return Reply(status, {"Content-Type": _JSON_TYPE, **(headers or {})}, BytesBlob(json.dumps(document).encode()))


class Problem(Exception):  # noqa: N818 - what it says is an answer, not an error of the fake
    """An answer that refuses: raised where it is found out, sent by the server."""

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
        self.headers = headers or {}
        self.text = text

    def reply(self) -> Reply:
        """Return it as an answer."""
        if self.text:
            return Reply(self.status, {"Content-Type": "text/html"}, BytesBlob(self.message.encode()))
        document = {"message": self.message, "documentation_url": self.documentation, "status": str(self.status)}
        return json_reply(document, self.status, self.headers)


@attrs.frozen
class Paging:
    """Which page of a listing is asked for.

    Attributes:
        number: 1 for the first.
        size: entries on a page: 30 unless asked, at most 100.
    """

    number: int
    size: int

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Paging:
        """Read ``page`` and ``per_page``; what is no number counts as not given, as GitHub has it."""
        size = _number(query.get("per_page"), _DEFAULT_PAGE)
        return cls(_number(query.get("page"), 1), min(size, _LARGEST_PAGE))

    def cut(self, entries: Sequence[_T]) -> Sequence[_T]:
        """Return the entries on this page."""
        return entries[(self.number - 1) * self.size : self.number * self.size]

    def links(self, url: str, query: Mapping[str, str], total: int) -> dict[str, str]:
        """Return rel -> URL in GitHub's order for ``total`` entries; empty where one page holds all."""
        last = max(1, -(-total // self.size))
        if last == 1 and self.number == 1:
            return {}
        pages: dict[str, int] = {}
        if self.number > 1:
            pages["prev"] = min(self.number - 1, last)
        if self.number < last:
            pages |= {"next": self.number + 1, "last": last}
        if self.number > 1:
            pages["first"] = 1
        rest = {name: value for name, value in query.items() if name not in {"page", "per_page"}}
        return {rel: f"{url}?{urlencode({**rest, 'per_page': self.size, 'page': page})}" for rel, page in pages.items()}


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdecimal() and int(text) > 0 else default
