"""GitHubSession: the session manager that feeds the endpoint coroutines.

It owns or borrows one aiohttp.ClientSession, sends requests with the token to the API's origin only, repeats what is
safe to repeat, and is the one place where aiohttp's exceptions become this package's.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Self

import aiohttp
from yarl import URL

from gh_artifacts_async.api.auth import (
    BindableTokenSource,
    as_token_source,
)
from gh_artifacts_async.api.checks import (
    check_borrowed,
    check_observer,
    checked_proxy,
    default_user_agent,
    header_value,
    setting,
    tls_context,
)
from gh_artifacts_async.api.environment import proxy_for
from gh_artifacts_async.errors import (
    ArtifactsError,
    CertificateError,
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    MissingTokenError,
    RequestTimeoutError,
    TransportError,
)
from gh_artifacts_async.protocol.requests import BaseURL, check_base_url
from gh_artifacts_async.results import Secret
from gh_artifacts_async.settings import Limits, RetryPolicy, Timeouts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from gh_artifacts_async.api.auth import TokenSource
    from gh_artifacts_async.api.exchange import Exchange
    from gh_artifacts_async.events import Observer
    from gh_artifacts_async.models import RateLimit
    from gh_artifacts_async.protocol.requests import Request
    from gh_artifacts_async.protocol.responses import Response, Result
    from gh_artifacts_async.settings import StrPath

API_VERSION = "2022-11-28"
"""The oldest version that is still served, and the only one that every supported server knows."""


# --- aiohttp's exceptions ----------------------------------------------------------------------------------------


def transport_error(error: BaseException, host: str) -> TransportError | None:
    """Map what aiohttp raises to this package's errors; None for what is no failure of the transport.

    aiohttp's exceptions hold the request's headers and the signed URL, so nothing of them is taken over but the words
    of the operating system, and they become neither cause nor context.
    """
    if _is_about_tls(error):
        return CertificateError(f"no secure connection to {host}: {_tls_reason(error)}", host=host)
    if isinstance(error, TimeoutError):
        what = "connecting took" if isinstance(error, aiohttp.ConnectionTimeoutError) else "it was silent for"
        return RequestTimeoutError(f"no answer from {host}: {what} longer than Timeouts allow", host=host)
    if isinstance(error, aiohttp.ClientError | OSError | asyncio.IncompleteReadError | UnicodeError):
        return ConnectionFailedError(f"the connection to {host} failed: {_reason(error)}", host=host)
    return None


def _is_about_tls(error: BaseException) -> bool:
    """Whether the two sides do not get on; a handshake that was cut off is the network's fault, and worth a retry."""
    inner = getattr(error, "os_error", error)
    if isinstance(inner, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError):
        return False
    return isinstance(error, aiohttp.ClientSSLError | ssl.SSLError | aiohttp.ServerFingerprintMismatch)


def _tls_reason(error: BaseException) -> str:
    inner = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    said = getattr(inner, "verify_message", None) or getattr(inner, "reason", None)
    return str(said).replace("_", " ").lower() if said else "its certificate was not accepted"


def _reason(error: BaseException) -> str:
    """Put a failure in words that hold nothing of the request."""
    if isinstance(error, aiohttp.ClientConnectorDNSError | UnicodeError):
        return "its name could not be resolved; is the address right, and does a firewall let it through?"
    if isinstance(error, aiohttp.ClientHttpProxyError | aiohttp.ClientProxyConnectionError):
        return "the proxy did not let it through"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "it was closed without an answer"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "it broke before the body was whole"
    if isinstance(error, aiohttp.ClientResponseError):
        return "the answer is not HTTP"
    said = getattr(getattr(error, "os_error", error), "strerror", None)
    return said if said and "://" not in said else "it was refused or broke"  # aiohttp puts URLs there, too


def without_traceback(error: BaseException) -> None:
    """Cut an exception loose from aiohttp's frames, whose locals hold the token and the signed URL."""
    error.__traceback__ = None
    error.__context__ = error.__cause__ = None


def _once() -> Callable[[aiohttp.ClientRequest, aiohttp.ClientHandlerType], Awaitable[aiohttp.ClientResponse]]:
    """Return a middleware that lets one request go out once.

    aiohttp sends a DELETE again by itself when the connection ends without an answer. The 404 that then comes would
    look like an artifact that was never there; our own second try knows better.
    """
    sent = False

    async def send(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        nonlocal sent
        if sent:
            raise aiohttp.ServerDisconnectedError
        sent = True
        return await handler(request)

    return send


# --- the session -------------------------------------------------------------------------------------------------


class GitHubSession:
    """Sends requests to one GitHub; an async context manager, safe to share between the tasks of one event loop."""

    def __init__(
        self,
        token: str | TokenSource | None = None,
        *,
        base_url: str = "https://api.github.com",
        session: aiohttp.ClientSession | None = None,
        allow_http: bool = False,
        ca_file: StrPath | None = None,
        ssl_context: ssl.SSLContext | None = None,
        proxy: str | None = None,
        trust_env: bool = False,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        limits: Limits | None = None,
        api_version: str = API_VERSION,
        user_agent: str | None = None,
        observer: Observer | None = None,
    ) -> None:
        """Check everything; no connection is made, and no ClientSession, before the first request.

        The arguments are those of :class:`gh_artifacts_async.ArtifactsClient`, which explains them.

        Raises:
            ConfigurationError: something cannot be right.
        """
        self._source = as_token_source(token)
        self.base = BaseURL.parse(base_url)
        check_base_url(self.base, has_token=self._source is not None, allow_http=allow_http)
        if session is not None:
            own = {"ca_file": ca_file, "ssl_context": ssl_context, "proxy": proxy, "trust_env": trust_env or None}
            check_borrowed(session, own)
        self._borrowed = session
        self._owned: aiohttp.ClientSession | None = None
        self._ssl = tls_context(ca_file, ssl_context)
        self._proxy = None if proxy is None else Secret(checked_proxy(proxy))
        self._trust_env = trust_env
        self.timeouts = setting("timeouts", timeouts, Timeouts)
        self.retry = setting("retry", retry, RetryPolicy)
        self.limits = setting("limits", limits, Limits)
        self._api_version = header_value("api_version", api_version)
        self._user_agent = None if user_agent is None else header_value("user_agent", user_agent)
        check_observer(observer)
        from gh_artifacts_async.events import Emitter  # a dozen classes that an import alone does not need

        self.emitter = Emitter(observer)
        self.rate_limit: RateLimit | None = None
        self._exchange: Exchange | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def __repr__(self) -> str:
        """Return the base URL; the token is not shown."""
        return f"GitHubSession(base_url={str(self.base)!r})"

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
        self._closed = True
        owned, self._owned = self._owned, None
        if owned is not None:
            await owned.close()

    def check_usable(self) -> None:
        """Make sure that the session is open and on its own event loop.

        Raises:
            ClientClosedError: it is not.
        """
        loop = asyncio.get_running_loop()
        if self._closed:
            msg = "the client is closed; make a new one"
            raise ClientClosedError(msg)
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            msg = "the client belongs to another event loop; make one client for each loop"
            raise ClientClosedError(msg)
        if self._borrowed is not None and self._borrowed.closed:
            msg = "the borrowed aiohttp session is closed"
            raise ClientClosedError(msg)

    @property
    def http(self) -> aiohttp.ClientSession:
        """The ClientSession, owned or borrowed; an owned one is made here, without a token or other default headers."""
        if self._borrowed is not None:
            return self._borrowed
        if self._owned is None:
            tls = True if self._ssl is None else self._ssl
            connector = aiohttp.TCPConnector(limit=0, ssl=tls)  # the gate and the transfers bound themselves
            self._owned = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._owned

    @property
    def has_token(self) -> bool:
        """Whether requests carry a token."""
        return self._source is not None

    @property
    def user_agent(self) -> str:
        """``User-Agent``; GitHub refuses requests without one."""
        if self._user_agent is None:
            self._user_agent = default_user_agent()
        return self._user_agent

    def proxy_for(self, url: Secret) -> str | None:
        """Return the proxy for a URL; None for a direct way, and for a borrowed session to decide."""
        if self._proxy is not None:
            return self._proxy.reveal()
        return proxy_for(url.reveal()) if self._trust_env else None

    def client_timeout(self) -> aiohttp.ClientTimeout:
        """Return the limits for one request: on silence, never on the whole; a borrowed pool's queue is not timed."""
        connect, read = self.timeouts.connect, self.timeouts.read
        if self._borrowed is not None:
            return aiohttp.ClientTimeout(total=None, sock_read=read, sock_connect=connect)
        return aiohttp.ClientTimeout(total=None, sock_read=read, connect=connect)

    # --- sending

    async def send(self, request: Request) -> Result:
        """Send one request and return what a good answer says.

        Repeated with full jitter after a failure of the transport and a 5xx, and after the pause that a rate limit
        asks for; a 401 asks the token source once for another token; a renamed repository is followed.

        Raises:
            APIError: GitHub said no.
            TransportError: no answer came.
            ProtocolError: the answer breaks GitHub's rules.
            MissingTokenError: a download or delete without a token.
            ClientClosedError: after close, or on another event loop.
        """
        self.check_usable()
        if request.answer != "json" and self._source is None:
            msg = f"{request.label} needs a token; GitHub does not do it for anyone"
            raise MissingTokenError(msg)
        return await self._opened_exchange().send(request)

    def _opened_exchange(self) -> Exchange:
        """Return what sends; made, and imported, by the first request."""
        if self._exchange is None:
            from gh_artifacts_async.api.exchange import Exchange

            self._exchange = Exchange(self, self._source)
            source: object = self._source
            if isinstance(source, BindableTokenSource):
                source.bind(self)
        return self._exchange

    async def send_once(self, request: Request, token: Secret | None) -> Response:
        """Send, with aiohttp's exceptions mapped around the call and the body; none of them leaves this frame."""
        failure: ArtifactsError | None = None
        self.check_usable()
        try:
            return await self._over_the_wire(request, token)
        except BaseException as error:
            failure = transport_error(error, self.base.origin.host) or self._misuse(error)
            if failure is None:
                without_traceback(error)
                raise
        raise failure

    def _misuse(self, error: BaseException) -> ConfigurationError | None:
        """Explain why aiohttp would not send at all: a borrowed session that takes its credentials from netrc."""
        if not isinstance(error, ValueError) or self._borrowed is None or not self._borrowed.trust_env:
            return None
        return ConfigurationError(
            f"the borrowed session has trust_env=True, and netrc names {self.base.origin.host}: what it holds would "
            "be sent in place of the token. Lend a session without trust_env"
        )

    async def _over_the_wire(self, request: Request, token: Secret | None) -> Response:
        """Hold, for as short as can be, what must not be in a traceback: the headers and aiohttp's response."""
        url = self.base.url(request)
        async with self.http.request(
            request.method,
            URL(url, encoded=True),
            headers=self._headers(token),
            allow_redirects=False,
            raise_for_status=False,
            timeout=self.client_timeout(),
            proxy=self.proxy_for(Secret(url)),
            middlewares=(_once(),) if request.method == "DELETE" and self._borrowed is None else None,
        ) as response:
            body = await response.read()
            headers = {name.lower(): value for name, value in response.headers.items()}
            headers |= {"link": ", ".join(response.headers.getall("link"))} if "link" in headers else {}
            from gh_artifacts_async.protocol.responses import Response  # known since the first request

            return Response(status=response.status, headers=headers, body=body, url=url)

    def _headers(self, token: Secret | None) -> dict[str, str]:
        headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": self._api_version,
            "User-Agent": self.user_agent,
        }
        if token is not None:
            headers["Authorization"] = f"Bearer {token.reveal()}"
        return headers
