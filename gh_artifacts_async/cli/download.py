"""``gh-artifacts download``."""

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import attrs
from cyclopts import Parameter

from gh_artifacts_async import (
    Artifact,
    ArtifactsClient,
    Conflicts,
    DownloadResult,
    ExtractPolicy,
    IfExists,
    Layout,
    Observer,
    Outcome,
    PlannedDownload,
)
from gh_artifacts_async.cli import conflicts, merge, reports, running
from gh_artifacts_async.cli import repo as repositories
from gh_artifacts_async.cli.context import DOWNLOADING, Context
from gh_artifacts_async.cli.exits import combined
from gh_artifacts_async.cli.options import Repo
from gh_artifacts_async.cli.output import Output, Printer
from gh_artifacts_async.cli.render import bars, documents, screen, tables
from gh_artifacts_async.cli.render import downloads as lines
from gh_artifacts_async.cli.render.events import Tally
from gh_artifacts_async.cli.render.sentences import RESUME, is_about_all, named
from gh_artifacts_async.cli.repo import Target
from gh_artifacts_async.cli.selection import Failure, Selected, Selection, check_names, select
from gh_artifacts_async.cli.selectors import Selectors
from gh_artifacts_async.errors import ConfigurationError, DestinationExistsError


@attrs.frozen(kw_only=True)
class Order:
    """What one ``download`` command is to do.

    Attributes:
        target: the repository.
        selection: which of its artifacts.
        directory: where they go.
        jobs: how many at once.
        layout: how the files are named.
        if_exists: what to do where the destination exists.
        extract: unpack zips, within these limits; None leaves them as they are.
        printer: prints the outcome for a program; None for a person.
    """

    target: Target
    selection: Selection
    directory: str
    jobs: int
    layout: Layout
    if_exists: IfExists
    extract: ExtractPolicy | None
    printer: Printer | None


def download(
    *words: str,
    repo: Repo = None,
    all_: Annotated[bool, Parameter(name="--all")] = False,
    selectors: Annotated[Selectors, Parameter(name="*")] = Selectors(),  # noqa: B008 - frozen
    dir_: Annotated[str, Parameter(name=["--dir", "-D"])] = ".",
    layout: str | None = None,
    extract: bool = False,
    jobs: int = 8,
    if_exists: Literal["error", "skip", "replace"] = "skip",
    symlinks: Literal["reject", "skip"] | None = None,
    max_ratio: float | None = None,
    merge_: Annotated[bool, Parameter(name="--merge")] = False,
    conflicts_: Annotated[Conflicts | None, Parameter(name="--conflicts")] = None,
    dry_run: bool = False,
    output: Annotated[Output, Parameter(name="*")] = Output(),  # noqa: B008 - frozen
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """Download artifacts."""
    argument, rest = repositories.split_by_slash(words)
    selection = Selection(ids=repositories.ids(rest, by_name=True), everything=all_, selectors=selectors)
    selection.check()
    _check(jobs, dir_)
    merge.check(dir_, layout, conflicts_, merges=merge_)
    order = Order(
        target=context.target(argument, repo),
        selection=selection,
        directory=dir_,
        jobs=jobs,
        layout=layout or ("id" if selection.tagged or merge_ else "name"),
        if_exists=if_exists,
        extract=_policy(symlinks, max_ratio, extract=extract or merge_),
        printer=output.printer(),
    )
    if merge_:
        return running.run(
            lambda: _merge(context, order, conflicts_ or "error", dry_run=dry_run), hint="" if dry_run else RESUME
        )
    return running.run(lambda: (_plan if dry_run else _download)(context, order), hint="" if dry_run else RESUME)


def _check(jobs: int, directory: str) -> None:
    """Check values that stand for themselves.

    Raises:
        ConfigurationError: no download at once; or no folder, as a script's variable without a value leaves it.
    """
    if jobs < 1:
        msg = f"--jobs must be 1 or more, not {jobs}"
    elif not directory:
        msg = "--dir is empty; leave it out for the current folder"
    else:
        return
    raise ConfigurationError(msg)


def _policy(
    symlinks: Literal["reject", "skip"] | None, max_ratio: float | None, *, extract: bool
) -> ExtractPolicy | None:
    """Return the limits of ``--extract``; None without it.

    Raises:
        ConfigurationError: an option that says how to extract, and no ``--extract``; or a ratio that allows nothing.
    """
    chosen = {"--symlinks": symlinks, "--max-ratio": max_ratio}
    given = [option for option, value in chosen.items() if value is not None]
    if given and not extract:
        msg = f"{given[0]} says how to unpack: add --extract"
        raise ConfigurationError(msg)
    if max_ratio is not None and not max_ratio >= 1:  # not a number is neither
        msg = f"--max-ratio must be 1 or more, not {max_ratio:g}"
        raise ConfigurationError(msg)
    if not extract:
        return None
    policy = ExtractPolicy(symlinks=symlinks or "reject")
    return policy if max_ratio is None else attrs.evolve(policy, max_ratio=max_ratio)


async def _selected(context: Context, client: ArtifactsClient, order: Order) -> Selected:
    selected = await select(client, order.target.repo, order.selection)
    if order.selection.ids and order.layout == "name":
        check_names(selected.artifacts)
    if selected.expired:
        context.note(lines.expired(selected.expired))
    for warning in selected.warnings:
        context.warning(context.sentence(warning.error))
    for failure in selected.failures:
        context.error(context.sentence(failure.error))
    return selected


async def _merge(context: Context, order: Order, way: Conflicts, *, dry_run: bool) -> int:
    """Merge instead; all of it or nothing."""
    drawn = bars.DownloadBars() if context.live else None
    token_for = None if dry_run else DOWNLOADING
    async with context.client(order.target, *_observers(drawn), token_for=token_for) as client:
        with drawn or contextlib.nullcontext():
            selected = await _selected(context, client, order)
            merging = merge.Merging(
                context,
                selected,
                _head(order, selected, dry_run=dry_run),
                order.directory,
                conflicts=way,
                if_exists=order.if_exists,
                printer=order.printer,
            )
            if dry_run:
                return merging.plan()
            if drawn:
                drawn.plan(selected.artifacts)
            return await merging.run(client, order.extract or ExtractPolicy(), concurrency=order.jobs)


def _observers(drawn: bars.DownloadBars | None) -> list[Observer]:
    return [] if drawn is None else [drawn]


# --- the download


async def _download(context: Context, order: Order) -> int:
    tally = Tally()
    drawn = bars.DownloadBars() if context.live else None
    async with context.client(order.target, tally, *_observers(drawn), token_for=DOWNLOADING) as client:
        with drawn or contextlib.nullcontext():
            selected = await _selected(context, client, order)
            report = Report(context, order, selected, tally)
            if drawn:
                drawn.plan(selected.artifacts)
            try:
                await _fetch(client, report)
            except asyncio.CancelledError:
                report.stop()
                raise
    return report.close()


async def _fetch(client: ArtifactsClient, report: "Report") -> None:
    order, artifacts = report.order, report.selected.artifacts
    quiet = order.printer is not None or not artifacts
    with report.context.group(f"Downloading from {order.target.repo}", as_json=quiet):
        async with client.download_many(
            artifacts,
            order.directory,
            concurrency=order.jobs,
            extract=order.extract or False,
            if_exists=order.if_exists,
            layout=order.layout,
        ) as outcomes:
            async for outcome in outcomes:
                report.take(outcome, await _in_the_way(client, order, outcome))


async def _in_the_way(
    client: ArtifactsClient, order: Order, outcome: Outcome[DownloadResult]
) -> DestinationExistsError | None:
    """Return what a download found in its way, with all that is known of it; None if nothing was."""
    error, artifact = outcome.error, outcome.artifact
    if isinstance(error, DestinationExistsError) and isinstance(artifact, Artifact):
        return await conflicts.explained(client, order.target.repo, artifact, error)
    return None


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
        self._at_the_end = context.live and screen.is_terminal(sys.stdout)  # there, the display has them until then

    def take(self, outcome: Outcome[DownloadResult], in_the_way: DestinationExistsError | None = None) -> None:
        """Take one outcome, and say it."""
        self._elapsed = asyncio.get_running_loop().time() - self._started
        if outcome.ok is True:
            self._results.append(outcome.value)
            if self.order.printer is None and not self._at_the_end:
                screen.write(sys.stdout, lines.line(outcome.value))
        else:
            error = in_the_way or outcome.error
            about_all = is_about_all(error)
            said_before = any(
                failure.error is error or (about_all and type(failure.error) is type(error))
                for failure in self._failures
            )
            self._failures.append(Failure(outcome.artifact.id, outcome.artifact.name, error))
            if not said_before:  # one reason that ended all the rest is told once
                said = self._sentence(error)
                self.context.error(said if about_all else named(outcome.artifact, said))

    def close(self) -> int:
        """Say what all came to, and return the exit code."""
        if self.order.printer is not None:
            self.order.printer.document(self._document())
        said = self._say_all()
        title = f"Download from {self.order.target.repo}"
        failed = [(one.id, one.name, self._sentence(one.error)) for one in self._failures]
        self.context.report = reports.downloads(title, self.order.directory, self._results, failed, said)
        return combined([failure.error for failure in self._failures], done=len(self._results))

    def stop(self) -> None:
        """Say what was done before the user, or the system, has stopped it."""
        if self._results or self._failures:
            self._elapsed = asyncio.get_running_loop().time() - self._started
            self._say_all()

    def _say_all(self) -> str:
        """Say what all came to; on a terminal also what was downloaded, unless that is a long list."""
        if self._at_the_end and self.order.printer is None:
            screen.write(sys.stdout, lines.table(self._results, screen.view(sys.stdout)))
        said = lines.total(self._results, len(self._failures), self._elapsed, self._tally, self.order.directory)
        tried = bool(self._results) or len(self.selected.artifacts) > 1
        if tried or not self._failures:  # else the one error says it all
            self.context.note(said)
        return said

    def _sentence(self, error: Exception) -> str:
        return self.context.sentence(error, resumes=True, can_replace=self.order.if_exists != "replace")

    def _document(self) -> dict[str, Any]:
        return {
            **_head(self.order, self.selected, dry_run=False),
            "downloaded": [documents.downloaded(result) for result in self._results],
            "failed": [
                documents.failed(one.id, one.name, one.error, self._sentence(one.error)) for one in self._failures
            ],
            "bytes": lines.transferred(self._results),
            "elapsed": round(self._elapsed, 3),
        }


def _head(order: Order, selected: Selected, *, dry_run: bool) -> dict[str, Any]:
    """Return what every document of this command begins with."""
    return {
        "repository": str(order.target.repo),
        "directory": order.directory,
        "dry_run": dry_run,
        "extract": order.extract is not None,
        "expired": [{"id": artifact.id, "name": artifact.name} for artifact in selected.expired],
    }


# --- the dry run


async def _plan(context: Context, order: Order) -> int:
    """Say what a download would do, and do nothing."""
    drawn = bars.Spinner() if context.live else None
    async with context.client(order.target, *_observers(drawn)) as client:
        with drawn or contextlib.nullcontext():
            selected = await _selected(context, client, order)
            plans = await client.plan_downloads(
                selected.artifacts,
                order.directory,
                layout=order.layout,
                extract=order.extract or False,
                if_exists=order.if_exists,
            )
    if order.printer is not None:
        order.printer.document(_plan_document(context, order, selected, plans))
    elif plans:
        tables.show(lines.PLAN_COLUMNS, map(lines.plan_row, plans))
    context.note(lines.plan_total(plans, order.directory, extract=order.extract is not None))
    conflicts = [DestinationExistsError(filename=str(plan.path)) for plan in plans if plan.action == "conflict"]
    failures = [*(failure.error for failure in selected.failures), *conflicts]
    return combined(failures, done=len(plans) - len(conflicts))


def _plan_document(
    context: Context, order: Order, selected: Selected, plans: Sequence[PlannedDownload]
) -> dict[str, Any]:
    return {
        **_head(order, selected, dry_run=True),
        "would_download": [documents.planned(plan) for plan in plans if plan.action in {"download", "resume"}],
        "already_there": [documents.planned(plan) for plan in plans if plan.action == "skip"],
        "conflicts": [documents.planned(plan) for plan in plans if plan.action == "conflict"],
        "failed": [
            documents.failed(one.id, one.name, one.error, context.sentence(one.error)) for one in selected.failures
        ],
        "bytes": sum(plan.bytes for plan in plans),
    }
