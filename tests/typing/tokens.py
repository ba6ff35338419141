"""Never run: what a user's type checker must make of tokens."""

from __future__ import annotations

from typing import assert_type

from gh_artifacts_async import (
    AppInstallationToken,
    EnvironmentToken,
    GitHubCLIToken,
    Secret,
    Sender,
    StaticToken,
    TokenSource,
    resolve_base_url,
    token_variables,
)
from gh_artifacts_async.api import GitHubSession


class OwnToken:
    """A token source of a user's own, by its shape alone."""

    async def token(self) -> str:
        """Return a token."""
        return "t"


def sources() -> list[TokenSource]:
    """Every kind of source is a TokenSource."""
    app = AppInstallationToken(7, b"key", org="octo-org", permissions={"actions": "read"}, repositories=["octo-docs"])
    return [OwnToken(), StaticToken("t"), EnvironmentToken("GH_TOKEN"), GitHubCLIToken(None), app]


async def one_source(source: TokenSource) -> str:
    """What a source gives is a string, whichever it is."""
    assert_type(await StaticToken("t").token(), str)
    return await source.token()


class Careful:
    """A source that is bound to a session, and told of a token that was refused."""

    def __init__(self) -> None:
        """Begin unbound."""
        self.sender: Sender | None = None

    def bind(self, sender: Sender) -> None:
        """Keep what sends."""
        self.sender = sender

    def invalidate(self, token: str) -> None:
        """Forget a token."""
        del token

    async def token(self) -> str:
        """Return a token."""
        return Secret("t").reveal()


async def bound(session: GitHubSession, app: AppInstallationToken, tool: GitHubCLIToken) -> TokenSource:
    """A session is a Sender."""
    for source in (Careful(), app, tool):
        source.bind(session)
        source.invalidate("t")
        assert_type(await source.token(), str)
    return Careful()


def addresses() -> None:
    """What the environment says, as ``from_env`` reads it."""
    assert_type(resolve_base_url("github.example.com"), str)
    assert_type(resolve_base_url(environ={"GH_HOST": "github.com"}), str)
    assert_type(token_variables("https://api.github.com", {}), tuple[str, ...])
