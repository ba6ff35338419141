"""Tokens of a GitHub App's installation, renewed before they end; with the extra ``app`` (PyJWT).

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from gh_artifacts_async.api.auth import NotPickled, check_token
from gh_artifacts_async.api.clock import utcnow
from gh_artifacts_async.api.single_flight import SingleFlight
from gh_artifacts_async.errors import (
    ArtifactsError,
    AuthenticationError,
    ConfigurationError,
    NotFoundError,
    ResponseShapeError,
)
from gh_artifacts_async.models import RepositoryName, check_id
from gh_artifacts_async.protocol import installations
from gh_artifacts_async.protocol.responses import Document
from gh_artifacts_async.results import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from gh_artifacts_async.api.auth import Sender
    from gh_artifacts_async.protocol.requests import Request

logger: logging.Logger = logging.getLogger("gh_artifacts_async")

_BACKDATED = 60
"""Seconds by which ``iat`` lies in the past, as GitHub recommends against clocks that differ."""
_JWT_LIVES = 540
"""Seconds until ``exp``; GitHub allows 600."""
_AHEAD = 300.0
"""Seconds before a token's end at which the next one is asked for."""
_AGAIN_AFTER = 30.0
"""Seconds until a renewal that failed is tried again, while the present token is valid."""
_CLOCKS_AGREE = 30.0
"""Seconds between two clocks that do not matter: less than ``iat`` is back-dated."""


class _Grant(NamedTuple):
    """A token, and its times on the event loop's clock."""

    secret: Secret
    renew_at: float
    ends_at: float


class AppInstallationToken(NotPickled):
    """The token of a GitHub App's installation, renewed five minutes before it ends.

    However many requests wait for it, it is asked for once. If a renewal fails while the present token is still valid,
    that is logged, and tried again later. The requests go through the client that it is passed to, so one object
    belongs to one client; when that is closed, another one may take it over.
    """

    def __init__(
        self,
        app_id: int | str,
        private_key: str | bytes,
        installation_id: int | None = None,
        repo: str | RepositoryName | None = None,
        *,
        org: str | None = None,
        permissions: Mapping[str, str] | None = None,
        repositories: Sequence[str] | None = None,
    ) -> None:
        r"""Check the arguments; nothing is sent before a token is needed.

        Exactly one of ``installation_id``, ``repo`` and ``org`` says which installation is meant.

        Args:
            app_id: the App's ID, or its client ID.
            private_key: the content of the PEM file that GitHub generated for the App; its line ends may be written
                as ``\n``, as they often are in an environment variable.
            installation_id: the installation's number.
            repo: ``"owner/name"`` of a repository on which the App is installed.
            org: an organization in which the App is installed.
            permissions: fewer than the installation has, e.g. ``{"actions": "read"}``; None for all.
            repositories: fewer than the installation has, by names without the owner; None for all.

        Raises:
            ConfigurationError: an argument is invalid, the key is no RSA key, or the extra ``app`` is not installed.
        """
        key, private_key = _hidden(private_key), ""  # the frames of an error show no key
        self._shown = "'***'"  # until all is checked: a traceback may show what could not be constructed
        self._app = _app_id(app_id)
        self._sign = _signer(self._app, key)
        if sum(given is not None for given in (installation_id, repo, org)) != 1:
            msg = "give exactly one of installation_id, repo and org: which of the App's installations is meant"
            raise ConfigurationError(msg)
        self._given = None if installation_id is None else check_id(installation_id, "installation_id")
        self._repo = None if repo is None else RepositoryName.parse(repo)
        self._org = None if org is None else _text(org, "org")
        self._permissions = None if permissions is None else _permissions(permissions)
        self._repositories = None if repositories is None else _repositories(repositories)
        given = {"installation_id": self._given, "repo": self._repo and str(self._repo), "org": self._org}
        named = "".join(f", {name}={value!r}" for name, value in given.items() if value is not None)
        self._shown = f"{self._app!r}, '***'{named}"
        self._sender: Sender | None = None
        self._forget()

    def _forget(self) -> None:
        """Start with nothing obtained yet."""
        self._found: int | None = None
        self._grant: _Grant | None = None
        self._ahead_of_loop: float | None = None
        self._renewal = SingleFlight(self._renewed)

    def __repr__(self) -> str:
        """Return the App and its installation; no key and no token."""
        return f"AppInstallationToken({self._shown})"

    # --- what a session asks

    def bind(self, sender: Sender) -> None:
        """Send requests through a client from now on.

        Raises:
            ConfigurationError: it belongs to another client, which is not closed.
        """
        if sender is self._sender:
            return
        if self._sender is not None and not getattr(self._sender, "closed", False):
            msg = "this AppInstallationToken belongs to another client that is still open; create one for each client"
            raise ConfigurationError(msg)
        self._sender = sender
        self._forget()

    async def token(self) -> str:
        """Return a token that is valid now.

        Raises:
            AuthenticationError: GitHub did not accept the App's key, or the App is not installed there.
            ArtifactsError: GitHub refused the token for another reason, or did not answer.
            ConfigurationError: it is not bound to a client.
        """
        now = asyncio.get_running_loop().time()
        grant = self._grant
        if grant is not None and (now < grant.renew_at or (now < grant.ends_at and self._renewal.running)):
            return grant.secret.reveal()
        try:
            grant = await self._renewal.wait()
        except ArtifactsError as error:
            grant = self._still_valid()
            if grant is None:
                raise
            logger.warning("%r was not renewed, and will be tried again: %s", self, error)
        return grant.secret.reveal()

    def _still_valid(self) -> _Grant | None:
        """Return the present token, which is not renewed for a while; None if it has ended or was rejected."""
        now = asyncio.get_running_loop().time()
        if self._grant is None or now >= self._grant.ends_at:
            return None
        self._grant = self._grant._replace(renew_at=min(now + _AGAIN_AFTER, self._grant.ends_at))
        return self._grant

    def invalidate(self, token: str) -> None:
        """Drop a token that GitHub rejected, unless it has been replaced already."""
        if self._grant is not None and self._grant.secret == Secret(token):
            self._grant = None

    # --- renewal

    async def _renewed(self) -> _Grant:
        """Get a new token, and keep it.

        Raises:
            AuthenticationError: the key was not accepted, or the App is not installed there (404: not a NotFoundError,
                which would be taken for the artifact's).
            ArtifactsError: as :meth:`token`.
        """
        known = self._found
        try:
            return await self._created(known or self._given or await self._installation())
        except NotFoundError as error:
            failure = error.with_traceback(None)
            self._found = None
        if known is not None:  # after an uninstallation and an installation it has another number
            return await self._renewed()
        raise AuthenticationError(
            str(failure),
            status=failure.status,
            request_id=failure.request_id,
            documentation_url=failure.documentation_url,
            request=failure.request,
        )

    async def _installation(self) -> int:
        """Find the installation, once."""
        if self._repo is not None:
            answer = await self._ask(partial(installations.get_repo_installation, self._repo))
        else:
            answer = await self._ask(partial(installations.get_org_installation, self._org or ""))
        self._found = installations.read_installation_id(answer)
        if self._found is None:
            msg = "GitHub's description of the App's installation has no id"
            raise ResponseShapeError(msg, path="$.id")
        return self._found

    async def _created(self, installation_id: int) -> _Grant:
        answer = await self._ask(
            partial(
                installations.create_installation_access_token,
                installation_id,
                permissions=self._permissions,
                repositories=self._repositories,
            )
        )
        found = installations.read_token(answer)
        if found is None:
            msg = "GitHub's answer to the App's request for a token holds no token, or not the time at which it ends"
            raise ResponseShapeError(msg, path="$.token")
        check_token(found.secret.reveal())
        lives = (found.expires_at - (answer.date or utcnow())).total_seconds()
        now = asyncio.get_running_loop().time()
        self._grant = _Grant(found.secret, now + max(lives - _AHEAD, lives / 2), now + lives)
        return self._grant

    async def _ask(self, make: Callable[[Secret], Request], *, at: float | None = None) -> Document:
        """Send a request with a new JSON Web Token, of the server's time where that is known.

        Args:
            make: makes the request with the JSON Web Token.
            at: seconds since 1970; None for now. It is given if GitHub rejected a token of another time.

        Raises:
            ArtifactsError: as :meth:`token`.
        """
        if self._sender is None:
            msg = "an AppInstallationToken gets its tokens through a client: pass it as ArtifactsClient(token=...)"
            raise ConfigurationError(msg)
        now = self._now() if at is None else at
        try:
            answer = await self._sender.send(make(self._sign(now)))
        except AuthenticationError as error:
            failure = error.with_traceback(None)
        else:
            if isinstance(answer, Document):
                self._note(answer.date)
                return answer
            msg = "the answer to a request of a GitHub App is not JSON"
            raise ResponseShapeError(msg)
        self._note(failure.server_time)
        if at is None and abs(self._now() - now) > _CLOCKS_AGREE:
            return await self._ask(make, at=self._now())
        raise failure

    def _now(self) -> float:
        """Return seconds since 1970 by the server's clock; by this machine's until the server has answered."""
        if self._ahead_of_loop is None:
            return utcnow().timestamp()
        return asyncio.get_running_loop().time() + self._ahead_of_loop

    def _note(self, server_time: datetime | None) -> None:
        if server_time is not None:
            self._ahead_of_loop = server_time.timestamp() - asyncio.get_running_loop().time()


# --- the arguments


def _hidden(private_key: str | bytes) -> Secret:
    """Hide a key; what is no key becomes an empty one."""
    if isinstance(private_key, bytes):
        return Secret(private_key.decode("latin-1"))
    return Secret(private_key.replace("\\n", "\n") if isinstance(private_key, str) else "")


def _signer(app: str, key: Secret) -> Callable[[float], Secret]:
    """Return what makes a JSON Web Token that begins a minute before a moment; the key stays in the closure.

    Raises:
        ConfigurationError: it is no RSA key, or PyJWT is not installed.
    """
    encode = _encoder(key)
    if isinstance(encode, str):
        raise ConfigurationError(encode)

    def sign(moment: float) -> Secret:
        start = math.floor(moment)
        return Secret(encode({"iat": start - _BACKDATED, "exp": start + _JWT_LIVES, "iss": app}))

    return sign


def _encoder(key: Secret) -> Callable[[dict[str, object]], str] | str:
    """Return what signs claims, or why there is none; it raises nothing: the frames of an error would show the key."""
    try:
        import jwt
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        return 'a GitHub App needs PyJWT and cryptography: pip install "gh-artifacts-async[app]"'
    try:
        found = load_pem_private_key(key.reveal().strip().encode("latin-1", "replace"), None)
    except Exception:  # noqa: BLE001 - cryptography raises several kinds, and none of them may be shown
        found = None
    if isinstance(found, RSAPrivateKey):
        signing: RSAPrivateKey = found
        return lambda claims: jwt.encode(claims, signing, algorithm="RS256")
    return (
        "private_key must be the content of the PEM file that GitHub generated for the App, not its path "
        "(-----BEGIN RSA PRIVATE KEY-----, without a password)"
    )


def _app_id(app_id: object) -> str:
    if isinstance(app_id, int):
        return str(check_id(app_id, "app_id"))
    return _text(app_id, "app_id")


def _text(value: object, name: str) -> str:
    """Return a value that is some printable ASCII without blanks.

    Raises:
        ConfigurationError: it is not.
    """
    if isinstance(value, str) and value and value.isascii() and value.isprintable() and " " not in value:
        return value
    shown = type(value).__name__ if not isinstance(value, str) or len(value) > 100 else repr(value)  # noqa: PLR2004
    msg = f"{name} must be a name or an ID without blanks, not {shown}"
    raise ConfigurationError(msg)


def _permissions(permissions: object) -> dict[str, str]:
    """Return permissions for a token.

    Raises:
        ConfigurationError: they are no mapping of names to levels.
    """
    items = permissions.items() if isinstance(permissions, Mapping) else ()
    found = {name: level for name, level in items if isinstance(name, str) and isinstance(level, str)}
    if not found or len(found) != len(items):
        msg = f'permissions must map names to levels, e.g. {{"actions": "read"}}, not {permissions!r}'
        raise ConfigurationError(msg)
    return found


def _repositories(repositories: object) -> tuple[str, ...]:
    """Return names of repositories for a token.

    Raises:
        ConfigurationError: they are no sequence of names without the owner.
    """
    names = tuple(repositories) if isinstance(repositories, list | tuple | set | frozenset) else ()
    if not names or not all(isinstance(name, str) and name and "/" not in name for name in names):
        msg = f'repositories must be names without the owner, e.g. ["octo-docs"], not {repositories!r}'
        raise ConfigurationError(msg)
    return names
