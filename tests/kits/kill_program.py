"""Puts results in place as a download does, in processes that are killed before one file-system call after another.

The one argument is JSON, see :class:`Plan`. For number 1, 2, ... a fork works in ``<base>/<number>`` and is killed with
SIGKILL before so many calls of the file system were made; the last one lives. Its number is printed.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gh_artifacts_async import Artifact, Digest, ExtractPolicy, RepositoryName
from gh_artifacts_async.api.emitter import Emitter
from gh_artifacts_async.archive.leftovers import sweep_beside
from gh_artifacts_async.transfer.disk.commit import commit_with_record
from gh_artifacts_async.transfer.disk.partfile import PartFile, VerifiedPart
from gh_artifacts_async.transfer.unzip.unpack import Unpacking

EVENTS = {
    *("open", "os.link", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.utime", "os.scandir"),
    "fcntl.flock",
}
MOST = 400


class Killer:
    """Counts calls of the file system, and kills the process before one of them."""

    def __init__(self, at: int) -> None:
        self._left = at
        self.armed = False
        sys.addaudithook(self._hook)
        for name in ("fsync", "write"):
            setattr(os, name, self._counted(getattr(os, name)))

    def _hook(self, event: str, _arguments: Any) -> None:
        if event in EVENTS:
            self._count()

    def _counted(self, call: Any) -> Any:
        def counted(*arguments: Any) -> Any:
            self._count()
            return call(*arguments)

        return counted

    def _count(self) -> None:
        if self.armed:
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Plan:
    """What to do.

    Attributes:
        base: a folder.
        kind: "folder" or "file"; or "sweep", to clear away beside ``docs`` what is in the folder ``zip``.
        id, digest, size_in_bytes: of the artifact, named docs.
        zip: path of its bytes.
        old: path of the bytes of artifact 1, which is in place before; empty for nothing.
        durable: fsync.
    """

    base: str
    kind: str
    id: int
    digest: str | None
    size_in_bytes: int
    zip: str
    old: str
    durable: bool

    @property
    def artifact(self) -> Artifact:
        """The artifact."""
        return described(self.id, self.digest, self.size_in_bytes)


def described(number: int, digest: str | None, size: int) -> Artifact:
    """Describe an artifact as GitHub would."""
    return Artifact(
        id=number,
        node_id="n",
        name="docs",
        size_in_bytes=size,
        url="u",
        archive_download_url="u/zip",
        expired=False,
        digest=Digest.parse(digest) if digest else None,
        repository=RepositoryName("octo-org", "octo-docs"),
    )


def put(artifact: Artifact, folder: Path, data: bytes, kind: str, *, durable: bool, killer: Killer | None) -> None:
    """Put an artifact in place, as ``transfer.download`` does when all its bytes are there and verified."""
    part = PartFile.for_artifact(artifact, folder)
    part.start(len(data), etag='"x"', total=len(data), content_type="application/zip")
    part.save_state()
    part.append([data])
    replace = (folder / "docs").exists() or (folder / "docs.zip").exists()
    if kind == "folder":
        asyncio.run(_unpack(artifact, folder, part, replace=replace, durable=durable, killer=killer))
        return
    received = VerifiedPart(
        part=part,
        kind="zip",
        verified="none",
        sha256=part.hexdigest,
        size=part.offset,
        resumed_from=0,
        content_type=None,
        disposition=None,
    )
    if killer is not None:
        killer.armed = True
    commit_with_record(artifact, folder / "docs.zip", received, replace=replace, durable=durable)


async def _unpack(artifact: Artifact, folder: Path, part: PartFile, *, killer: Killer | None, **options: bool) -> None:
    plan = Unpacking(artifact, folder / "docs", ExtractPolicy(), Emitter(), **options)
    if killer is not None:
        killer.armed = True
    await plan.whole(part.path)
    part.discard()


def work(plan: Plan, number: int) -> None:
    """Do the work in the folder of this number, and die there."""
    folder = Path(plan.base, str(number))
    if plan.kind == "sweep":
        shutil.copytree(plan.zip, folder)
        killer = Killer(number)
        killer.armed = True
        sweep_beside(folder / "docs")
        killer.armed = False
        return
    folder.mkdir()
    if plan.old:
        data = Path(plan.old).read_bytes()
        put(described(1, None, len(data) + 1), folder, data, plan.kind, durable=False, killer=None)
    data = Path(plan.zip).read_bytes()
    killer = Killer(number)
    put(plan.artifact, folder, data, plan.kind, durable=plan.durable, killer=killer)
    killer.armed = False


def main() -> None:
    """Work until a process survives."""
    assert fcntl.LOCK_EX  # imported before calls are counted
    plan = Plan(**json.loads(sys.argv[1]))
    for number in range(1, MOST):
        child = os.fork()
        if not child:
            try:
                work(plan, number)
            except BaseException as error:  # noqa: BLE001 - it must not become a second parent
                os.write(2, f"{number}: {error!r}\n".encode())
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code == 0:
            sys.stdout.write(str(number))
            return
        assert code == -signal.SIGKILL, code


if __name__ == "__main__":
    main()
