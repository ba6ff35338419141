"""File-system operations of transfers, with fallbacks for systems that lack them."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
from pathlib import Path
from string import ascii_letters
from typing import TYPE_CHECKING

from gh_artifacts_async.errors import ConfigurationError, DestinationExistsError, OutOfSpaceError

if TYPE_CHECKING:
    from collections.abc import Generator

    from gh_artifacts_async.settings import StrPath

FULL = frozenset({errno.ENOSPC, errno.EFBIG, *([errno.EDQUOT] if hasattr(errno, "EDQUOT") else [])})
"""errno values of a full disk, a file-size limit and a full quota."""

_REFUSED = (errno.EINVAL,) if os.name == "nt" else ()  # Python's number for errors of Windows that POSIX has not
NO_LINKS = frozenset({errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV, errno.ENOTSUP, *_REFUSED})
"""errno values of a file system without hard links, or with no more for this file."""

# Of ASCII's letters alone: file systems differ in the others, such as sharp s, of which str.swapcase makes two.
_OTHER_CASE = str.maketrans(ascii_letters, ascii_letters.swapcase())


@contextlib.contextmanager
def space_errors(path: Path, needed: int | None = None) -> Generator[None]:
    """Turn a full disk, quota or file-size limit into OutOfSpaceError; every other OSError passes unchanged."""
    number = None
    try:
        yield
    except OSError as error:
        if isinstance(error, OutOfSpaceError) or error.errno not in FULL:
            raise
        number = error.errno
    if number is not None:
        raise out_of_space(path, number, needed)


def out_of_space(path: Path, number: int = errno.ENOSPC, needed: int | None = None) -> OutOfSpaceError:
    """Return the error that says what is full, what was needed and what is free."""
    free = free_bytes(path.parent)
    need = "" if needed is None else f"; {needed} bytes are needed"
    left = "" if free is None else f" and {free} are free"
    figures = f"{need}{left}" if need else ""
    msg = f"{os.strerror(number)}: {path}{figures}; free some space and run again, finished files are kept"
    return OutOfSpaceError(msg, filename=str(path), errno=number, needed=needed, free=free)


def free_bytes(folder: Path) -> int | None:
    """Return the bytes available to us; None if the file system does not say."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def check_writable(folder: Path) -> None:
    """Check that a folder is writable, before any request is sent.

    Raises:
        OSError: EROFS or EACCES, as creating a file there would raise it.
    """
    if os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        return
    read_only = sys.platform != "win32" and bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    number = errno.EROFS if read_only else errno.EACCES
    raise OSError(number, os.strerror(number), str(folder))


def checked_directory(directory: StrPath, *, writes: bool = False) -> Path:
    """Return the directory as a path.

    Args:
        directory: the caller's.
        writes: something will certainly be written there.

    Raises:
        ConfigurationError: it is not a path.
        DestinationExistsError: it, or one of its parents, is a file.
        OSError: it is not writable.
    """
    if not isinstance(directory, str | os.PathLike) or "\0" in (text := str(os.fspath(directory))):
        msg = f"directory must be a path, not {directory!r}"
        raise ConfigurationError(msg)
    folder = Path(text)
    for place in (folder, *folder.parents):
        if place.is_dir():
            if writes:
                check_writable(place)
            break
        if os.path.lexists(place) and not place.is_symlink():
            msg = f"cannot create folder {folder}: {place} is a file"
            raise DestinationExistsError(msg, filename=str(place))
    return folder


def check_not_at_work(path: Path) -> None:
    """Check that a folder to be replaced, of which nothing is known, is not what this program works in. Blocks.

    Raises:
        DestinationExistsError: it is the working directory, or holds it, and is not empty.
    """
    with contextlib.suppress(FileNotFoundError):
        if path.resolve() in (here := path.cwd(), *here.parents) and any(path.iterdir()):
            msg = f"{path} is, or holds, the working directory, and is no merged folder; it was left unchanged"
            raise DestinationExistsError(msg, filename=str(path))


def folds_names(folder: StrPath) -> bool:
    """Whether names that differ only in case are one in a folder, or would be if it existed. Blocks.

    Nothing is written: a name that is there is looked for by another spelling.
    """
    place = Path(folder).absolute()
    for above in (place, *place.parents):
        with contextlib.suppress(OSError), os.scandir(above) as entries:
            name = next((entry.name for entry in entries if entry.name.translate(_OTHER_CASE) != entry.name), None)
            if name is not None:
                other = name.translate(_OTHER_CASE)
                return os.path.lexists(above / other) and other not in os.listdir(above)  # noqa: PTH208 - names
    return False


def make_folder(folder: Path) -> None:
    """Create a folder, with parents.

    Raises:
        DestinationExistsError: a file is in its place, or in a parent's.
        OutOfSpaceError: the disk is full.
        OSError: it is not writable.
    """
    if folder.is_dir():
        check_writable(folder)
        return
    blocked = False
    with space_errors(folder):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            blocked = True
    if blocked:
        msg = f"cannot create folder {folder}: a file is in the way"
        raise DestinationExistsError(msg, filename=str(folder))


def put_in_place(source: Path, destination: Path, *, replace: bool) -> None:
    """Rename a finished file to its final name, atomically.

    Args:
        source: in the same folder.
        destination: its final name.
        replace: replace an existing file; otherwise one is an error.

    Raises:
        DestinationExistsError: something is there already.
    """
    taken = False
    try:
        if replace:
            source.replace(destination)
        else:
            rename_without_replacing(source, destination)
    except (FileExistsError, IsADirectoryError, NotADirectoryError):
        taken = True
    except PermissionError:
        if os.name != "nt" or not destination.is_dir():  # so Windows refuses to replace a folder
            raise
        taken = True
    if taken:
        msg = f"{destination} already exists; it was left unchanged"
        raise DestinationExistsError(msg, filename=str(destination))


def rename_without_replacing(source: StrPath, destination: StrPath) -> None:
    """Rename, but fail if the name is taken: by a hard link, which POSIX creates only if the name is free.

    Raises:
        FileExistsError: the name is taken.
        OSError: the rename failed.
    """
    if sys.platform == "win32":
        os.rename(source, destination)  # noqa: PTH104 - as below
        return
    try:
        os.link(source, destination, follow_symlinks=False)  # a Path costs more than the system call
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
    else:
        with contextlib.suppress(OSError):  # what has a second name is swept by a later run
            os.unlink(source)  # noqa: PTH108
        return
    if os.path.lexists(destination):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(destination))
    os.replace(source, destination)  # noqa: PTH105


def sync_folder(folder: Path) -> None:
    """Make a rename durable if the system can (POSIX; some file systems return EINVAL)."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lock(descriptor: int) -> bool:
    """Try to lock an open file for this process; False if another holds the lock.

    Correctness never depends on it: network file systems are known to grant it twice. It only keeps two processes from
    doing the same work. It is released with the descriptor, even after kill -9.
    """
    if sys.platform == "win32":
        return True  # there, an open file cannot be renamed, which does the same
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in {errno.EWOULDBLOCK, errno.EACCES}
    return True
