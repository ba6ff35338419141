"""What an extraction that was killed leaves beside its destination, and how a later one clears it away.

Every extraction has a random token. ``.gh-artifacts-unpacking-<token>`` is its staging folder,
``.gh-artifacts-old-<token>`` the folder that it replaces, and ``.gh-artifacts-<token>.json`` its marker: the marker
names the destination, exists for longer than both folders, and is locked while the process lives (the lock ends with
the process, even after kill -9). Only folders that have such a marker are touched, and only once it can be locked.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import sys
from typing import TYPE_CHECKING, Final

from gh_artifacts_async.archive.folders import extended
from gh_artifacts_async.protocol.filenames import MARKER_NAME

if TYPE_CHECKING:
    from pathlib import Path

_WINDOWS: Final = os.name == "nt"
_OPEN: Final[int] = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_CREATE: Final[int] = _OPEN | os.O_CREAT | os.O_EXCL
_CLOSED: Final = -1
_HEAD: Final = '{"version": 1, "destination": '
_LONGEST: Final = 8192  # bytes of a marker: a name of 255 bytes, each escaped
_LOCKED_BYTE: Final = 2**30  # on Windows, where a locked byte cannot be read: far behind the content
_HELD: Final = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, getattr(errno, "EDEADLOCK", errno.EAGAIN)})


class Marker:
    """The marker of one extraction, locked until it is removed.

    Attributes:
        unpacking: the path for the staging folder.
        old: the path for the folder that is replaced, until it is removed.
    """

    def __init__(self, destination: Path) -> None:
        """Create it; the folder must exist.

        Raises:
            OSError: it cannot be created.
        """
        self._path, self._descriptor = _created(destination)
        unpacking, old, _ = _folders(self._path)
        self.unpacking: Path = unpacking
        self.old: Path = old
        try:
            os.write(self._descriptor, (_HEAD + json.dumps(destination.name) + "}").encode())
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        """Remove the marker and end the lock; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, _CLOSED
        if descriptor == _CLOSED:
            return
        if _WINDOWS:  # an open file cannot be removed there
            os.close(descriptor)
        with contextlib.suppress(OSError):
            self._path.unlink()
        if not _WINDOWS:
            os.close(descriptor)


def sweep_beside(destination: Path) -> None:
    """Clear away what killed extractions have left in the folder of a destination. Blocks.

    Args:
        destination: an absolute path; its folder need not exist.
    """
    names: list[str] = []
    with contextlib.suppress(OSError), os.scandir(destination.parent) as entries:
        names = [entry.name for entry in entries if MARKER_NAME.fullmatch(entry.name)]
    for name in names:
        sweep(destination.with_name(name))


def sweep(marker: Path) -> None:
    """Clear away what a killed extraction has left; nothing if its process lives or the marker is not ours. Blocks.

    The staging folder is removed. If the process was killed while it replaced a folder, the old folder is put back, or
    removed if the new one is in its place.

    Args:
        marker: a path whose name matches ``MARKER_NAME``.
    """
    try:
        descriptor = os.open(marker, _OPEN)
    except OSError:
        return
    try:
        done = _locked(descriptor) is True and _is_at(descriptor, marker) and _clear(marker, _content(descriptor))
    finally:
        os.close(descriptor)
    if done:
        with contextlib.suppress(OSError):
            marker.unlink()


def _clear(marker: Path, content: str | None) -> bool:
    """Remove what belongs to a marker; False if something has to stay."""
    if content is None or not (content.startswith(_HEAD) or _HEAD.startswith(content)):
        return False
    unpacking, old, doomed = _folders(marker)
    if os.path.lexists(old) and not _settle(old, unpacking, doomed, _destination(marker, content)):
        return False
    return _destroy(unpacking, doomed)


def _settle(old: Path, unpacking: Path, doomed: Path, destination: Path | None) -> bool:
    """Put an old folder back, or remove it if there is a new one; False if neither is certain to be right."""
    if destination is None:
        return False
    if _is_free(destination):
        try:
            if _WINDOWS and destination.exists():
                destination.rmdir()
            old.rename(destination)
        except OSError:
            return False
        return True
    # The staging folder is still there, so what has the name now is not what was to replace the old folder.
    return not os.path.lexists(unpacking) and _destroy(old, doomed)


def _destroy(folder: Path, doomed: Path) -> bool:
    """Remove a folder; it is renamed first, so that where locks do not hold its process cannot put a torn one in place.

    Returns:
        Whether it is gone.
    """
    for path in (doomed, folder):
        with contextlib.suppress(OSError):
            found = path.lstat()
            if stat.S_ISDIR(found.st_mode) and _is_mine(found):
                if path == folder:
                    folder.rename(doomed)
                remove_tree(doomed)
    return not os.path.lexists(folder) and not os.path.lexists(doomed)


def _folders(marker: Path) -> tuple[Path, Path, Path]:
    """Return the paths of a marker's folders: unpacking, old, and either of them while it is removed."""
    token = marker.name.removeprefix(".gh-artifacts-").removesuffix(".json")
    unpacking, old, doomed = (marker.with_name(f".gh-artifacts-{it}-{token}") for it in ("unpacking", "old", "doomed"))
    return unpacking, old, doomed


def _destination(marker: Path, content: str) -> Path | None:
    """Return the destination that a marker names; None if it is cut short."""
    try:
        name = json.loads(content)["destination"]
        return marker.with_name(name) if name not in {".", ".."} and "\0" not in name else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _content(descriptor: int) -> str | None:
    """Read a marker; None if it cannot be read or is no text."""
    try:
        return os.read(descriptor, _LONGEST).decode()
    except (OSError, UnicodeDecodeError):
        return None


def _created(destination: Path) -> tuple[Path, int]:
    """Create and lock an empty marker; one that another process saw, and swept, before it was locked is given up."""
    while True:
        path = destination.with_name(f".gh-artifacts-{os.urandom(8).hex()}.json")
        descriptor = os.open(path, _CREATE, 0o600)
        if _locked(descriptor) is not False and _is_at(descriptor, path):
            return path, descriptor
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file is a regular file of this user that still has its name."""
    try:
        here, there = os.fstat(descriptor), path.lstat()
    except OSError:
        return False
    return (here.st_ino, here.st_dev) == (there.st_ino, there.st_dev) and stat.S_ISREG(here.st_mode) and _is_mine(here)


def _is_mine(found: os.stat_result) -> bool:
    """Whether a file or folder belongs to this user; in a folder that others write to, theirs are none of ours."""
    return sys.platform == "win32" or found.st_uid == os.geteuid()


def _locked(descriptor: int) -> bool | None:
    """Lock an open file for this process; False if another one holds the lock, None if there are no locks here."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in _HELD else None
    return True


# --- folders


def is_empty(folder: Path) -> bool:
    """Whether a folder has nothing in it, or does not exist.

    Raises:
        OSError: it is not a folder, or cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except FileNotFoundError:
        return True


def _is_free(destination: Path) -> bool:
    """Whether a folder may be renamed to this name."""
    try:
        return not destination.is_symlink() and is_empty(destination)
    except (OSError, ValueError):
        return False


def remove_tree(root: Path) -> None:
    """Remove a folder and its contents, without recursion or following links; what cannot be removed is left."""
    folders = [extended(root)]
    for folder in folders:  # extended while iterating
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    with contextlib.suppress(OSError):
                        os.unlink(entry.path)  # noqa: PTH108 - a Path for each of a million files is slow
    for folder in reversed(folders):
        with contextlib.suppress(OSError):
            os.rmdir(folder)  # noqa: PTH106 - as above
