"""Download what was selected, and tell about it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import attrs

from gh_artifacts_async.cli.exits import combined, sentence
from gh_artifacts_async.cli.render import bars, documents, reports, screen
from gh_artifacts_async.cli.render.progress import Tally
from gh_artifacts_async.cli.repo import Target
from gh_artifacts_async.cli.work.selecting import Failure, Selected, Selection, select
from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.settings import IfExists
from gh_artifacts_async.transfer.disk import destination, records

if TYPE_CHECKING:
    from gh_artifacts_async.cli.context import Context
    from gh_artifacts_async.client import ArtifactsClient
    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.results import DownloadResult, Outcome


@attrs.frozen(kw_only=True)
class Order:
    """One ``download`` command.

    Attributes:
        target: the repository.
        selection: which of its artifacts.
        directory: where they go.
        jobs: at once.
        if_exists: where something is in the way.
        dry_run: only say it.
        as_json: for a program.
        extract: unpack what is a zip.
    """

    target: Target
    selection: Selection
    directory: str
    jobs: int
    if_exists: IfExists
    dry_run: bool
    as_json: bool
    extract: bool = False


def check_jobs(jobs: int) -> None:
    """Check ``--jobs``.

    Raises:
        ConfigurationError: it is below 1.
    """
    if jobs < 1:
        msg = f"--jobs must be 1 or more, not {jobs}"
        raise ConfigurationError(msg)


async def run(context: Context, order: Order) -> int:
    """Select, download, and return the exit code."""
    tally = Tally()
    async with context.client(order.target, tally) as client:
        selected = await _selected(context, client, order)
        if order.dry_run:
            return await _rehearse(context, client, order, selected)
        report = Report(context, order, selected, tally)
        layout = _layout(context, order, selected.artifacts)
        await _download(client, report, layout)
    return report.close()


async def _selected(context: Context, client: ArtifactsClient, order: Order) -> Selected:
    selected = await select(client, order.target.repo, order.selection)
    if selected.expired:
        context.note(reports.left_out(selected.expired))
    for failure in selected.failures:
        context.error(sentence(failure.error))
    return selected


def _layout(context: Context, order: Order, artifacts: list[Artifact]) -> Literal["name", "id"]:
    """Return how the files are named: by name alone, unless two would be one file, on any system."""
    places = Counter(_place(artifact, order).casefold() for artifact in artifacts)
    if len(places) == len(artifacts):
        return "name"
    what = "file or folder" if order.extract else "file"
    context.note(f"some of these artifacts share a name, so each {what} gets its artifact's ID: NAME-ID")
    return "id"


def _place(artifact: Artifact, order: Order) -> str:
    place = destination.by_layout(artifact, Path(order.directory), "name")
    return str(place.folder_path if order.extract else place.zip_path)


async def _download(client: ArtifactsClient, report: Report, layout: Literal["name", "id"]) -> None:
    order, artifacts = report.order, report.selected.artifacts
    total = sum(artifact.size_in_bytes for artifact in artifacts)
    drawn = bars.DownloadBars(len(artifacts), total) if report.context.live and artifacts else None
    with drawn or contextlib.nullcontext():
        async with client.download_many(
            artifacts,
            order.directory,
            concurrency=order.jobs,
            extract=order.extract,
            if_exists=order.if_exists,
            layout=layout,
            observer=drawn,
        ) as outcomes:
            async for outcome in outcomes:
                report.take(outcome)


class Report:
    """Tells of outcomes as they come, and of the whole at the end."""

    def __init__(self, context: Context, order: Order, selected: Selected, tally: Tally) -> None:
        """Begin with what the selection found."""
        self.context = context
        self.order = order
        self.selected = selected
        self._tally = tally
        self._results: list[DownloadResult] = []
        self._failures: list[Failure] = list(selected.failures)
        self._started = asyncio.get_running_loop().time()
        self._elapsed = 0.0

    def take(self, outcome: Outcome[DownloadResult]) -> None:
        """Take one outcome, and say it."""
        self._elapsed = asyncio.get_running_loop().time() - self._started
        if outcome.value is not None:
            self._results.append(outcome.value)
            if not self.order.as_json:
                screen.write(sys.stdout, reports.line(outcome.value))
        else:
            said_before = any(failure.error is outcome.error for failure in self._failures)
            self._failures.append(Failure(outcome.artifact.id, outcome.artifact.name, outcome.error))
            if not said_before:  # one reason that ended all the rest is told once
                self.context.error(f"{outcome.artifact.name}: {sentence(outcome.error, kept=True)}")

    def close(self) -> int:
        """Say what all came to, and return the exit code."""
        if self.order.as_json:
            screen.write(sys.stdout, documents.dumps(self._document()))
        self.context.note(
            reports.total(self._results, len(self._failures), self._elapsed, self._tally, self.order.directory)
        )
        return combined([failure.error for failure in self._failures], done=len(self._results))

    def _document(self) -> dict[str, Any]:
        return {
            **head(self.order, self.selected),
            "downloaded": [documents.downloaded(result) for result in self._results],
            "failed": failed(self._failures),
            "bytes": reports.transferred(self._results),
            "elapsed": round(self._elapsed, 3),
        }


def head(order: Order, selected: Selected) -> dict[str, Any]:
    """Return what every document of this command says."""
    return {
        "repository": str(order.target.repo),
        "directory": order.directory,
        "dry_run": order.dry_run,
        "extract": order.extract,
        "expired": [{"id": artifact.id, "name": artifact.name} for artifact in selected.expired],
    }


def failed(failures: list[Failure]) -> list[dict[str, Any]]:
    """Return the failures for a document."""
    return [documents.failed(one.id, one.name, one.error, sentence(one.error, kept=True)) for one in failures]


async def _rehearse(context: Context, client: ArtifactsClient, order: Order, selected: Selected) -> int:
    """Say what a download would do, and do nothing."""
    _layout(context, order, selected.artifacts)
    there = {artifact.id for artifact in selected.artifacts if await _is_there(client, artifact, order)}
    missing = [artifact for artifact in selected.artifacts if artifact.id not in there]
    if order.as_json:
        document = {
            **head(order, selected),
            "would_download": [_short(artifact) for artifact in missing],
            "there_already": [_short(artifact) for artifact in selected.artifacts if artifact.id in there],
            "failed": failed(selected.failures),
            "bytes": sum(artifact.size_in_bytes for artifact in missing),
        }
        screen.write(sys.stdout, documents.dumps(document))
    elif selected.artifacts:
        screen.show(reports.rehearsal(selected.artifacts, there))
    context.note(reports.rehearsed(missing, len(there), order.directory, extract=order.extract))
    return combined([failure.error for failure in selected.failures], done=len(selected.artifacts))


def _short(artifact: Artifact) -> dict[str, Any]:
    return {"id": artifact.id, "name": artifact.name, "size": artifact.size_in_bytes}


async def _is_there(client: ArtifactsClient, artifact: Artifact, order: Order) -> bool:
    """Whether ``skip`` would find the artifact on disk."""
    if order.if_exists != "skip":
        return False
    place = destination.by_layout(artifact, Path(order.directory), "name")
    if order.extract and await asyncio.to_thread(records.read_folder_record, artifact, place.folder_path) is not None:
        return True
    files = (place.raw_path(None),) if order.extract else (place.zip_path, place.raw_path(None))
    for path in files:
        if path.exists() and await client.verify(artifact, path):
            return True
    return False
