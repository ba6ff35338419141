"""Mirrors a repository in processes that are killed before one file-system call after another.

The one argument is JSON, see :class:`Plan`. For number 1, 2, ... a fork mirrors into a copy of ``<base>/before`` and is
killed with SIGKILL before so many calls of the file system were made; then another fork mirrors there once more, and
what is in the folder is compared. It ends with the first fork that lives; its number is printed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gh_artifacts_async import ArtifactsClient
from tests.kits.kill_program import Killer
from tests.kits.transfer import REPO

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 500


@dataclass
class Plan:
    """What to do.

    Attributes:
        base_url: of the fake.
        base: a folder.
        options: of the mirror.
        expected: sha256 of each file, by its path in the folder.
    """

    base_url: str
    base: str
    options: dict[str, Any]
    expected: dict[str, str]

    def mirror(self, folder: Path, killer: Killer | None = None) -> None:
        """Mirror, and expect no failure."""

        async def run() -> None:
            async with ArtifactsClient("token", base_url=self.base_url) as client:
                if killer is not None:
                    killer.armed = True
                report = await client.mirror(REPO, folder, **self.options)
                assert not report.failed, report.failed

        asyncio.run(run())
        if killer is not None:
            killer.armed = False


def forked(work: Callable[[], None]) -> int:
    """Do work in a fork, and return how it ended."""
    child = os.fork()
    if not child:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - it must not become a second parent
            os.write(2, f"{error!r}\n".encode())
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def contents(folder: Path) -> dict[str, str]:
    """Return the sha256 of each file below a folder, but not of the manifest, nor of records, which hold inodes."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    hashes = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()}
    hashes.pop(".gh-artifacts-mirror.json")
    return {name: "record" if name.endswith(".gh-artifacts.json") else found for name, found in hashes.items()}


def main() -> None:
    """Work until a process survives."""
    plan = Plan(**json.loads(sys.argv[1]))
    before = Path(plan.base, "before")
    warm = Path(plan.base, "warm")
    shutil.copytree(before, warm)
    plan.mirror(warm)  # imports what is imported late, so that only the mirror's own calls are counted
    assert contents(warm) == plan.expected, contents(warm)
    for number in range(1, MOST):
        folder = Path(plan.base, str(number))
        shutil.copytree(before, folder)
        code = forked(lambda folder=folder, number=number: plan.mirror(folder, Killer(number)))  # type: ignore[misc]
        assert code in {0, -signal.SIGKILL}, code
        assert forked(lambda folder=folder: plan.mirror(folder)) == 0, number  # type: ignore[misc]
        found = contents(folder)
        assert found == plan.expected, (number, found)
        if code == 0:
            sys.stdout.write(str(number))
            return
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
