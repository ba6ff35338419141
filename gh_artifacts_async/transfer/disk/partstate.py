"""What is recorded beside a part file: whose bytes they are, and how many of them a later run may use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.transfer.disk.leftovers import names_of, size_of, state_paths

if TYPE_CHECKING:
    from pathlib import Path

_VERSION = 1
_LONGEST_STATE = 64 * 1024


@attrs.frozen(kw_only=True)
class PartState:
    """What a part's bytes belong to.

    Attributes:
        artifact_id: GitHub's number.
        repository: ``owner/name``.
        size_in_bytes: of the artifact.
        digest: of the artifact; None if it has none.
        etag: storage's validator.
        total: bytes of the whole; None if storage did not say.
        content_type: as storage sent it.
        disposition: Content-Disposition as storage sent it.
        hashed: length and sha256 of the bytes, saved when the part was closed; without GitHub's digest, only these
            show whether the part was changed afterwards.
        frontier: bytes that are known to be there while others are written beyond them; None if there are no holes.
    """

    artifact_id: int
    repository: str
    size_in_bytes: int
    digest: str | None = None
    etag: str | None = None
    total: int | None = None
    content_type: str | None = None
    disposition: str | None = None
    hashed: tuple[int, str] | None = None
    frontier: int | None = None

    def same_artifact(self, other: PartState) -> bool:
        """Whether both are of the same stored bytes, as far as GitHub says."""
        mine, theirs = (
            (state.artifact_id, state.repository, state.size_in_bytes, state.digest) for state in (self, other)
        )
        return mine == theirs


def load(path: Path) -> PartState | None:
    """Read a part's state; None if it is missing, damaged or of another version."""
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(_LONGEST_STATE))
        if document.pop("version") != _VERSION:
            return None
        if document["hashed"] is not None:
            document["hashed"] = tuple(document["hashed"])
        state = PartState(**document)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return state if _is_sane(state) else None


def _is_sane(state: PartState) -> bool:
    """Whether each field has what it may have: JSON can hold anything, such as NaN for a number."""
    hashed: tuple[object, ...] = (0, "") if state.hashed is None else state.hashed
    if [type(it) for it in hashed] != [int, str]:
        return False
    numbers = [state.artifact_id, state.size_in_bytes, *(it for it in (state.total, state.frontier) if it is not None)]
    texts = [state.repository, state.etag]
    texts += [it for it in (state.digest, state.content_type, state.disposition) if it is not None]
    return all(type(it) is int and it >= 0 for it in numbers) and all(type(it) is str for it in texts)


def dump(state: PartState) -> str:
    """Return the text of a state's file."""
    document = {"version": _VERSION, **attrs.asdict(state)}
    if state.frontier is None:
        del document["frontier"]  # an earlier release must not use a part with holes, but any other
    return json.dumps(document)


def can_be_checked(state: PartState, size: int) -> bool:
    """Whether a change of the bytes would be detected: by GitHub's digest, or by our own saved one."""
    if state.etag is None or (state.total is not None and size > state.total):
        return False
    return state.digest is not None or (state.hashed is not None and state.hashed[0] == size)


def resumable(candidate: Path, expected: PartState) -> int | None:
    """Return how many bytes a transfer that adopts a part file would still fetch; None if it cannot be used.

    The bytes themselves are not read: damage is detected when the part is adopted. Blocks.

    Args:
        candidate: a part file, as :func:`~gh_artifacts_async.transfer.disk.leftovers.scan` finds it.
        expected: the artifact's own state.
    """
    state, size = load(state_paths(candidate)[0]), size_of(candidate)
    if state is None or not size or names_of(candidate) > 1 or not state.same_artifact(expected):
        return None
    size = size if state.frontier is None else min(size, state.frontier)
    if not size or not can_be_checked(state, size):
        return None
    return max(0, (expected.size_in_bytes if state.total is None else state.total) - size)
