"""Where tokens come from. A token is shown by no repr, and sent to the API's origin only.

https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.results import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gh_artifacts_async.protocol.requests import Request
    from gh_artifacts_async.protocol.responses import Result

_SENDABLE = re.compile(r"[\x21-\x7e]+", re.ASCII)


class TokenSource(Protocol):
    """Anything that can give a token; asked before every request, so that it may refresh one that ends."""

    async def token(self) -> str:
        """Return a token that is valid now."""
        ...


class Sender(Protocol):
    """What a token source may use to ask GitHub itself."""

    async def send(self, request: Request) -> Result:
        """Send one request and return what a good answer says."""
        ...


@runtime_checkable
class BindableTokenSource(Protocol):
    """A source that asks GitHub for its tokens; ``bind`` is called once, before the first ``token()``."""

    def bind(self, sender: Sender) -> None:
        """Take what requests can be sent with."""
        ...


@runtime_checkable
class InvalidatableTokenSource(Protocol):
    """A source that can get another token; ``invalidate`` is called after a 401, then ``token()`` once more."""

    def invalidate(self, token: str) -> None:
        """Drop a token that GitHub did not accept."""
        ...


def check_token(token: str) -> Secret:
    """Hide a token, whatever its shape: GitHub changes lengths and prefixes.

    Raises:
        ConfigurationError: it is empty, or holds what no header can carry (RFC 9110 section 5.5): blanks, control
            characters, anything outside ASCII.
    """
    if not isinstance(token, str) or not _SENDABLE.fullmatch(token):
        msg = (
            "the token is empty or holds characters that no HTTP header can carry (a line end, a blank?); "
            "check where it comes from"
        )
        raise ConfigurationError(msg)
    return Secret(token)


class StaticToken:
    """One token for good."""

    def __init__(self, token: str) -> None:
        """Check and hide the token.

        Raises:
            ConfigurationError: no header can carry it.
        """
        self.secret = check_token(token)

    async def token(self) -> str:
        """Return the token."""
        return self.secret.reveal()

    def __repr__(self) -> str:
        """Return stars."""
        return "StaticToken('***')"


class EnvironmentToken:
    """The first of some environment variables that is set, read anew at every request."""

    def __init__(self, *names: str, environ: Mapping[str, str] | None = None) -> None:
        """Keep the names.

        Args:
            names: the variables in the order in which they are asked; default GH_TOKEN, then GITHUB_TOKEN.
            environ: in place of ``os.environ``.
        """
        self._names = names or ("GH_TOKEN", "GITHUB_TOKEN")
        variables = os.environ if environ is None else environ

        def read(name: str) -> str | None:  # a closure, where no pickle and no vars() look
            return variables.get(name)

        self._read = read

    async def token(self) -> str:
        """Return the token.

        Raises:
            ConfigurationError: none of the variables is set, or no header can carry what is.
        """
        for name in self._names:
            if self._read(name):
                return check_token(self._read(name) or "").reveal()
        msg = f"no token: set {' or '.join(self._names)}"
        raise ConfigurationError(msg)

    def __repr__(self) -> str:
        """Return the names, not what they hold."""
        return f"EnvironmentToken({', '.join(map(repr, self._names))})"


def as_token_source(token: str | TokenSource | None) -> TokenSource | None:
    """Take a token, a source or nothing.

    Raises:
        ConfigurationError: it is none of these, or a token that no header can carry.
    """
    if token is None:
        return None
    if isinstance(token, str):
        return StaticToken(token)
    if not callable(getattr(token, "token", None)):
        msg = f"token must be a string or have a coroutine token(); a {type(token).__name__} has not"
        raise ConfigurationError(msg)
    return token
