"""Which tokens the API accepts, and those it issues to GitHub Apps."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs

from gh_artifacts_async.testing.clock import Clock
from gh_artifacts_async.testing.server.responses import HTTPError

if TYPE_CHECKING:
    from gh_artifacts_async.testing.data.models import FakeInstallation

_JWT_LIFE = 600
_LEEWAY = 60
_JWT_PARTS = 3
_SIGNATURE_BYTES = 256
LEVELS = ("read", "write", "admin")
"""Of a permission; each includes those before it."""
_UNDECODABLE = "A JSON web token could not be decoded"


@attrs.frozen
class Minted:
    """What an installation token may do.

    Attributes:
        expires: when it ends.
        repositories: the numbers of the repositories it reaches.
        permissions: e.g. ``{"actions": "write"}``.
    """

    expires: datetime
    repositories: Collection[int]
    permissions: Mapping[str, str]

    def may(self, level: str, permission: str = "actions") -> bool:
        """Return whether it may do what needs ``level``: to artifacts, or of another permission."""
        given = self.permissions.get(permission, "")
        return given in LEVELS and LEVELS.index(given) >= LEVELS.index(level)


@attrs.define
class Tokens:
    """The tokens.

    Attributes:
        clock: the fake's clock.
        accepted: those that are valid; None: any.
        scopeless: those that may read listings but not download.
        minted: issued installation tokens, and what they may do.
        check_jwt_times: check a JWT's ``iat`` and ``exp`` against the fake's clock.
        app_keys: App -> public keys with which its JWTs are checked; an App that is not in it needs no signature.
    """

    clock: Clock
    accepted: Collection[str] | None = None
    scopeless: Collection[str] = ()
    minted: dict[str, Minted] = attrs.field(factory=dict)
    check_jwt_times: bool = True
    app_keys: dict[str, tuple[str | bytes, ...]] = attrs.field(factory=dict)

    def good(self, token: str) -> bool:
        """Return whether the API accepts ``token``."""
        if token in self.minted:
            return self.clock.now() < self.minted[token].expires
        return bool(token) and (self.accepted is None or token in self.accepted)

    def mint(
        self,
        installation: FakeInstallation,
        repositories: Collection[int],
        permissions: Mapping[str, str],
        *,
        stateless: bool = False,
    ) -> tuple[str, datetime]:
        """Return a new installation token and the time it expires.

        Args:
            installation: whose token.
            repositories: numbers of those it reaches.
            permissions: what it may do.
            stateless: in the format of 2026: about 520 characters, with dots.
        """
        number = len(self.minted) + 1
        expires = self.clock.now() + timedelta(seconds=installation.lifetime)
        if stateless:
            token = _stateless(installation, number, expires)
        else:
            token = f"ghs_{installation.app_id}_{installation.id:08d}{number:024d}"
        self.minted[token] = Minted(expires, repositories, permissions)
        return token, expires

    def issuer(self, token: str) -> str:
        """Return the App that a JSON Web Token names, by its ID or its client ID; its shape and times are checked.

        https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app

        Raises:
            HTTPError: 401, GitHub would not accept it.
        """
        parts = token.split(".")
        if len(parts) != _JWT_PARTS:
            raise HTTPError(401, _UNDECODABLE)
        header, claims = _part(parts[0]), _part(parts[1])
        if header.get("alg") != "RS256" or not {"iat", "exp", "iss"} <= claims.keys():
            raise HTTPError(401, _UNDECODABLE)
        now = self.clock.timestamp()
        if self.check_jwt_times and claims["iat"] > now + _LEEWAY:
            raise HTTPError(
                401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
            )
        if self.check_jwt_times and claims["exp"] <= now:
            raise HTTPError(401, "'Expiration time' claim ('exp') must be a numeric value representing the future time")
        life = claims["exp"] - (now if self.check_jwt_times else claims["iat"])
        if life > _JWT_LIFE + _LEEWAY:
            raise HTTPError(401, "'Expiration time' claim ('exp') is too far in the future")
        return str(claims["iss"])

    def check_signature(self, app: str, token: str) -> None:
        """Check that a JSON Web Token was signed with one of the App's keys, if it has any on record.

        Raises:
            HTTPError: 401, it was not.
        """
        keys = self.app_keys.get(app)
        if keys is not None and not any(_is_signed(token, key) for key in keys):
            raise HTTPError(401, _UNDECODABLE)


def _is_signed(token: str, key: str | bytes) -> bool:
    import jwt  # with the extra ``app``; FakeGitHub.set_app_keys says so where it is missing

    try:
        jwt.PyJWS().decode(token, key, algorithms=["RS256"])
    except jwt.InvalidTokenError:
        return False
    return True


def _stateless(installation: FakeInstallation, number: int, expires: datetime) -> str:
    """Return ``ghs_APPID_JWT``, the format of 2026-04-27, whose signature is as long as RSA's."""
    claims = {
        "iss": "https://github.com",
        "iat": int(expires.timestamp() - installation.lifetime),
        "exp": int(expires.timestamp()),
        "jti": f"{installation.id:08d}{number:016d}",
    }
    parts = [json.dumps(part, separators=(",", ":")).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims)]
    parts.append(hashlib.shake_256(parts[1]).digest(_SIGNATURE_BYTES))
    return f"ghs_{installation.app_id}_{'.'.join(_encoded(part) for part in parts)}"


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def _part(text: str) -> dict[str, Any]:
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise HTTPError(401, _UNDECODABLE)
    return found
