"""What the transfers of one client share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gh_artifacts_async.transfer.disk.leftovers import Leftovers
from gh_artifacts_async.transfer.disk.writer import Writer
from gh_artifacts_async.transfer.storage.targets import StorageSession

if TYPE_CHECKING:
    from gh_artifacts_async.api.session import GitHubSession
    from gh_artifacts_async.results import SignedURL
    from gh_artifacts_async.settings import StoragePolicy
    from gh_artifacts_async.transfer.disk.partfile import PartFile


class TransferContext:
    """The GitHub session, the storage session, the worker thread, and the part files of earlier runs.

    Attributes:
        github: signs URLs; also has the client's settings.
        storage: sends bytes.
        writer: writes them to disk.
        leftovers: part files of earlier runs.
        extras: connections to storage beyond the one that each transfer has, now.
    """

    def __init__(self, github: GitHubSession, policy: StoragePolicy) -> None:
        """Create what is shared; no connection is opened and no thread started yet."""
        self.github = github
        self.storage: StorageSession = StorageSession(
            github.transport,
            policy,
            github.emitter,
            api_is_http=github.base.origin.scheme == "http",
        )
        self.writer: Writer = Writer()
        self.leftovers: Leftovers = Leftovers()
        self.extras = 0

    async def aclose(self) -> None:
        """End the worker thread; the connections belong to the transport, which is closed after this."""
        await self.writer.aclose()


class Follower(Protocol):
    """Processes the bytes while they arrive."""

    async def prepare(self, signed: SignedURL) -> None:
        """Prepare, just before the artifact is requested with this URL."""
        ...

    def begin(self, part: PartFile, total: int | None) -> None:
        """Start with a body that begins, or begins again; ``total`` is None if it cannot be processed early."""
        ...

    def poke(self) -> None:
        """Signal that bytes have arrived."""
        ...
