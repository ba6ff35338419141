"""JSON Web Tokens with a signature that nobody checks."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gh_artifacts_async.testing import FakeGitHub


def _part(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def app_token(github: FakeGitHub, *, algorithm: str = "RS256", **claims: Any) -> str:
    """Return the token of App 7 as GitHub expects it: issued a minute ago, valid for nine."""
    now = int(github.clock.timestamp())
    return f"{_part({'alg': algorithm})}.{_part({'iat': now - 60, 'exp': now + 540, 'iss': '7', **claims})}.c2ln"
