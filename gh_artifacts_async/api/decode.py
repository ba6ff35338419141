"""JSON to models, fast: the shape that GitHub documents, field by field; anything else is left to strict.py.

A listing consists of thousands of artifacts. cattrs takes three times as long for each, and so does a frozen class's
own constructor, which sets every field by name through ``object.__setattr__``. So a value is filled in as an object of
a subclass that is not frozen, and becomes one of its own class before anyone sees it. A document that is not exactly as
documented goes to :mod:`gh_artifacts_async.api.strict`, which accepts it or names what is wrong; a property test checks
that both return the same values and refuse the same documents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

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


def _unfrozen(cls: type) -> Callable[[], Any]:
    """Return a subclass of a frozen class whose fields can be set; its objects start without any.

    It adds no slots, so that CPython lets its objects become the class's own.
    """
    plain = {name: getattr(object, name) for name in ("__init__", "__setattr__", "__delattr__")}
    return type(f"_{cls.__name__}", (cls,), {"__slots__": (), **plain})


_new_artifact, _new_run, _new_digest = _unfrozen(Artifact), _unfrozen(ArtifactRun), _unfrozen(Digest)


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
    made = _new_artifact()
    made.id = number
    made.node_id = node
    made.name = name
    made.size_in_bytes = size
    made.url = url
    made.archive_download_url = download
    made.expired = expired
    made.created_at = None if created is None else parse_timestamp(created)
    made.expires_at = None if expires is None else parse_timestamp(expires)
    made.updated_at = None if updated is None else parse_timestamp(updated)
    made.digest = None if digest is None else _sha256(digest)
    made.workflow_run = None if run is None else _artifact_run(run)
    made.repository = repository
    made.__class__ = Artifact
    return cast("Artifact", made)


def _sha256(text: str) -> Digest:
    if len(text) != _SHA256_LENGTH or not text.startswith(_SHA256):
        return Digest.received(text)
    digits = text[len(_SHA256) :]
    if len(bytes.fromhex(digits)) != _SHA256_BYTES:  # fromhex skips blanks
        raise ValueError
    made = _new_digest()
    made.algorithm = "sha256"
    made.hex = digits.lower()
    made.__class__ = Digest
    return cast("Digest", made)


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
    made = _new_run()
    made.id = number
    made.repository_id = repository
    made.head_repository_id = head
    made.head_branch = branch
    made.head_sha = sha
    made.__class__ = ArtifactRun
    return cast("ArtifactRun", made)


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
