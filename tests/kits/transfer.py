"""What the tests of transfers share: one repository, one client, and what may be in a folder afterwards."""

from __future__ import annotations

import contextlib
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import ArtifactsClient, ArtifactsError, RetryPolicy
from tests.kits.profiles import records

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from gh_artifacts_async import Artifact, DownloadResult, Event, Outcome
    from gh_artifacts_async.testing import FakeGitHub

REPO = "octo-org/octo-docs"
INLINE_SIZE = 20_000
"""Bytes of an artifact that is written on the loop's own thread."""

WORKER_SIZE = 600_000
"""Bytes of an artifact that goes through the worker thread."""

RECEIVER_SIZE = 3_000_000
"""Bytes of an artifact that takes the fast path."""

ONE_TRY = RetryPolicy(attempts=1)


@asynccontextmanager
async def client_for(
    github: FakeGitHub, token: str | None = "token", **settings: Any
) -> AsyncGenerator[ArtifactsClient]:
    """Run a client of the fake."""
    async with ArtifactsClient(token, base_url=github.base_url, **settings) as client:
        yield client


def add(github: FakeGitHub, name: str = "docs", *, size: int | None = WORKER_SIZE, **values: Any) -> int:
    """Add an artifact, a zip of ``size`` bytes unless ``values`` say otherwise."""
    if values.keys() & {"files", "archive", "raw"}:
        size = values.pop("raw_size", None)
    return github.add_artifact(github.add_run(REPO), name, size=size, **values)


async def get(client: ArtifactsClient, artifact_id: int) -> Artifact:
    """Return the artifact as a listing gives it."""
    return await client.get_artifact(REPO, artifact_id)


async def fetch(client: ArtifactsClient, artifact_id: int, folder: Path, **options: Any) -> DownloadResult:
    """Get the artifact, and download it."""
    return await client.download(await get(client, artifact_id), folder, **options)


async def listed(client: ArtifactsClient) -> list[Artifact]:
    """Return all artifacts, the oldest first."""
    return sorted([artifact async for artifact in client.list_artifacts(REPO)], key=lambda it: it.id)


async def fetch_all(
    client: ArtifactsClient, artifacts: Any, folder: Path, **options: Any
) -> list[Outcome[DownloadResult]]:
    """Download all of them and return the outcomes."""
    async with client.download_many(artifacts, folder, **options) as outcomes:
        return [outcome async for outcome in outcomes]


def fill(github: FakeGitHub, count: int, size: int = INLINE_SIZE) -> list[int]:
    """Add so many artifacts of one run; return their ids."""
    repo_run = github.add_run(REPO)
    return [github.add_artifact(repo_run, f"docs-{number}", size=size, seed=number) for number in range(count)]


def everything(folder: Path) -> set[str]:
    """Return every file below a folder, as paths relative to it."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


def names(folder: Path) -> set[str]:
    """Return every file below a folder, but under ``--profile`` not the records of files without a digest."""
    return everything(folder) - {path.relative_to(folder).as_posix() for path in records(folder)}


def parts(folder: Path) -> list[Path]:
    """Return the part files in a folder."""
    return sorted(folder.glob(".*.part"))


def longest_part(folder: Path) -> int:
    """Return the length of the longest part file in a folder that another process works in; 0 without one."""
    found = 0
    for part in parts(folder):
        with suppress(FileNotFoundError):  # it was renamed meanwhile, by a run that resumes it
            found = max(found, part.stat().st_size)
    return found


async def leave_part(github: FakeGitHub, artifact_id: int, folder: Path, at: int) -> Path:
    """Let a client of its own fail at byte ``at``, so that it leaves a part of that length."""
    cut = github.faults.cut(artifact_id, at=at, times=None)
    async with client_for(github, retry=ONE_TRY) as client:
        with contextlib.suppress(ArtifactsError):
            await fetch(client, artifact_id, folder)
    cut.left = 0
    (part,) = parts(folder)
    assert part.stat().st_size <= at
    return part


async def break_off(client: ArtifactsClient, artifact_id: int, folder: Path) -> Path:
    """Let a client that has one try fail in mid-body, which somebody else has seen to; return the part it leaves."""
    async with client:
        with pytest.raises(ArtifactsError):
            await fetch(client, artifact_id, folder)
    (part,) = parts(folder)
    assert part.stat().st_size > 0
    return part


class Seen(list["Event"]):
    """An observer that remembers."""

    def __call__(self, event: Event) -> None:
        self.append(event)

    def of(self, kind: type[Event]) -> list[Any]:
        """Return the events of one kind."""
        return [event for event in self if isinstance(event, kind)]
