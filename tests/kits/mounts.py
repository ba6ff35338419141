"""File systems of other systems, mounted: NTFS that does not tell cases apart, and exFAT, by their FUSE programs.

Both are real file systems on a file, below Linux's own rules (an open file can be removed, names have slashes).
``lowntfs-3g -o ignore_case,windows_names`` folds case, shows all names in lower case, and refuses Windows' reserved
names; ``exfat-fuse`` has neither hard links nor symbolic ones, nor modes, counts time in 10 ms, grants every lock to
whoever asks, and gives a file another inode number after a while. It takes root, and ``ntfs-3g``, ``exfat-fuse`` and
``exfatprogs`` of apt.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

_PROGRAMS = {"ntfs": ("mkntfs", "lowntfs-3g"), "exfat": ("mkfs.exfat", "mount.exfat-fuse", "losetup")}
KINDS = list(_PROGRAMS)
_SIZE = 512 * 2**20


def missing(kind: str) -> str | None:
    """Return why a file system cannot be mounted here; None if it can."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not Path("/dev/fuse").exists():
        return "it takes root and /dev/fuse to mount a file system"
    names = [name for name in (*_PROGRAMS[kind], "umount") if shutil.which(name) is None]
    return f"{' and '.join(names)} not found: apt-get install ntfs-3g exfat-fuse exfatprogs" if names else None


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)  # noqa: S603 - our own
    return done.stdout.strip()


@contextmanager
def mounted(kind: str, work: Path) -> Generator[Path]:
    """Make a file system in a sparse file, mount it, and yield the folder.

    Args:
        kind: ``"ntfs"`` or ``"exfat"``.
        work: an empty folder for the file and the mount point.
    """
    image, folder = work / f"{kind}.img", work / kind
    with image.open("wb") as file:
        file.truncate(_SIZE)
    folder.mkdir()
    with ExitStack() as stack:
        stack.callback(image.unlink)
        if kind == "ntfs":
            _run("mkntfs", "-F", "-Q", "-q", image)
            _run("lowntfs-3g", "-o", "ignore_case,windows_names", image, folder)
        else:
            _run("mkfs.exfat", image)
            device = _run("losetup", "--find", "--show", image)
            stack.callback(_run, "losetup", "--detach", device)
            _run("mount.exfat-fuse", device, folder)
        stack.callback(_run, "umount", folder)
        yield folder
