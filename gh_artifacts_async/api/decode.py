"""The usual artifact, read fast: what GitHub documents, field by field, and nothing else.

A listing consists of thousands of these. The converter takes twice as long for each, and so does a frozen class's own
constructor, which sets every field by name through ``object.__setattr__``. So the slots are set directly here, before
anyone sees the value. Whatever is not just as documented gives None, and the converter then judges it and names what is
wrong; a property test holds that both make the same values and refuse the same documents.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs

from gh_artifacts_async.models import Artifact, ArtifactRun, Digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from gh_artifacts_async.models import RepositoryName

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
    _workflow_run,
    _repository,
) = _setters(Artifact)
_run_id, _repository_id, _head_repository_id, _head_branch, _head_sha = _setters(ArtifactRun)
_algorithm, _hex = _setters(Digest)


def parse_timestamp(text: str) -> datetime | None:
    """Read an ISO 8601 time as aware UTC; None where it has no zone.

    Raises:
        ValueError: it is no time.
    """
    found = datetime.fromisoformat(text)
    if found.tzinfo is UTC:
        return found
    return None if found.tzinfo is None else found.astimezone(UTC)


def usual_artifact(item: Any, repository: RepositoryName) -> Artifact | None:  # noqa: ANN401 - any JSON value
    """Return an artifact that is just as documented; None for anything else."""
    try:
        return _artifact(item, repository)
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError):
        return None


def _artifact(item: dict[str, Any], repository: RepositoryName) -> Artifact | None:
    number, size, expired = item["id"], item["size_in_bytes"], item["expired"]
    if type(number) is not int or type(size) is not int or type(expired) is not bool:
        return None
    node, name, url, download = item["node_id"], item["name"], item["url"], item["archive_download_url"]
    if type(node) is not str or type(name) is not str or type(url) is not str or type(download) is not str:
        return None
    get = item.get
    made = _new(Artifact)
    _id(made, number)
    _node_id(made, node)
    _name(made, name)
    _size_in_bytes(made, size)
    _url(made, url)
    _archive_download_url(made, download)
    _expired(made, expired)
    _created_at(made, _time(item["created_at"]))
    _expires_at(made, _time(item["expires_at"]))
    _updated_at(made, _time(item["updated_at"]))
    _digest(made, _sha256(get("digest")))
    _workflow_run(made, _run(get("workflow_run")))
    _repository(made, repository)
    return made


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    found = parse_timestamp(text)
    if found is None:
        raise ValueError
    return found


def _sha256(text: str | None) -> Digest | None:
    if text is None:
        return None
    if len(text) != _SHA256_LENGTH or not text.startswith(_SHA256):
        return Digest.parse(text)
    digits = text[len(_SHA256) :]
    if len(bytes.fromhex(digits)) != _SHA256_BYTES:  # it skips blanks
        raise ValueError
    made = _new(Digest)
    _algorithm(made, "sha256")
    _hex(made, digits.lower())
    return made


def _run(run: dict[str, Any] | None) -> ArtifactRun | None:
    if run is None:
        return None
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
