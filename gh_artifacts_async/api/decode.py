"""JSON to models, fast: the shape that GitHub documents, field by field; anything else is left to strict.py.

A listing consists of thousands of artifacts. cattrs takes twice as long for each, and so does a frozen class's own
constructor, which sets every field by name through ``object.__setattr__``. So the slots are set directly here, before
anyone sees the value. A document that is not exactly as documented goes to :mod:`gh_artifacts_async.api.strict`, which
accepts it or names what is wrong; a property test checks that both return the same values and refuse the same
documents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from gh_artifacts_async.models import (
    Artifact,
    ArtifactPage,
    ArtifactRun,
    Digest,
    RepositoryName,
    RunPage,
    WorkflowRun,
    parse_timestamp,
)
from gh_artifacts_async.protocol.requests import GITEA_REPOSITORIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from gh_artifacts_async.protocol.links import PageLinks

_NOT_AS_DOCUMENTED = (TypeError, KeyError, ValueError, AttributeError, OverflowError)
_TYPES_OF_RUN: dict[str, type] = {
    **dict.fromkeys(("workflow_id", "run_number", "run_attempt"), int),
    **dict.fromkeys(("name", "path", "event", "status", "conclusion", "head_branch", "head_sha", "html_url"), str),
}
_TIMES_OF_RUN = ("created_at", "updated_at", "run_started_at")
_SHA256 = "sha256:"
_SHA256_BYTES = 32
_SHA256_LENGTH = len(_SHA256) + 2 * _SHA256_BYTES


def _setters(cls: type[attrs.AttrsInstance]) -> tuple[Callable[[object, object], None], ...]:
    return tuple(getattr(cls, field.name).__set__ for field in attrs.fields(cls))


_new = object.__new__
(
    _id,
    _node_id,
    _name,
    _size_in_bytes,
    _url,
    _archive_download_url,
    _expired,
    _created_at,
    _expires_at,
    _updated_at,
    _digest,
    _workflow_run_of,
    _repository,
) = _setters(Artifact)
_run_id, _repository_id, _head_repository_id, _head_branch, _head_sha = _setters(ArtifactRun)
_algorithm, _hex = _setters(Digest)


def artifact(data: Any, repository: RepositoryName) -> Artifact:  # noqa: ANN401 - any JSON value
    """Return one artifact.

    Raises:
        ResponseShapeError: a required field is missing, or a value has the wrong type.
        UnexpectedResponseError: it is one of Gitea or Forgejo.
    """
    try:
        return _artifact(data, repository)
    except _NOT_AS_DOCUMENTED:
        pass
    from gh_artifacts_async.api import strict

    return strict.artifact(data, repository)


def artifact_page(data: Any, repository: RepositoryName, links: PageLinks) -> ArtifactPage:  # noqa: ANN401
    """Return one page of artifacts.

    Raises:
        ResponseShapeError: a required field is missing, or a value has the wrong type.
        UnexpectedResponseError: they are artifacts of Gitea or Forgejo.
    """
    try:
        total, items = data["total_count"], data["artifacts"]
        if type(total) is int and type(items) is list:
            found = tuple([_artifact(item, repository) for item in items])
            return ArtifactPage(total_count=total, artifacts=found, next_page=links.next_page)
    except _NOT_AS_DOCUMENTED:
        pass
    from gh_artifacts_async.api import strict

    return strict.artifact_page(data, repository, links)


def workflow_run(data: Any, repository: RepositoryName) -> WorkflowRun:  # noqa: ANN401 - any JSON value
    """Return one workflow run.

    Raises:
        ResponseShapeError: a required field is missing, or a value has the wrong type.
    """
    try:
        return _workflow_run(data, repository)
    except _NOT_AS_DOCUMENTED:
        pass
    from gh_artifacts_async.api import strict

    return strict.workflow_run(data, repository)


def run_page(data: Any, repository: RepositoryName, links: PageLinks) -> RunPage:  # noqa: ANN401 - any JSON value
    """Return one page of workflow runs.

    Raises:
        ResponseShapeError: a required field is missing, or a value has the wrong type.
    """
    try:
        total, items = data["total_count"], data["workflow_runs"]
        if type(total) is int and type(items) is list:
            found = tuple([_workflow_run(item, repository) for item in items])
            return RunPage(total_count=total, runs=found, next_page=links.next_page)
    except _NOT_AS_DOCUMENTED:
        pass
    from gh_artifacts_async.api import strict

    return strict.run_page(data, repository, links)


# --- the values: each raises one of _NOT_AS_DOCUMENTED for anything but the documented shape -------------------------


def _artifact(item: dict[str, Any], repository: RepositoryName) -> Artifact:
    number, size, expired, get = item["id"], item["size_in_bytes"], item["expired"], item.get
    if type(number) is not int or type(size) is not int or size < 0 or type(expired) is not bool:
        raise TypeError
    node, name, url, download = get("node_id"), item["name"], item["url"], item["archive_download_url"]
    if type(name) is not str or type(url) is not str or type(download) is not str:
        raise TypeError
    if type(node) is not str and (node is not None or GITEA_REPOSITORIES in download):
        raise TypeError
    created, expires, updated = get("created_at"), get("expires_at"), get("updated_at")
    digest, run = get("digest"), get("workflow_run")
    made = _new(Artifact)
    _id(made, number)
    _node_id(made, node)
    _name(made, name)
    _size_in_bytes(made, size)
    _url(made, url)
    _archive_download_url(made, download)
    _expired(made, expired)
    _created_at(made, None if created is None else parse_timestamp(created))
    _expires_at(made, None if expires is None else parse_timestamp(expires))
    _updated_at(made, None if updated is None else parse_timestamp(updated))
    _digest(made, None if digest is None else _sha256(digest))
    _workflow_run_of(made, None if run is None else _artifact_run(run))
    _repository(made, repository)
    return made


def _sha256(text: str) -> Digest:
    if len(text) != _SHA256_LENGTH or not text.startswith(_SHA256):
        return Digest.received(text)
    digits = text[len(_SHA256) :]
    if len(bytes.fromhex(digits)) != _SHA256_BYTES:  # fromhex skips blanks
        raise ValueError
    made = _new(Digest)
    _algorithm(made, "sha256")
    _hex(made, digits.lower())
    return made


def _artifact_run(run: dict[str, Any]) -> ArtifactRun:
    get = run.get
    number, repository, head = get("id"), get("repository_id"), get("head_repository_id")
    branch, sha = get("head_branch"), get("head_sha")
    if (
        (type(number) is not int and number is not None)
        or (type(repository) is not int and repository is not None)
        or (type(head) is not int and head is not None)
        or (type(branch) is not str and branch is not None)
        or (type(sha) is not str and sha is not None)
    ):
        raise TypeError
    made = _new(ArtifactRun)
    _run_id(made, number)
    _repository_id(made, repository)
    _head_repository_id(made, head)
    _head_branch(made, branch)
    _head_sha(made, sha)
    return made


def _workflow_run(item: dict[str, Any], repository: RepositoryName) -> WorkflowRun:
    number, get = item["id"], item.get
    if type(number) is not int:
        raise TypeError
    found: dict[str, Any] = {name: get(name) for name in _TYPES_OF_RUN}
    for name, value in found.items():
        if value is not None and type(value) is not _TYPES_OF_RUN[name]:
            raise TypeError
    for name in _TIMES_OF_RUN:
        value = get(name)
        found[name] = None if value is None else parse_timestamp(value)
    owned, head, actor, pulls = get("repository"), get("head_repository"), get("actor"), get("pull_requests")
    full_name = None if head is None else _field(head, "full_name", str)
    return WorkflowRun(
        id=number,
        repository=repository,
        repository_id=None if owned is None else _field(owned, "id", int),
        head_repository=None if full_name is None else RepositoryName.received(full_name),
        head_repository_id=None if head is None else _field(head, "id", int),
        actor=None if actor is None else _field(actor, "login", str),
        pull_requests=() if pulls is None else _numbers(pulls),
        **found,
    )


def _field(item: dict[str, Any], name: str, kind: type) -> Any:  # noqa: ANN401 - of that kind, or None
    value = item.get(name)
    if value is not None and type(value) is not kind:
        raise TypeError
    return value


def _numbers(pulls: list[dict[str, Any]]) -> tuple[int, ...]:
    found = tuple([pull["number"] for pull in pulls])
    if type(pulls) is not list or any(type(number) is not int for number in found):
        raise TypeError
    return found
