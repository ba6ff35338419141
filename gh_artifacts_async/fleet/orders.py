"""What the workers are told: checked before anything is sent, and without a secret."""

from __future__ import annotations

import importlib
import os
from collections.abc import AsyncGenerator, AsyncIterable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import attrs

from gh_artifacts_async.api.auth import EnvironmentToken
from gh_artifacts_async.api.github_cli import GitHubCLIToken
from gh_artifacts_async.automation.criteria import ArtifactQuery
from gh_artifacts_async.budgets import DaskBudget, LocalBudget
from gh_artifacts_async.client import ArtifactsClient
from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.models import RepositoryName
from gh_artifacts_async.results import Secret
from gh_artifacts_async.settings import MOST_CONCURRENT, Budget, Layout, Limits
from gh_artifacts_async.stores.checks import is_store
from gh_artifacts_async.transfer.disk.layouts import check_layout

if TYPE_CHECKING:
    from distributed import Client

    from gh_artifacts_async.client.options import ClientOptions

_OF_THIS_PROCESS = ("session", "ssl_context", "observer")
_SOME_TOKEN = "checked"  # noqa: S105 - none, in place of the one that the workers have
_NO_LIMIT = 10**9
"""Points a minute of a budget that only shares pauses."""


@attrs.frozen(kw_only=True)
class Order:
    """What each worker is told.

    Attributes:
        destination: a folder's absolute path, or an object store.
        query: which artifacts; None for all that have not expired.
        layout: of the names.
        concurrency: artifacts of a repository at once.
        options: for the worker's client, without ``limits``.
        limits: for the worker's client, without the budget; None for the default.
        budget: which the workers share; None until the cluster is known.
    """

    destination: Any = attrs.field(repr=False)
    query: ArtifactQuery | None
    layout: Layout
    concurrency: int
    options: dict[str, Any] = attrs.field(repr=False)
    limits: Limits | None
    budget: Budget | None


async def checked(
    destination: object,
    *,
    query: ArtifactQuery | None,
    layout: Layout,
    concurrency: int,
    budget: Budget | None,
    options: Mapping[str, Any],
) -> Order:
    """Return what the workers are told.

    Args:
        destination: a folder or an object store.
        query: as :func:`mirror_repositories` has it, like the other arguments.
        layout: the same.
        concurrency: the same.
        budget: the same.
        options: as :func:`without_secrets` returns them.

    Raises:
        ConfigurationError: an argument is invalid, cannot be sent, or would show a secret.
    """
    asked: object = query
    if not isinstance(asked, ArtifactQuery | None):
        msg = f"query must be an ArtifactQuery or None, not {query!r:.80}"
        raise ConfigurationError(msg)
    if isinstance(concurrency, bool) or not isinstance(concurrency, int) or concurrency < 1:
        msg = f"concurrency must be an integer of 1 or more, not {concurrency!r}"
        raise ConfigurationError(msg)
    check_layout(layout)
    given: dict[str, Any] = dict(options)
    limits: Limits | None = _limits(given.pop("limits", None))
    Limits(budget=budget)  # which checks what it is
    if limits is not None and limits.budget is not None:
        if budget is not None:
            msg = "give one budget: either budget, or that of options['limits']"
            raise ConfigurationError(msg)
        budget, limits = limits.budget, attrs.evolve(limits, budget=None)
    place = _destination(destination)
    _check_sendable("query", query)
    _check_sendable("layout", layout, "use a template, or a function of a module that the workers have")
    _check_budget(budget)
    return Order(
        destination=place,
        query=query,
        layout=layout,
        concurrency=concurrency,
        options=await _options(given, limits),
        limits=limits,
        budget=budget,
    )


async def with_budget(order: Order, client: Client, workers: int) -> Order:
    """Return the order with a budget that the scheduler has, and with limits for so many workers.

    Raises:
        ConfigurationError: others use the budget's key with other numbers.
        BudgetUnavailableError: the scheduler does not take it.
    """
    limits = order.limits or Limits()
    share = max(1, MOST_CONCURRENT // max(1, workers))
    limits = attrs.evolve(limits, api_concurrency=min(limits.api_concurrency, share))
    budget = order.budget
    if budget is None:
        points = _NO_LIMIT if limits.points_per_minute is None else int(limits.points_per_minute)
        budget = DaskBudget(client, points_per_minute=points, mutation_interval=limits.mutation_interval)
    if isinstance(budget, DaskBudget):
        await budget.bound_to(client).paused()
    return attrs.evolve(order, limits=limits, budget=budget)


def without_secrets(options: ClientOptions | None) -> dict[str, Any]:
    """Return options of which a token and a proxy with a password are wrapped, so that no frame of an error shows them.

    Raises:
        ConfigurationError: they are no mapping.
    """
    given: Any = {} if options is None else options
    if not isinstance(given, Mapping):
        msg = f"options must be a mapping of ArtifactsClient's arguments, not {type(given).__name__}"
        raise ConfigurationError(msg)
    return {name: Secret(value) if _is_secret(name, value) else value for name, value in given.items()}


def _is_secret(name: str, value: object) -> bool:
    if not isinstance(value, str):
        return False
    return name == "token" or (name == "proxy" and "@" in urlsplit(value).netloc)


def _limits(given: object) -> Limits | None:
    if isinstance(given, Limits | None):
        return given
    msg = f"options['limits'] must be Limits, not {type(given).__name__}"
    raise ConfigurationError(msg)


class Names:
    """The repositories, each once, however it is spelled.

    Attributes:
        is_known: all are known from the beginning.
    """

    def __init__(self, repositories: Iterable[str | RepositoryName] | AsyncIterable[str | RepositoryName]) -> None:
        """Check what can be checked without reading on.

        Raises:
            ConfigurationError: one is no repository's name, or they are no collection and no iterator.
        """
        if isinstance(repositories, str) or not isinstance(repositories, AsyncIterable | Iterable):
            msg = f"repositories must be names like 'octo-org/octo-docs', not {repositories!r:.80}"
            raise ConfigurationError(msg)
        self.is_known: bool = isinstance(repositories, Collection)
        self._source = (
            [*map(RepositoryName.parse, repositories)] if isinstance(repositories, Collection) else repositories
        )

    async def each(self) -> AsyncGenerator[RepositoryName]:
        """Yield them; an asynchronous generator is closed at the end, also if this one is closed early.

        Raises:
            ConfigurationError: one is no repository's name.
        """
        seen: set[str] = set()
        steps = _steps(self._source)
        try:
            async for name in steps:
                repository = RepositoryName.parse(name)
                if str(repository).lower() not in seen:
                    seen.add(str(repository).lower())
                    yield repository
        finally:
            await steps.aclose()
            if isinstance(self._source, AsyncGenerator):
                await self._source.aclose()


async def _steps(
    source: Iterable[str | RepositoryName] | AsyncIterable[str | RepositoryName],
) -> AsyncGenerator[str | RepositoryName]:
    if isinstance(source, AsyncIterable):
        async for name in source:
            yield name
    else:
        for name in source:
            yield name


def _destination(destination: object) -> Any:  # noqa: ANN401 - an object store
    """Return a folder's absolute path, or the object store.

    Raises:
        ConfigurationError: it is neither, or cannot be sent to another process.
    """
    if isinstance(destination, str | os.PathLike):
        path = os.fspath(destination)
        if not isinstance(path, str) or "://" in path or not path:
            msg = (
                f"destination must be a folder or an object store, not {path!r}; for a URL: obstore.store.from_url(URL)"
            )
            raise ConfigurationError(msg)
        return os.path.abspath(path)  # noqa: PTH100 - a name; the workers have other working directories
    if not is_store(destination):
        msg = f"destination must be a folder or an object store of obstore, not {type(destination).__name__}"
        raise ConfigurationError(msg)
    _check_sendable("destination", destination, "an object store in memory is seen by one process only")
    return destination


def _pickled(value: object) -> bytes:
    """Return a value as Dask sends it."""
    pickler: Any = importlib.import_module("cloudpickle")  # untyped; Dask's own logs what it fails on, with its repr
    sent: bytes = pickler.dumps(value)
    return sent


def _check_sendable(what: str, value: object, advice: str | None = None) -> None:
    """Check that a value can be pickled; the error does not show it.

    Raises:
        ConfigurationError: it cannot.
    """
    try:
        _pickled(value)
    except Exception as error:  # noqa: BLE001 - whatever a class raises
        kind, failed = type(value).__name__, type(error).__name__
    else:
        return
    msg = f"{what} cannot be sent to the workers: {kind} cannot be pickled ({failed})" + (
        f"; {advice}" if advice else ""
    )
    raise ConfigurationError(msg)


def _check_budget(budget: Budget | None) -> None:
    if isinstance(budget, LocalBudget):
        msg = "a LocalBudget is shared within one process only; leave budget out, and the workers share a DaskBudget"
        raise ConfigurationError(msg)
    advice = "leave budget out for a DaskBudget, which can"
    _check_sendable("budget", budget, advice)


async def _options(given: dict[str, Any], limits: Limits | None) -> dict[str, Any]:
    """Return the options for the workers' clients.

    Raises:
        ConfigurationError: one is invalid, belongs to this process, or would show a secret.
    """
    for name in _OF_THIS_PROCESS:
        if given.pop(name, None) is not None:
            msg = f"options[{name!r}] belongs to this process and cannot be sent to the workers; leave it out"
            raise ConfigurationError(msg)
    token = given.pop("token", None)
    await _check_token(token)
    if isinstance(given.get("proxy"), Secret):
        msg = (
            "options['proxy'] has a password, which would be sent to the scheduler and kept there; set HTTPS_PROXY in "
            "the environment of the workers, and trust_env=True"
        )
        raise ConfigurationError(msg)
    try:
        client = ArtifactsClient(_SOME_TOKEN if token is None else token, limits=limits, **given)
    except TypeError as error:
        msg = f"options has an argument that ArtifactsClient does not take: {error}"
        raise ConfigurationError(msg) from None
    await client.aclose()
    for name, value in given.items():
        _check_sendable(f"options[{name!r}]", value)
    return given if token is None else {**given, "token": token}


async def _check_token(token: object) -> None:
    """Check that what the workers are sent as their source of tokens has no token in it.

    Raises:
        ConfigurationError: it has, or cannot be sent.
    """
    advice = "leave it out, and set GH_TOKEN in the environment of the workers"
    if isinstance(token, Secret):
        msg = f"options['token'] would be sent to the scheduler and kept there; {advice}"
        raise ConfigurationError(msg)
    if token is None or type(token) in {EnvironmentToken, GitHubCLIToken}:
        _check_sendable("options['token']", token, advice)
        return
    _check_sendable("options['token']", token, advice)
    source: Any = token
    try:
        secret: str | None = await source.token()
    except Exception:  # noqa: BLE001 - it may work on the workers only, and is asked there again
        return
    if secret and secret.encode() in _pickled(token):
        secret = None  # the frames of an error show no token
        msg = f"options['token'] is pickled with its token; {advice}, or write __reduce__ for {type(token).__name__}"
        raise ConfigurationError(msg)
