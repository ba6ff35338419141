"""Which proxy a request goes through."""

from __future__ import annotations

import urllib.request
from urllib.parse import urlsplit

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.protocol.requests import split_origin


def checked_proxy(proxy: str, whose: str = "proxy") -> str:
    """Return a proxy's URL, which may hold a name and password.

    Raises:
        ConfigurationError: it is not an http(s) URL; the message does not show it.
    """
    scheme, sep, rest = proxy.partition("://")
    if split_origin(f"{scheme}{sep}{rest.rpartition('@')[2]}") is None:
        msg = f"{whose} must be an http(s) URL like 'http://proxy.example:3128'"
        raise ConfigurationError(msg)
    return proxy


def environment_proxy(url: str) -> str | None:
    """Return the environment's proxy for a URL (``HTTPS_PROXY``, ``NO_PROXY`` and so on); None for a direct connection.

    aiohttp's own ``trust_env`` stays off: it would also send credentials from netrc, even to storage.

    Raises:
        ConfigurationError: it is not an http(s) proxy; SOCKS is not supported.
    """
    parts = urlsplit(url.partition("?")[0])
    host = parts.hostname or ""
    names = {host} if parts.port is None else {host, f"{host}:{parts.port}"}
    if any(urllib.request.proxy_bypass(name) for name in names):
        return None
    proxies = urllib.request.getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    if not found:
        return None
    return checked_proxy(found if "://" in found else f"http://{found}", f"the environment's {parts.scheme} proxy")
