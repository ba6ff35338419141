"""Other people's Python clients of GitHub behind one face, so that the same tests judge the fake by each of them."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tests.kits.interop import module

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime
    from pathlib import Path

PER_PAGE = 100
PEERS = {"githubkit": "GithubKit", "gidgethub": "Gidgethub", "PyGithub": "PyGithub"}


class Seen(NamedTuple):
    """An artifact as a client reports it."""

    id: int
    name: str
    size: int
    digest: str | None
    expired: bool
    created_at: datetime
    run_id: int | None


class App(NamedTuple):
    """What a GitHub App's client needs in place of a token."""

    id: int
    private_key: str
    installation: int


class Where(NamedTuple):
    """Which GitHub a client talks to, and as whom.

    Attributes:
        base_url: of the API.
        authority: the certificate to trust; None over http.
        repo: ``owner/name``.
        who: a token, or an App.
        cache: the client keeps what it was answered, and asks whether that has changed; PyGithub cannot.
    """

    base_url: str
    authority: Path | None
    repo: str
    who: str | App = "token"
    cache: bool = False

    @property
    def tls(self) -> ssl.SSLContext | bool:
        """What aiohttp and httpx take; True for http."""
        return True if self.authority is None else ssl.create_default_context(cafile=self.authority)


class Peer(Protocol):
    """What the tests ask of a client; it returns all pages."""

    async def artifacts(self, *, run_id: int | None = None, name: str | None = None) -> list[Seen]:
        """List a repository's artifacts, or a run's."""

    async def runs(self, **filters: str) -> list[int]:
        """List the ids of runs."""

    async def artifact(self, artifact_id: int) -> Seen:
        """Get an artifact."""

    async def download(self, artifact_id: int) -> bytes:
        """Get an artifact's bytes."""

    async def delete(self, artifact_id: int) -> None:
        """Delete an artifact."""

    def status(self, error: Exception) -> int:
        """Return the HTTP status that an error of the client's tells of."""


def peer_at(name: str, where: Where) -> AbstractAsyncContextManager[Peer]:
    """Return one of PEERS, to be entered; skip the test where it is not installed, unless it is required."""
    found: AbstractAsyncContextManager[Peer] = getattr(module(f"tests.kits.peer_{name.lower()}", name), PEERS[name]).at(
        where
    )
    return found
