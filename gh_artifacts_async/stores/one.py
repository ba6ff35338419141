"""Stores one artifact: skip what is there, fetch, verify, store."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gh_artifacts_async.errors import (
    ConfigurationError,
    DestinationExistsError,
    DigestMismatchError,
    StorageError,
)
from gh_artifacts_async.models import Artifact, Digest
from gh_artifacts_async.protocol.validators import expected_sha256
from gh_artifacts_async.results import StoredResult
from gh_artifacts_async.stores.checks import check_key, check_key_for, check_store, takes_attributes
from gh_artifacts_async.stores.objects import Found, look, reads_the_same, says_the_same, write_record
from gh_artifacts_async.stores.upload import upload
from gh_artifacts_async.transfer.storage.targets import missing_token, resolve
from gh_artifacts_async.transfer.stream import open_stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from obstore.store import ObjectStore

    from gh_artifacts_async.api.emitter import Emitter
    from gh_artifacts_async.events import Observer
    from gh_artifacts_async.models import ArtifactRef
    from gh_artifacts_async.protocol.filenames import Kind
    from gh_artifacts_async.settings import IfExists
    from gh_artifacts_async.transfer.disk.layouts import Claims
    from gh_artifacts_async.transfer.storage.context import TransferContext
    from gh_artifacts_async.transfer.stream import ArtifactStream

    KeyOf = Callable[[Kind, str | None], str]

_IF_EXISTS = ("error", "skip", "replace")


def check_arguments(context: TransferContext, target: object, if_exists: object) -> None:
    """Check what all calls have in common, before any request.

    Raises:
        ConfigurationError: there is no token, no store, or ``if_exists`` is none of the three.
    """
    if not context.github.has_token:
        raise missing_token(context.github.base)
    check_store(target)
    if if_exists not in _IF_EXISTS:
        msg = f"if_exists must be 'error', 'skip' or 'replace', not {if_exists!r}"
        raise ConfigurationError(msg)


async def store(
    context: TransferContext,
    artifact: Artifact | ArtifactRef,
    target: ObjectStore,
    key: str,
    *,
    if_exists: IfExists = "skip",
    observer: Observer | None = None,
) -> StoredResult:
    """Store one artifact under a key, see :meth:`gh_artifacts_async.ArtifactsClient.store`."""
    context.github.check_usable()
    check_arguments(context, target, if_exists)
    check_key_for(target, check_key(key))
    found = await resolve(context.github, artifact)
    emitter = context.github.emitter.also(observer)
    return await Storing(context, found, target, lambda *_: key, if_exists=if_exists, emitter=emitter).run()


class Storing:
    """The way of one artifact into a store."""

    def __init__(
        self,
        context: TransferContext,
        artifact: Artifact,
        target: ObjectStore,
        key_of: KeyOf,
        *,
        if_exists: IfExists,
        emitter: Emitter,
        claims: Claims | None = None,
    ) -> None:
        """Keep the arguments.

        Args:
            context: the client's.
            artifact: resolved.
            target: the store.
            key_of: returns its key, for a zip or a raw file and with the Content-Disposition of storage's answer.
            if_exists: what to do about an object that is there.
            emitter: gets the events.
            claims: the keys of the other artifacts of a collection.
        """
        self._context = context
        self._artifact = artifact
        self._store = target
        self._key_of = key_of
        self._if_exists = if_exists
        self._emitter = emitter
        self._claims = claims

    async def run(self) -> StoredResult:
        """Skip the artifact if it is there; else fetch, verify and store it.

        Raises:
            ArtifactsError: it could not be stored; what is in the store is unchanged.
        """
        try:
            result = await self._present() or await self._brought()
        except BaseException as error:
            self._emitter.counters.artifacts_failed += isinstance(error, Exception)  # to be cancelled is no failure
            self._emitter.failed(self._artifact, error)
            raise
        counters = self._emitter.counters
        counters.artifacts_skipped += result.skipped
        counters.artifacts_done += not result.skipped
        self._emitter.delivered(self._artifact, result.size, key=result.key, skipped=result.skipped)
        return result

    # --- what is there

    def _usual_keys(self) -> list[str]:
        """Return the keys at which it may be already: that of a zip, and that of a raw file."""
        zipped = self._key_of("zip", None)
        return [zipped] if self._if_exists == "error" else list(dict.fromkeys((zipped, self._key_of("raw", None))))

    async def _present(self) -> StoredResult | None:
        """Return the object that is the artifact, before GitHub is asked for it.

        Raises:
            DestinationExistsError: something else is under the key of a zip.
        """
        keys = self._usual_keys()
        there = [found for key in keys if (found := await self._look(key)) is not None]
        for found in there:
            if self._if_exists != "error" and (result := await self._same(found)) is not None:
                return result
        if self._if_exists != "replace" and any(found.key == keys[0] for found in there):
            raise self._in_the_way(there[0])
        return None

    async def _present_after(self, key: str) -> StoredResult | None:
        """Look again once storage's answer has determined another key than the usual ones.

        Raises:
            DestinationExistsError: something else is there.
        """
        if key == self._key_of("zip", None):
            return None
        found = await self._look(key)
        if found is None:
            return None
        result = await self._same(found) if self._if_exists != "error" else None
        if result is None and self._if_exists != "replace":
            raise self._in_the_way(found)
        return result

    async def _look(self, key: str) -> Found | None:
        return await look(self._store, check_key(key), blindly=self._if_exists == "replace")

    async def _same(self, found: Found) -> StoredResult | None:
        """Return what is there, if it is the artifact: by what it says of itself, else by its bytes."""
        artifact, expected = self._artifact, expected_sha256(self._artifact)
        if not says_the_same(artifact, found):
            if found.facts is not None or expected is None or found.size != artifact.size_in_bytes:
                return None
            if self._emitter.active:
                self._emitter.checking(artifact)
            if not await reads_the_same(self._store, artifact, found):
                return None
            if not takes_attributes(self._store):
                await write_record(
                    self._store, found.key, artifact, sha256=expected, size=found.size, e_tag=found.e_tag
                )
        sha256 = expected or (found.facts and found.facts.sha256)
        return StoredResult(
            artifact=artifact,
            key=found.key,
            size=found.size,
            digest=Digest("sha256", sha256) if sha256 else None,
            verified="digest" if expected else "size" if found.size == artifact.size_in_bytes else "none",
            skipped=True,
        )

    def _in_the_way(self, found: Found) -> DestinationExistsError:
        known = ""
        if self._if_exists == "skip":
            facts = found.facts
            what = (
                "is not known to be" if facts is None else f"is artifact {facts.artifact_id} of {facts.repository}, not"
            )
            known = f" and {what} artifact {self._artifact.id}; if_exists='replace' overwrites it"
        msg = f"object {found.key!r} already exists{known}"
        return DestinationExistsError(msg, filename=found.key)

    # --- into the store

    async def _brought(self) -> StoredResult:
        """Fetch and store; once more if the bytes were not the artifact's."""
        started = asyncio.get_running_loop().time()
        try:
            return await self._fetched(started)
        except (DigestMismatchError, StorageError) as error:
            if isinstance(error, StorageError) and error.status:
                raise  # an answer, and no wrong bytes
            wrong = error.with_traceback(None)
        self._emitter.retried("storage", f"artifact {self._artifact.id}", wrong, 0.0, 1)
        return await self._fetched(started)

    async def _fetched(self, started: float) -> StoredResult:
        async with open_stream(self._context, self._artifact, emitter=self._emitter, final=False) as stream:
            key = check_key(self._key_of(stream.kind, stream.disposition))
            if self._claims is not None:
                self._claims.take(key, self._artifact)
            present = await self._present_after(key)
            if present is not None:
                return present
            await upload(self._store, key, stream)
            return self._stored(stream, key, asyncio.get_running_loop().time() - started)

    def _stored(self, stream: ArtifactStream, key: str, elapsed: float) -> StoredResult:
        verified, sha256 = stream.verified, stream.sha256
        assert verified is not None and sha256 is not None  # noqa: S101, PT018 - the stream was read to its end
        return StoredResult(
            artifact=self._artifact,
            key=key,
            size=stream.received,
            digest=Digest("sha256", sha256),
            verified=verified,
            elapsed=elapsed,
            content_type=stream.content_type,
        )
