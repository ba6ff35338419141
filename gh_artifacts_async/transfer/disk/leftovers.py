"""What earlier runs left in a folder: find it, claim part files for one process, remove the rest.

``.<name>.<artifact id>.<token>.part`` holds the bytes, ``….part.json`` beside it says what they belong to. Each process
writes under a token of its own. What another process left is claimed by renaming it, which only one process can do.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import os
import re
import secrets
import stat
from typing import TYPE_CHECKING

from gh_artifacts_async.protocol.filenames import MARKER_NAME, PART_NAME, RECORD_NAME, safe_component
from gh_artifacts_async.transfer.disk.filesystem import lock

if TYPE_CHECKING:
    from pathlib import Path

    from gh_artifacts_async.models import Artifact

SUFFIX = ".part"
LONGEST_STEM = 100
"""Characters of an artifact's name in those of its part files."""

_STATE_SUFFIX = ".json"
_NEW = ".new"
_STATE_HEAD = 100  # bytes of a state, enough for the artifact's id
_SCAN_LASTS = 5.0  # seconds; a folder is not read again for every one of thousands of artifacts
_numbers = itertools.count()

EXTRACTIONS = ".gh-artifacts-"
"""What the names of the markers of extractions begin with; :func:`scan` returns those under it."""

CREATE = (
    os.O_RDWR
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
"""How a part file is created: never through a link, never over anything."""

OPEN = CREATE & ~(os.O_CREAT | os.O_EXCL)
"""How a part file that is there is opened."""


class Leftovers:
    """The part files that earlier runs left, by folder; each folder is read at most every few seconds."""

    def __init__(self) -> None:
        """Start with no folder read."""
        self._folders: dict[Path, tuple[float, dict[str, list[Path]]]] = {}

    def of(self, folder: Path, prefix: str) -> list[Path]:
        """Return the part files in a folder whose names begin with ``prefix``; each is returned only once."""
        now = asyncio.get_running_loop().time()
        known = self._folders.get(folder)
        if known is None or now - known[0] > _SCAN_LASTS:
            known = self._folders[folder] = (now, scan(folder))
        return known[1].pop(prefix, [])

    def sweep(self, like: Path, prefix: str, *, whole: bool) -> None:
        """Remove an artifact's part files that no running process holds, now that its place is taken.

        Args:
            like: a part file's path in the folder.
            prefix: what the names of the artifact's part files begin with.
            whole: also those that a later run could resume; else only those with a second name: a process put them in
                place, and was killed before it removed the first.
        """
        for candidate in self.of(like.parent, prefix):
            if whole or names_of(candidate) > 1:
                sweep(candidate, like)

    def add(self, path: Path, prefix: str) -> None:
        """Add a part file that a download of this client has just left, if it exists."""
        known = self._folders.get(path.parent)
        if known is not None and path.exists():
            known[1].setdefault(prefix, []).append(path)


def scan(folder: Path, *, sweeps: bool = True) -> dict[str, list[Path]]:
    """Return the part files of a folder by the prefix of their artifact.

    Only what matches the whole pattern of names counts, and only if its state is ours, or missing, as it is for a small
    artifact; a user's own files are left alone.

    Markers of extractions are returned under ``EXTRACTIONS``, and after them the staged records beside them.

    Args:
        folder: where to look; it need not exist.
        sweeps: also remove states whose part is gone, and staged records of processes that were killed.
    """
    found: dict[str, list[Path]] = {}
    names: set[str] = set()
    others: list[Path] = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        names = {entry.name for entry in entries if entry.name.startswith(".")}
    for name in sorted(names):
        match = PART_NAME.fullmatch(name)
        if match is None:
            if EXTRACTIONS[:-1] in name:
                others.append(folder / name)
            continue
        if match["state"] is None:
            state = name + _STATE_SUFFIX
            if state not in names or _is_ours(folder / state, match["id"]):
                found.setdefault(match["prefix"], []).append(folder / name)
        elif sweeps and match["part"] not in names and _is_ours(folder / name, match["id"]):
            remove(folder / name)
    if others and sweeps:
        _sort_out(found, others)
    return found


def _sort_out(found: dict[str, list[Path]], others: list[Path]) -> None:
    """Sweep staged records, unless a folder may yet be put back that one of them is about."""
    markers = [path for path in others if MARKER_NAME.fullmatch(path.name)]
    staged = [path for path in others if (match := RECORD_NAME.fullmatch(path.name)) and match["staged"]]
    if markers:
        found[EXTRACTIONS] = [*markers, *staged]
        return
    if staged:
        from gh_artifacts_async.transfer.disk.records import sweep_staged  # few folders have any

        for path in staged:
            sweep_staged(path)


def _is_ours(path: Path, artifact_id: str) -> bool:
    """Whether a file is a state of this artifact's part, or the beginning of one: its writer may have been killed."""
    try:
        if path.is_symlink() or not path.is_file():
            return False
        with path.open("rb") as file:
            head = file.read(_STATE_HEAD)
    except OSError:
        return False
    begins = re.match(rb'\{"version": [0-9]+, "artifact_id": ([0-9]+),', head)
    expected = artifact_id.encode()
    if begins is not None:
        return begins[1] == expected
    return (b'{"version": 1, "artifact_id": ' + expected).startswith(head)


def grab(candidate: Path, mine: Path) -> int | None:
    """Claim a part that no running process holds by renaming it; of two that try, one finds it gone."""
    claimed = claim(candidate, mine)
    return None if claimed is None else claimed[0]


def claim(candidate: Path, mine: Path) -> tuple[int, int] | None:
    """Claim a part as :func:`grab` does; return its descriptor, and how many names the file had before.

    After the rename the number may be wrong: of an open file NTFS-3G counts the old name too.
    """
    if os.name == "nt":  # an open file cannot be renamed there, so a failure means that it is in use
        try:
            found = candidate.lstat()
            if not stat.S_ISREG(found.st_mode):  # nor can opening refuse to follow a link
                return None
            candidate.rename(mine)
            return os.open(mine, OPEN), found.st_nlink
        except OSError:
            return None
    try:
        descriptor = os.open(candidate, OPEN)
    except OSError:
        return None
    try:
        if lock(descriptor):
            count = os.fstat(descriptor).st_nlink
            candidate.rename(mine)
            return descriptor, count
    except OSError:
        pass
    os.close(descriptor)
    return None


def sweep(candidate: Path, like: Path) -> None:
    """Remove a part that no running process holds."""
    doomed = like.with_name(like.name.removesuffix(SUFFIX) + f"-{new_token()}{SUFFIX}")
    descriptor = grab(candidate, doomed)
    if descriptor is not None:
        os.close(descriptor)
        for path in (doomed, *state_paths(candidate)):
            remove(path)


def remove(path: Path) -> bool:
    """Remove a file; return whether it is gone."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def names_of(path: Path) -> int:
    """Return how many names a file has; 0 if it is gone."""
    try:
        return path.lstat().st_nlink
    except OSError:
        return 0


def size_of(path: Path) -> int:
    """Return a file's size; 0 if it is gone."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


@functools.cache
def _process(_process_id: int) -> str:
    """Return a random token of this process, unlike those of other machines too."""
    return secrets.token_hex(4)


def new_token() -> str:
    """Return a token that no other part file has; a forked process gets its own."""
    return f"{_process(os.getpid())}{next(_numbers):x}"


def part_prefix(artifact: Artifact) -> str:
    """Return what the names of an artifact's part files begin with."""
    return f".{safe_component(artifact.name)[:LONGEST_STEM]}.{artifact.id}."


def new_part_name(artifact: Artifact, folder: Path) -> str:
    """Return a path for a part file of an artifact that no other part file has."""
    return f"{folder}{os.sep}{part_prefix(artifact)}{new_token()}{SUFFIX}"


def state_paths(part: Path) -> tuple[Path, Path]:
    """Return the path of a part file's state, and the one it is written to before it is renamed."""
    state = part.name + _STATE_SUFFIX
    return part.with_name(state), part.with_name(state + _NEW)
