"""Which artifacts are meant, as frozen values: those that a bot asks for, and those that may be deleted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Literal, cast

import attrs

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.models import check_id
from gh_artifacts_async.models.values import Value
from gh_artifacts_async.settings import choice, number


def _names(value: str | Iterable[str]) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Iterable) else ()
    if not names or not all(isinstance(name, str) and name for name in names):
        msg = f"names must be a glob or a sequence of globs, not {value!r}"
        raise ConfigurationError(msg)
    return names


def _lower(value: str | None) -> str | None:
    return value.lower() if isinstance(value, str) else value


def _text(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not (isinstance(value, str) and value):
        msg = f"{attribute.name} must be a non-empty string, or None for any, not {value!r}"
        raise ConfigurationError(msg)


def _identity(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:  # noqa: ANN401  users may pass anything
    if value is not None:
        check_id(value, attribute.name)


def _workflow(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    (_text if isinstance(value, str) else _identity)(instance, attribute, value)


def _identities(value: int | Iterable[int] | None) -> tuple[int, ...] | None:
    if value is None:
        return None
    given: object = value
    numbers = tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)
    return tuple(dict.fromkeys(check_id(cast("int", number), "artifact_ids") for number in numbers))


def _pattern(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    _text(_instance, attribute, value)
    try:
        re.compile(value if isinstance(value, str) else "")
    except re.error as error:
        msg = f"{attribute.name} is no regular expression: {error}"
    else:
        return
    raise ConfigurationError(msg)


def _moment(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not (isinstance(value, datetime) and value.tzinfo is not None):
        msg = f"{attribute.name} must be a time with a time zone, or None, not {value!r}"
        raise ConfigurationError(msg)


@attrs.frozen(kw_only=True)
class ArtifactQuery(Value):
    """Which artifacts of a repository are meant; fields that are given must all hold.

    Workflow runs are looked up only if a field about runs is given: with ``conclusion=None`` and none of the others, no
    run is.

    Attributes:
        workflow: file name (``"ci.yml"``), path, name or id of the workflow.
        branch: the run's head branch.
        event: what triggered the run, e.g. ``"push"``.
        conclusion: of the run: a conclusion (``"success"``) or a status (``"in_progress"``); None for any.
        head_sha: the run's head commit: all 40 digits, in either case.
        pull_request: number of a pull request: runs of its head commit.
        actor: login of the user who triggered the run.
        run_id: just this run.
        run_number: number of the run among the workflow's runs.
        run_attempt: only artifacts that this attempt of the run uploaded.
        artifact_ids: just these artifacts.
        exclude_run: id of a run to leave out, such as the caller's own.
        names: a glob, or several of which one must match (``fnmatch.fnmatchcase``).
        name_regex: a regular expression that the whole name must match as well.
        since: created at this time or later (aware).
        allow_forks: runs whose head repository is another one, or is unknown, count too.
        latest: only the artifacts of the newest run that has a match; by name alone, the newest artifact of each name.
            False for all.
        duplicates: if artifacts of one run have the same name (re-runs): the ``"newest"`` by time, ``"all"``, or an
            ``"error"``.
        include_expired: expired artifacts count too.
    """

    workflow: str | int | None = attrs.field(default=None, validator=_workflow)
    branch: str | None = attrs.field(default=None, validator=_text)
    event: str | None = attrs.field(default=None, validator=_text)
    conclusion: str | None = attrs.field(default="success", validator=_text)
    head_sha: str | None = attrs.field(default=None, converter=_lower, validator=_text)
    pull_request: int | None = attrs.field(default=None, validator=_identity)
    actor: str | None = attrs.field(default=None, validator=_text)
    run_id: int | None = attrs.field(default=None, validator=_identity)
    run_number: int | None = attrs.field(default=None, validator=_identity)
    run_attempt: int | None = attrs.field(default=None, validator=_identity)
    artifact_ids: tuple[int, ...] | None = attrs.field(default=None, converter=_identities)
    exclude_run: int | None = attrs.field(default=None, validator=_identity)
    names: tuple[str, ...] = attrs.field(default=("*",), converter=_names)
    name_regex: str | None = attrs.field(default=None, validator=_pattern)
    since: datetime | None = attrs.field(default=None, validator=_moment)
    allow_forks: bool = False
    latest: bool = True
    duplicates: Literal["newest", "all", "error"] = attrs.field(
        default="newest", validator=choice("newest", "all", "error")
    )
    include_expired: bool = False


def _globs(value: str | Iterable[str]) -> tuple[str, ...]:
    globs = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Iterable) else ("",)
    if not all(isinstance(glob, str) and glob for glob in globs):
        msg = f"expected a glob or a sequence of globs, not {value!r}"
        raise ConfigurationError(msg)
    return globs


def _period(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not (isinstance(value, timedelta) and value >= timedelta()):
        msg = f"{attribute.name} must be a timedelta of 0 or more, or None for off, not {value!r}"
        raise ConfigurationError(msg)


@attrs.frozen(kw_only=True)
class RetentionPolicy(Value):
    """Which artifacts of a repository may be deleted; see :meth:`~gh_artifacts_async.ArtifactsClient.plan_cleanup`.

    At least one of the criteria ``older_than``, ``keep_latest``, ``only_expired`` and ``max_total_bytes`` is needed;
    the other fields only narrow them. An artifact is deleted if those of the first three that are given all hold. If
    the repository is then still larger than ``max_total_bytes``, the oldest of what is left are deleted until it fits,
    whatever ``older_than`` and ``only_expired`` say. What is protected, or among the latest to keep, is never deleted.

    Attributes:
        older_than: delete what was created longer ago.
        keep_latest: keep this many of each name and branch, the newest; a fork's branch is another one.
        names: delete only these: a glob, or several of which one must match (``fnmatch.fnmatchcase``).
        max_total_bytes: the most that the whole repository may hold; what has expired does not count.
        only_expired: delete only what has expired; that shortens the listing, and frees no storage.
        protect_branches: globs; artifacts of runs on these branches are kept, and those whose branch is unknown.
        protect_tags: globs; the same for tags.
        except_names: globs; artifacts with such a name are kept.
    """

    older_than: timedelta | None = attrs.field(default=None, validator=_period)
    keep_latest: int | None = attrs.field(default=None, validator=number(least=1, whole=True, off=True))
    names: tuple[str, ...] = attrs.field(default=("*",), converter=_names)
    max_total_bytes: int | None = attrs.field(default=None, validator=number(whole=True, off=True))
    only_expired: bool = False
    protect_branches: tuple[str, ...] = attrs.field(default=(), converter=_globs)
    protect_tags: tuple[str, ...] = attrs.field(default=(), converter=_globs)
    except_names: tuple[str, ...] = attrs.field(default=(), converter=_globs)

    def __attrs_post_init__(self) -> None:
        """Check that something may be deleted at all.

        Raises:
            ConfigurationError: no criterion is given.
        """
        criteria = (self.older_than, self.keep_latest, self.max_total_bytes)
        if not self.only_expired and all(criterion is None for criterion in criteria):
            msg = "a RetentionPolicy needs older_than, keep_latest, only_expired or max_total_bytes"
            raise ConfigurationError(msg)
