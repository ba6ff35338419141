"""A mirror's manifest and journal as bytes: which artifact each file of the folder is.

The manifest is one JSON file, only ever replaced as a whole; the journal has what a run has done since, a line each.
Every line gives the state that holds afterwards: to apply a journal twice, or one whose last line is torn, does no
harm. Both hold paths relative to the folder, no URL and no secret. They are read as untrusted input: a path that leads
out of the folder makes a manifest malformed.
"""

from __future__ import annotations

import contextlib
import json
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import attrs

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.models import Digest, RepositoryName, parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable

MANIFEST = ".gh-artifacts-mirror.json"
"""Name of the manifest; no artifact's file can have it."""

JOURNAL = ".gh-artifacts-mirror.journal"
"""Name of the journal, which exists only during a run, or after one that was killed."""

NEW_MANIFEST = MANIFEST + ".new"
"""Name of the manifest while it is written."""

LOCK = ".gh-artifacts-mirror.lock"
"""Name of a file that is open during a run, where a folder cannot be."""

_FORMAT = "gh-artifacts-mirror"
_VERSION = 1
_HEX = frozenset("0123456789abcdef")
_SHA256_DIGITS = 64


# --- one artifact ----------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class MirroredArtifact:
    """One artifact of a mirror, as its manifest describes it.

    Attributes:
        id: GitHub's id.
        name: as uploaded.
        path: of its file, or of its folder if it was extracted; relative to the mirror's folder.
        size: bytes of the artifact as stored.
        sha256: of them, lower-case hex; None if it is not known.
        digest: GitHub's; None where it sends none.
        created_at: time of upload (aware, UTC).
        expires_at: end of retention (aware, UTC).
        raw: it was not uploaded as a zip.
        modified: the file's time of modification in nanoseconds; None for a folder.
        tree: sha256 over the names and contents of an extracted folder's files; None for a file.
    """

    id: int
    name: str
    path: PurePosixPath
    size: int
    sha256: str | None = None
    digest: Digest | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None
    raw: bool = False
    modified: int | None = None
    tree: str | None = None


def entry_document(entry: MirroredArtifact) -> dict[str, Any]:
    """Return an entry as JSON has it."""
    return {
        "id": entry.id,
        "name": entry.name,
        "path": str(entry.path),
        "size": entry.size,
        "sha256": entry.sha256,
        "digest": None if entry.digest is None else str(entry.digest),
        "created_at": None if entry.created_at is None else entry.created_at.isoformat(),
        "expires_at": None if entry.expires_at is None else entry.expires_at.isoformat(),
        "raw": entry.raw,
        "modified": entry.modified,
        "tree": entry.tree,
    }


def read_entry(document: object) -> MirroredArtifact:
    """Read one entry; fields that a later version may add are ignored.

    Raises:
        ValueError: it is not an entry, or its path may lead out of the folder.
    """
    found = _typed(document, dict)
    digest = _typed(found.get("digest"), str, None)
    return MirroredArtifact(
        id=_number(found.get("id"), 1),
        name=_typed(found.get("name"), str),
        path=_relative(_typed(found.get("path"), str)),
        size=_number(found.get("size"), 0),
        sha256=_sha256(found.get("sha256")),
        digest=None if digest is None else Digest.received(digest),
        created_at=_time(found.get("created_at")),
        expires_at=_time(found.get("expires_at")),
        raw=_typed(found.get("raw"), bool),
        modified=None if found.get("modified") is None else _number(found.get("modified"), None),
        tree=_sha256(found.get("tree")),
    )


def _typed(value: Any, kind: type, *others: None) -> Any:  # noqa: ANN401 - JSON may hold anything
    if type(value) is kind or (value is None and None in others):
        return value
    msg = f"expected {kind.__name__}, not {value!r:.60}"
    raise ValueError(msg)


def _number(value: object, least: int | None) -> int:
    number: int = _typed(value, int)
    if least is not None and number < least:
        msg = f"{number} is too small"
        raise ValueError(msg)
    return number


def _sha256(value: object) -> str | None:
    text: str | None = _typed(value, str, None)
    if text is not None and not (len(text) == _SHA256_DIGITS and _HEX.issuperset(text)):
        msg = f"{text!r:.80} is no sha256"
        raise ValueError(msg)
    return text


def _time(value: object) -> datetime | None:
    text: str | None = _typed(value, str, None)
    try:
        return None if text is None else parse_timestamp(text)
    except OverflowError as error:
        raise ValueError(str(error)) from None


def _relative(text: str) -> PurePosixPath:
    """Return a path that cannot lead out of the folder, whatever the system.

    Raises:
        ValueError: it could.
    """
    parts = text.split("/")
    if any(part in {"", ".", ".."} or not set(part).isdisjoint('\0\\:*?"<>|') for part in parts):
        msg = f"{text!r:.200} is not a path inside the folder"
        raise ValueError(msg)
    if parts[-1] in {MANIFEST, JOURNAL, NEW_MANIFEST, LOCK}:
        msg = f"{text!r} is the manifest itself"
        raise ValueError(msg)
    return PurePosixPath(text)


# --- the whole -------------------------------------------------------------------------------------------------------


@attrs.frozen
class Head:
    """What a manifest and its journal say first.

    Attributes:
        repository: whose artifacts these are.
        extract: whether zips are extracted.
        host: of the server's API, since another server may have a repository of the same name; None if it is not known.
    """

    repository: RepositoryName
    extract: bool
    host: str | None = None

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "format": _FORMAT,
            "version": _VERSION,
            "host": self.host,
            "repository": str(self.repository),
            "extract": self.extract,
        }


def _read_head(document: object) -> Head:
    found = _typed(document, dict)
    if (found.get("format"), found.get("version")) != (_FORMAT, _VERSION):
        msg = "it is of another format or version"
        raise ValueError(msg)
    try:
        repository = RepositoryName.parse(_typed(found.get("repository"), str))
    except ConfigurationError as error:
        raise ValueError(str(error)) from None
    return Head(repository, _typed(found.get("extract"), bool), _typed(found.get("host"), str, None))


def dump_manifest(head: Head, entries: Iterable[MirroredArtifact]) -> bytes:
    """Return a manifest's bytes: JSON, with an artifact a line, so that versions of it can be compared."""
    first = json.dumps({**head.document(), "artifacts": []}).removesuffix("]}")
    lines = ",\n".join(json.dumps(entry_document(entry)) for entry in entries)
    return f"{first}\n{lines}\n]}}\n".encode()


def load_manifest(data: bytes) -> tuple[Head, dict[int, MirroredArtifact]]:
    """Read a manifest.

    Raises:
        ValueError: it is malformed.
    """
    document = _parsed(data)
    head = _read_head(document)
    entries: dict[int, MirroredArtifact] = {}
    places: set[PurePosixPath] = set()
    for one in _typed(document.get("artifacts"), list):
        entry = read_entry(one)
        if entry.id in entries or entry.path in places:
            msg = f"artifact {entry.id}, or its path, is there twice"
            raise ValueError(msg)
        entries[entry.id] = entry
        places.add(entry.path)
    return head, entries


def _parsed(data: bytes) -> Any:  # noqa: ANN401 - JSON may hold anything
    """Read JSON.

    Raises:
        ValueError: it is none, or nested without end.
    """
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError from None


def replay(data: bytes, entries: dict[int, MirroredArtifact]) -> Head | None:
    """Apply a journal to the entries of its manifest.

    A line that is torn or damaged is left out: its artifact's file is recognized by its digest, and not fetched again.

    Returns:
        The journal's head; None if its process was killed before it had written that.

    Raises:
        ValueError: it is not a journal of ours.
    """
    lines = data.split(b"\n")
    if len(lines) == 1:
        return None
    head = _read_head(_parsed(lines[0]))
    for line in lines[1:-1]:
        with contextlib.suppress(ValueError):
            _apply(_parsed(line), entries)
    return head


def _apply(document: object, entries: dict[int, MirroredArtifact]) -> None:
    found = _typed(document, dict)
    put = read_entry(found["put"]) if "put" in found else None
    if "drop" in found:
        entries.pop(_number(found["drop"], 1), None)
    if put is not None:
        entries[put.id] = put
