"""A GitHub App for tests: its keys, and JSON Web Tokens with a signature that nobody checks."""

from __future__ import annotations

import base64
import functools
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

if TYPE_CHECKING:
    from gh_artifacts_async.testing import FakeGitHub
    from gh_artifacts_async.testing.server.journal import RequestRecord

ACCESS_TOKENS = "apps/create-installation-access-token"


class Keys(NamedTuple):
    """A private key as GitHub hands it out, and its public key."""

    private: str
    public: str


@functools.cache
def keys(number: int = 0) -> Keys:
    """Return a pair of keys; another number gives another pair."""
    del number
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return Keys(private.decode(), public.decode())


def of_apps(github: FakeGitHub) -> list[RequestRecord]:
    """Return the requests of Apps themselves."""
    return [record for record in github.requests if (record.endpoint or "").startswith("apps/")]


def minted(github: FakeGitHub) -> int:
    """Return how many installation tokens were asked for."""
    return sum(record.endpoint == ACCESS_TOKENS for record in github.requests)


def _part(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def app_token(github: FakeGitHub, *, algorithm: str = "RS256", **claims: Any) -> str:
    """Return the token of App 7 as GitHub expects it: issued a minute ago, valid for nine."""
    now = int(github.clock.timestamp())
    return f"{_part({'alg': algorithm})}.{_part({'iat': now - 60, 'exp': now + 540, 'iss': '7', **claims})}.c2ln"
