"""``gh-artifacts wait`` and ``watch``."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated

import attrs
from cyclopts import Parameter

from gh_artifacts_async.cli import amounts, reports, running
from gh_artifacts_async.cli import repo as repositories
from gh_artifacts_async.cli.context import Context
from gh_artifacts_async.cli.exits import OK
from gh_artifacts_async.cli.options import Interval, Name, Repo, Run
from gh_artifacts_async.cli.output import Output, Printer
from gh_artifacts_async.cli.render import documents, screen, tables
from gh_artifacts_async.cli.render import waiting as lines
from gh_artifacts_async.cli.repo import Target
from gh_artifacts_async.errors import ConfigurationError

_SOON = 2.0  # seconds
_LASTS = 600.0
"""Seconds of a wait; ``--timeout``, which other commands have as a bound of the whole call, says otherwise."""
_CONTINUE = "to continue, run it again with --since and the last line's cursor"


@attrs.frozen(kw_only=True)
class Patience:
    """What is waited for, and for how long.

    Attributes:
        names: of artifacts.
        run: only this run's.
        timeout: seconds of the whole wait.
        interval: seconds between polls.
        fail_fast: end as soon as the run has failed.
    """

    names: Sequence[str]
    run: int | None
    timeout: float
    interval: float
    fail_fast: bool


def wait(
    *words: str,
    repo: Repo = None,
    run: Run = None,
    interval: Interval = 15,
    no_fail_fast: bool = False,
    output: Annotated[Output, Parameter(name="*")] = Output(),  # noqa: B008 - frozen
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """Wait until artifacts are there."""
    argument, names = repositories.split_by_slash(words)
    if not names:
        msg = "expected OWNER/REPO and the name of an artifact, or several; see --help"
        raise ConfigurationError(msg)
    printer = output.printer()
    target = context.target(argument, repo)
    given = amounts.seconds("--timeout", context.options.timeout)
    timeout = _LASTS if given is None else given
    patience = Patience(names=names, run=run, timeout=timeout, interval=interval, fail_fast=not no_fail_fast)
    return running.run(lambda: _wait(context, target, patience, printer))


def watch(
    *words: str,
    repo: Repo = None,
    name: Name = None,
    interval: Interval = 60,
    since: str | None = None,
    output: Annotated[Output, Parameter(name="*")] = Output(),  # noqa: B008 - frozen
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """Print each new artifact as it comes."""
    argument, _ = repositories.split(words, after=0)
    printer = output.printer()
    target = context.target(argument, repo)
    moment = None if since is None else moment_or_cursor(since)
    return running.run(
        lambda: _watch(context, target, name=name, since=moment, interval=interval, printer=printer),
        hint=_CONTINUE if output.json and output.jq is None else "",
    )


def moment_or_cursor(text: str) -> datetime | str:
    """Return a time, in UTC where it names no zone; anything else as it is, which may be a cursor."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


async def _wait(context: Context, target: Target, patience: Patience, printer: Printer | None) -> int:
    """Wait, and show the artifacts in the order of their names on the command line; say so where it takes a while."""
    said = lines.waiting(patience.names, patience.timeout)
    async with _noted(context, said), context.client(target) as client:
        found = await client.wait_for_artifacts(
            target.repo,
            patience.names,
            run_id=patience.run,
            timeout=patience.timeout,
            interval=patience.interval,
            fail_fast=patience.fail_fast,
        )
    context.report = reports.found(list(found.values()))
    if printer is not None:
        printer.document([documents.artifact(artifact) for artifact in found.values()])
    else:
        tables.show(lines.COLUMNS, map(lines.row, found.values()))
    return OK


@asynccontextmanager
async def _noted(context: Context, said: str) -> AsyncGenerator[None]:
    """Say something if what follows does not end soon."""
    timer = asyncio.get_running_loop().call_later(_SOON, context.note, said)
    try:
        yield
    finally:
        timer.cancel()


async def _watch(
    context: Context,
    target: Target,
    *,
    name: str | None,
    since: datetime | str | None,
    interval: float,
    printer: Printer | None,
) -> int:
    """Show new artifacts until the reader leaves, or a signal comes."""
    async with (
        context.client(target) as client,
        client.watch(target.repo, name=name, since=since, interval=interval) as watched,
    ):
        if screen.is_terminal(sys.stderr):
            context.note(lines.watching(target.repo, interval))
        table = tables.Table(lines.COLUMNS, screen.view(sys.stdout))
        async for artifact in watched:
            if printer is None:
                read = screen.write(sys.stdout, table.page([lines.row(artifact)], more=True))
            else:
                read = printer.line({**documents.artifact(artifact), "cursor": watched.cursor})
            if not read:
                break
    return OK
