"""The two observers of the guide to progress are right when downloads resume, start over, fail and are skipped."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import (
    Artifact,
    ArtifactsError,
    RetryPolicy,
    TransferBytes,
    TransferFailed,
    TransferResumed,
    TransferStarted,
)
from tests.kits import examples
from tests.kits.transfer import REPO, client_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gh_artifacts_async import ArtifactsClient, Event
    from gh_artifacts_async.testing import FakeGitHub, FakeRun

pytestmark = pytest.mark.once

SIZE = 3_000_000
CUT = 1_200_000
LEFT = 1_000_000


def observer(name: str) -> dict[str, Any]:
    """Run a block of the page as far as its class, and return what it defines."""
    (block,) = (
        it.source for it in examples.examples(examples.PAGES_BY_NAME["progress"]) if f"class {name}" in it.source
    )
    head, line, body = block.partition(f"class {name}")
    names: dict[str, Any] = {}
    exec(head + line + body.partition("\n\n\n")[0], names)  # noqa: S102  our own documentation
    return names


async def prepared(github: FakeGitHub, run: FakeRun, folder: Path) -> list[Artifact]:
    """Return an artifact for each thing that can happen; an earlier run has left a whole file and a part of one."""
    names = ("cut", "expired", "there", "left", "corrupt", "[bold]plain")
    ids = {name: github.add_artifact(run, name, size=SIZE, seed=seed) for seed, name in enumerate(names)}
    async with client_for(github, retry=RetryPolicy(attempts=1)) as client:
        artifacts = {name: await client.get_artifact(REPO, number) for name, number in ids.items()}
        await client.download(artifacts["there"], folder, filename=f"there-{ids['there']}.zip")
        github.faults.cut(ids["left"], at=LEFT, times=None)
        with pytest.raises(ArtifactsError):
            await client.download(artifacts["left"], folder, filename=f"left-{ids['left']}.zip")
    github.faults.clear()
    github.expire_artifact(ids["expired"])
    github.faults.cut(ids["cut"], at=CUT)
    github.faults.corrupt(ids["corrupt"], times=None)
    return list(artifacts.values())


async def fetch(
    client: ArtifactsClient, artifacts: list[Artifact], folder: Path, watch: Callable[[Event], None]
) -> int:
    """Download all of them, and return how many failed."""
    async with client.download_many(artifacts, folder, observer=watch, concurrency=2) as outcomes:
        return sum([not outcome.ok async for outcome in outcomes])


async def test_tqdm(github: FakeGitHub, run: FakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The bar counts what this run transfers, its total shrinks by the rest, and it ends at 100 %."""
    artifacts = await prepared(github, run, tmp_path)
    total = observer("TotalBar")["TotalBar"](artifacts)
    events: list[Event] = []

    def watch(event: Event) -> None:
        events.append(event)
        total(event)

    async with client_for(github) as client:
        assert await fetch(client, artifacts, tmp_path, watch) == 2
    total.bar.close()
    begun = {it.artifact.name: it.offset for it in events if isinstance(it, TransferStarted)}
    assert begun["left"] >= LEFT / 2
    assert begun.keys() == {"cut", "left", "corrupt", "[bold]plain"}
    assert any(isinstance(it, TransferResumed) and it.artifact.name == "cut" for it in events)
    moves = [it for it in events if isinstance(it, TransferBytes | TransferResumed) and it.artifact.name == "corrupt"]
    corrupt = moves[-1].received if isinstance(moves[-1], TransferBytes) else moves[-1].offset
    assert any(isinstance(it, TransferResumed) and it.offset == 0 for it in moves)
    assert total.bar.n == total.bar.total == 3 * SIZE - begun["left"] + corrupt
    assert "100%" in capsys.readouterr().err


async def test_rich(github: FakeGitHub, run: FakeRun, tmp_path: Path) -> None:
    """A line begins where an earlier run stopped, goes back where a transfer resumes, and is gone after the end."""
    from rich.console import Console
    from rich.progress import Progress

    artifacts = await prepared(github, run, tmp_path)
    screen = io.StringIO()
    progress = Progress(console=Console(file=screen, force_terminal=True, width=200))
    lines = observer("Lines")["Lines"](progress)
    seen: list[tuple[Event, dict[str, float]]] = []

    def watch(event: Event) -> None:
        lines(event)
        seen.append((event, {task.description: task.completed for task in progress.tasks}))

    with progress:
        async with client_for(github) as client:
            assert await fetch(client, artifacts, tmp_path, watch) == 2
    assert progress.tasks == []
    for event, shown in seen:
        if isinstance(event, TransferStarted | TransferResumed) and "[" not in event.artifact.name:
            assert shown[event.artifact.name] == event.offset
    assert any(r"\[bold]plain" in shown for _, shown in seen)
    errors = [event for event, _ in seen if isinstance(event, TransferFailed)]
    assert sorted(event.artifact.name for event in errors) == ["corrupt", "expired"]
    assert all(f"{event.artifact.name}: " in screen.getvalue() for event in errors)
