"""Look into a zip that stays with its storage."""

from __future__ import annotations

import contextlib
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from gh_artifacts_async.cli.exits import OK
from gh_artifacts_async.cli.render import bars, documents, listings, screen
from gh_artifacts_async.errors import ArchiveLimitError, ConfigurationError, MemberNotFoundError
from gh_artifacts_async.models import ArtifactRef
from gh_artifacts_async.settings import ExtractPolicy

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gh_artifacts_async.archive import Member
    from gh_artifacts_async.cli.context import Context
    from gh_artifacts_async.cli.repo import Target
    from gh_artifacts_async.transfer.unzip.remote_archive import RemoteArchive

_LOOK = ExtractPolicy(max_total_bytes=None, max_ratio=None, max_depth=None, symlinks="skip")
"""Nothing is written to disk: how much an archive would unpack to, and where its links lead, harms nobody."""


def check_max_bytes(max_bytes: int) -> None:
    """Check ``--max-bytes``.

    Raises:
        ConfigurationError: it is below 1.
    """
    if max_bytes < 1:
        msg = f"--max-bytes must be 1 or more, not {max_bytes}"
        raise ConfigurationError(msg)


@asynccontextmanager
async def _opened(context: Context, target: Target, artifact_id: int) -> AsyncGenerator[RemoteArchive]:
    """Open the archive; where it takes long, since the whole of it has to come, that is shown."""
    bar = bars.Spinner() if context.live else None
    observers = [] if bar is None else [bar]
    async with context.client(target, *observers) as client:
        with bar or contextlib.nullcontext():
            async with client.open_archive(ArtifactRef(target.repo, artifact_id), policy=_LOOK) as archive:
                yield archive


async def list_members(context: Context, target: Target, artifact_id: int, *, as_json: bool) -> int:
    """Show what is in an archive, and what it took to learn that."""
    async with _opened(context, target, artifact_id) as archive:
        document = documents.archive(archive) if as_json else None
        directory, cost = archive.directory, listings.cost(archive)
    if document is not None:
        screen.write(sys.stdout, documents.dumps(document))
    else:
        screen.show(listings.head())
        screen.write(sys.stdout, listings.body(directory))
    context.note(cost)
    return OK


async def read_member(context: Context, target: Target, artifact_id: int, name: str, *, max_bytes: int) -> bytes:
    """Return one file's bytes.

    Raises:
        MemberNotFoundError: there is no file of that name.
        ArchiveLimitError: it is larger than ``max_bytes``.
        ArtifactsError: it could not be had.
    """
    async with _opened(context, target, artifact_id) as archive:
        if any(link.name == name for link in archive.directory.skipped):
            msg = f"{name!r} is a symbolic link, and links are not followed"
            raise MemberNotFoundError(msg, member=name, rule="link")
        member = archive.directory.get(name)
        size = 0 if member is None else _size(member)
        if size > max_bytes:
            msg = f"{name!r} has {size:,} bytes, and --max-bytes is {max_bytes:,}; give --max-bytes {size}"
            raise ArchiveLimitError(msg, member=name, rule="max_bytes", limit="max_bytes", value=size)
        data = await archive.read(name, max_bytes=max_bytes + _slack(max_bytes))
        cost = listings.cost(archive)
    if context.options.verbose:
        context.note(cost)
    return data


def _size(member: Member) -> int:
    """Return a member's unpacked bytes; its packed ones where those are more by far."""
    packed = member.compressed_size
    return packed if packed > member.size + _slack(member.size) else member.size


def _slack(size: int) -> int:
    """Return how many more bytes may be packed than unpacked: noise, in blocks with a head each."""
    return size // 1000 + 1024


def print_bytes(data: bytes) -> int:
    """Write bytes to standard output as they are.

    Raises:
        OSError: its disk is full, or broken otherwise.
    """
    screen.write_bytes(sys.stdout, data)
    return OK
