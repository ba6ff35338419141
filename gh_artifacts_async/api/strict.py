"""The one cattrs converter: strict about types, tolerant of unknown fields; its errors carry the JSON path."""

from __future__ import annotations

import functools
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import attrs
from cattrs import Converter
from cattrs.errors import BaseValidationError
from cattrs.gen import make_dict_structure_fn
from cattrs.v import format_exception, transform_error

from gh_artifacts_async.api.decode import parse_timestamp, usual_artifact
from gh_artifacts_async.errors import ResponseShapeError
from gh_artifacts_async.models import Artifact, ArtifactPage, Digest, RepositoryName, WorkflowRun

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


@attrs.frozen(kw_only=True)
class RunPage:
    """One page of a listing of runs.

    Attributes:
        total_count: runs in the whole listing; GitHub gives out at most 1,000 of a filtered one.
        runs: this page's.
        next_page: number of the next page; None on the last.
    """

    total_count: int
    runs: tuple[WorkflowRun, ...]
    next_page: int | None = None


_MISSING = object()


class _WrongTypeError(TypeError):
    """A JSON value of another type than the field's."""


def _exactly(kind: type[T]) -> Callable[[Any, Any], T]:
    """Make a hook that takes values of one type only; cattrs' own turns ``"11"`` into 11 and None into ``"None"``."""

    def hook(value: object, _: Any) -> T:  # noqa: ANN401 - cattrs' signature
        if type(value) is not kind:
            msg = f"expected {kind.__name__}, got {type(value).__name__}"
            raise _WrongTypeError(msg)
        return value

    return hook


def _moment(value: Any, _: Any) -> datetime:  # noqa: ANN401 - cattrs' signature
    if value is _MISSING:
        msg = "required field missing"
        raise _WrongTypeError(msg)
    if type(value) is not str:
        msg = f"expected a time, got {type(value).__name__}"
        raise _WrongTypeError(msg)
    found = parse_timestamp(value)
    if found is None:
        msg = "expected a time with a zone"
        raise _WrongTypeError(msg)
    return found


def _digest(value: Any, _: Any) -> Digest:  # noqa: ANN401 - cattrs' signature
    if type(value) is not str:
        msg = f"expected a digest, got {type(value).__name__}"
        raise _WrongTypeError(msg)
    return Digest.parse(value)


def _passed_in(value: Any, _: Any) -> RepositoryName:  # noqa: ANN401 - cattrs' signature
    """Take the name that :func:`_tagged` put in; GitHub's own ``repository`` objects never get here."""
    assert isinstance(value, RepositoryName)  # noqa: S101 - of our own making
    return value


_REQUIRED: dict[type, tuple[str, ...]] = {Artifact: ("created_at", "expires_at", "updated_at")}
"""Fields that may be null, but not missing; the class gives them a default for those who make one by hand."""


def _from_object(made: Converter, cls: type[T]) -> Callable[[Any, Any], T]:
    """Make a hook that takes JSON objects only; cattrs' own would take a list where no field is required."""
    structure = make_dict_structure_fn(cls, made)
    required = _REQUIRED.get(cls, ())

    def hook(value: Any, _: Any) -> T:  # noqa: ANN401 - cattrs' signature
        if type(value) is not dict:
            msg = f"expected an object, got {type(value).__name__}"
            raise _WrongTypeError(msg)
        if not all(name in value for name in required):
            value = {**dict.fromkeys(required, _MISSING), **value}
        return structure(value, cls)

    return hook


@functools.cache
def converter() -> Converter:
    """Return the converter, made on first use."""
    made = Converter(detailed_validation=True, forbid_extra_keys=False)
    for kind in (int, str, bool):
        made.register_structure_hook(kind, _exactly(kind))
    made.register_structure_hook(datetime, _moment)
    made.register_structure_hook(Digest, _digest)
    made.register_structure_hook(RepositoryName, _passed_in)
    made.register_structure_hook_factory(attrs.has, functools.partial(_from_object, made))
    return made


def _tagged(items: list[object], repository: RepositoryName) -> None:
    """Set ``repository`` in every item, before the items become values: a frozen value would have to be copied."""
    for item in items:
        if isinstance(item, dict):
            item["repository"] = repository


def _tagged_listing(data: object, key: str, repository: RepositoryName) -> None:
    items = data.get(key, []) if isinstance(data, dict) else []
    if not isinstance(items, list):
        _refuse(f"expected a list, got {type(items).__name__}", f"$.{key}")
    _tagged(items, repository)


def _first_path(error: BaseValidationError) -> tuple[str, str]:
    """Return the first complaint and its JSON path."""
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
    msg = f"GitHub's answer has an unexpected shape: {said} at {path}"
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
        ResponseShapeError: a required field is missing or a value has another type.
    """
    usual = usual_artifact(data, repository)
    if usual is not None:
        return usual
    _tagged([data], repository)
    return _structure(data, Artifact)


def artifact_page(data: object, repository: RepositoryName, links: PageLinks) -> ArtifactPage:
    """Return one page of artifacts.

    Raises:
        ResponseShapeError: a required field is missing or a value has another type.
    """
    listing = _usual_listing(data, repository)
    if listing is None:
        _tagged_listing(data, "artifacts", repository)
        listing = _structure(data, _ArtifactListing)
    return ArtifactPage(total_count=listing.total_count, artifacts=listing.artifacts, next_page=links.next_page)


def _usual_listing(data: object, repository: RepositoryName) -> _ArtifactListing | None:
    """Return a listing that is just as documented; None for anything else."""
    if not isinstance(data, dict) or type(data.get("total_count")) is not int:
        return None
    items = data.get("artifacts")
    if not isinstance(items, list):
        return None
    found: list[Artifact] = []
    for item in items:
        usual = usual_artifact(item, repository)
        if usual is None:
            return None
        found.append(usual)
    return _ArtifactListing(data["total_count"], tuple(found))


def workflow_run(data: object, repository: RepositoryName) -> WorkflowRun:
    """Return one workflow run.

    Raises:
        ResponseShapeError: a required field is missing or a value has another type.
    """
    _tagged([data], repository)
    return _structure(data, WorkflowRun)


def run_page(data: object, repository: RepositoryName, links: PageLinks) -> RunPage:
    """Return one page of workflow runs.

    Raises:
        ResponseShapeError: a required field is missing or a value has another type.
    """
    _tagged_listing(data, "workflow_runs", repository)
    listing = _structure(data, _RunListing)
    return RunPage(total_count=listing.total_count, runs=listing.workflow_runs, next_page=links.next_page)
