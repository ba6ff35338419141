"""A client in a process of its own that works off a plan, for faults that only the system itself can bring about.

The plan is a JSON list of steps, ``[["download", 7, {"durable": true}], …]``; a JSON list with each step's answer is
printed. It may run where nobody else can look: in a file system that vanishes with it, or in a network of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import sys
from pathlib import Path
from typing import Any

from gh_artifacts_async import Artifact, ArtifactsClient, ArtifactsError, Event, Limits, RetryPolicy, TransferStarted

REPO = "octo-org/octo-docs"


def _told(error: BaseException) -> dict[str, Any]:
    names = ("errno", "filename", "needed", "free", "status")
    return {
        "error": type(error).__name__,
        "text": str(error),
        **{name: getattr(error, name) for name in names if hasattr(error, name)},
    }


class Program:
    """What the steps of a plan do."""

    def __init__(self, base_url: str, folder: str) -> None:
        self.folder = Path(folder)
        self.base_url = base_url
        self.client = ArtifactsClient("token", base_url=base_url, retry=RetryPolicy(attempts=4, wait_initial=0.05))
        self.artifacts: dict[int, Artifact] = {}

    def do_know(self, *ids: int) -> Any:
        """Ask for artifacts, so that later steps need not."""

        async def known() -> int:
            for it in ids:
                self.artifacts[it] = await self.client.get_artifact(REPO, it)
            return len(self.artifacts)

        return known()

    async def do_download(self, it: int, options: dict[str, Any] | None = None) -> dict[str, Any]:
        """Download one artifact; ``fill`` bytes are taken from the disk when its body begins."""
        given = {"observer": None, **(options or {})}
        fill, below = given.pop("fill", 0), given.pop("below", "")

        def filled(event: Event) -> None:
            if isinstance(event, TransferStarted):
                self.do_fill(fill)

        if fill:
            given["observer"] = filled
        try:
            result = await self.client.download(self.artifacts[it], self.folder / below, **given)
        except (ArtifactsError, OSError) as error:
            return _told(error)
        return {"size": result.size, "resumed_from": result.resumed_from, "verified": result.verified}

    async def do_many(self, ids: list[int], concurrency: int) -> dict[str, Any]:
        """Download many artifacts."""
        subjects = [self.artifacts[it] for it in ids]
        async with self.client.download_many(subjects, self.folder, layout="name", concurrency=concurrency) as outcomes:
            answers = [(it.artifact.id, None if it.error is None else _told(it.error)) async for it in outcomes]
        return dict(answers)  # type: ignore[arg-type]

    async def do_mirror(self, options: dict[str, Any] | None = None) -> dict[str, Any]:
        """Mirror the repository."""
        try:
            report = await self.client.mirror(REPO, self.folder, **(options or {}))
        except ArtifactsError as error:
            return _told(error)
        counts = {name: len(getattr(report, name)) for name in ("fetched", "kept", "removed", "failed")}
        return {**counts, "bytes_fetched": report.bytes_fetched}

    async def do_cleanup(self, file: str) -> list[str | None]:
        """Apply a plan that was pickled, without the intervals between deletions."""
        plan = pickle.loads(Path(file).read_bytes())  # noqa: S301  the test's own
        limits = Limits(points_per_minute=None, mutation_interval=None)
        async with (
            ArtifactsClient("token", base_url=self.base_url, limits=limits) as client,
            client.apply_cleanup(plan) as outcomes,
        ):
            return [None if it.error is None else str(it.error) async for it in outcomes]

    def do_fill(self, size: int) -> None:
        """Take space away."""
        (self.folder / "ballast").write_bytes(b"x" * size)

    def do_free(self) -> None:
        """Give it back."""
        (self.folder / "ballast").unlink()

    def do_list(self) -> dict[str, int]:
        """Say what is on the disk."""
        found = {path.relative_to(self.folder).as_posix(): path for path in self.folder.rglob("*")}
        return {name: path.stat().st_size for name, path in found.items() if path.is_file() and name != "ballast"}

    def do_descriptors(self) -> int:
        """Count what is open, and the tasks."""
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    def do_tasks(self) -> int:
        """Count the tasks besides this one."""
        return len(asyncio.all_tasks()) - 1

    def do_settle(self) -> Any:
        """Let connections end."""
        return asyncio.sleep(0.2)

    def do_no_lock(self) -> None:
        """Let every lock seem granted, as file systems are known to."""
        from gh_artifacts_async.transfer.disk import leftovers, partfile

        leftovers.lock = partfile.lock = lambda descriptor: descriptor >= 0


async def _run(base_url: str, folder: str, plan: list[list[Any]]) -> list[Any]:
    program = Program(base_url, folder)
    answers = []
    async with program.client:
        for name, *arguments in plan:
            answer = getattr(program, f"do_{name}")(*arguments)
            answers.append(await answer if asyncio.iscoroutine(answer) else answer)
    return answers


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_run(sys.argv[1], sys.argv[2], json.loads(sys.argv[3])))))
