"""A request and its answer: through the gate, sent, judged; tried again where that is safe; followed where it moved.

No aiohttp here: the session puts the bytes on the wire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gh_artifacts_async.api.auth import InvalidatableTokenSource, check_token
from gh_artifacts_async.api.backoff import Backoff
from gh_artifacts_async.api.clock import utcnow
from gh_artifacts_async.api.gate import Gate
from gh_artifacts_async.errors import (
    ArtifactsError,
    AuthenticationError,
    NotFoundError,
    ServerError,
    UnexpectedResponseError,
)
from gh_artifacts_async.protocol.responses import (
    NO_DOWNLOAD_URL,
    Good,
    Judgement,
    Moved,
    Nothing,
    Refused,
    Response,
    Result,
    judge,
)

if TYPE_CHECKING:
    from gh_artifacts_async.api.auth import TokenSource
    from gh_artifacts_async.events import Emitter
    from gh_artifacts_async.models import RateLimit
    from gh_artifacts_async.protocol.requests import BaseURL, Request
    from gh_artifacts_async.results import Secret
    from gh_artifacts_async.settings import Limits, RetryPolicy

_MOST_MOVES = 3


class Wire(Protocol):
    """What a session does for an exchange."""

    base: BaseURL
    limits: Limits
    retry: RetryPolicy
    emitter: Emitter
    rate_limit: RateLimit | None

    async def send_once(self, request: Request, token: Secret | None) -> Response:
        """Put one request on the wire; its failures are this package's errors."""
        ...


class Exchange:
    """Sends the requests of one session."""

    def __init__(self, wire: Wire, source: TokenSource | None) -> None:
        """Open the gate."""
        self._wire = wire
        self._source = source
        self._gate = Gate(wire.limits, wire.emitter)

    async def send(self, request: Request) -> Result:
        """Send one request and return what a good answer says; see the session's method of that name."""
        backoff = Backoff(self._wire.retry, self._wire.limits.max_pause)
        try:
            return await self._follow(request, backoff)
        except ArtifactsError as error:
            failure = error
        return await self._send_again(request, backoff, failure)

    async def _send_again(self, request: Request, backoff: Backoff, failure: ArtifactsError) -> Result:
        """Let stamina judge a first failure, and try again; nearly all calls never get here.

        stamina's first attempt is the one that has failed already: so it waits, counts and logs as if it had made it.
        """
        import stamina  # few calls need it

        attempts = stamina.retry_context(
            on=backoff.hook, attempts=self._wire.retry.attempts, timeout=None, wait_initial=0, wait_max=0, wait_jitter=0
        )
        reply: Result = Nothing()
        async for attempt in attempts:
            with attempt:
                if attempt.num == 1:
                    raise failure
                try:
                    reply = await self._follow(request, backoff)
                except NotFoundError:
                    if not (request.method == "DELETE" and backoff.may_have_worked):
                        raise
        return reply

    async def _follow(self, request: Request, backoff: Backoff) -> Result:
        """Ask, and ask again where a renamed repository has gone to."""
        for _ in range(_MOST_MOVES + 1):
            reply = await self._ask(request, backoff)
            if isinstance(reply, Good):
                return reply.result
            request = request.at(reply.to)
        msg = f"{request.label} was redirected more than {_MOST_MOVES} times"
        raise UnexpectedResponseError(msg)

    async def _ask(self, request: Request, backoff: Backoff) -> Good | Moved:
        """Send once (after a 401, once more with a fresh token) and return the reply, or raise the error."""
        found, token = await self._exchange(request)
        if isinstance(found, Refused) and isinstance(found.error, AuthenticationError) and self._invalidated(token):
            found, token = await self._exchange(request)
        if not isinstance(found, Refused):
            backoff.asked = None
            self._gate.reset_backoff()
            return found
        backoff.asked = found.retry_after
        if found.throttle is not None:
            backoff.final = not self._gate.pause_for(found.throttle)
        elif isinstance(found.error, ServerError) and request.answer == "location":
            backoff.final = request.known_expired is None and NO_DOWNLOAD_URL in str(found.error).lower()
        raise found.error

    def _invalidated(self, token: Secret | None) -> bool:
        source: object = self._source
        if token is None or not isinstance(source, InvalidatableTokenSource):
            return False
        source.invalidate(token.reveal())
        return True

    async def _exchange(self, request: Request) -> tuple[Judgement, Secret | None]:
        """Pass the gate, send, and judge the answer.

        The token is asked for outside the gate: a source may need to pass it too, and all slots may be taken by now.
        """
        token = await self._token()
        async with self._gate.slot(request):
            answer = await self._wire.send_once(request, token)
        found = judge(request, answer, base=self._wire.base, now=utcnow())
        self._wire.rate_limit = found.rate_limit or self._wire.rate_limit
        return found, token

    async def _token(self) -> Secret | None:
        return None if self._source is None else check_token(await self._source.token())
