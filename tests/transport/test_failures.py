"""aiohttp's exceptions become this package's, without what they hold."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from unittest.mock import Mock

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from yarl import URL

from gh_artifacts_async import errors
from gh_artifacts_async.transport.failures import transport_error, without_traceback
from tests.kits.api import TOKEN

SECRET = f"https://storage.example/a.zip?sig={TOKEN}"
INFO = aiohttp.RequestInfo(URL(SECRET), "GET", {"Authorization": f"Bearer {TOKEN}"}, URL(SECRET))
KEY = Mock(spec=ConnectionKey, host="api.github.com", port=443, is_ssl=True, ssl=True)


def _certificate(message):
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED]")
    error.verify_message = message
    return aiohttp.ClientConnectorCertificateError(KEY, error)


def _tls(reason, cls=ssl.SSLError):
    error = cls(1, f"[SSL: {reason}] text")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (_certificate("self-signed certificate"), errors.CertificateError, "self-signed certificate"),
        (
            aiohttp.ClientConnectorSSLError(KEY, _tls("WRONG_VERSION_NUMBER")),
            errors.CertificateError,
            "wrong version number",
        ),
        (ssl.SSLError(), errors.CertificateError, "not accepted"),
        (aiohttp.ServerFingerprintMismatch(b"a", b"b", "h", 1), errors.CertificateError, "not accepted"),
        (
            aiohttp.ClientConnectorSSLError(KEY, _tls("UNEXPECTED_EOF_WHILE_READING", ssl.SSLEOFError)),
            errors.ConnectionFailedError,
            "failed",
        ),
        (_tls("x", ssl.SSLZeroReturnError), errors.ConnectionFailedError, "failed"),
        (aiohttp.ConnectionTimeoutError(SECRET), errors.RequestTimeoutError, "connecting took longer"),
        (aiohttp.SocketTimeoutError(SECRET), errors.RequestTimeoutError, "silent for longer"),
        (TimeoutError(), errors.RequestTimeoutError, "silent"),
        (TimeoutError(110, "Connection timed out"), errors.RequestTimeoutError, "silent"),
        (
            aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "Name or service not known")),
            errors.ConnectionFailedError,
            "name could not be resolved",
        ),
        (UnicodeError("label empty or too long"), errors.ConnectionFailedError, "name could not be resolved"),
        (
            aiohttp.ClientConnectorError(KEY, OSError(111, "Connection refused")),
            errors.ConnectionFailedError,
            "the connection to api.github.com was refused",
        ),
        (
            aiohttp.ClientProxyConnectionError(KEY, OSError(111, "Connection refused")),
            errors.ProxyError,
            "no connection to the proxy: it was refused",
        ),
        (aiohttp.ClientHttpProxyError(INFO, (), status=407), errors.ProxyError, "the proxy refused"),
        (aiohttp.ServerDisconnectedError(SECRET), errors.ConnectionFailedError, "closed without a response"),
        (aiohttp.ClientPayloadError(SECRET), errors.ConnectionFailedError, "before the body was complete"),
        (
            aiohttp.ClientResponseError(INFO, (), status=400, message=SECRET),
            errors.ConnectionFailedError,
            "not valid HTTP",
        ),
        (aiohttp.InvalidURL(SECRET), errors.ConnectionFailedError, "refused or broke"),
        (
            aiohttp.ClientOSError(32, f"Can not write request body for {SECRET}"),
            errors.ConnectionFailedError,
            "closed by the other side",
        ),
        (
            ConnectionResetError(104, "Connection reset by peer"),
            errors.ConnectionFailedError,
            "reset by the other side",
        ),
        (OSError(101, os.strerror(101)), errors.ConnectionFailedError, "network is unreachable"),
        (OSError(errno.EMFILE, "x"), errors.ConnectionFailedError, "failed: too many files are open"),
        (OSError(errno.ENOBUFS, f"no room for {SECRET}"), errors.ConnectionFailedError, os.strerror(errno.ENOBUFS)),
        (OSError(98765, "x"), errors.ConnectionFailedError, "refused or broke"),
        (socket.gaierror(-2, "x"), errors.ConnectionFailedError, "name could not be resolved"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), errors.ConnectionFailedError, "api.github.com was refused"),
        (OSError("no number"), errors.ConnectionFailedError, "refused or broke"),
        (asyncio.IncompleteReadError(b"x", 2), errors.ConnectionFailedError, "refused or broke"),
    ],
)
def test_the_whole_table(error, kind, said):
    """Each failure has its class and its words, and none of aiohttp's own."""
    found = transport_error(error, "api.github.com")
    assert type(found) is kind
    assert found.host == "api.github.com"
    assert said in str(found)
    assert TOKEN not in str(found)
    assert "storage.example" not in str(found)
    assert found.__cause__ is None
    assert found.__context__ is None


def test_a_refused_connection_names_its_port():
    """An unusual one; asyncio's own text, which shows a tuple, is not repeated, and a proxy names its port itself."""
    key = Mock(spec=ConnectionKey, host="127.0.0.1", port=8080, is_ssl=False, ssl=True)
    error = aiohttp.ClientConnectorError(key, OSError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 8080)"))
    assert str(transport_error(error, "127.0.0.1")) == "the connection to 127.0.0.1:8080 was refused"
    said = str(transport_error(error, "127.0.0.1", "proxy.example:3128"))
    assert said == "the connection to 127.0.0.1 through the proxy proxy.example:3128 was refused"


@pytest.mark.parametrize(
    "error", [asyncio.CancelledError(), KeyboardInterrupt(), ValueError(), RuntimeError(), EOFError()]
)
def test_what_is_no_failure_of_the_transport(error):
    """Cancellations and bugs stay what they are."""
    assert transport_error(error, "h") is None


def test_an_exception_is_cut_loose():
    """Its frames hold the token; so does what it came from."""
    error = ValueError()
    error.__cause__ = KeyError(TOKEN)
    error.__context__ = KeyError(TOKEN)
    without_traceback(error)
    assert (error.__traceback__, error.__cause__, error.__context__) == (None, None, None)
