"""What the measurements need besides Python: programs of the system, and the rivals' own venv."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HERE = Path(__file__).resolve().parent
WORK = HERE / ".work"
LOG = WORK / "log"
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
REQUIREMENTS = HERE / "rivals" / "requirements.txt"
PACKAGES = {  # Debian's
    "7z": "p7zip-full",
    "aria2c": "aria2",
    "bsdtar": "libarchive-tools",
    "curl": "curl",
    "nginx": "nginx-light",
    "openssl": "openssl",
    "script": "bsdutils",
    "unzip": "unzip",
}
_VERSION_OPTION = {"nginx": "-v", "openssl": "version", "unzip": "-v", "7z": "i"}
RIVAL_PACKAGES = ("aiohttp", "attrs", "cattrs", "githubkit", "hishel", "httpx", "PyGithub", "requests", "urllib3")
OUR_PACKAGES = ("gh-artifacts-async", "aiohttp", "attrs", "cattrs", "isal", "orjson")
_PRINT_VERSIONS = """
import importlib.metadata, sys
for name in sys.argv[1:]:
    try:
        print(name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        pass
"""


def find(tool: str) -> str | None:
    """Return where a program is; None if it is not here."""
    return shutil.which(tool, path=PATH)


def child_environment() -> dict[str, str]:
    """Return the environment of everything that is measured: no proxies, no switches of Python's."""
    kept = ("HOME", "LD_LIBRARY_PATH", "TMPDIR", "USER")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"PATH": PATH, "LC_ALL": "C.UTF-8"}


def install(tools: Iterable[str]) -> None:
    """Install the programs that are missing, where that can be done; what cannot be had is left out by name later."""
    missing = sorted({PACKAGES[tool] for tool in tools if tool in PACKAGES and find(tool) is None})
    if not missing:
        return
    if os.geteuid() != 0 or find("apt-get") is None:
        print(f"not here, and not to be installed by this user: {', '.join(missing)}")
        return
    print(f"installing {', '.join(missing)} ...", flush=True)
    with _no_services():
        for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", *missing]):
            environment = dict(os.environ) | {"DEBIAN_FRONTEND": "noninteractive"}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{' '.join(command[:2])} failed: {done.stderr.strip().splitlines()[-1:]}")


class _no_services:  # noqa: N801 - used like a function
    """While this lasts, Debian's packages do not start what they install (nginx would take port 80)."""

    _policy = Path("/usr/sbin/policy-rc.d")

    def __enter__(self) -> None:
        self._ours = not self._policy.exists()
        if self._ours:
            self._policy.write_text("#!/bin/sh\nexit 101\n", "utf-8")
            self._policy.chmod(0o755)

    def __exit__(self, *_: object) -> None:
        if self._ours:
            self._policy.unlink(missing_ok=True)


def rivals_python() -> str | None:
    """Return the Python of the rivals' venv, which is made on first use and made anew when its list has changed."""
    venv, wanted = WORK / "venv", hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    python, mark = venv / "bin" / "python", venv / ".made-from"
    if mark.exists() and mark.read_text("utf-8") == wanted:
        return str(python)
    print("making the rivals' venv ...", flush=True)
    commands = (
        [sys.executable, "-m", "venv", "--clear", str(venv)],
        [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "-r", str(REQUIREMENTS)],
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"the rivals' venv could not be made: {done.stderr.strip()[-300:]}")
            return None
    mark.write_text(wanted, "utf-8")
    return str(python)


# --- what is told beside the figures ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Machine:
    """What the figures were taken on.

    Attributes:
        cpu: its model.
        cores: how many.
        memory: GiB.
        kernel: its release.
        python: version of the interpreter.
        disk: file system of the working folder.
    """

    cpu: str
    cores: int
    memory: int
    kernel: str
    python: str
    disk: str


def machine() -> Machine:
    """Look at this machine."""
    models = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(
        cpu=models[0] if models else platform.machine(),
        cores=os.cpu_count() or 0,
        memory=round(memory / 2**30),
        kernel=platform.release(),
        python=platform.python_version(),
        disk=file_system(WORK),
    )


def file_system(path: Path) -> str:
    """Return the name of the file system that a folder is on."""
    best, kind = -1, "unknown"
    for line in _lines("/proc/mounts"):
        _, where, name, *_ = line.split(" ")
        if (path.is_relative_to(where)) and len(where) > best:
            best, kind = len(where), name
    return kind


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return []


def versions(rivals: str | None) -> dict[str, str]:
    """Return the version of everything that takes part."""
    found = {tool: text for tool in PACKAGES if (text := _tool_version(tool))}
    found |= own_versions()
    if rivals is not None:
        found |= {f"{name} (rivals)": text for name, text in _package_versions(rivals, RIVAL_PACKAGES).items()}
    return found


def own_versions() -> dict[str, str]:
    """Return the versions of this package and of what it needs."""
    return dict(_package_versions(sys.executable, OUR_PACKAGES))


def _tool_version(tool: str) -> str | None:
    program = find(tool)
    if program is None:
        return None
    command = [program, _VERSION_OPTION.get(tool, "--version")]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    number = re.search(r"\d+\.\d[\w.]*", done.stdout or done.stderr)
    return number[0] if number else None


def _package_versions(python: str, names: tuple[str, ...]) -> Mapping[str, str]:
    command = [python, "-c", _PRINT_VERSIONS, *names]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())
