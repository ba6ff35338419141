"""Paths of the file system: what their parts mean, and the query of ``latest``.

A query is kept within the path, as parameters of its third part: ``OWNER/REPO/latest;branch=main/NAME/MEMBER``. So it
is inherited by whatever is listed below, and no ``?`` is left that would be taken for a wildcard.
"""

from __future__ import annotations

import errno
import glob
import re
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, unquote

import attrs

from gh_artifacts_async.automation.criteria import ArtifactQuery
from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.models import RepositoryName

if TYPE_CHECKING:
    from collections.abc import Iterable

PROTOCOL = "ghartifacts"
RUNS = "runs"
LATEST = "latest"
QUERY_KEYS = ("actor", "branch", "conclusion", "event", "head_sha", "pull_request", "workflow")

_REPO_PARTS = 2  # owner and name
_VIEW_AT = 2  # "runs", "latest" or an id comes after them
_NUMBER = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_QUERY = re.compile(r"[A-Za-z_]+=[^?]*")

Kind = Literal["root", "owner", "repo", "runs", "run", "latest", "artifact"]


@attrs.frozen(kw_only=True)
class Place:
    """What a path names.

    Attributes:
        path: the path itself, without the protocol.
        kind: ``"artifact"`` is an artifact, or what is in it; the others are folders.
        owner: of repositories; empty for the root.
        repo: the repository; None above it.
        artifact_id: for an artifact that is named by its id.
        run_id: below ``runs``.
        query: below ``latest``.
        name: of an artifact below ``runs`` or ``latest``.
        base: the path of the artifact itself.
        member: the path within the artifact; empty for the artifact itself.
    """

    path: str
    kind: Kind
    owner: str = ""
    repo: RepositoryName | None = None
    artifact_id: int | None = None
    run_id: int | None = None
    query: ArtifactQuery | None = None
    name: str = ""
    base: str = ""
    member: str = ""

    @property
    def repository(self) -> RepositoryName:
        """The repository of a place that has one."""
        assert self.repo is not None  # noqa: S101 - the kind says so
        return self.repo


def strip(path: str) -> str:
    """Return a path without its protocol and without a slash at its end, the query moved to where it belongs.

    Raises:
        ConfigurationError: the query has a key that ``latest`` does not know, or a value that is no text.
    """
    path = path.removeprefix(f"{PROTOCOL}://").removeprefix(f"{PROTOCOL}::")
    head, mark, query = path.rpartition("?")
    has_query = bool(mark) and _QUERY.fullmatch(query) is not None
    parts = (head if has_query else path).split("/")
    if len(parts) <= _VIEW_AT or not _is_latest(parts[_VIEW_AT]):
        return path.rstrip("/")
    given = parts[_VIEW_AT].split(";")[1:] + (query.split("&") if has_query else [])
    parts[_VIEW_AT] = ";".join([LATEST, *_parameters(given)])
    return "/".join(parts).rstrip("/")


def is_view(path: str) -> bool:
    """Whether a path is ``runs`` or ``latest`` of a repository, which show artifacts once more."""
    parts = path.split("/")
    return len(parts) == _VIEW_AT + 1 and (parts[_VIEW_AT] == RUNS or _is_latest(parts[_VIEW_AT]))


def parse(path: str) -> Place:
    """Return what a path without its protocol names.

    Raises:
        FileNotFoundError: there can be nothing of that name.
        ConfigurationError: the query of ``latest`` has a wrong value.
    """
    parts = path.split("/") if path else []
    if len(parts) < _REPO_PARTS:
        return Place(path=path, kind="owner" if parts else "root", owner=path)
    owner, name = parts[:_REPO_PARTS]
    try:
        repo = RepositoryName(owner, name)
    except ConfigurationError as error:
        raise missing(path, str(error)) from error
    place = Place(path=path, kind="repo", owner=owner, repo=repo)
    if len(parts) == _VIEW_AT:
        return place
    return _below(place, parts[_VIEW_AT], parts[_VIEW_AT + 1 :])


def names_itself(path: str, component: str = "") -> bool:
    """Whether a path, which ends in ``component``, can be listed: it is that path again when it is read.

    Not so, and left out of listings: an artifact's name of several parts, or one that would lead upwards where files
    are copied to, and below ``latest`` what looks like a query. The artifact's id leads to all of these.
    """
    if component in {".", ".."} or "/" in component or "\\" in component:
        return False
    try:
        return strip(path) == path
    except ConfigurationError:
        return False


def missing(path: str, why: str) -> FileNotFoundError:
    """Return the error for a path that names nothing."""
    return FileNotFoundError(errno.ENOENT, why, path)


def joined(*parts: str) -> str:
    """Return a path of those parts that are not empty."""
    return "/".join(filter(None, parts))


def _below(place: Place, view: str, rest: list[str]) -> Place:
    """Return a place within a repository."""
    if view == RUNS:
        if not rest:
            return attrs.evolve(place, kind="runs")
        if not _NUMBER.fullmatch(rest[0]):
            raise missing(place.path, "a run is named by its id, as in OWNER/REPO/runs/RUN")
        place = attrs.evolve(place, kind="run", run_id=int(rest.pop(0)))
    elif _is_latest(view):
        place = attrs.evolve(place, kind="latest", query=_query(view))
    elif _NUMBER.fullmatch(view):
        return _artifact(attrs.evolve(place, artifact_id=int(view)), rest)
    else:
        raise missing(place.path, "expected the id of an artifact, 'runs' or 'latest' after OWNER/REPO")
    if not rest:
        return place
    query = None if place.query is None else attrs.evolve(place.query, names=glob.escape(rest[0]))
    return _artifact(attrs.evolve(place, name=rest[0], query=query), rest[1:])


def _artifact(place: Place, rest: list[str]) -> Place:
    member = "/".join(rest)
    base = place.path.removesuffix(member).rstrip("/") if member else place.path
    return attrs.evolve(place, kind="artifact", base=base, member=member)


def _is_latest(part: str) -> bool:
    return part == LATEST or part.startswith(f"{LATEST};")


def _parameters(given: Iterable[str]) -> list[str]:
    """Return parameters in one order and one spelling, so that a place has one path."""
    found: dict[str, str] = {}
    for pair in given:
        key, _, value = pair.partition("=")
        if key not in QUERY_KEYS:
            msg = f"'latest' can be narrowed by {', '.join(QUERY_KEYS)}, not by {key!r}"
            raise ConfigurationError(msg)
        try:
            found[key] = quote(unquote(value), safe="")
        except UnicodeEncodeError:  # a lone surrogate, as program arguments may contain
            msg = f"the value of {key!r} cannot be encoded in UTF-8"
            raise ConfigurationError(msg) from None
    return [f"{key}={value}" for key, value in sorted(found.items())]


def _query(view: str) -> ArtifactQuery:
    given: dict[str, Any] = {}
    for pair in view.split(";")[1:]:
        key, _, value = pair.partition("=")
        given[key] = unquote(value)
    if given.get("conclusion") == "any":
        given["conclusion"] = None
    for key in ("pull_request", "workflow"):
        if _NUMBER.fullmatch(given.get(key, "")):
            given[key] = int(given[key])
    return ArtifactQuery(**given)
