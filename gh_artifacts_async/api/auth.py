"""Where tokens come from. No repr shows a token, and it is sent to the API's origin only.

https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.results import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gh_artifacts_async.protocol.requests import Request
    from gh_artifacts_async.protocol.responses import Result

_SENDABLE = re.compile(r"[\x21-\x7e]+", re.ASCII)


class TokenSource(Protocol):
    """Anything that can provide a token; asked before every request, so that it can replace one that expires."""

    async def token(self) -> str:
        """Return a token that is valid now."""
        ...


class Sender(Protocol):
    """What a token source may use to send requests to GitHub itself."""

    async def send(self, request: Request) -> Result:
        """Send one request and return its result."""
        ...


@runtime_checkable
class BindableTokenSource(Protocol):
    """A source that asks GitHub for its tokens; ``bind`` is called once, before the first ``token()``."""

    def bind(self, sender: Sender) -> None:
        """Keep the sender."""
        ...


@runtime_checkable
class InvalidatableTokenSource(Protocol):
    """A source that can get another token; ``invalidate`` is called after a 401, then ``token()`` once more."""

    def invalidate(self, token: str) -> None:
        """Drop a token that GitHub rejected."""
        ...


class NotPickled:
    """What holds a secret, or obtains one: it refuses to be pickled, and a copy is the object itself."""

    def __copy__(self) -> Self:
        """Return itself: what it has obtained is shared."""
        return self

    def __deepcopy__(self, memo: object) -> Self:
        """Return itself: what it has obtained is shared."""
        return self

    def __reduce__(self) -> tuple[object, ...]:
        """Refuse to be pickled.

        Raises:
            TypeError: always.
        """
        msg = f"a token source cannot be pickled: {type(self).__name__}"
        raise TypeError(msg)


def check_token(token: str, variable: str | None = None) -> Secret:
    """Check and hide a token, whatever its format: GitHub changes lengths and prefixes.

    Args:
        token: the token.
        variable: of the environment, if that is where it comes from.

    Raises:
        ConfigurationError: it is empty, or contains characters not allowed in a header (RFC 9110 section 5.5): blanks,
            control characters, anything outside ASCII.
    """
    found = Secret(token) if isinstance(token, str) and _SENDABLE.fullmatch(token) else None
    del token  # what comes with a newline may be a token all the same: the frames of an error do not show it
    if found is None:
        where, check = ("", "where it comes from") if variable is None else (f" in {variable}", "its value")
        msg = (
            f"the token{where} is empty or contains characters not allowed in an HTTP header (a newline, a blank?); "
            f"check {check}"
        )
        raise ConfigurationError(msg)
    return found


class StaticToken(NotPickled):
    """A token that never changes.

    Attributes:
        secret: the token, checked and hidden; it spares a session to check it again for every request.
    """

    def __init__(self, token: str) -> None:
        """Check and hide the token.

        Raises:
            ConfigurationError: it is empty, or contains characters not allowed in a header.
        """
        try:
            self.secret: Secret = check_token(token)
        finally:
            del token  # see check_token()

    async def token(self) -> str:
        """Return the token."""
        return self.secret.reveal()

    def __repr__(self) -> str:
        """Return the type, with stars for the token."""
        return "StaticToken('***')"


class EnvironmentToken(NotPickled):
    """The first of some environment variables that is set; they are read again for every request."""

    def __init__(self, *names: str, environ: Mapping[str, str] | None = None) -> None:
        """Keep the names.

        Args:
            names: the variables, in order of precedence; default GH_TOKEN, then GITHUB_TOKEN.
            environ: used instead of ``os.environ``.
        """
        self._names = names or ("GH_TOKEN", "GITHUB_TOKEN")
        self._picklable = environ is None or environ is os.environ
        variables = os.environ if environ is None else environ

        def read(name: str) -> str | None:  # a closure, which neither pickle nor vars() shows
            return variables.get(name)

        self._read = read

    async def token(self) -> str:
        """Return the token.

        Raises:
            ConfigurationError: none of the variables is set, or the token contains characters not allowed in a header.
        """
        for name in self._names:
            if self._read(name):
                return check_token(self._read(name) or "", name).reveal()
        msg = f"no token: set {' or '.join(self._names)}"
        raise ConfigurationError(msg)

    def __reduce__(self) -> tuple[object, ...]:
        """Return the names: where it is unpickled, it reads that process's own environment.

        Raises:
            TypeError: it reads something else than ``os.environ``.
        """
        return (EnvironmentToken, self._names) if self._picklable else super().__reduce__()

    def __repr__(self) -> str:
        """Return the names, not their values."""
        return f"EnvironmentToken({', '.join(map(repr, self._names))})"


def as_token_source(token: str | TokenSource | None) -> TokenSource | None:
    """Return a token source for a token, a source or None.

    Raises:
        ConfigurationError: it is none of these, or the token contains characters not allowed in a header.
    """
    if token is None:
        return None
    if isinstance(token, str):
        try:
            return StaticToken(token)
        finally:
            del token  # see check_token()
    if not callable(getattr(token, "token", None)):
        msg = f"token must be a string or an object with a coroutine token(), not {type(token).__name__}"
        raise ConfigurationError(msg)
    return token
