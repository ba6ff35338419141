"""Conditional requests: what GitHub sent before is asked for by its ETag, and not sent again if it is the same.

A 304 costs nothing of the primary rate limit
(https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate;
RFC 9110 sections 8.8.3, 13.1.2 and 15.4.5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from gh_artifacts_async.protocol.responses import Response
    from gh_artifacts_async.results import Secret

NOT_MODIFIED = 304
_OK = 200

_STILL_TRUE = ("link", "content-type", "etag")  # of the response that is kept; the other headers are the 304's
_OVERHEAD = 1024  # bytes that an entry is taken to need beside its body


class KnownResponses:
    """The latest responses that have an ETag, by URL; as many as a number of bytes allows, the oldest leave first.

    ETags differ from token to token, and one token may see what another may not, so only those of one token are kept.

    Attributes:
        token: the one they were sent for; None if they were requested without.
        by_url: URL -> response.
    """

    def __init__(self, most: int) -> None:
        """Start with none.

        Args:
            most: bytes of all of them together.
        """
        self.token: Secret | None = None
        self.by_url: dict[str, Response] = {}
        self._most = most
        self._bytes = 0

    def begin_with(self, token: Secret | None) -> None:
        """Forget all responses, unless they were sent for this token."""
        if token != self.token:
            self.by_url.clear()
            self._bytes = 0
        self.token = token

    def settle(self, url: str, kept: Response | None, answer: Response, token: Secret | None) -> Response:
        """Keep a response that has an ETag; return the one that a 304 confirms, and any other as it is.

        Args:
            url: of the request.
            kept: what was asked for by its ETag; it may have left since.
            answer: what came.
            token: the request's; another may be in use by now, for which nothing is kept then.
        """
        if kept is not None and answer.status == NOT_MODIFIED:
            headers = {**answer.headers, **{name: kept.headers[name] for name in _STILL_TRUE if name in kept.headers}}
            answer = attrs.evolve(kept, headers=headers)  # limits and time are those of the 304
            if self.by_url.get(url) is kept:
                del self.by_url[url]
                self.by_url[url] = answer  # the latest to be used is the last to leave
        elif answer.status == _OK and "etag" in answer.headers and (token is self.token or token == self.token):
            self._keep(url, answer)
        return answer

    def _keep(self, url: str, response: Response) -> None:
        """Keep a response in place of an older one."""
        self._drop(url)
        size = len(response.body) + _OVERHEAD
        if size > self._most:
            return
        self.by_url[url] = response
        self._bytes += size
        while self._bytes > self._most:
            self._drop(next(iter(self.by_url)))

    def _drop(self, url: str) -> None:
        dropped = self.by_url.pop(url, None)
        if dropped is not None:
            self._bytes -= len(dropped.body) + _OVERHEAD
