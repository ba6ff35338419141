"""Maps aiohttp's exceptions to this package's.

aiohttp's hold the request's headers and the signed URL, so only the operating system's message is kept, and they become
neither cause nor context.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import socket
import ssl

import aiohttp

from gh_artifacts_async.errors import (
    CertificateError,
    ConnectionFailedError,
    ProxyError,
    RequestTimeoutError,
    SlowTransferError,
    TransportError,
)
from gh_artifacts_async.transport.bounds import SILENT, ClosedError, OutOfTimeError, TooSlowError

_UNKNOWN = re.compile("issuer|self.signed")
_UNRESOLVED = "its name could not be resolved; check the address and the firewall"
_USUAL_PORTS = (None, 80, 443)
_IN_WORDS = {
    errno.ECONNREFUSED: "it was refused",
    errno.ECONNRESET: "it was reset by the other side",
    errno.ECONNABORTED: "it was broken off",
    errno.EPIPE: "it was closed by the other side",
    errno.EHOSTUNREACH: "there is no route to the host",
    errno.ENETUNREACH: "the network is unreachable",
    errno.ENETDOWN: "the network is down",
    errno.EMFILE: "too many files are open",
    errno.EACCES: "the system does not allow it",
    errno.EPERM: "the system does not allow it",
}
"""What the operating system's numbers mean."""
_KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (aiohttp.ClientConnectorDNSError, _UNRESOLVED),
    (UnicodeError, _UNRESOLVED),
    (socket.gaierror, _UNRESOLVED),
    (aiohttp.ServerDisconnectedError, "it was closed without a response"),
    (aiohttp.ClientPayloadError, "it broke before the body was complete"),
    (aiohttp.ClientResponseError, "the response is not valid HTTP"),
)
"""What an exception says by its class; the first that fits counts."""
_UNREACHED = ", it could not reach this host"
_PROXY_SAYS = {
    403: ", it does not allow this host",
    407: (
        ", its user name or password is missing or wrong; both go into its URL, percent-encoded: "
        "http://USER:PASSWORD@HOST:PORT"
    ),
    502: _UNREACHED,
    503: _UNREACHED,
    504: _UNREACHED,
}


class NotSentAgainError(aiohttp.ClientConnectionError):
    """A request that aiohttp would have sent again by itself (never leaves the transport).

    Attributes:
        original: what aiohttp raised, without its traceback.
    """

    def __init__(self, original: aiohttp.ClientError) -> None:
        """Keep the original without its traceback, whose frames hold the request."""
        super().__init__()
        without_traceback(original)
        self.original = original


def transport_error(error: BaseException, host: str, proxy: str | None = None) -> TransportError | None:
    """Map an exception of aiohttp or the layers below it; None if it is not a transport failure.

    Args:
        error: the exception.
        host: the one that was asked for.
        proxy: host and port of the proxy on the way; None if there is none.
    """
    if isinstance(error, NotSentAgainError):
        error = error.original
    if (of_proxy := _proxy_error(error, host, proxy)) is not None:
        return of_proxy
    where = host if proxy is None else f"{host} through the proxy {proxy}"
    if _is_about_tls(error):
        return CertificateError(f"no secure connection to {where}: {_tls_reason(error)}", host=host)
    if isinstance(error, TimeoutError):
        what = SILENT
        if isinstance(error, OutOfTimeError):
            what = str(error)
        elif isinstance(error, aiohttp.ConnectionTimeoutError):
            what = "connecting took longer than Timeouts.connect"
        return RequestTimeoutError(f"no response from {where}: {what}", host=host)
    if isinstance(error, ClosedError):
        return ConnectionFailedError(f"the connection to {where} was closed", host=host)
    closed = isinstance(error, RuntimeError) and str(error) == "Connection closed."  # so aiohttp.StreamReader words it
    if closed or isinstance(error, aiohttp.ClientError | OSError | asyncio.IncompleteReadError | UnicodeError):
        refused = _refused(error, where, direct=proxy is None)
        return ConnectionFailedError(refused or f"the connection to {where} failed: {_reason(error)}", host=host)
    return None


def transfer_error(error: BaseException, host: str) -> TransportError | SlowTransferError | None:
    """Map what ended the body of a transfer, as :func:`transport_error` does; one below the minimum rate is no silence.

    Args:
        error: the exception.
        host: the one that was asked for.
    """
    if isinstance(error, TooSlowError):
        return too_slow(host, error.rate, error.seconds, error.minimum)
    return transport_error(error, host)


def too_slow(host: str, rate: float, seconds: float, minimum: float) -> SlowTransferError:
    """Return the error for a transfer that brought less than ``minimum`` bytes a second over so many seconds."""
    msg = f"{host} sent {rate:.0f} bytes/s over {seconds:.0f} s; Timeouts.min_rate is {minimum:.0f}"
    return SlowTransferError(msg, rate=rate, minimum=minimum)


def _proxy_error(error: BaseException, host: str, proxy: str | None) -> ProxyError | None:
    """Return the error for a proxy that refuses, or that cannot be reached or resolved; None if it is none of these."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return proxy_refusal(error.status, host, proxy)
    name = "the proxy" if proxy is None else f"the proxy {proxy}"
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return ProxyError(f"no connection to {name}: {_reason(error)}", host=host)
    if proxy is None:
        return None
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return ProxyError(f"no connection to {name}: its name could not be resolved", host=host)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        why = "connecting took longer than Timeouts.connect"
        return ProxyError(f"no connection to {host} through {name}: {why}", host=host)
    return None


def proxy_refusal(status: int, host: str, proxy: str | None) -> ProxyError:
    """Return the error for an answer of the proxy itself."""
    name = "the proxy" if proxy is None else f"the proxy {proxy}"
    why = _PROXY_SAYS.get(status, "")
    return ProxyError(f"{name} refused the connection to {host}: {status}{why}", host=host, status=status)


def _is_about_tls(error: BaseException) -> bool:
    """Whether the two sides disagree about TLS; a handshake that was cut off is the network's fault, worth a retry."""
    inner = getattr(error, "os_error", error)
    if isinstance(inner, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError):
        return False
    return isinstance(error, aiohttp.ClientSSLError | ssl.SSLError | aiohttp.ServerFingerprintMismatch)


def _tls_reason(error: BaseException) -> str:
    inner = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    said = getattr(inner, "verify_message", None) or getattr(inner, "reason", None)
    reason = str(said).replace("_", " ").lower() if said else "its certificate was not accepted"
    return f"{reason}; to trust an authority of your own, pass ca_file" if _UNKNOWN.search(reason) else reason


def _reason(error: BaseException) -> str:
    """Describe a failure without anything of the request."""
    inner = getattr(error, "os_error", error)
    for kind, said in _KINDS:
        if isinstance(error, kind):
            return said
    if isinstance(inner, ssl.SSLError):
        return "the TLS connection was cut off"
    number = getattr(inner, "errno", None)  # never its text: asyncio and aiohttp put addresses and URLs there
    if number in _IN_WORDS:
        return _IN_WORDS[number]
    return os.strerror(number) if isinstance(number, int) and number in errno.errorcode else "it was refused or broke"


def _refused(error: BaseException, where: str, *, direct: bool) -> str | None:
    """Return that nothing listens there, and on which port unless it is the usual one; None for another failure."""
    inner = getattr(error, "os_error", error)
    if not isinstance(inner, ConnectionRefusedError) and getattr(inner, "errno", None) != errno.ECONNREFUSED:
        return None
    port = getattr(error, "port", None) if direct else None
    return f"the connection to {where if port in _USUAL_PORTS else f'{where}:{port}'} was refused"


def without_traceback(error: BaseException) -> None:
    """Detach an exception from aiohttp's frames, whose locals hold the token and the signed URL."""
    error.__traceback__ = None
    error.__context__ = error.__cause__ = None
