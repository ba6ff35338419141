"""Extract a whole archive, with several threads."""

from __future__ import annotations

import threading
from array import array
from collections import deque
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from gh_artifacts_async.archive.directory import DEFAULT_POLICY, audit_reader
from gh_artifacts_async.archive.extraction import Extraction, absolute_path
from gh_artifacts_async.archive.leftovers import sweep_beside
from gh_artifacts_async.archive.member_table import MemberTable
from gh_artifacts_async.archive.readers import FileReader

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

    from gh_artifacts_async.archive.extraction import Cancel, Progress
    from gh_artifacts_async.archive.members import Member
    from gh_artifacts_async.archive.readers import Reader
    from gh_artifacts_async.results import ExtractedMember
    from gh_artifacts_async.settings import ExtractPolicy

_SMALL: Final = 2**15
_BATCH_BYTES: Final = 2**21
_BIG: Final = 2**23


def extract(
    path: str | os.PathLike[str],
    directory: str | os.PathLike[str],
    policy: ExtractPolicy = DEFAULT_POLICY,
    *,
    if_exists: Literal["error", "replace"] = "error",
    threads: int = 2,
    durable: bool = False,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> list[ExtractedMember]:
    """Extract a whole zip. The archive is checked first; on any error ``directory`` is as it was before.

    What earlier extractions have left beside ``directory`` whose processes were killed is removed first.

    Nothing is merged: ``directory`` must not exist or be empty, or (with ``if_exists="replace"``) is replaced as a
    whole. Links are never created; files get mode 0644, or 0755 with an executable bit, less the umask, and the
    archive's modification times if they are valid and not in the future.

    Args:
        path: the zip.
        directory: the folder to create, with missing parents.
        policy: limits, and rules for names and links.
        if_exists: what to do if ``directory`` is a folder that is not empty.
        threads: how many threads extract at once.
        durable: sync everything to the disk before ``directory`` appears.
        progress: called with the bytes and the members written so far, from any of the threads, one call at a time.
        cancel: an event, or a callable, that is checked between chunks; true means stop.

    Returns:
        The files (not the folders), in archive order.

    Raises:
        ArchiveError: the archive breaks a rule; ``rule`` names it.
        DestinationExistsError: ``directory`` exists and is not empty, or is not a folder.
        OutOfSpaceError: the disk is full.
        OSError: reading or writing failed.
        concurrent.futures.CancelledError: ``cancel`` was true.
    """
    sweep_beside(absolute_path(Path(directory)))
    with FileReader(path) as reader:
        archive = audit_reader(reader, policy)
        with Extraction(
            archive, directory, if_exists=if_exists, durable=durable, progress=progress, cancel=cancel
        ) as extraction:
            extract_all(extraction, reader, threads=threads)
            return extraction.commit()


def extract_all(extraction: Extraction, reader: Reader, *, threads: int = 2) -> None:
    """Extract all selected members of an extraction that was entered, in this thread and ``threads - 1`` others.

    Raises:
        ArchiveError: a header or the data contradicts the central directory.
        OutOfSpaceError: the disk is full.
        OSError: reading or writing failed.
        concurrent.futures.CancelledError: the extraction was cancelled.
    """
    selected = extraction.selected
    small, large = plan_batches(selected)
    failures: list[BaseException] = []

    def work(*queues: deque[array[int]]) -> None:
        try:
            positions = chain.from_iterable(map(_drain, queues))
            extraction.extract_members(reader, _members_at(selected, positions))
        except BaseException as error:  # noqa: BLE001 - it is raised below, in the caller's thread
            failures.append(error)
            extraction.stop()

    helpers = [threading.Thread(target=work, args=(large,), name="unpack") for _ in range(min(threads - 1, len(large)))]
    try:
        for helper in helpers:
            helper.start()
        work(small, large)
        _join(helpers)
    except BaseException:
        extraction.stop()
        _join(helpers)
        raise
    if failures:
        raise next((error for error in failures if not isinstance(error, Exception)), failures[0])


def plan_batches(members: Sequence[Member]) -> tuple[deque[array[int]], deque[array[int]]]:
    """Divide the members into batches of small ones and of large ones, neighbours together.

    Small members are all system calls and no decompression: threads would pass the interpreter's lock back and forth
    for each of them, so a single thread is faster. The large ones are for all threads, the very largest first, so that
    none is left for the end.

    Returns:
        Batches of positions in ``members``.
    """
    sizes, offsets = array("Q"), array("Q")
    for size, offset in _extents(members):
        sizes.append(size)
        offsets.append(offset)
    small: array[int] = array("I")
    large: list[array[int]] = [array("I")]
    weight = 0
    for position in sorted(range(len(offsets)), key=offsets.__getitem__):
        size = sizes[position]
        if size < _SMALL:
            small.append(position)
            continue
        if weight > _BATCH_BYTES:
            large.append(array("I"))
            weight = 0
        large[-1].append(position)
        weight += size
    large.sort(key=lambda batch: -max((sizes[at] for at in batch if sizes[at] >= _BIG), default=0))
    return deque(filter(None, (small,))), deque(filter(None, large))


def _members_at(members: Sequence[Member], positions: Iterable[int]) -> Iterator[Member]:
    if isinstance(members, MemberTable):
        return members.at(positions)
    return map(members.__getitem__, positions)


def _extents(members: Sequence[Member]) -> Iterator[tuple[int, int]]:
    """Yield size and header offset of each member, without building it if that is not needed."""
    if isinstance(members, MemberTable):
        return members.extents()
    return ((member.size, member.header_offset) for member in members)


def _drain(batches: deque[array[int]]) -> Iterator[int]:
    """Take batches until none is left; several threads share them."""
    while True:
        try:
            batch = batches.popleft()
        except IndexError:
            return
        yield from batch


def _join(helpers: list[threading.Thread]) -> None:
    for helper in helpers:
        if helper.ident is not None:
            helper.join()
