"""Merges all artifacts of a fake, in processes that are killed before one file-system call after another.

The one argument is JSON: ``base``, a folder; ``url`` of the fake; ``repo``; ``replace``, whether a folder is there
before; ``first`` and ``step``. For number first, first + step, ... a fork works in ``<base>/<number>`` and is killed
with SIGKILL before so many calls of the file system were made; the last one lives. The numbers are printed.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from gh_artifacts_async import ArtifactsClient
from gh_artifacts_async.transfer.unzip import merge
from tests.kits.kill_program import Killer

MOST = 600


async def work(plan: dict[str, Any], number: int) -> None:
    """Merge in the folder of this number, and die there."""
    folder = Path(plan["base"], str(number))
    folder.mkdir()
    if plan["replace"]:
        (folder / "dist").mkdir()
        (folder / "dist" / "old").write_text("old")
    async with ArtifactsClient("token", base_url=plan["url"]) as client:
        artifacts = [artifact async for artifact in client.list_artifacts(plan["repo"])]
        killer = Killer(number)
        killer.armed = True
        await client.download_merged(
            artifacts,
            folder / "dist",
            conflicts="identical",
            if_exists="replace" if plan["replace"] else "error",
            concurrency=1,
        )
        killer.armed = False


def main() -> None:
    """Work until a process survives."""
    assert merge  # imported before calls are counted
    plan = json.loads(sys.argv[1])
    for number in range(plan["first"], MOST, plan["step"]):
        child = os.fork()
        if not child:
            try:
                asyncio.run(work(plan, number))
            except BaseException as error:  # noqa: BLE001 - it must not become a second parent
                os.write(2, f"{number}: {error!r}\n".encode())
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code == 0:
            sys.stdout.write(json.dumps(list(range(plan["first"], number + 1, plan["step"]))))
            return
        assert code == -signal.SIGKILL, code


if __name__ == "__main__":
    main()
