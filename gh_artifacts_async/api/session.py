"""GitHubSession: the session manager that feeds the endpoint coroutines.

It adds the token, for the API's origin only, passes the gate, interprets responses, retries what is safe to retry, and
follows renamed repositories. It sends through an :class:`~gh_artifacts_async.transport.http.HttpTransport`.
"""

from __future__ import annotations

import asyncio
import random
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Self

from gh_artifacts_async.api.auth import (
    BindableTokenSource,
    InvalidatableTokenSource,
    StaticToken,
    as_token_source,
    check_token,
)
from gh_artifacts_async.api.checks import check_observer, header_value, setting
from gh_artifacts_async.api.clock import utcnow
from gh_artifacts_async.api.conditional import NOT_MODIFIED, KnownResponses
from gh_artifacts_async.api.emitter import API_LOG, DEBUG, Emitter
from gh_artifacts_async.api.gate import Gate
from gh_artifacts_async.errors import (
    ArtifactsError,
    AuthenticationError,
    MissingTokenError,
    NotFoundError,
    ServerError,
    TransportError,
    UnexpectedResponseError,
)
from gh_artifacts_async.protocol.api_versions import DEFAULT as API_VERSION
from gh_artifacts_async.protocol.attempts import Attempts, Fault, Final, GiveUp, Throttled, after, is_final
from gh_artifacts_async.protocol.echoes import without_token
from gh_artifacts_async.protocol.requests import BaseURL, check_base_url
from gh_artifacts_async.protocol.responses import LARGE, NO_DOWNLOAD_URL, Good, Moved, Nothing, Refused, judge
from gh_artifacts_async.protocol.throttling import read_rate_limit, until_reset
from gh_artifacts_async.results import Secret
from gh_artifacts_async.settings import Limits, RetryPolicy, Timeouts
from gh_artifacts_async.transport.http import HttpTransport

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    import aiohttp

    from gh_artifacts_async.api.auth import TokenSource
    from gh_artifacts_async.events import Observer
    from gh_artifacts_async.models import RateLimit
    from gh_artifacts_async.protocol.attempts import Cause
    from gh_artifacts_async.protocol.requests import Request
    from gh_artifacts_async.protocol.responses import Judgement, Response, Result
    from gh_artifacts_async.settings import StrPath

_MOST_MOVES = 3


class GitHubSession:
    """Sends requests to one GitHub; an async context manager, safe to share between the tasks of one event loop.

    Attributes:
        base: the REST API's URL.
        has_token: whether requests carry a token.
        transport: sends the requests; storage shares it.
        timeouts: limits on silence and slowness.
        retry: how often a request that is safe to repeat is retried.
        limits: rate and concurrency of API requests.
        emitter: calls the observer, logs and counts.
        rate_limit: the primary limit as of the last response; None before it, or if the server sends none.
        closed: it was closed, and sends nothing more.
    """

    def __init__(
        self,
        token: str | TokenSource | None = None,
        *,
        base_url: str = "https://api.github.com",
        session: aiohttp.ClientSession | None = None,
        allow_http: bool = False,
        ca_file: StrPath | None = None,
        ssl_context: ssl.SSLContext | None = None,
        proxy: str | Secret | None = None,
        trust_env: bool = False,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        limits: Limits | None = None,
        api_version: str = API_VERSION,
        user_agent: str | None = None,
        observer: Observer | None = None,
    ) -> None:
        """Check the arguments; no connection or ClientSession is opened before the first request.

        The arguments are those of :class:`gh_artifacts_async.ArtifactsClient`, which explains them.

        Raises:
            ConfigurationError: an argument is invalid.
        """
        proxy = Secret(proxy) if isinstance(proxy, str) else proxy  # the frames of an error show no password
        try:
            self._source = as_token_source(token)
        finally:
            token = None  # nor a token
        self.has_token: bool = self._source is not None
        self._token = self._source.secret if isinstance(self._source, StaticToken) else None
        self.base: BaseURL = BaseURL.parse(base_url)
        check_base_url(self.base, has_token=self.has_token, allow_http=allow_http)
        self.timeouts: Timeouts = setting("timeouts", timeouts, Timeouts)
        self.retry: RetryPolicy = setting("retry", retry, RetryPolicy)
        self.limits: Limits = setting("limits", limits, Limits)
        self._slow_below = self.limits.slow_below
        self._known = KnownResponses(self.limits.etag_bytes) if self.limits.etag_bytes else None
        self.transport: HttpTransport = HttpTransport(
            self.timeouts,
            user_agent=None if user_agent is None else header_value("user_agent", user_agent),
            session=session,
            ca_file=ca_file,
            ssl_context=ssl_context,
            proxy=proxy,
            trust_env=trust_env,
            max_answer_bytes=self.limits.max_answer_bytes,
            fast_paths=self.limits.fast_paths,
        )
        self._headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": header_value("api_version", api_version),
        }
        check_observer(observer)
        self.emitter: Emitter = Emitter(observer)
        self.rate_limit: RateLimit | None = None
        self.closed: bool = False
        self._gate: Gate | None = None

    def __repr__(self) -> str:
        """Return the base URL; the token is not shown."""
        base = getattr(self, "base", None)  # a traceback may show a session whose constructor failed
        return "GitHubSession()" if base is None else f"GitHubSession(base_url={str(base)!r})"

    # --- lifecycle

    async def __aenter__(self) -> Self:
        """Return the session itself."""
        self.check_usable()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close what is owned."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the owned ClientSession, if there is one; a second call does nothing."""
        self.closed = True
        await self.transport.aclose()

    def check_usable(self) -> None:
        """Check that the session is open and on its own event loop.

        Raises:
            ClientClosedError: it is not.
        """
        self.transport.check_usable()

    # --- sending

    async def send(self, request: Request) -> Result:
        """Send one request and return the result of a successful response.

        It is retried with full jitter after a transport failure or a 5xx, and after the pause that a rate limit
        requires; after a 401 the token source is asked once for another token; a renamed repository is followed. A
        request with a credential of its own is sent with that, and its 401 is final.

        Raises:
            APIError: GitHub returned an error.
            TransportError: no response arrived.
            ProtocolError: the response is not as GitHub documents it.
            MissingTokenError: a download or delete without a token.
            ClientClosedError: after close, or on another event loop.
        """
        self.transport.check_usable()
        gate = self._gate or self._opened_gate()
        if request.answer != "json" and not self.has_token:
            msg = f"{request.label} needs a token, even for a public repository"
            raise MissingTokenError(msg)
        tries = _Tries(request)
        while True:
            token = tries.request.credential or self._token or await self._current_token()
            found = await self._send_once(gate, tries, token)
            if isinstance(found, Good):
                if gate.recovering:
                    gate.recover()
                return found.result
            if isinstance(found, Moved):
                tries = tries.follow(found.to)
            elif tries.may_renew(found.error) and self._invalidated(token):
                self.emitter.retried("api", request.label, found.error, 0.0, 1)
                tries = tries._replace(renewed=True)
            elif tries.has_deleted(found.error):
                return Nothing()
            else:
                tries = await self._wait_or_raise(gate, tries, found)

    async def _wait_or_raise(self, gate: Gate, tries: _Tries, found: Refused) -> _Tries:
        """Wait before the next attempt, and return what has been tried by then.

        Raises:
            ArtifactsError: another attempt would not help, or the attempts are used up.
        """
        if found.throttle is None:
            failure = _failure(tries.request, found)
        else:
            failure = Throttled(wait=await gate.pause_for(found.throttle))
        draw = random.random()  # noqa: S311 - spreads retries, keeps no secret
        attempts, decision = after(self.retry, self.limits.max_pause, tries.attempts, failure, gained=False, draw=draw)
        if isinstance(decision, GiveUp):
            raise found.error
        self.emitter.retried("api", tries.request.label, found.error, decision.seconds, attempts.failed)
        await asyncio.sleep(decision.seconds)
        may_have_worked = tries.may_have_worked or isinstance(failure, Fault)
        return tries._replace(
            attempts=attempts,
            renewed=False,  # by now the token may have expired once more
            may_have_worked=may_have_worked,
        )

    def _opened_gate(self) -> Gate:
        """Open the gate at the first request, and bind the token source."""
        source: object = self._source
        if isinstance(source, BindableTokenSource):
            source.bind(self)  # a source that refuses is asked for no token later either
        self._gate = Gate(self.limits, self.emitter)
        return self._gate

    async def _send_once(self, gate: Gate, tries: _Tries, token: Secret | None) -> Judgement:
        """Send, and interpret the response."""
        request = tries.request
        try:
            response = await self._exchange(gate, tries, token)
        except (TransportError, UnexpectedResponseError) as error:
            return Refused(error.with_traceback(None))
        version = self._headers["X-GitHub-Api-Version"]
        judged = partial(judge, request, response, base=self.base, now=utcnow, api_version=version)
        large = len(response.body) > LARGE
        found = await asyncio.get_running_loop().run_in_executor(None, judged) if large else judged()
        if token is not None and isinstance(found, Refused):
            quoted = without_token(response, token)
            shown = judge(request, quoted, base=self.base, now=utcnow, api_version=version)
            found = found._replace(error=shown.error) if isinstance(shown, Refused) else found
        if request.credential is not None:
            from gh_artifacts_async.protocol.installations import dated  # of GitHub Apps only

            found = dated(found, response)
        limit = found.rate_limit
        if limit is not None:
            self.rate_limit = limit
            if self._slow_below and (gate.spacing or limit.remaining < self._slow_below * limit.limit):
                gate.spread(limit, until_reset(limit, response.headers, utcnow))
        return found

    async def _exchange(self, gate: Gate, tries: _Tries, token: Secret | None) -> Response:
        """Pass the gate, and send; what is known already is asked for by its ETag.

        The token was fetched outside the gate: a source may need to pass it too, and all slots may be taken.
        """
        request, response, kept = tries.request, None, None
        emitter, url, headers = self.emitter, self.base.url(request), self._headers
        heard = emitter.active or API_LOG.isEnabledFor(DEBUG)
        loop = asyncio.get_running_loop()
        started = loop.time()
        polled = request.answer == "json" and request.method == "GET" and not (request.fresh or request.credential)
        known = self._known if polled else None
        if known is not None:
            if token is not known.token:
                known.begin_with(token)
            kept = known.by_url.get(url)
            if kept is not None:
                headers = {**headers, "If-None-Match": kept.headers["etag"]}
        first = tries.attempts.throttled > 0 or request.credential is not None  # all wait for a token
        while response is None:  # a pause may begin while the request still waits for its connection
            if not gate.enter_at_once(request):
                await gate.enter(request, first=first)
            try:
                emitter.counters.api_requests += 1
                if heard:
                    emitter.sent("api", request.method, url, token)
                started = loop.time()
                try:
                    response = await self.transport.send(
                        request.method,
                        url,
                        headers,
                        self.base.origin.host,
                        token=token,
                        body=request.body,
                        fresh=request.fresh,
                        held=gate.is_paused,
                        short=request.answer == "location",
                    )
                except (TransportError, UnexpectedResponseError) as error:
                    if heard:
                        emitter.answered("api", request.method, url, loop.time() - started, error=error, token=token)
                    raise
                emitter.counters.api_requests -= response is None
            finally:
                gate.leave(request)
        if heard:
            self._tell_answer(request, url, response, loop.time() - started, token)
        emitter.counters.not_modified += response.status == NOT_MODIFIED
        return response if known is None else known.settle(url, kept, response, token)

    def _tell_answer(self, request: Request, url: str, answer: Response, duration: float, token: Secret | None) -> None:
        """Tell observers and the log of a response as it came."""
        limit = read_rate_limit(answer.headers)
        self.emitter.answered(
            "api",
            request.method,
            url,
            duration,
            status=answer.status,
            request_id=answer.headers.get("x-github-request-id"),
            remaining=None if limit is None else limit.remaining,
            token=token,
        )

    async def _current_token(self) -> Secret | None:
        return None if self._source is None else check_token(await self._source.token())

    def _invalidated(self, token: Secret | None) -> bool:
        source: object = self._source
        if token is None or not isinstance(source, InvalidatableTokenSource):
            return False
        source.invalidate(token.reveal())
        return True


class _Tries(NamedTuple):
    """The attempts of one call so far.

    Attributes:
        request: as it is sent next; to another URL if the repository was renamed.
        attempts: what has failed.
        moves: redirects followed.
        renewed: the token source was asked for another token.
        may_have_worked: an attempt got no clear response, so GitHub may have carried it out.
    """

    request: Request
    attempts: Attempts = Attempts()
    moves: int = 0
    renewed: bool = False
    may_have_worked: bool = False

    def follow(self, url: str) -> _Tries:
        """Return the tries with the request at another URL.

        Raises:
            UnexpectedResponseError: it was redirected too often.
        """
        if self.moves == _MOST_MOVES:
            msg = f"{self.request.label} was redirected more than {_MOST_MOVES} times"
            raise UnexpectedResponseError(msg)
        return self._replace(request=self.request.at(url), moves=self.moves + 1)

    def may_renew(self, error: ArtifactsError) -> bool:
        """Whether another token may help: after a 401 to one of the session's own, once."""
        return isinstance(error, AuthenticationError) and not self.renewed and self.request.credential is None

    def has_deleted(self, error: ArtifactsError) -> bool:
        """Whether a 404 means that an earlier attempt of a DELETE succeeded."""
        return self.may_have_worked and self.request.method == "DELETE" and isinstance(error, NotFoundError)


def _failure(request: Request, found: Refused) -> Cause:
    """Return what a failed attempt means for the next one."""
    error: ArtifactsError = found.error
    if isinstance(error, ServerError):
        asks_expiry = request.answer == "location" and request.known_expired is None
        gone = asks_expiry and NO_DOWNLOAD_URL in str(error).lower()  # endpoints.get_download_url asks about it
        return Final() if gone else Fault(wait=found.retry_after)
    unanswered = isinstance(error, TransportError) and not is_final(error)
    return Fault() if unanswered else Final()
