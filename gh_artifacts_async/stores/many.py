"""Stores many artifacts: the machinery of bulk downloads, with keys instead of paths."""

from __future__ import annotations

from collections import abc
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gh_artifacts_async.errors import ObjectStoreUnavailableError
from gh_artifacts_async.models import Artifact, check_id
from gh_artifacts_async.stores.checks import storable
from gh_artifacts_async.stores.one import Storing, check_arguments
from gh_artifacts_async.transfer.bulk import STOPS_ALL, Pool, Runs, Turns, running
from gh_artifacts_async.transfer.disk.layouts import Claims, by_layout, check_layout
from gh_artifacts_async.transfer.storage.targets import check_artifacts, resolve

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable
    from contextlib import AbstractAsyncContextManager

    from obstore.store import ObjectStore

    from gh_artifacts_async.api.emitter import Emitter
    from gh_artifacts_async.events import Observer
    from gh_artifacts_async.models import ArtifactRef
    from gh_artifacts_async.protocol.filenames import Destination, Kind
    from gh_artifacts_async.results import Outcome, StoredResult
    from gh_artifacts_async.settings import IfExists, Layout
    from gh_artifacts_async.transfer.storage.context import TransferContext

    KeyOf = Callable[[Kind, str | None], str]

_STOPS = (*STOPS_ALL, ObjectStoreUnavailableError)
_ROOT = Path()


def store_many(
    context: TransferContext,
    artifacts: Iterable[Artifact | ArtifactRef] | AsyncIterable[Artifact | ArtifactRef],
    target: ObjectStore,
    *,
    layout: Layout = "id",
    concurrency: int = 8,
    if_exists: IfExists = "skip",
    observer: Observer | None = None,
    prefix: str = "",
) -> AbstractAsyncContextManager[AsyncIterator[Outcome[StoredResult]]]:
    """Store many artifacts, see :meth:`gh_artifacts_async.ArtifactsClient.store_many`.

    The arguments are checked here, before the block is entered.

    Args:
        context: the client's.
        artifacts: as for the client's method, and so are the others.
        target: the store.
        layout: of the keys.
        concurrency: transfers at once.
        if_exists: what to do about an object that is there.
        observer: called with the events of these transfers.
        prefix: begins each key, e.g. ``"OWNER/NAME/"``.
    """
    check_arguments(context, target, if_exists)
    check_id(concurrency, "concurrency")
    check_layout(layout)
    emitter = context.github.emitter.also(observer)
    many = _Many(context, target, layout=layout, if_exists=if_exists, emitter=emitter, prefix=prefix)
    return many.storing(artifacts, concurrency)


def _keys(destination: Destination, prefix: str) -> KeyOf:
    """Return what a destination makes of the keys: its path, below the prefix."""

    def key_of(kind: Kind, disposition: str | None) -> str:
        return storable(prefix + destination.path(kind, disposition).as_posix())

    return key_of


class _Many:
    """The way of many artifacts into a store."""

    def __init__(
        self,
        context: TransferContext,
        target: ObjectStore,
        *,
        layout: Layout,
        if_exists: IfExists,
        emitter: Emitter,
        prefix: str,
    ) -> None:
        self._context = context
        self._store = target
        self._layout = layout
        self._if_exists: IfExists = if_exists
        self._emitter = emitter
        self._prefix = prefix
        self._runs = Runs(context.github, layout)
        self._known: dict[int, KeyOf] = {}
        self._claims, self._turns = Claims(are_files=False), Turns()

    @asynccontextmanager
    async def storing(
        self, artifacts: Iterable[Artifact | ArtifactRef] | AsyncIterable[Artifact | ArtifactRef], concurrency: int
    ) -> AsyncGenerator[AsyncIterator[Outcome[StoredResult]]]:
        """Store for the length of a block."""
        self._context.github.check_usable()
        check_artifacts(artifacts)
        if isinstance(artifacts, abc.Collection):  # a conflict is detected before anything is fetched
            rehearsal = Claims()
            for artifact in artifacts:
                if isinstance(artifact, Artifact):
                    self._known[artifact.id] = await self._keys_of(artifact)
                    rehearsal.take(self._known[artifact.id]("zip", None), artifact)
            del rehearsal
        async with running(Pool(artifacts, self._store_one, concurrency, _STOPS)) as outcomes:
            yield outcomes

    async def _keys_of(self, artifact: Artifact) -> KeyOf:
        return _keys(by_layout(artifact, _ROOT, self._layout, await self._runs.of(artifact)), self._prefix)

    async def _store_one(self, subject: Artifact | ArtifactRef) -> StoredResult:
        artifact = await resolve(self._context.github, subject)
        key_of = self._known.pop(artifact.id, None) or await self._keys_of(artifact)
        self._claims.take(key_of("zip", None), artifact)
        async with self._turns.of(artifact.id):
            storing = Storing(
                self._context,
                artifact,
                self._store,
                key_of,
                if_exists=self._if_exists,
                emitter=self._emitter,
                claims=self._claims,
            )
            return await storing.run()
