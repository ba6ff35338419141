"""Checks of a session's settings, before anything is sent with them."""

from __future__ import annotations

from typing import TypeVar

from gh_artifacts_async.errors import ConfigurationError

T = TypeVar("T")


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
    """Check that an observer is callable.

    Raises:
        ConfigurationError: it is not.
    """
    if observer is not None and not callable(observer):
        msg = f"observer must be callable with an event, not {observer!r}"
        raise ConfigurationError(msg)


def header_value(name: str, value: str) -> str:
    """Return a value that a header can carry.

    Raises:
        ConfigurationError: it is empty, or not printable ASCII.
    """
    if not isinstance(value, str) or not value or not value.isascii() or not value.isprintable():
        msg = f"{name} must be printable ASCII, since it is sent as a header, not {value!r}"
        raise ConfigurationError(msg)
    return value
