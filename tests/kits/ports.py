r"""Other systems' rules for files, by a fake of ``os``: Windows, macOS, and a folder that does not tell cases apart.

Two things are replaced while a test runs. The functions of ``os`` (and ``open``) are wrapped: below one folder, the
test's own, they refuse what the other system refuses, everywhere else they are what they were. And each module of the
package sees ``os`` and ``sys`` as on the other system: names that are missing there are missing, and what a module has
worked out of them when it was imported (flags, "is this Windows?") is worked out again.

What is modelled, and where it is documented:

- Windows: a file that is open cannot be removed, renamed or replaced (``CreateFile``, sharing modes: the C library
  shares reading and writing only), nor can a folder that holds one be renamed; ``os.rename`` never replaces, and
  ``os.replace`` replaces no folder (``MoveFileEx``); a folder cannot be opened; there is no ``dir_fd``; only what is
  open for writing can be fsynced; symbolic links need a privilege (error 1314); names fold case, may not hold
  ``<>:"|?*``, lose blanks and dots at their end, and may be devices ("Naming Files, Paths, and Namespaces"); paths have
  at most 259 characters, those of folders 247, but behind ``\\?\`` ("Maximum Path Length Limitation"). ``fcntl`` is
  missing, ``msvcrt.locking`` is there.
- macOS: names fold case and Unicode normalisation, as on APFS by default; ``unlink`` of a folder is EPERM.

What is not: drives and backslashes (the folder stands for ``C:\``), streams behind a colon (here an error), ACLs, and
other processes' descriptors. ``pathlib`` stays POSIX's. This can prove a fault; only a machine can prove there is none.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import errno
import functools
import importlib
import io
import os
import pkgutil
import re
import shutil
import stat
import sys
import tempfile
import types
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

fcntl: Any = importlib.import_module("fcntl") if sys.platform != "win32" else None  # later it is hidden

_PACKAGE = "gh_artifacts_async"
_ROOMS = ("protocol", "transport", "api", "archive", "transfer", "automation", "client")
_LONG = "\\\\?\\"
_LONGEST_FILE, _LONGEST_FOLDER = 259, 247
_DRIVE = len("C:")
_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f]')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[1-9]|lpt[1-9]) *(?:\..*)?", re.IGNORECASE)
_BINARY, _TEMPORARY = 1 << 28, 1 << 27  # of Windows' C library, as numbers that no flag has here

_NOT_ON_WINDOWS = frozenset(
    re.findall(
        r"\w+",
        """
        O_NOFOLLOW O_DIRECTORY O_CLOEXEC O_NONBLOCK O_TMPFILE O_PATH O_SYNC pread pwrite preadv pwritev
        posix_fallocate posix_fadvise sendfile statvfs fstatvfs fchmod fchown chown lchown getuid geteuid
        getgid getegid fork forkpty mkfifo mkdev mknod sync fdatasync openpty killpg setsid ST_RDONLY
        copy_file_range splice memfd_create get_blocking set_blocking sched_getaffinity
        """,
    )
)
_NOT_ON_MACOS = frozenset(
    re.findall(
        r"\w+",
        """
        O_TMPFILE O_PATH posix_fallocate posix_fadvise preadv pwritev copy_file_range splice memfd_create
        fdatasync sched_getaffinity
        """,
    )
)


@attrs.frozen
class System:
    """What is different on another system.

    Attributes:
        name: of this set of rules.
        os_name: ``os.name``.
        platform: ``sys.platform``.
        missing: names that ``os`` has not.
        folds_form: names that differ only in Unicode normalisation are one; they always fold case.
        windows: the rules of Windows hold.
    """

    name: str
    os_name: str
    platform: str
    missing: frozenset[str]
    folds_form: bool
    windows: bool


WINDOWS = System("windows", "nt", "win32", _NOT_ON_WINDOWS, folds_form=False, windows=True)
MACOS = System("macos", "posix", "darwin", _NOT_ON_MACOS, folds_form=True, windows=False)
CASE_FOLDING = System("case_folding", os.name, sys.platform, frozenset(), folds_form=True, windows=False)
"""This system, in a folder that does not tell cases apart, such as one of ext4 with ``casefold``."""


class Rules:
    """The functions of ``os`` as they are below one folder.

    Attributes:
        root: the folder.
        devices: names of devices that were opened or created, which a test looks at in the end.
    """

    def __init__(self, system: System, root: Path) -> None:
        """Keep the functions that are there now."""
        self.system = system
        self.root = str(root)
        self.devices: list[str] = []
        self._os = types.SimpleNamespace(**vars(os))
        self._open = io.open

    # --- names

    def _fold(self, name: str) -> str:
        folded = name.casefold()
        return unicodedata.normalize("NFC", folded) if self.system.folds_form else folded

    def _is_ours(self, path: object) -> bool:
        return isinstance(path, str) and (path == self.root or path.startswith(self.root + "/"))

    def place(self, path: Any, dir_fd: int | None = None, *, folder: bool = False) -> Any:
        """Return the path that a function of the real ``os`` is given instead.

        Args:
            path: as the function was given it.
            dir_fd: as it was given it.
            folder: a folder is to be made.
        """
        if isinstance(path, int) or (text := os.fspath(path)) is None or isinstance(text, bytes):
            return path
        is_long = self.system.windows and text.startswith(_LONG)
        text = text.removeprefix(_LONG) if is_long else text
        if dir_fd is not None:
            return self._as_it_is(f"/proc/self/fd/{dir_fd}", text) if self._is_ours(self._of(dir_fd)) else path
        if not text.startswith("/"):
            text = f"{self._os.getcwd()}/{text}" if self._is_ours(self._os.getcwd()) else text
        if not self._is_ours(text):
            return text if is_long else path
        found, rest = self.root, text[len(self.root) :]
        if self.system.windows and not is_long and len(rest) + _DRIVE > (_LONGEST_FOLDER if folder else _LONGEST_FILE):
            raise FileNotFoundError(errno.ENOENT, "[WinError 3] the path is too long", text)
        for part in filter(None, rest.split("/")):
            if part in {".", ".."}:
                found = os.path.normpath(f"{found}/{part}")
                continue
            name = part if is_long or not self.system.windows else self._as_windows_reads(part, text)
            found = f"{found}/{self._as_it_is(found, name)}"
        return found

    def _as_windows_reads(self, name: str, path: str) -> str:
        if _FORBIDDEN.search(name):
            raise OSError(errno.EINVAL, "[WinError 123] the name is not a name", path)
        if _DEVICE.fullmatch(name):
            self.devices.append(path)
            raise PermissionError(errno.EACCES, "[WinError 5] this is a device", path)
        return name.rstrip(" .")

    def _as_it_is(self, folder: str, name: str) -> str:
        """Return a name as the folder has it, if it has one that folds to the same."""
        try:
            self._os.lstat(f"{folder}/{name}")
        except OSError:
            pass
        else:
            return name
        try:
            names = self._os.listdir(folder)
        except OSError:
            return name
        return next((it for it in names if self._fold(it) == self._fold(name)), name)

    # --- what is open

    def _of(self, descriptor: int | str) -> str:
        try:
            return self._os.readlink(f"/proc/self/fd/{descriptor}")
        except OSError:
            return ""

    def _open_files(self) -> Iterator[str]:
        """Yield the paths of all regular files that this process has open."""
        for descriptor in self._os.listdir("/proc/self/fd"):
            path = self._of(descriptor)
            with contextlib.suppress(FileNotFoundError):  # another thread has just closed it
                if self._is_ours(path) and stat.S_ISREG(self._os.stat(f"/proc/self/fd/{descriptor}").st_mode):
                    yield path

    def _check_closed(self, path: str, number: int = 32) -> None:
        """Refuse what Windows refuses while a file, or one in a folder, is open."""
        if self.system.windows and any(it == path or it.startswith(path + "/") for it in self._open_files()):
            raise PermissionError(errno.EACCES, f"[WinError {number}] it is in use", path)

    def _is_dir(self, path: str) -> bool:
        try:
            return stat.S_ISDIR(self._os.lstat(path).st_mode)
        except OSError:
            return False

    # --- the functions that have rules of their own

    def open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        """``os.open``."""
        self._no_dir_fd(dir_fd)
        place = self.place(path, dir_fd)
        if self.system.windows and self._is_ours(place) and self._is_dir(place):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        flags &= ~_BINARY if self.system.windows else -1
        if self.system.windows and flags & _TEMPORARY:
            flags &= ~_TEMPORARY
        return self._os.open(place, flags, mode, dir_fd=dir_fd)

    def open_file(self, file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        """``open``."""
        by_descriptor = isinstance(file, int) or options.get("opener") is not None
        place = file if by_descriptor else self.place(file)
        if not by_descriptor and self.system.windows and self._is_ours(place) and self._is_dir(place):
            raise PermissionError(errno.EACCES, "Permission denied", file)
        return self._open(place, mode, *args, **options)

    def unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        """``os.unlink``."""
        self._no_dir_fd(dir_fd)
        place = self.place(path, dir_fd)
        if self._is_ours(place) and self._is_dir(place) and self.system != CASE_FOLDING:
            raise PermissionError(errno.EACCES if self.system.windows else errno.EPERM, "it is a folder", path)
        if self.system.windows and self._is_ours(place):
            self._check_closed(place)
            if not self._os.lstat(place).st_mode & stat.S_IWUSR:
                raise PermissionError(errno.EACCES, "[WinError 5] it is read-only", path)
        self._os.unlink(place, dir_fd=dir_fd)

    def rename(self, src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None) -> None:
        """``os.rename``."""
        self._move(src, dst, src_dir_fd, dst_dir_fd, replaces=not self.system.windows)

    def replace(self, src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None) -> None:
        """``os.replace``."""
        self._move(src, dst, src_dir_fd, dst_dir_fd, replaces=True)

    def _move(self, src: Any, dst: Any, src_dir_fd: int | None, dst_dir_fd: int | None, *, replaces: bool) -> None:
        self._no_dir_fd(src_dir_fd, dst_dir_fd)
        source, target = self.place(src, src_dir_fd), self.place(dst, dst_dir_fd)
        if source == target and self._is_ours(source):  # the same file, by another spelling
            target = str(Path(source).with_name(Path(dst).name))
        elif self.system.windows and self._is_ours(target):
            self._os.lstat(source)
            if self._lexists(target):
                if not replaces:
                    raise FileExistsError(errno.EEXIST, "[WinError 183] it is there already", src, None, dst)
                if self._is_dir(target) or self._is_dir(source):
                    raise PermissionError(errno.EACCES, "[WinError 5] access is denied", src, None, dst)
                self._check_closed(target, 5)
        if self._is_ours(source):
            self._check_closed(source, 5 if self._is_dir(source) else 32)
        self._os.rename(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    def _lexists(self, path: str) -> bool:
        try:
            self._os.lstat(path)
        except OSError:
            return False
        return True

    def mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        """``os.mkdir``."""
        self._no_dir_fd(dir_fd)
        self._os.mkdir(self.place(path, dir_fd, folder=True), mode, dir_fd=dir_fd)

    def link(self, src: Any, dst: Any, **options: Any) -> None:
        """``os.link``."""
        self._os.link(self.place(src), self.place(dst), **options)

    def symlink(self, src: Any, dst: Any, *args: Any, **options: Any) -> None:
        """``os.symlink``."""
        if self.system.windows and self._is_ours(os.fspath(dst)):
            raise OSError(errno.EINVAL, "[WinError 1314] a required privilege is not held by the client", dst)
        self._os.symlink(src, self.place(dst), *args, **options)

    def fsync(self, descriptor: int) -> None:
        """``os.fsync``."""
        if self.system.windows and fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")
        self._os.fsync(descriptor)

    def utime(self, path: Any, times: Any = None, **options: Any) -> None:
        """``os.utime``."""
        if self.system.windows and isinstance(path, int):
            msg = "utime: path should be string, bytes or os.PathLike, not int"
            raise TypeError(msg)
        self._os.utime(self.place(path, options.get("dir_fd")), times, **options)

    def scandir(self, path: Any = ".") -> Any:
        """``os.scandir``."""
        found = self._os.scandir(self.place(path))
        is_long = isinstance(path, str) and path.startswith(_LONG)
        return _Entries(found, path) if is_long else found

    def _no_dir_fd(self, *given: int | None) -> None:
        if self.system.windows and any(it is not None for it in given):
            msg = "dir_fd unavailable on this platform"
            raise NotImplementedError(msg)

    def _plain(self, name: str) -> Callable[..., Any]:
        """Return a function of which only the path changes."""
        real = getattr(self._os, name)

        @functools.wraps(real)
        def wrapped(path: Any = ".", *args: Any, **options: Any) -> Any:
            self._no_dir_fd(options.get("dir_fd"))
            return real(self.place(path, options.get("dir_fd")), *args, **options)

        return wrapped

    def functions(self) -> dict[str, Callable[..., Any]]:
        """Return what takes the place of the functions of ``os``."""
        own = (
            self.open,
            self.unlink,
            self.rename,
            self.replace,
            self.mkdir,
            self.link,
            self.symlink,
            self.fsync,
            self.scandir,
        )
        plain = ("stat", "lstat", "listdir", "rmdir", "chmod", "access", "truncate", "readlink")
        return {
            **{it.__name__: it for it in (*own, self.utime)},
            "remove": self.unlink,
            **{name: self._plain(name) for name in plain},
        }


class _Entries:
    r"""What ``scandir`` finds below a path that begins with ``\\?\``, which theirs then do too."""

    def __init__(self, entries: Any, folder: str) -> None:
        self._entries, self._folder = entries, folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._entries.close()

    def __iter__(self) -> Iterator[Any]:
        for entry in self._entries:
            yield types.SimpleNamespace(name=entry.name, path=f"{self._folder}/{entry.name}", is_dir=entry.is_dir)


class _Seen:
    """A module as on another system."""

    def __init__(self, real: types.ModuleType, missing: frozenset[str] = frozenset(), **other: Any) -> None:
        self.__dict__.update(other)
        self._real, self._missing = real, missing

    def __getattr__(self, name: str) -> Any:
        if name in self._missing:
            msg = f"module {self._real.__name__!r} has no attribute {name!r} on this system"
            raise AttributeError(msg)
        return getattr(self._real, name)


def seen(system: System) -> dict[str, Any]:
    """Return ``os`` and ``sys`` as the package's modules see them; ``os`` is patched already."""
    other: dict[str, Any] = {"name": system.os_name}
    if system.windows:
        other |= {
            "supports_dir_fd": frozenset(),
            "supports_effective_ids": frozenset(),
            "supports_fd": frozenset({os.stat, os.truncate}),
            "supports_follow_symlinks": frozenset({os.stat}),
            "O_BINARY": _BINARY,
            "O_TEMPORARY": _TEMPORARY,
            "path": _Seen(os.path, normcase=lambda path: os.fspath(path).lower()),
        }
    else:
        names = ("open", "mkdir", "chmod", "stat", "unlink", "rmdir", "rename", "link", "utime", "access")
        other["supports_dir_fd"] = frozenset(getattr(os, name) for name in names)
        other["supports_effective_ids"] = frozenset({os.access})
    return {"os": _Seen(os, system.missing, **other), "sys": _Seen(sys, platform=system.platform)}


# --- the package's modules


@functools.cache
def _load() -> None:
    """Import all modules that a test may come to, so that none is imported, by this system's rules, meanwhile."""
    for room in _ROOMS:
        package = importlib.import_module(f"{_PACKAGE}.{room}")
        for found in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{_PACKAGE}.{room}."):
            if not found.name.endswith(("__main__", "pytest_plugin")):
                importlib.import_module(found.name)


def _modules() -> dict[str, types.ModuleType]:
    return {name: it for name, it in sys.modules.items() if name == _PACKAGE or name.startswith(f"{_PACKAGE}.")}


@functools.cache
def _source(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


@functools.cache
def _tree(path: str) -> ast.Module:
    return ast.parse(_source(path))


def _constants(module: types.ModuleType) -> Iterator[tuple[str, ast.expr]]:
    """Yield what a module works out of ``os`` or ``sys``, or of such a constant, when it is imported."""
    sources = {"os", "sys"}
    if not re.search(r"^import (?:os|sys)$", _source(module.__file__ or ""), re.MULTILINE):
        return
    for node in _tree(module.__file__ or "").body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else ()
        )
        value = getattr(node, "value", None)
        if value is not None and targets and isinstance(targets[0], ast.Name):
            names = {it.id for it in ast.walk(value) if isinstance(it, ast.Name)}
            if names & sources:
                sources.add(targets[0].id)
                yield targets[0].id, value


def _imported(
    modules: dict[str, types.ModuleType], changed: dict[tuple[str, str], Any]
) -> Iterator[tuple[types.ModuleType, str, Any]]:
    """Yield where the constants that changed were imported to."""
    names = {name for _, name in changed}
    for module in modules.values():
        nodes = [] if names.isdisjoint(vars(module)) else _tree(module.__file__ or "").body
        for node in nodes:
            if isinstance(node, ast.ImportFrom) and not node.level:
                for alias in node.names:
                    if (node.module, alias.name) in changed:
                        yield module, alias.asname or alias.name, changed[node.module or "", alias.name]


_known: dict[tuple[str, int], list[tuple[types.ModuleType, str, Any]]] = {}


def _worked_out_again(system: System, modules: dict[str, types.ModuleType]) -> list[tuple[types.ModuleType, str, Any]]:
    """Return what modules, which see the system's ``os`` already, have worked out of this one's, and their users."""
    key = system.name, len(modules)
    if key in _known:
        return _known[key]
    found: list[tuple[types.ModuleType, str, Any]] = []
    changed: dict[tuple[str, str], Any] = {}
    for name, module in modules.items():
        namespace = dict(vars(module))
        for target, value in _constants(module):
            now = eval(compile(ast.Expression(value), module.__file__ or "", "eval"), namespace)  # noqa: S307
            if now != namespace[target]:
                found.append((module, target, now))
                namespace[target] = changed[name, target] = now
    found += _imported(modules, changed)
    _known[key] = found
    return found


def _locking(descriptor: int, mode: int, nbytes: int) -> None:
    """``msvcrt.locking``, by a lock of this system: of one open file, as Windows' are."""
    assert (mode, nbytes) == (2, 1)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise PermissionError(errno.EACCES, "Permission denied") from None


def install(system: System, root: Path, monkeypatch: pytest.MonkeyPatch) -> Rules:
    """Let the rules of a system hold, below a folder, until ``monkeypatch`` is undone."""
    _load()
    rules = Rules(system, root)
    for name, function in rules.functions().items():
        monkeypatch.setattr(os, name, function)
    monkeypatch.setattr(io, "open", rules.open_file)
    monkeypatch.setattr(builtins, "open", rules.open_file)
    if system.windows:
        monkeypatch.setattr(shutil, "_use_fd_functions", False, raising=False)
        monkeypatch.setattr(tempfile, "TemporaryFile", tempfile.NamedTemporaryFile)
        locking = types.ModuleType("msvcrt")
        locking.locking, locking.LK_NBLCK = _locking, 2  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "msvcrt", locking)
        monkeypatch.setitem(sys.modules, "fcntl", None)  # type: ignore[arg-type]
    now, modules = seen(system), _modules()
    for module in modules.values():
        for name, real in (("os", os), ("sys", sys)):
            if vars(module).get(name) is real:
                monkeypatch.setattr(module, name, now[name])
    for module, name, value in _worked_out_again(system, modules):
        monkeypatch.setattr(module, name, value)
    return rules


def refuse_access(*_: object, **__: object) -> NoReturn:
    """Stand for what nobody may do."""
    raise PermissionError(errno.EACCES, "Permission denied")
