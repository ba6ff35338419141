"""Small files out of many artifacts, or out of the newest that fits, without downloading the rest.

Memory is bounded by the bytes that may be held, not by what archives hold: they are reserved before members are
fetched, and freed as the outcomes are taken.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from contextlib import aclosing, asynccontextmanager
from fnmatch import fnmatchcase
from operator import attrgetter
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.automation.criteria import ArtifactQuery
from gh_artifacts_async.automation.selection import find_artifacts
from gh_artifacts_async.errors import (
    ArchiveError,
    ArchiveLimitError,
    ConfigurationError,
    MemberNotFoundError,
    NotFoundError,
)
from gh_artifacts_async.models import Artifact, check_id
from gh_artifacts_async.results import Failure, Outcome, Success
from gh_artifacts_async.settings import ExtractPolicy
from gh_artifacts_async.transfer.bulk import Workers, running
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.storage.targets import check_artifacts, missing_token, resolve
from gh_artifacts_async.transfer.unzip.remote_archive import RemoteFile, check_size, find_file, open_contents
from gh_artifacts_async.transfer.unzip.remote_source import coalesced

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from gh_artifacts_async.archive import ArchiveDirectory, Member
    from gh_artifacts_async.models import ArtifactRef, RepositoryName
    from gh_artifacts_async.transfer.storage.context import TransferContext
    from gh_artifacts_async.transfer.unzip.remote_archive import RemoteArchive

_WILDCARD = re.compile(r"[*?\[]")
_MOST = 1000  # members a batch: what an outcome takes beside its bytes is bounded too


@attrs.frozen(kw_only=True)
class MemberContent:
    """One file of an artifact.

    Attributes:
        artifact: the artifact.
        name: the file's name in the archive; of an artifact that was uploaded without zipping, its file name.
        data: the uncompressed bytes.
    """

    artifact: Artifact
    name: str
    data: bytes = attrs.field(repr=False)

    def text(self, encoding: str = "utf-8") -> str:
        """Return the content as text.

        Raises:
            UnicodeDecodeError: the bytes are no text of this encoding.
        """
        return self.data.decode(encoding)


# --- the newest that fits


async def read_latest(
    context: TransferContext, repo: RepositoryName, query: ArtifactQuery, name: str, *, max_bytes: int
) -> MemberContent:
    """Read one member, see :meth:`gh_artifacts_async.ArtifactsClient.read_latest`."""
    if not context.github.has_token:
        raise missing_token(context.github.base)
    _check_name(name)
    check_id(max_bytes, "max_bytes")
    async with aclosing(find_artifacts(context.github, repo, query)) as found:
        async for artifact in found:
            return await _read_one(context, artifact, name, max_bytes)
    msg = f"no artifact of {repo} matches {_shown(query)}; explain() tells why each candidate was left out"
    raise NotFoundError(msg, status=404)


async def _read_one(context: TransferContext, artifact: Artifact, name: str, max_bytes: int) -> MemberContent:
    async with open_contents(context, artifact, ExtractPolicy()) as contents:
        if not isinstance(contents, RemoteFile):
            data = await contents.read(name, max_bytes=max_bytes)
        elif contents.name == name:
            data = await contents.read(max_bytes=max_bytes)
        else:
            raise _not_in_file(contents, name)
    return MemberContent(artifact=artifact, name=name, data=data)


def _not_in_file(file: RemoteFile, name: str) -> MemberNotFoundError:
    msg = f"{name!r} is not in artifact {file.artifact.name!r}: that is a single file, {file.name!r}, not a zip"
    return MemberNotFoundError(msg, member=name, rule="missing")


def _shown(query: ArtifactQuery) -> str:
    """Return the fields of a query that differ from the defaults."""
    usual = ArtifactQuery()
    given = {field.name: getattr(query, field.name) for field in attrs.fields(ArtifactQuery)}
    told = [f"{name}={value!r}" for name, value in given.items() if value != getattr(usual, name)]
    return f"ArtifactQuery({', '.join(told)})"


# --- many artifacts


def read_members(
    context: TransferContext,
    artifacts: Iterable[Artifact | ArtifactRef] | AsyncIterable[Artifact | ArtifactRef],
    names: str | Sequence[str],
    *,
    concurrency: int,
    max_bytes: int,
) -> AbstractAsyncContextManager[AsyncIterator[Outcome[MemberContent]]]:
    """Read members of many artifacts, see :meth:`gh_artifacts_async.ArtifactsClient.read_members`.

    The arguments are checked here, before the block is entered.
    """
    if not context.github.has_token:
        raise missing_token(context.github.base)
    wanted = Wanted(names)
    check_id(concurrency, "concurrency")
    check_id(max_bytes, "max_bytes")
    return _reading(context, artifacts, wanted, concurrency=concurrency, max_bytes=max_bytes)


@asynccontextmanager
async def _reading(
    context: TransferContext,
    artifacts: Iterable[Artifact | ArtifactRef] | AsyncIterable[Artifact | ArtifactRef],
    wanted: Wanted,
    *,
    concurrency: int,
    max_bytes: int,
) -> AsyncGenerator[AsyncIterator[Outcome[MemberContent]]]:
    context.github.check_usable()
    check_artifacts(artifacts)
    room = Room(concurrency * max_bytes)
    readers = _Readers(context, artifacts, wanted, room, size=concurrency, max_bytes=max_bytes)
    async with running(readers) as outcomes, aclosing(_taken(outcomes, room)) as taken:
        yield taken


async def _taken(outcomes: AsyncIterator[Outcome[MemberContent]], room: Room) -> AsyncGenerator[Outcome[MemberContent]]:
    """Yield the outcomes; what is taken no longer counts."""
    async for outcome in outcomes:
        if outcome.value is not None:
            room.free(len(outcome.value.data))
        yield outcome
        del outcome  # while the next is waited for, the caller alone decides how long this one stays in memory


class Room:
    """Bytes that may be held at once, over all artifacts; who waits for more is served in turn."""

    def __init__(self, size: int) -> None:
        """Have all of them free."""
        self._left = size
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()

    async def hold(self, count: int, read: Callable[[], Awaitable[dict[str, bytes]]]) -> dict[str, bytes]:
        """Reserve ``count`` bytes for as long as contents are read; afterwards, only what the contents take is held."""
        async with self._turn:
            while self._left < count:
                self._freed.clear()
                await self._freed.wait()
            self._left -= count
        kept = 0
        try:
            contents = await read()
            kept = sum(map(len, contents.values()))
        finally:
            self.free(count - kept)
        return contents

    def free(self, count: int) -> None:
        """Give some back."""
        self._left += count
        self._freed.set()


class _Readers(Workers[MemberContent]):
    """Tasks that read the members of one artifact each."""

    def __init__(
        self,
        context: TransferContext,
        artifacts: Iterable[Artifact | ArtifactRef] | AsyncIterable[Artifact | ArtifactRef],
        wanted: Wanted,
        room: Room,
        *,
        size: int,
        max_bytes: int,
    ) -> None:
        super().__init__(artifacts, size)
        self._context = context
        self._wanted = wanted
        self._room = room
        self._max_bytes = max_bytes

    async def process(self, subject: Artifact | ArtifactRef) -> None:
        """Read the members of one artifact that are wanted, and put an outcome for each in the queue."""
        artifact = await resolve(self._context.github, subject)
        async with open_contents(self._context, artifact, ExtractPolicy()) as contents:
            if isinstance(contents, RemoteFile):
                await self._file(subject, contents)
            else:
                await self._archive(subject, contents)

    async def _file(self, subject: Artifact | ArtifactRef, file: RemoteFile) -> None:
        for name in self._wanted.exact:
            if name != file.name:
                await self._fail(subject, _not_in_file(file, name))
        if not self._wanted.matches(file.name):
            return

        async def read() -> dict[str, bytes]:
            return {file.name: await file.read(max_bytes=self._max_bytes)}

        await self._hand_over(subject, file.artifact, await self._room.hold(min(file.size, self._max_bytes), read))

    async def _archive(self, subject: Artifact | ArtifactRef, archive: RemoteArchive) -> None:
        chosen, missing = await in_thread(lambda: self._wanted.choose(archive.directory))
        for error in missing:
            await self._fail(subject, error)
        fitting: list[Member] = []
        for member in chosen:
            try:
                check_size(member, self._max_bytes)
            except ArchiveLimitError as error:
                await self._fail(subject, error)
            else:
                fitting.append(member)
        for batch in batches(fitting, self._max_bytes):
            await self._members(subject, archive, batch)

    async def _members(self, subject: Artifact | ArtifactRef, archive: RemoteArchive, batch: Sequence[Member]) -> None:
        """Read some members at once; if one of them is damaged, each on its own."""

        async def read() -> dict[str, bytes]:
            return await archive.read_many([member.name for member in batch], max_bytes=self._max_bytes)

        try:
            contents = await self._room.hold(min(needed(batch), self._max_bytes), read)
        except ArchiveError as error:
            if len(batch) == 1:
                await self._fail(subject, error)
                return
        else:
            await self._hand_over(subject, archive.artifact, contents)
            return
        for member in batch:
            await self._members(subject, archive, (member,))

    async def _hand_over(self, subject: Artifact | ArtifactRef, artifact: Artifact, contents: dict[str, bytes]) -> None:
        """Put the contents in the queue one after another, and keep none that is taken."""
        for name in list(contents):
            await self.put(
                Success(artifact=subject, value=MemberContent(artifact=artifact, name=name, data=contents.pop(name)))
            )

    async def _fail(self, subject: Artifact | ArtifactRef, error: Exception) -> None:
        await self.put(Failure(artifact=subject, error=error))


# --- which members, and how many at once


class Wanted:
    """Names of members: exact ones, and globs.

    Attributes:
        exact: names without wildcards; an artifact that lacks one of them fails.
        globs: the others.
    """

    def __init__(self, names: str | Sequence[str]) -> None:
        """Check the names.

        Raises:
            ConfigurationError: they are no names, or none at all.
        """
        given = (names,) if isinstance(names, str) else tuple(names) if isinstance(names, Iterable) else ()
        if not given:
            msg = f"names must be a member's name, a glob, or a sequence of them, not {names!r}"
            raise ConfigurationError(msg)
        distinct = [_check_name(name) for name in dict.fromkeys(given)]
        self.exact: tuple[str, ...] = tuple(name for name in distinct if not _WILDCARD.search(name))
        self.globs: tuple[str, ...] = tuple(name for name in distinct if _WILDCARD.search(name))

    def matches(self, name: str) -> bool:
        """Whether a name is wanted."""
        return name in self.exact or any(fnmatchcase(name, glob) for glob in self.globs)

    def choose(self, directory: ArchiveDirectory) -> tuple[list[Member], list[MemberNotFoundError]]:
        """Return the files of an archive that are wanted, in the order of its bytes, and an error for each it lacks."""
        chosen: dict[str, Member] = {}
        missing: list[MemberNotFoundError] = []
        for name in self.exact:
            try:
                chosen[name] = find_file(directory, name)
            except MemberNotFoundError as error:
                missing.append(error)
        for member in directory.files if self.globs else ():
            if any(fnmatchcase(member.name, glob) for glob in self.globs):
                chosen[member.name] = member
        return sorted(chosen.values(), key=attrgetter("header_offset")), missing


def _check_name(name: object) -> str:
    if not isinstance(name, str) or not name:
        msg = f"a member's name must be a non-empty string, not {name!r}"
        raise ConfigurationError(msg)
    return name


def needed(members: Sequence[Member]) -> int:
    """Return the bytes that reading these members together takes: what is fetched, and what it unpacks to."""
    return sum(member.size for member in members) + sum(end - start for start, end in coalesced(members))


def batches(members: Iterable[Member], limit: int) -> Iterator[Sequence[Member]]:
    """Yield members that are read together: as many as ``limit`` bytes allow, else one on its own.

    Args:
        members: in the order of the archive's bytes.
        limit: what a batch may need.
    """
    batch: list[Member] = []
    size = 0
    for member in members:
        more = needed((*batch[-1:], member)) - needed(batch[-1:])  # only neighbours are fetched together
        if batch and (size + more > limit or len(batch) == _MOST):
            yield batch
            batch, size, more = [], 0, needed((member,))
        batch.append(member)
        size += more
    if batch:
        yield batch
