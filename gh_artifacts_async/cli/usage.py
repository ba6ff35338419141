"""``gh-artifacts usage``."""

import contextlib
import sys
from typing import Annotated

from cyclopts import Parameter

from gh_artifacts_async.cli import repo as repositories
from gh_artifacts_async.cli import reports, running
from gh_artifacts_async.cli.context import Context
from gh_artifacts_async.cli.exits import OK
from gh_artifacts_async.cli.options import Repo
from gh_artifacts_async.cli.output import Output, Printer
from gh_artifacts_async.cli.render import bars, screen
from gh_artifacts_async.cli.render import usage as lines
from gh_artifacts_async.cli.repo import Target


def usage(
    *words: str,
    repo: Repo = None,
    output: Annotated[Output, Parameter(name="*")] = Output(),  # noqa: B008 - frozen
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """Show what takes up a repository's storage."""
    argument, _ = repositories.split(words, after=0)
    printer = output.printer()
    target = context.target(argument, repo)
    return running.run(lambda: _usage(context, target, printer))


async def _usage(context: Context, target: Target, printer: Printer | None) -> int:
    bar = bars.Spinner() if context.live else None
    async with context.client(target, *([] if bar is None else [bar])) as client:
        with bar or contextlib.nullcontext():
            found = await client.storage_usage(target.repo)
    context.report = reports.usage(f"Storage of {target.repo}", found, lines.summary(found))
    if printer is not None:
        printer.document(lines.document(found))
        return OK
    if found.count:
        screen.write(sys.stdout, "\n".join(lines.tables_of(found, screen.view(sys.stdout))))
    context.note(lines.summary(found))
    return OK
