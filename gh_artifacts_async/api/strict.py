"""JSON to models with cattrs: strict about types, tolerant of unknown fields; its errors carry the JSON path.

Imported only when decode.py meets something that is not exactly as GitHub documents it.
"""

from __future__ import annotations

import functools
from datetime import datetime
from types import GenericAlias
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.errors import BaseValidationError
from cattrs.gen import make_dict_structure_fn, override
from cattrs.v import format_exception, transform_error

from gh_artifacts_async.errors import ResponseShapeError, UnexpectedResponseError
from gh_artifacts_async.models import (
    Artifact,
    ArtifactPage,
    Digest,
    RepositoryName,
    RunPage,
    WorkflowRun,
    parse_timestamp,
)
from gh_artifacts_async.models.neighbours import (
    ArtifactRetention,
    Job,
    JobPage,
    PullRequest,
    Repository,
    RepositoryPage,
    Workflow,
    WorkflowPage,
)
from gh_artifacts_async.protocol.requests import GITEA_REPOSITORIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from gh_artifacts_async.protocol.links import PageLinks

T = TypeVar("T")


@attrs.frozen
class _ArtifactListing:
    total_count: int
    artifacts: tuple[Artifact, ...]


@attrs.frozen
class _RunListing:
    total_count: int
    workflow_runs: tuple[WorkflowRun, ...]


@attrs.frozen
class _Account:
    login: str | None = None


@attrs.frozen
class _Numbered:
    """The repository of a run, of which the name is known."""

    id: int | None = None


@attrs.frozen
class _Whole:
    """The head repository of a run."""

    id: int | None = None
    full_name: str | None = None


@attrs.frozen
class _Pull:
    number: int


@attrs.frozen
class _RunParts:
    """What a run takes a field or two of."""

    repository: _Numbered | None = None
    head_repository: _Whole | None = None
    actor: _Account | None = None
    pull_requests: tuple[_Pull, ...] | None = None


@attrs.frozen
class _JobListing:
    total_count: int
    jobs: tuple[Job, ...]


@attrs.frozen
class _WorkflowListing:
    total_count: int
    workflows: tuple[Workflow, ...]


@attrs.frozen
class _Owned:
    id: int
    full_name: str


@attrs.frozen
class _Head:
    sha: str


@attrs.frozen
class _PullDocument:
    number: int
    head: _Head


_REQUESTED_FROM = "repository it was requested from"
"""Where :func:`_tag` puts a run's name: not ``repository``, of which the id is wanted."""


class _WrongTypeError(TypeError):
    """A JSON value of another type than the field's."""


def _exactly(kind: type[T]) -> Callable[[Any, Any], T]:
    """Return a hook that takes values of one type only; cattrs' own turns ``"11"`` into 11 and None into ``"None"``."""

    def hook(value: object, _: Any) -> T:  # noqa: ANN401 - cattrs' signature
        if type(value) is not kind:
            msg = f"expected {kind.__name__}, got {type(value).__name__}"
            raise _WrongTypeError(msg)
        return value

    return hook


def _timestamp(value: Any, _: Any) -> datetime:  # noqa: ANN401 - cattrs' signature
    if type(value) is not str:
        msg = f"expected a time, got {type(value).__name__}"
    else:
        try:
            return parse_timestamp(value)
        except (ValueError, OverflowError):
            msg = "expected an ISO 8601 time with a zone"
    raise _WrongTypeError(msg)


def _digest(value: Any, _: Any) -> Digest:  # noqa: ANN401 - cattrs' signature
    if type(value) is not str:
        msg = f"expected a digest, got {type(value).__name__}"
        raise _WrongTypeError(msg)
    return Digest.received(value)


def _passed_in(value: Any, _: Any) -> RepositoryName:  # noqa: ANN401 - cattrs' signature
    """Take the name that :func:`_tag` put in; GitHub's own ``repository`` objects never get here."""
    assert isinstance(value, RepositoryName)  # noqa: S101 - it was put in here
    return value


def _size(value: Any, _: Any) -> int:  # noqa: ANN401 - cattrs' signature
    if type(value) is int and value >= 0:
        return value
    msg = "expected a size of 0 or more" if type(value) is int else f"expected int, got {type(value).__name__}"
    raise _WrongTypeError(msg)


def _from_object(made: Converter, cls: type[T]) -> Callable[[Any, Any], T]:
    """Return a hook that takes JSON objects only; cattrs' own would take a list if no field is required."""
    special = {}
    if cls is Artifact:
        special = {"size_in_bytes": override(struct_hook=_size)}
    elif cls is WorkflowRun:
        parts = ("repository_id", "head_repository", "head_repository_id", "actor", "pull_requests")
        special = {name: override(omit=True) for name in parts} | {"repository": override(rename=_REQUESTED_FROM)}
    structure = make_dict_structure_fn(cls, made, **special)  # type: ignore[arg-type]

    def hook(value: Any, _: Any) -> T:  # noqa: ANN401 - cattrs' signature
        if type(value) is not dict:
            msg = f"expected an object, got {type(value).__name__}"
            raise _WrongTypeError(msg)
        return structure(value, cls)

    return hook


def _is_tuple(cls: object) -> bool:
    return get_origin(cls) is tuple


def _from_list(made: Converter, cls: Any) -> Callable[[Any, Any], tuple[Any, ...]]:  # noqa: ANN401 - a generic alias
    """Return a hook that takes JSON lists only; cattrs' own takes whatever can be iterated, as strings can."""
    items: Any = GenericAlias(list, get_args(cls)[:1])

    def hook(value: Any, _: Any) -> tuple[Any, ...]:  # noqa: ANN401 - cattrs' signature
        if type(value) is not list:
            msg = f"expected a list, got {type(value).__name__}"
            raise _WrongTypeError(msg)
        return tuple(made.structure(value, items))

    return hook


def _whole_run(made: Converter) -> Callable[[Any, Any], WorkflowRun]:
    """Return a hook for runs, which take a field or two of the objects inside them."""
    plain = _from_object(made, WorkflowRun)

    def hook(value: Any, cls: Any) -> WorkflowRun:  # noqa: ANN401 - cattrs' signature
        return _with_parts(plain(value, cls), made.structure(value, _RunParts))

    return hook


def _with_parts(run: WorkflowRun, parts: _RunParts) -> WorkflowRun:
    head = parts.head_repository or _Whole()
    return attrs.evolve(
        run,
        repository_id=None if parts.repository is None else parts.repository.id,
        head_repository=None if head.full_name is None else RepositoryName.received(head.full_name),
        head_repository_id=head.id,
        actor=None if parts.actor is None else parts.actor.login,
        pull_requests=tuple(pull.number for pull in parts.pull_requests or ()),
    )


@functools.cache
def converter() -> Converter:
    """Return the converter, built on first use."""
    made = Converter(detailed_validation=True, forbid_extra_keys=False)
    for kind in (int, str, bool):
        made.register_structure_hook(kind, _exactly(kind))
    made.register_structure_hook(datetime, _timestamp)
    made.register_structure_hook(Digest, _digest)
    made.register_structure_hook(RepositoryName, _passed_in)
    made.register_structure_hook_factory(_is_tuple, functools.partial(_from_list, made))
    made.register_structure_hook_factory(attrs.has, functools.partial(_from_object, made))
    made.register_structure_hook(WorkflowRun, _whole_run(made))
    return made


def _tag(items: list[object], repository: RepositoryName, key: str = "repository") -> None:
    """Set the repository in every item, before the items become values: a frozen value would have to be copied."""
    for item in items:
        if isinstance(item, dict):
            item[key] = repository


def _tag_listing(data: object, key: str, repository: RepositoryName, tag: str = "repository") -> None:
    items = data.get(key, []) if isinstance(data, dict) else []
    if not isinstance(items, list):
        _refuse(f"expected a list, got {type(items).__name__}", f"$.{key}")
    _tag(items, repository, tag)


def _refuse_gitea(items: list[object]) -> None:
    """Refuse artifacts of Gitea and Forgejo.

    They look like GitHub's, but the pages do not: ``per_page`` is ignored, and nothing links to the next.
    """
    for item in items:
        if isinstance(item, dict) and item.get("node_id") is None:
            url = item.get("archive_download_url")
            if isinstance(url, str) and GITEA_REPOSITORIES in url:
                msg = "the server is Gitea or Forgejo, which are not supported"
                raise UnexpectedResponseError(msg, wrong_address=True)


def _first_path(error: BaseValidationError) -> tuple[str, str]:
    """Return the first error and its JSON path."""
    text = transform_error(error, path="$", format_exception=_plainly)[0]
    said, _, path = text.rpartition(" @ ")
    return said, path


def _plainly(error: BaseException, kind: type | None) -> str:
    if isinstance(error, _WrongTypeError):
        return str(error)
    if isinstance(error, ValueError):
        return "unreadable value"
    return format_exception(error, kind)


def _refuse(said: str, path: str) -> NoReturn:
    msg = f"GitHub's response has an unexpected shape: {said} at {path}"
    raise ResponseShapeError(msg, path=path)


def _structure(data: object, cls: type[T]) -> T:
    try:
        return converter().structure(data, cls)
    except BaseValidationError as error:
        said, path = _first_path(error)
    except _WrongTypeError as error:
        said, path = str(error), "$"
    _refuse(said, path)


def artifact(data: object, repository: RepositoryName) -> Artifact:
    """Return one artifact.

    Raises:
        ResponseShapeError: a required field is missing, or a value has the wrong type.
        UnexpectedResponseError: it is one of Gitea or Forgejo.
    """
    _refuse_gitea([data])
    _tag([data], repository)
    return _structure(data, Artifact)


def artifact_page(data: object, repository: RepositoryName, links: PageLinks) -> ArtifactPage:
    """Return one page of artifacts.

    Raises:
        ResponseShapeError: a required field is missing, or a value has the wrong type.
        UnexpectedResponseError: they are artifacts of Gitea or Forgejo.
    """
    _tag_listing(data, "artifacts", repository)
    if isinstance(data, dict):
        _refuse_gitea(data.get("artifacts", []))
    listing = _structure(data, _ArtifactListing)
    return ArtifactPage(total_count=listing.total_count, artifacts=listing.artifacts, next_page=links.next_page)


def workflow_run(data: object, repository: RepositoryName) -> WorkflowRun:
    """Return one workflow run.

    Raises:
        ResponseShapeError: a required field is missing, or a value has the wrong type.
    """
    _tag([data], repository, _REQUESTED_FROM)
    return _structure(data, WorkflowRun)


def run_page(data: object, repository: RepositoryName, links: PageLinks) -> RunPage:
    """Return one page of workflow runs.

    Raises:
        ResponseShapeError: a required field is missing, or a value has the wrong type.
    """
    _tag_listing(data, "workflow_runs", repository, _REQUESTED_FROM)
    listing = _structure(data, _RunListing)
    return RunPage(total_count=listing.total_count, runs=listing.workflow_runs, next_page=links.next_page)


def job_page(data: object, links: PageLinks) -> JobPage:
    """Return one page of a run's jobs.

    Raises:
        ResponseShapeError: a required field is missing, or a value has the wrong type.
    """
    listing = _structure(data, _JobListing)
    return JobPage(total_count=listing.total_count, jobs=listing.jobs, next_page=links.next_page)


def workflow_page(data: object, links: PageLinks) -> WorkflowPage:
    """Return one page of a repository's workflows.

    Raises:
        ResponseShapeError: a required field is missing, or a value has the wrong type.
    """
    listing = _structure(data, _WorkflowListing)
    return WorkflowPage(total_count=listing.total_count, workflows=listing.workflows, next_page=links.next_page)


def repository_page(data: object, links: PageLinks) -> RepositoryPage:
    """Return one page of an owner's repositories; one whose name GitHub does not allow is left out.

    Raises:
        ResponseShapeError: a required field is missing, or a value has the wrong type.
    """
    named = [(item.id, RepositoryName.received(item.full_name)) for item in _structure(data, tuple[_Owned, ...])]
    found = tuple(Repository(id=number, name=name) for number, name in named if name is not None)
    return RepositoryPage(repositories=found, next_page=links.next_page)


def pull_request(data: object) -> PullRequest:
    """Return one pull request.

    Raises:
        ResponseShapeError: a required field is missing, or a value has the wrong type.
    """
    found = _structure(data, _PullDocument)
    return PullRequest(number=found.number, head_sha=found.head.sha)


def artifact_retention(data: object) -> ArtifactRetention:
    """Return a repository's retention of artifacts and logs.

    Raises:
        ResponseShapeError: a required field is missing, or a value has the wrong type.
    """
    return _structure(data, ArtifactRetention)
