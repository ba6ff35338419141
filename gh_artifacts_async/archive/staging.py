"""The staging folder beside the destination, and the rename that puts it in place.

What a process that is killed leaves of them is told by its marker, see :mod:`~gh_artifacts_async.archive.leftovers`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from typing import TYPE_CHECKING, Final, Literal

from gh_artifacts_async.archive.folders import FOLDER_MODE
from gh_artifacts_async.archive.leftovers import Marker, is_empty, remove_tree
from gh_artifacts_async.errors import DestinationExistsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_WINDOWS: Final = os.name == "nt"
_IN_THE_WAY: Final = frozenset({errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR})
_SCANNER_PATIENCE: Final = (0.05, 0.1, 0.2, 0.4, 0.8)
_OWNER: Final = 0o700


class Staging:
    """A private folder (mode 0700) beside the destination.

    Attributes:
        path: the folder.
        folder_mode: the mode to set on folders in it; None if the umask leaves them usable.
    """

    def __init__(self, destination: Path, if_exists: Literal["error", "replace"]) -> None:
        """Check the destination, then create the folder and missing parents.

        Args:
            destination: an absolute path.
            if_exists: ``"error"`` rejects a folder that is not empty.

        Raises:
            DestinationExistsError: the destination exists; nothing was created.
            OSError: the folder cannot be created.
        """
        self._destination = destination
        self._replace = if_exists == "replace"
        self._kept_mode = check_destination(destination, if_exists)
        self._parents = _make_parents(destination.parent)
        self.folder_mode: int | None = None
        try:
            self._marker = Marker(destination)
        except BaseException:
            self._remove_parents()
            raise
        self.path: Path = self._marker.unpacking
        try:
            self.path.mkdir(mode=_OWNER)
            self._mode = self._probe_mode()
        except BaseException:
            self.remove()
            raise

    def _probe_mode(self) -> int:
        """Create a folder to see its mode: the umask cannot be read without changing it for other threads."""
        probe = self.path / "probe"
        probe.mkdir(mode=FOLDER_MODE)
        found = stat.S_IMODE(probe.stat().st_mode)
        probe.rmdir()
        if found & _OWNER != _OWNER:
            self.folder_mode = found | _OWNER
        return found | _OWNER

    def put_in_place(self, *, durable: bool) -> None:
        """Rename the folder to the destination.

        Raises:
            DestinationExistsError: the destination was created by someone else in the meantime; it was left as it is.
            OSError: the rename failed; what was there before was restored.
        """
        self.path.chmod(self._mode if self._kept_mode is None else self._kept_mode)
        try:
            self._rename()
        except OSError as error:
            if error.errno not in _IN_THE_WAY:
                raise
            raise in_the_way(self._destination) from error
        if durable:
            sync_folder(self._destination.parent)
        remove_tree(self._marker.old)
        self._marker.remove()

    def _rename(self) -> None:
        """Rename; a process that is killed in between leaves a marker that says where the old folder belongs."""
        aside: Path | None = None
        if self._replace and not is_empty(self._destination):
            aside = self._marker.old
            _patiently(lambda: self._destination.rename(aside))
        elif _WINDOWS and self._destination.exists():
            self._destination.rmdir()  # POSIX renames over an empty folder, Windows does not
        try:
            _patiently(lambda: self.path.rename(self._destination))
        except BaseException:
            if aside is not None:
                aside.rename(self._destination)
            elif _WINDOWS and self._kept_mode is not None:
                self._destination.mkdir(exist_ok=True)
            raise

    def remove(self) -> None:
        """Remove the folder and the parents created for it; what cannot be removed is left."""
        if not os.path.lexists(self.path):
            remove_tree(self._marker.old)
        elif os.path.lexists(self._marker.old):  # it could not be put back: without a marker it is kept
            self._marker.remove()
        remove_tree(self.path)
        self._marker.remove()
        self._remove_parents()

    def _remove_parents(self) -> None:
        for parent in reversed(self._parents):
            with contextlib.suppress(OSError):
                parent.rmdir()


def check_destination(destination: Path, if_exists: Literal["error", "replace"]) -> int | None:
    """Check whether an archive may be extracted to ``destination``.

    Returns:
        The mode of the existing folder; None if there is none.

    Raises:
        DestinationExistsError: it is a file, a link, or (with ``"error"``) a folder that is not empty.
    """
    try:
        found = destination.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISDIR(found.st_mode):
        raise in_the_way(destination)
    if if_exists == "error" and not is_empty(destination):
        text = f"{destination} is not empty; nothing was extracted; choose another folder, or replace this one"
        raise DestinationExistsError(text, filename=str(destination))
    return stat.S_IMODE(found.st_mode)


def in_the_way(destination: Path) -> DestinationExistsError:
    """Build the error for a destination that is taken by something else."""
    text = f"{destination} is taken by something else, which was left as it is; choose another folder"
    return DestinationExistsError(text, filename=str(destination))


def sync_folder(folder: Path) -> None:
    """Make a folder's entries durable, if the platform can (Windows cannot open a folder)."""
    if _WINDOWS:
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_parents(folder: Path) -> list[Path]:
    """Create the missing folders, and return them, outermost first."""
    missing: list[Path] = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    made: list[Path] = []
    for path in reversed(missing):
        with contextlib.suppress(FileExistsError):
            path.mkdir()
            made.append(path)
    return made


def _patiently(rename: Callable[[], object]) -> None:
    """Rename; on Windows a virus scanner may hold a new file for a moment, so retry for a while."""
    for delay in _SCANNER_PATIENCE if _WINDOWS else ():
        try:
            rename()
        except PermissionError:
            time.sleep(delay)
        else:
            return
    rename()
