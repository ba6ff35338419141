"""Create folders and files below one root, relative to open folders where the platform supports that."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from gh_artifacts_async.archive.members import Folder

HAS_DIR_FD: Final = {os.open, os.mkdir, os.chmod} <= os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")

_NEW_FILE: Final[int] = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_FOLDER: Final[int] = (
    os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
)
FOLDER_MODE: Final = 0o755
_OPEN_FOLDERS: Final = 32


def extended(path: Path) -> str:
    """Return an absolute path; on Windows one that has no limit of 260 characters, and means each name as it stands.

    https://learn.microsoft.com/windows/win32/fileio/maximum-file-path-limitation: such a path must be normalised.
    """
    if os.name != "nt":
        return str(path)
    full = os.path.abspath(path)  # noqa: PTH100 - removes "..", and completes a path of another drive
    if full.startswith(("\\\\?\\", "\\\\.\\")):
        return full
    return f"\\\\?\\UNC{full[1:]}" if full.startswith("\\\\") else f"\\\\?\\{full}"


class Folders(Protocol):
    """Folders by their index in ``ArchiveDirectory.folders``; for use by one thread."""

    def make(self, index: int, mode: int | None) -> None:
        """Create a folder whose parent exists; set its mode, or leave it to the umask if None."""
        ...

    def create(self, index: int, name: str, mode: int) -> int:
        """Create a file that must not exist yet, and return its descriptor."""
        ...

    def finish(self, descriptor: int, index: int, name: str, mtime: datetime | None, *, sync: bool) -> None:
        """Set a file's time (unless None), sync it if asked to, and close it in any case."""
        ...

    def close(self) -> None:
        """Close all open folders."""
        ...


class DescriptorFolders:
    """Every step is relative to an open folder and follows no link, so nothing can escape the root.

    Args:
        root: the staging folder.
        folders: the archive's.
    """

    def __init__(self, root: Path, folders: tuple[Folder, ...]) -> None:
        """Open the root."""
        self._folders = folders
        self._root = os.open(root, _FOLDER)
        self._open: dict[int, int] = {}  # the least recently opened first

    def make(self, index: int, mode: int | None) -> None:
        """Create a folder whose parent exists; set its mode, or leave it to the umask if None."""
        parent, name = self._folders[index]
        above = self._descriptor(parent)
        os.mkdir(name, FOLDER_MODE, dir_fd=above)
        if mode is not None:
            os.chmod(name, mode, dir_fd=above)

    def create(self, index: int, name: str, mode: int) -> int:
        """Create a file that must not exist yet, and return its descriptor."""
        return os.open(name, _NEW_FILE, mode, dir_fd=self._descriptor(index))

    def finish(self, descriptor: int, index: int, name: str, mtime: datetime | None, *, sync: bool) -> None:
        """Set a file's time (unless None), sync it if asked to, and close it in any case."""
        del index, name
        try:
            if mtime is not None:
                moment = mtime.timestamp()
                os.utime(descriptor, (moment, moment))
            if sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _descriptor(self, index: int) -> int:
        """Open a folder and its parents as needed; those opened longest ago are closed."""
        chain = []
        while index > 0 and index not in self._open:
            chain.append(index)
            index = self._folders[index].parent
        above = self._open[index] if index > 0 else self._root
        for below in reversed(chain):
            above = os.open(self._folders[below].name, _FOLDER, dir_fd=above)
            self._open[below] = above
            if len(self._open) > _OPEN_FOLDERS:
                os.close(self._open.pop(next(iter(self._open))))
        return above

    def close(self) -> None:
        """Close all open folders."""
        for descriptor in (self._root, *self._open.values()):
            os.close(descriptor)
        self._open.clear()
        self._root = -1


class PathFolders:
    """For platforms without ``dir_fd`` (Windows): full paths in a folder that only its owner may enter.

    Args:
        root: the staging folder.
        folders: the archive's.
    """

    def __init__(self, root: Path, folders: tuple[Folder, ...]) -> None:
        """Keep the root."""
        self._folders = folders
        self._root = extended(root)
        self._last = (0, self._root)

    def _path(self, index: int) -> str:
        if index != self._last[0]:
            parts: list[str] = []
            at = index
            while at > 0:
                at, name = self._folders[at]
                parts.append(name)
            self._last = (index, f"{os.sep}".join((self._root, *reversed(parts))))
        return self._last[1]

    def make(self, index: int, mode: int | None) -> None:
        """Create a folder whose parent exists; set its mode, or leave it to the umask if None."""
        path = self._path(index)
        os.mkdir(path, FOLDER_MODE)  # noqa: PTH102 - a Path for each of many is slow
        if mode is not None:
            os.chmod(path, mode)  # noqa: PTH101 - as above

    def create(self, index: int, name: str, mode: int) -> int:
        """Create a file that must not exist yet, and return its descriptor."""
        return os.open(f"{self._path(index)}{os.sep}{name}", _NEW_FILE, mode)

    def finish(self, descriptor: int, index: int, name: str, mtime: datetime | None, *, sync: bool) -> None:
        """Set a file's time (unless None), sync it if asked to, and close it in any case."""
        try:
            if sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if mtime is not None:  # after closing: Windows sets the time of a file that was written then
            moment = mtime.timestamp()
            os.utime(f"{self._path(index)}{os.sep}{name}", (moment, moment))

    def close(self) -> None:
        """Do nothing: no folder is held open."""


def open_folders(root: Path, folders: tuple[Folder, ...]) -> Folders:
    """Return the safest implementation that the platform supports."""
    return DescriptorFolders(root, folders) if HAS_DIR_FD else PathFolders(root, folders)
