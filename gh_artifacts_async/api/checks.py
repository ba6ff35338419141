"""What a session's settings must be like before anything is sent with them."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, TypeVar

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.protocol.requests import split_origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gh_artifacts_async.settings import StrPath

T = TypeVar("T")

DISTRIBUTION = "gh-artifacts-async"


def check_borrowed(session: object, settings: Mapping[str, object]) -> None:
    """Refuse what cannot go with a borrowed ClientSession.

    Args:
        session: aiohttp's.
        settings: what only an owned session can have, by name; None where it was not given.

    Raises:
        ConfigurationError: such a setting was given, or the session carries ``auth``.
    """
    given = [name for name, value in settings.items() if value is not None]
    if given:
        msg = f"{', '.join(given)} cannot be given with session=: set them on the session you pass in"
        raise ConfigurationError(msg)
    if getattr(session, "auth", None) is not None:
        msg = "the borrowed session carries auth, which would go to storage too; pass the token to the client instead"
        raise ConfigurationError(msg)


def setting(name: str, value: T | None, kind: type[T]) -> T:
    """Return a group of settings; its defaults for None.

    Raises:
        ConfigurationError: it is something else.
    """
    if value is None:
        return kind()
    if not isinstance(value, kind):
        msg = f"{name} must be a {kind.__name__}, not {value!r}"
        raise ConfigurationError(msg)
    return value


def check_observer(observer: object) -> None:
    """Refuse an observer that cannot be called.

    Raises:
        ConfigurationError: it cannot.
    """
    if observer is not None and not callable(observer):
        msg = f"observer must be callable with an event, not {observer!r}"
        raise ConfigurationError(msg)


def tls_context(ca_file: StrPath | None, ssl_context: ssl.SSLContext | None) -> ssl.SSLContext | None:
    """Return the context to use; None for aiohttp's own.

    Raises:
        ConfigurationError: both are given, or the file holds no certificates.
    """
    if ca_file is None:
        return ssl_context
    if ssl_context is not None:
        msg = "give ca_file or ssl_context, not both"
        raise ConfigurationError(msg)
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile=ca_file)
    except OSError as error:
        reason = error.strerror or "it holds no certificate"
    else:
        return context
    msg = f"ca_file {ca_file!s} cannot be used: {reason}"
    raise ConfigurationError(msg)


def checked_proxy(proxy: str, whose: str = "proxy") -> str:
    """Return a proxy's URL, which may hold a name and password.

    Raises:
        ConfigurationError: it is no http(s) URL; what it holds is not shown.
    """
    scheme, sep, rest = proxy.partition("://")
    if split_origin(f"{scheme}{sep}{rest.rpartition('@')[2]}") is None:
        msg = f"{whose} must be an http(s) URL like 'http://proxy.example:3128'"
        raise ConfigurationError(msg)
    return proxy


def header_value(name: str, value: str) -> str:
    """Return a value that a header can carry.

    Raises:
        ConfigurationError: it is empty, or not printable ASCII.
    """
    if not isinstance(value, str) or not value or not value.isascii() or not value.isprintable():
        msg = f"{name} must be printable ASCII, since it is sent as a header, not {value!r}"
        raise ConfigurationError(msg)
    return value


def default_user_agent() -> str:
    """Return this package's name and version."""
    from importlib.metadata import PackageNotFoundError, version  # 20 ms that only a request needs

    try:
        return f"{DISTRIBUTION}/{version(DISTRIBUTION)}"
    except PackageNotFoundError:  # run from a source tree that is not installed
        return f"{DISTRIBUTION}/0"
