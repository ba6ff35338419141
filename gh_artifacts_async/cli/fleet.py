"""``gh-artifacts mirror --cluster``: many repositories, mirrored by the workers of a Dask cluster."""

from __future__ import annotations

import asyncio
import importlib
import re
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import attrs

from gh_artifacts_async import GitHubCLIToken, Limits, RepositoryName, resolve_base_url
from gh_artifacts_async.cli import repo as repositories
from gh_artifacts_async.cli import reports, running
from gh_artifacts_async.cli.context import LONGEST_PAUSE
from gh_artifacts_async.cli.exits import combined
from gh_artifacts_async.cli.output import Printer
from gh_artifacts_async.cli.render import fleets as lines
from gh_artifacts_async.cli.render import screen, text
from gh_artifacts_async.cli.render.sentences import RESUME, is_about_all, named
from gh_artifacts_async.cli.repo import Account, Target
from gh_artifacts_async.cli.selectors import Selectors
from gh_artifacts_async.errors import AuthenticationError, ConfigurationError, MissingTokenError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable, Sequence

    from gh_artifacts_async import ClientOptions
    from gh_artifacts_async.cli.context import Context
    from gh_artifacts_async.cli.output import Output
    from gh_artifacts_async.fleet import FleetReport, RepositoryReport

_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)
_OF_THE_WORKERS = "the token is that of the workers' environment"


@attrs.frozen(kw_only=True)
class Order:
    """What one command is to do.

    Attributes:
        subject: a repository, or whose repositories.
        destination: a folder or a URL.
        cluster: the scheduler's address.
        selectors: which artifacts; all if none is given.
        layout: how new files are named.
        jobs: artifacts of a repository at once.
        printer: prints the outcome for a program; None for a person.
    """

    subject: Target | Account
    destination: str
    cluster: str
    selectors: Selectors
    layout: str
    jobs: int
    printer: Printer | None


def check(selectors: Selectors, unfit: Sequence[str]) -> None:
    """Check that the options can be used with a cluster.

    Args:
        selectors: which artifacts.
        unfit: options given that cannot.

    Raises:
        ConfigurationError: some cannot.
    """
    if unfit:
        msg = f"{unfit[0]} cannot be used with --cluster, which adds to a mirror only"
        raise ConfigurationError(msg)
    if selectors.if_none != "error":
        msg = "--if-none cannot be used with --cluster: of many repositories, some have nothing that matches"
        raise ConfigurationError(msg)


def mirror(
    words: Sequence[str],
    repo: str | None,
    cluster: str,
    *,
    selectors: Selectors,
    layout: str,
    jobs: int,
    output: Output,
    context: Context,
) -> int:
    """Mirror one repository, or all of an account."""
    subject, destination = _subject(words, repo, context)
    if isinstance(subject, Account) and selectors.run is not None:
        msg = "--run is a run of one repository; give OWNER/REPO"
        raise ConfigurationError(msg)
    order = Order(
        subject=subject,
        destination=destination,
        cluster=cluster,
        selectors=selectors,
        layout=layout,
        jobs=jobs,
        printer=output.printer(),
    )
    return running.run(lambda: _mirror(context, order), hint=RESUME)


def _subject(words: Sequence[str], repo: str | None, context: Context) -> tuple[Target | Account, str]:
    """Return what is to be mirrored, and where to.

    Raises:
        ConfigurationError: it is not said, or cannot exist.
    """
    *first, destination = words or ("",)
    if len(first) > 1 or not destination:
        msg = f"expected OWNER or OWNER/REPO and a DIR or URL, got {text.count(len(words), 'argument')}; see --help"
        raise ConfigurationError(msg)
    if first and "/" not in first[0]:
        if repo is not None or not _OWNER.fullmatch(first[0]):
            problem = f"-R {repo} names a repository, too" if repo is not None else "it is no account's name"
            msg = f"{first[0]!r} stands where OWNER or OWNER/REPO is expected, but {problem}"
            raise ConfigurationError(msg)
        context.api = context.options.api_url
        return Account(first[0], context.options.api_url), destination
    return context.target(first[0] if first else None, repo), destination


async def _mirror(context: Context, order: Order) -> int:
    from gh_artifacts_async import fleet

    started = asyncio.get_running_loop().time()
    told: set[object] = set()

    def tell(report: RepositoryReport) -> None:
        if order.printer is None:
            screen.write(sys.stdout, f"{lines.line(report)}\n")
        for error, said in _failures(context, report):
            reason = type(error) if is_about_all(error) or isinstance(error, MissingTokenError) else id(error)
            if reason not in told:  # one that ends all the rest is told once
                told.add(reason)
                context.error(said)

    destination = _destination(order.destination)
    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(fleet.connect(order.cluster))
        connected: Any = cluster
        if not await connected.nthreads():
            context.warning(f"the Dask cluster at {order.cluster} has no workers; waiting for one to join")
        report = await fleet.mirror_repositories(
            cluster,
            await _repositories(context, order, stack),
            destination,
            query=order.selectors.query() if order.selectors.given else None,
            layout=order.layout,
            options=_options(context, order),
            concurrency=order.jobs,
            on_report=tell,
        )
    elapsed = asyncio.get_running_loop().time() - started
    return _ended(context, order, report, elapsed)


async def _repositories(
    context: Context, order: Order, stack: AsyncExitStack
) -> Iterable[RepositoryName] | AsyncIterable[RepositoryName]:
    """Return the repository, or all of the account, as they are listed."""
    if isinstance(order.subject, Target):
        return [order.subject.repo]
    client = await stack.enter_async_context(context.client(order.subject))
    return client.list_repositories(order.subject.owner)


def _options(context: Context, order: Order) -> ClientOptions:
    """Return what the workers' clients are made with: the same API, whatever their own environment says."""
    base_url = resolve_base_url(order.subject.base_url)
    options: ClientOptions = {
        "base_url": base_url,
        "ca_file": context.options.ca_file,
        "trust_env": True,
        "limits": Limits(max_pause=LONGEST_PAUSE),
    }
    if context.options.token_from == "gh":  # noqa: S105 - a choice
        options["token"] = GitHubCLIToken(repositories.web_host(base_url))
    return options


def _destination(given: str) -> Any:  # noqa: ANN401 - an object store
    """Return a folder, or the object store at a URL, with what the environment of each worker says of credentials.

    Raises:
        ConfigurationError: it is no URL of an object store, or the extra is not installed.
    """
    if "://" not in given:
        return given
    try:
        stores: Any = importlib.import_module("obstore.store")
    except ImportError:
        msg = 'a URL as the destination needs the extra "stores": pip install "gh-artifacts-async[stores]"'
        raise ConfigurationError(msg) from None
    try:
        return stores.from_url(given)
    except Exception as error:  # noqa: BLE001 - obstore's own; a URL may hold a password
        failed = type(error).__name__
    msg = f"the destination is not the URL of an object store, such as s3://bucket/prefix ({failed})"
    raise ConfigurationError(msg)


def _failures(context: Context, report: RepositoryReport) -> list[tuple[Exception, str]]:
    """Return what went wrong in a repository, each with a sentence."""
    repository = str(report.repository)
    found = [
        (failure.error, f"{repository}: {named(failure.artifact, _said(context, failure.error))}")
        for failure in report.failed
    ]
    if report.error is not None:
        said = _said(context, report.error)
        alone = is_about_all(report.error) or isinstance(report.error, MissingTokenError) or repository in said
        found.append((report.error, said if alone else f"{repository}: {said}"))
    return found


def _said(context: Context, error: Exception) -> str:
    if type(error).__name__ == "KilledWorker":  # Dask's, which is not imported here
        return "the workers that worked on it died, one after the other; Dask's logs say why"
    said = context.sentence(error, resumes=True)
    return f"{said}; {_OF_THE_WORKERS}" if isinstance(error, AuthenticationError | MissingTokenError) else said


def _ended(context: Context, order: Order, report: FleetReport, elapsed: float) -> int:
    """Say what has been done, and return the exit code."""
    failures = [found for one in report.repositories for found in _failures(context, one)]
    if order.printer is not None:
        order.printer.document(_document(context, order, report, elapsed))
    said = lines.total(report, elapsed, order.destination)
    context.note(said)
    subject = order.subject
    name = subject.owner if isinstance(subject, Account) else str(subject.repo)
    context.report = reports.fleet(f"Mirror of {name}", order.destination, report, [said for _, said in failures], said)
    done = report.fetched + report.kept + sum(one.ok for one in report.repositories)
    return combined([error for error, _ in failures], done=done)


def _document(context: Context, order: Order, report: FleetReport, elapsed: float) -> dict[str, Any]:
    return {
        "destination": order.destination,
        "repositories": [lines.document(one, lambda error: _said(context, error)) for one in report.repositories],
        "fetched": report.fetched,
        "kept": report.kept,
        "failed": report.failed,
        "bytes": report.bytes_fetched,
        "elapsed": round(elapsed, 3),
    }
