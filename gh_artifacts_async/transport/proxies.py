"""Which proxy a request goes through. No frame that an error leaves behind holds a proxy's password."""

from __future__ import annotations

import ipaddress
import urllib.request
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, unquote_to_bytes, urlsplit

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.protocol.media_types import media_type
from gh_artifacts_async.protocol.requests import host_advice, split_origin
from gh_artifacts_async.results import Secret
from gh_artifacts_async.transport.failures import proxy_refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    import aiohttp

    from gh_artifacts_async.errors import ArtifactsError
    from gh_artifacts_async.protocol.responses import Response

_FORBIDDEN, _PROXY_AUTHENTICATION = 403, 407
_ASCII = 0x80
_PORTS = {"http": 80, "https": 443}
_NOT_OF_A_PROXY = ("x-github-request-id", "x-ms-request-id", "x-ms-error-code", "x-amz-request-id")


class Proxies:
    """The proxies of one client.

    Attributes:
        none: every connection is direct.
    """

    def __init__(self, proxy: Secret | None, *, trust_env: bool, whose: str = "proxy") -> None:
        """Check the proxy.

        Args:
            proxy: for all requests; None if there is none.
            trust_env: take them from the environment.
            whose: what to call the proxy in an error about it.

        Raises:
            ConfigurationError: it is not an http(s) URL.
        """
        self.none: bool = proxy is None and not trust_env
        self._proxy = None if proxy is None else Secret(checked_proxy(proxy.reveal(), whose))

    @classmethod
    def of_session(cls, session: aiohttp.ClientSession) -> Self:
        """Return those of a borrowed session, whose connections storage shares: its proxy, or the environment's.

        aiohttp has no public name for a session's own proxy.

        Raises:
            ConfigurationError: its proxy is not an http(s) URL, or its credentials cannot be encoded.
        """
        proxy, auth = getattr(session, "_default_proxy", None), getattr(session, "_default_proxy_auth", None)
        found = None if proxy is None else _with_credentials(Secret(str(proxy)), auth)
        known = proxy is None or found is not None
        del proxy, auth  # this frame is part of an error's traceback
        if not known:
            msg = "the borrowed session's proxy_auth has characters that its encoding has not: pass encoding='utf-8'"
            raise ConfigurationError(msg)
        return cls(found, trust_env=bool(session.trust_env), whose="the borrowed session's proxy")

    def of(self, url: str) -> str | None:
        """Return the proxy for a URL; None for a direct connection.

        Raises:
            ConfigurationError: the environment's is invalid.
        """
        if self.none:
            return None
        return environment_proxy(url) if self._proxy is None else self._proxy.reveal()

    def place(self, url: Secret) -> str | None:
        """Return host and port of the proxy for a URL, for messages; None if there is none."""
        try:
            proxy = self.of(url.reveal())
        except ConfigurationError:
            return None
        return None if proxy is None else proxy_place(proxy)

    def refusal(self, response: Response, url: Secret, host: str) -> ArtifactsError | None:
        """Return the error for a response that is the proxy's own; None if it is the server's."""
        place = self.place(url)
        forwarded = place is not None and url.reveal().lower().startswith("http:")
        ours = is_of_proxy(response.status, response.headers, forwarded=forwarded)
        return proxy_refusal(response.status, host, place) if ours else None


def checked_proxy(proxy: str, whose: str = "proxy") -> str:
    """Return a proxy's URL, which may hold a name and password.

    Raises:
        ConfigurationError: it is not an http(s) URL; the message does not show it.
    """
    if split_origin(_without_userinfo(proxy)) is not None and not _is_ambiguous(proxy):
        return _encoded(proxy)
    if proxy.lower().startswith("socks"):
        more = "; SOCKS proxies are not supported"
    elif _is_ambiguous(proxy):
        more = "; in its user name and password, percent-encode what is neither a letter nor a digit"
    else:
        more = host_advice(_without_userinfo(proxy))
    proxy = ""  # this frame is part of the error's traceback
    msg = f"{whose} must be an http(s) URL like 'http://proxy.example:3128'{more}"
    raise ConfigurationError(msg)


def _with_credentials(proxy: Secret, auth: aiohttp.BasicAuth | None) -> Secret | None:
    """Put credentials that a session has apart from its proxy's URL into that; None if they cannot be encoded."""
    if auth is None:
        return proxy
    try:
        pair = ":".join(quote(part.encode(auth.encoding), safe="") for part in (auth.login, auth.password))
    except (UnicodeError, LookupError):
        return None
    scheme, sep, rest = proxy.reveal().partition("://")
    return Secret(f"{scheme}{sep}{pair}@{rest.rpartition('@')[2]}")


def _without_userinfo(proxy: str) -> str:
    scheme, sep, rest = proxy.partition("://")
    return f"{scheme}{sep}{rest.rpartition('@')[2]}"


def _is_ambiguous(proxy: str) -> bool:
    """Whether the user name or password has what ends a host for other parsers, not percent-encoded."""
    return not set(proxy.partition("://")[2].rpartition("@")[0]).isdisjoint("/?#\\")


def _encoded(proxy: str) -> str:
    """Make aiohttp, which encodes credentials in Latin-1, send UTF-8 (RFC 7617 section 2.1), and take brackets."""
    scheme, _, rest = proxy.partition("://")
    userinfo, at, place = rest.rpartition("@")
    # In the environment, what is not UTF-8 is lone surrogates.
    parts = [unquote_to_bytes(part.encode("utf-8", "surrogateescape")) for part in userinfo.split(":", 1)]
    plain = all(byte < _ASCII for part in parts for byte in part) and "[" not in userinfo and "]" not in userinfo
    if plain or not at:
        return proxy
    return f"{scheme}://{':'.join(quote(part.decode('latin-1'), safe='') for part in parts)}@{place}"


def proxy_place(proxy: str) -> str:
    """Return a proxy's host and port for messages, without its user name and password."""
    found = split_origin(_without_userinfo(proxy))
    return "" if found is None else str(found[0]).partition("://")[2]


def environment_proxy(url: str) -> str | None:
    """Return the environment's proxy for a URL (``HTTPS_PROXY``, ``NO_PROXY`` and so on); None for a direct connection.

    aiohttp's own ``trust_env`` stays off: it would also send credentials from netrc, even to storage.

    Raises:
        ConfigurationError: it is not an http(s) proxy; SOCKS is not supported.
    """
    parts = urlsplit(url.partition("?")[0])
    if _is_direct(parts.hostname or "", parts.port or _PORTS.get(parts.scheme)):
        return None
    proxies = urllib.request.getproxies()
    found = proxies.pop(parts.scheme, "") or proxies.get("all", "")
    proxies.clear()  # this frame and the next are part of an error's traceback
    if not found:
        return None
    try:
        return checked_proxy(found if "://" in found else f"http://{found}", f"the environment's {parts.scheme} proxy")
    finally:
        found = ""


def _is_direct(host: str, port: int | None) -> bool:
    """Whether NO_PROXY names a host: as urllib reads it, or as ``10.0.0.0/8``, ``*.example.com`` or ``[::1]:8443``."""
    shown = f"[{host}]" if ":" in host else host
    names = {host, shown, f"{shown}:{port}"}
    if any(urllib.request.proxy_bypass(name) for name in names):
        return True
    for entry in urllib.request.getproxies().get("no", "").lower().split(","):
        wanted = entry.strip()
        if wanted.startswith("*.") and any(name.endswith(wanted[1:]) for name in names):
            return True
        if "/" in wanted and _is_in_network(host, wanted):
            return True
    return False


def _is_in_network(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:  # a name, or no network
        return False


def is_of_proxy(status: int, headers: Mapping[str, str], *, forwarded: bool) -> bool:
    """Whether an answer to a plain http request is a proxy's own: any 407, and a 403 that no server we ask writes.

    Args:
        status: the HTTP status.
        headers: names in lower case.
        forwarded: a proxy of ours forwards the request; within TLS it could not answer.
    """
    if status == _PROXY_AUTHENTICATION:
        return True
    if status != _FORBIDDEN or not forwarded or any(name in headers for name in _NOT_OF_A_PROXY):
        return False
    kind = media_type(headers.get("content-type"))
    return kind not in {"application/json", "application/xml", "text/xml"}
