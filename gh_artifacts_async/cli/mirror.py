"""``gh-artifacts mirror``."""

import asyncio
import contextlib
from typing import Annotated, Any

import attrs
from cyclopts import Parameter

from gh_artifacts_async import ArtifactQuery, ArtifactsClient, Failure, MirrorReport
from gh_artifacts_async.cli import repo as repositories
from gh_artifacts_async.cli import reports, running
from gh_artifacts_async.cli.context import DOWNLOADING, Context
from gh_artifacts_async.cli.exits import OK, NoMatchError, combined
from gh_artifacts_async.cli.options import Repo
from gh_artifacts_async.cli.output import Output, Printer
from gh_artifacts_async.cli.render import bars, documents, tables
from gh_artifacts_async.cli.render import mirrors as lines
from gh_artifacts_async.cli.render.sentences import RESUME, is_about_all, named
from gh_artifacts_async.cli.repo import Target
from gh_artifacts_async.cli.selectors import Selectors
from gh_artifacts_async.errors import ConfigurationError


@attrs.frozen(kw_only=True)
class Order:
    """What one ``mirror`` command is to do.

    Attributes:
        target: the repository.
        selectors: which of its artifacts; all if none is given.
        directory: the mirror's.
        prune: remove what is gone.
        verify: read what is there.
        layout: how new files are named.
        extract: unpack zips.
        link: link files of the same content.
        jobs: how many at once.
        printer: prints the outcome for a program; None for a person.
    """

    target: Target
    selectors: Selectors
    directory: str
    prune: bool
    verify: bool
    layout: str
    extract: bool
    link: bool
    jobs: int
    printer: Printer | None

    @property
    def query(self) -> ArtifactQuery | None:
        """What the selectors stand for; None for everything that has not expired."""
        return self.selectors.query() if self.selectors.given else None


def mirror(
    *words: str,
    repo: Repo = None,
    selectors: Annotated[Selectors, Parameter(name="*")] = Selectors(),  # noqa: B008 - frozen
    prune: bool = False,
    verify: bool = False,
    layout: str = "id",
    extract: bool = False,
    no_link: bool = False,
    jobs: int = 8,
    cluster: str | None = None,
    output: Annotated[Output, Parameter(name="*")] = Output(),  # noqa: B008 - frozen
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """Keep a folder equal to a repository's artifacts; or many repositories, with the workers of a Dask cluster."""
    selectors.check()
    if jobs < 1:
        msg = f"--jobs must be 1 or more, not {jobs}"
        raise ConfigurationError(msg)
    context.in_the_way = "move it away"
    if cluster is not None:
        from gh_artifacts_async.cli import fleet

        unfit = {"--prune": prune, "--verify": verify, "--extract": extract, "--no-link": no_link}
        fleet.check(selectors, [option for option, given in unfit.items() if given])
        return fleet.mirror(
            words, repo, cluster, selectors=selectors, layout=layout, jobs=jobs, output=output, context=context
        )
    argument, directory = repositories.split_directory(words, repo)
    order = Order(
        target=context.target(argument, repo),
        selectors=selectors,
        directory=directory,
        prune=prune,
        verify=verify,
        layout=layout,
        extract=extract,
        link=not no_link,
        jobs=jobs,
        printer=output.printer(),
    )
    return running.run(lambda: _mirror(context, order), hint=RESUME)


async def _mirror(context: Context, order: Order) -> int:
    started = asyncio.get_running_loop().time()
    drawn = bars.DownloadBars() if context.live else None
    async with context.client(order.target, *([drawn] if drawn else []), token_for=DOWNLOADING) as client:
        with drawn or contextlib.nullcontext():
            report = await _run(client, order)
    elapsed = asyncio.get_running_loop().time() - started
    if order.printer is not None:
        order.printer.document(_document(context, order, report, elapsed))
    elif report.fetched or report.removed:
        with context.group(f"Mirroring {order.target.repo}", as_json=False):
            tables.show(lines.COLUMNS, lines.rows(report, order.directory))
    reasons = {_reason(failure.error): failure for failure in reversed(report.failed)}
    for failure in reversed(reasons.values()):
        context.error(_sentence(context, failure))  # one reason that ended all the rest is told once
    said = lines.total(report, elapsed, order.directory)
    context.note(said)
    context.report = reports.mirror(
        f"Mirror of {order.target.repo}",
        order.directory,
        report,
        [(one.artifact.id, one.artifact.name, context.sentence(one.error, resumes=True)) for one in report.failed],
        said,
    )
    unmet = _unmet(context, order, report)
    return unmet or combined(
        [failure.error for failure in report.failed],
        done=len(report.fetched) + len(report.kept) + len(report.removed),
    )


async def _run(client: ArtifactsClient, order: Order) -> MirrorReport:
    return await client.mirror(
        order.target.repo,
        order.directory,
        query=order.query,
        layout=order.layout,
        prune=order.prune,
        verify=order.verify,
        extract=order.extract,
        link=order.link,
        concurrency=order.jobs,
    )


def _unmet(context: Context, order: Order, report: MirrorReport) -> int:
    """Return an exit code if the selectors select nothing, and the mirror is empty.

    Raises:
        NoMatchError: that is an error.
    """
    if not order.selectors.given or report.fetched or report.kept or report.failed:
        return OK
    msg = f"no artifacts match {order.selectors.where(order.target.repo)}; run gh-artifacts list to see what there is"
    if order.selectors.if_none == "error":
        raise NoMatchError(msg)
    if order.selectors.if_none == "warn":
        context.warning(msg)
    return OK


def _reason(error: Exception) -> object:
    """Return what is the same for errors of which one is told."""
    return type(error) if is_about_all(error) else id(error)


def _sentence(context: Context, failure: Failure) -> str:
    said = context.sentence(failure.error, resumes=True)
    return said if is_about_all(failure.error) else named(failure.artifact, said)


def _document(context: Context, order: Order, report: MirrorReport, elapsed: float) -> dict[str, Any]:
    return {
        "repository": str(order.target.repo),
        "directory": order.directory,
        "extract": order.extract,
        "fetched": [documents.mirrored(entry, order.directory) for entry in report.fetched],
        "kept": [documents.mirrored(entry, order.directory) for entry in report.kept],
        "removed": [documents.mirrored(entry, order.directory) for entry in report.removed],
        "failed": [
            documents.failed(one.artifact.id, one.artifact.name, one.error, context.sentence(one.error, resumes=True))
            for one in report.failed
        ],
        "bytes": report.bytes_fetched,
        "elapsed": round(elapsed, 3),
    }
