"""aiohttp's exceptions become this package's, without what they hold."""

from __future__ import annotations

import asyncio
import os
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
            "Connection refused",
        ),
        (
            aiohttp.ClientProxyConnectionError(KEY, OSError(111, "Connection refused")),
            errors.ProxyError,
            "no connection to the proxy: Connection refused",
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
            "refused or",
        ),
        (ConnectionResetError(104, "Connection reset by peer"), errors.ConnectionFailedError, "reset by peer"),
        (OSError(101, os.strerror(101)), errors.ConnectionFailedError, os.strerror(101)),
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
