"""The client's methods that store artifacts in object stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async.client.transfers import Transfers

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterable
    from contextlib import AbstractAsyncContextManager

    from obstore.store import ObjectStore

    from gh_artifacts_async.events import Observer
    from gh_artifacts_async.models import Artifact, ArtifactRef
    from gh_artifacts_async.results import Outcome, StoredResult
    from gh_artifacts_async.settings import IfExists, Layout


class Storing(Transfers):
    """Object stores (extra ``stores``); :mod:`gh_artifacts_async.stores` is imported by the first call."""

    async def store(
        self,
        artifact: Artifact | ArtifactRef,
        store: ObjectStore,
        key: str,
        *,
        if_exists: IfExists = "skip",
        observer: Observer | None = None,
    ) -> StoredResult:
        """Store one artifact as an object of S3, Google Cloud Storage, Azure, a folder or memory (extra ``stores``).

        ::

            store = obstore.store.S3Store("my-bucket", region="eu-central-1")
            result = await client.store(artifact, store, f"artifacts/{artifact.name}-{artifact.id}.zip")

        The bytes go from GitHub's storage into the store and touch no disk. The object appears whole and verified, or
        not at all. It says which artifact it is: by the attributes ``sha256``, ``artifactid``, ``runid`` and
        ``repository`` (obstore shows them with ``get``, not with ``head``), or where a store keeps no attributes
        (folders), by the record ``<key>.gh-artifacts.json`` beside it.

        Up to 16 MiB are sent by one request, more in parts of 8 MiB, with at most 64 MiB of memory. An upload in parts
        that fails or is cancelled is aborted, and the call returns once that is done; only a process that is killed
        leaves its parts, see :func:`gh_artifacts_async.stores.abort_stale_uploads`. It is not resumed by a later call.

        Args:
            artifact: an Artifact, or an ArtifactRef, which costs one more GET.
            store: one of ``obstore.store``, with its own credentials, retries and timeouts.
            key: of the object, whether the artifact is a zip or not; below the store's ``prefix``.
            if_exists: ``"skip"`` if the object that is there is known to be the same artifact, by what it says of
                itself and its size, or if nothing says so, by its bytes and GitHub's digest (anything else there is an
                error); ``"error"``; ``"replace"``, which fetches nothing if it is the same, and overwrites anything
                else.
            observer: called with the events of this transfer, in addition to the client's observer.

        Raises:
            ConfigurationError: there is no token, an argument is invalid, or the extra is not installed; no request
                was sent.
            DestinationExistsError: something else is there.
            ObjectStoreError: the store answered with an error, or did not answer.
            ArtifactExpiredError: the artifact has expired.
            DigestMismatchError: the bytes do not match GitHub's digest, and did not when they were fetched again.
            ArtifactsError: GitHub or its storage answered with an error, or did not answer.
        """
        from gh_artifacts_async import stores

        return await stores.store(
            self._context or self._transfers(), artifact, store, key, if_exists=if_exists, observer=observer
        )

    def store_many(
        self,
        artifacts: Iterable[Artifact | ArtifactRef] | AsyncIterable[Artifact | ArtifactRef],
        store: ObjectStore,
        *,
        layout: Layout = "id",
        concurrency: int = 8,
        if_exists: IfExists = "skip",
        observer: Observer | None = None,
    ) -> AbstractAsyncContextManager[AsyncIterator[Outcome[StoredResult]]]:
        """Store many artifacts, at most ``concurrency`` at once; yield an outcome for each as it completes.

        ::

            async with client.store_many(client.list_artifacts(repo), store) as outcomes:
                async for outcome in outcomes:
                    ...

        The keys are those that :meth:`download_many` gives to files: ``<name>-<id>.zip``, or what ``layout`` makes of
        it; what was not uploaded as a zip keeps its name. Each artifact is stored as by :meth:`store`, and all is as
        for :meth:`download_many`: the failure of one artifact is its outcome, leaving the block aborts what is under
        way, the input may be endless, and a rejected token and a rate limit beyond ``Limits.max_pause`` stop new work.
        So does a store that refuses the credentials, has no such bucket, or cannot be reached.

        Args:
            artifacts: Artifacts or ArtifactRefs, from any iterable or async iterable.
            store: as for :meth:`store`; its ``prefix`` puts all of them below a folder.
            layout: as for :meth:`download_many`; its folders become parts of the keys.
            concurrency: transfers at once, each with up to 64 MiB of memory.
            if_exists: as for :meth:`store`.
            observer: called with the events of these transfers, in addition to the client's observer.

        Raises:
            ConfigurationError: there is no token, an argument is invalid, or the extra is not installed; no request
                was sent.
            DestinationExistsError: two artifacts of a collection have the same key; nothing was fetched.
        """
        from gh_artifacts_async import stores

        return stores.store_many(
            self._context or self._transfers(),
            artifacts,
            store,
            layout=layout,
            concurrency=concurrency,
            if_exists=if_exists,
            observer=observer,
        )
