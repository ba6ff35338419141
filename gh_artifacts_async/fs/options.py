"""Options of the file system: what an instance is known by, and what of them is shown, pickled and written down.

fsspec hashes the options of an instance and keeps them with it, in clear. So secrets are sealed before fsspec sees
them, and left out of what it keeps.
"""

from __future__ import annotations

import functools
import hashlib
import math
import os
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn, cast
from urllib.parse import urlsplit

from gh_artifacts_async.api.auth import as_token_source, check_token
from gh_artifacts_async.api.environment import PUBLIC_API, resolve_base_url
from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.results import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gh_artifacts_async.api.auth import TokenSource

LOCAL = frozenset({"observer", "session", "token"})
"""Options that belong to one process: they are neither pickled nor shown."""


class Sealed:
    """An option's value: its repr tells two of them apart, in this process, and says nothing else.

    Attributes:
        reveal: returns the value.
    """

    __slots__ = ("_mark", "reveal")

    def __init__(self, value: object, known_by: str) -> None:
        """Keep the value, and a keyed hash of what it is known by."""
        self.reveal: Callable[[], Any] = lambda: value
        self._mark = hashlib.blake2b(known_by.encode(), key=_key(), digest_size=16).hexdigest()

    def __repr__(self) -> str:
        """Return the keyed hash."""
        return f"Sealed({self._mark})"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled.

        Raises:
            TypeError: always.
        """
        msg = "a sealed option cannot be pickled"
        raise TypeError(msg)


@functools.cache
def _key() -> bytes:
    """Return a key of this process: without it, a hash cannot be compared with that of a guess."""
    return secrets.token_bytes(32)


def sealed(options: dict[str, Any]) -> dict[str, Any]:
    """Return options as fsspec may see them: secrets sealed, the base URL resolved, all in one order.

    Raises:
        ConfigurationError: the token, the proxy or the base URL is invalid.
    """
    given = dict(options)
    options.clear()  # the frames of an error show neither token nor password
    for key in ("proxy", "token"):
        if isinstance(given.get(key), str):
            given[key] = Secret(given[key])
    token, proxy = _sealed_token(given.pop("token", None)), _sealed_proxy(given.pop("proxy", None))
    given |= {key: value for key, value in {"token": token, "proxy": proxy}.items() if value is not None}
    base_url = given.get("base_url")
    if base_url is None and token is not None:
        base_url = PUBLIC_API  # as for a client that is given a token
    given["base_url"] = resolve_base_url(base_url)  # a worker's environment may name another one
    if given.get("listings_expiry_time", 0) is None:
        given["listings_expiry_time"] = math.inf
    # None is the default of all others; fsspec cannot write it down.
    return {key: value for key, value in sorted(given.items()) if value is not None}


def _sealed_token(token: object) -> Sealed | None:
    if token is None or isinstance(token, Sealed):
        return token
    if isinstance(token, Secret):
        secret = check_token(token.reveal())
        return Sealed(as_token_source(secret.reveal()), f"token {secret.reveal()}")
    source: Any = token
    return Sealed(as_token_source(source), f"source {id(source)}")


def _sealed_proxy(proxy: object) -> Sealed | None:
    if proxy is None or isinstance(proxy, Sealed):
        return proxy
    if not isinstance(proxy, Secret):
        msg = "proxy must be a URL"
        raise ConfigurationError(msg)
    return Sealed(proxy, f"proxy {proxy.reveal()}")


def shown(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options that may be pickled and written down."""
    found = {key: value for key, value in options.items() if key not in LOCAL}
    if isinstance(found.get("proxy"), Sealed):
        found["proxy"] = _without_password(found["proxy"].reveal())
    return found


def _without_password(proxy: Secret) -> str:
    parts = urlsplit(proxy.reveal())
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def token_names(token_env: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the environment variables that ``token_env`` names.

    Raises:
        ConfigurationError: it is neither a name nor a sequence of names.
    """
    given: object = () if token_env is None else token_env
    names = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Iterable) else ("",)
    if not all(isinstance(name, str) and name for name in names):
        msg = f"token_env must name one or more environment variables, not {token_env!r}"
        raise ConfigurationError(msg)
    return names


def first_set(names: Sequence[str]) -> str | None:
    """Return the first of these environment variables that is set."""
    return next((name for name in names if os.environ.get(name)), None)


def own_token(given: Sealed | None) -> TokenSource | None:
    """Return the token source that was given."""
    return None if given is None else cast("TokenSource", given.reveal())
