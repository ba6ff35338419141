"""Which tokens the API accepts, and those it issues to GitHub Apps."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
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


@attrs.define
class Tokens:
    """The tokens.

    Attributes:
        clock: the fake's clock.
        accepted: those that are valid; None: any.
        scopeless: those that may read listings but not download.
        minted: issued installation tokens -> the time they expire.
        check_jwt_times: check a JWT's ``iat`` and ``exp`` against the fake's clock.
    """

    clock: Clock
    accepted: Collection[str] | None = None
    scopeless: Collection[str] = ()
    minted: dict[str, datetime] = attrs.field(factory=dict)
    check_jwt_times: bool = True

    def good(self, token: str) -> bool:
        """Return whether the API accepts ``token``."""
        if token in self.minted:
            return self.clock.now() < self.minted[token]
        return bool(token) and (self.accepted is None or token in self.accepted)

    def mint(self, installation: FakeInstallation) -> tuple[str, datetime]:
        """Return a new installation token and the time it expires."""
        token = f"ghs_{installation.app_id}_{installation.id:08d}{len(self.minted) + 1:024d}"
        self.minted[token] = self.clock.now() + timedelta(seconds=installation.lifetime)
        return token, self.minted[token]

    def app_id(self, token: str) -> str:
        """Return the App that a JSON Web Token names; its shape and times are checked, its signature is not.

        https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app

        Raises:
            HTTPError: 401, GitHub would not accept it.
        """
        parts = token.split(".")
        if len(parts) != _JWT_PARTS:
            raise HTTPError(401, "A JSON web token could not be decoded")
        header, claims = _part(parts[0]), _part(parts[1])
        if header.get("alg") != "RS256" or not {"iat", "exp", "iss"} <= claims.keys():
            raise HTTPError(401, "A JSON web token could not be decoded")
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


def _part(text: str) -> dict[str, Any]:
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise HTTPError(401, "A JSON web token could not be decoded")
    return found
