"""Which artifacts a retention policy deletes: a pure function of a listing, a policy and a time.

What is not known is a reason to keep an artifact, never to delete it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.automation import matching, now
from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.models import Artifact, ArtifactRef, RepositoryName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gh_artifacts_async.automation.criteria import RetentionPolicy

_UNITS = (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1)))


@attrs.frozen
class PlannedArtifact:
    """What a plan does with one artifact.

    Attributes:
        artifact: which one.
        reason: why it is deleted or kept, such as ``"older than 30 days"``.
    """

    artifact: Artifact | ArtifactRef
    reason: str

    @property
    def bytes(self) -> int:
        """The storage that it takes up; 0 if it has expired, or if its size is not known."""
        found = self.artifact
        return found.size_in_bytes if isinstance(found, Artifact) and not found.expired else 0


@attrs.frozen(kw_only=True)
class CleanupPlan:
    """Which artifacts are to be deleted, and why each of the others is kept.

    Attributes:
        delete: what is to be deleted, the oldest first.
        keep: what is kept, in the order of the listing.
        created_at: when the listing began that the plan rests on (aware, UTC).
        repository: the repository; None if the artifacts are of several, or if there are none.
    """

    delete: tuple[PlannedArtifact, ...]
    keep: tuple[PlannedArtifact, ...] = ()
    created_at: datetime
    repository: RepositoryName | None = None

    @property
    def bytes_freed(self) -> int:
        """The storage that is free after the deletion; what has expired takes up none."""
        return sum(planned.bytes for planned in self.delete)

    @property
    def bytes_kept(self) -> int:
        """The storage that is still used after the deletion."""
        return sum(planned.bytes for planned in self.keep)

    @classmethod
    def of(cls, artifacts: Iterable[Artifact | ArtifactRef]) -> CleanupPlan:
        """Return a plan that deletes these artifacts, such as those that were consumed, and no others.

        Args:
            artifacts: each is deleted once, however often it is given.

        Raises:
            ConfigurationError: one of them is no artifact, or has no repository.
        """
        given: object = artifacts
        if not isinstance(given, Iterable):
            msg = f"a plan needs an iterable of artifacts, not one {type(given).__name__}"
            raise ConfigurationError(msg)
        chosen: dict[tuple[RepositoryName, int], Artifact | ArtifactRef] = {}
        for artifact in artifacts:
            if not isinstance(artifact, Artifact | ArtifactRef) or artifact.repository is None:
                msg = f"a plan needs artifacts that have a repository, not {artifact!r}"
                raise ConfigurationError(msg)
            chosen.setdefault((artifact.repository, artifact.id), artifact)
        repositories = {repository for repository, _ in chosen}
        return cls(
            delete=tuple(PlannedArtifact(artifact, "chosen") for artifact in chosen.values()),
            created_at=now.utcnow(),
            repository=repositories.pop() if len(repositories) == 1 else None,
        )


def plan(
    artifacts: Iterable[Artifact],
    policy: RetentionPolicy,
    at: datetime,
    *,
    repository: RepositoryName | None = None,
) -> CleanupPlan:
    """Decide about each artifact of a repository.

    Args:
        artifacts: all of the repository's, expired ones included.
        policy: what may be deleted.
        at: the time to which ages refer (aware).
        repository: where they are.
    """
    listed = tuple({artifact.id: artifact for artifact in artifacts}.values())
    delete, keep = _by_rules(_Rules(policy, listed, at), listed)
    if policy.max_total_bytes is not None:
        _fit(policy.max_total_bytes, delete, keep)
    return CleanupPlan(
        delete=tuple(
            PlannedArtifact(artifact, delete[artifact.id])
            for artifact in sorted(listed, key=matching.age)
            if artifact.id in delete
        ),
        keep=tuple(PlannedArtifact(artifact, keep[artifact.id].reason) for artifact in listed if artifact.id in keep),
        created_at=at,
        repository=repository,
    )


def branch_of(artifact: Artifact) -> str | None:
    """Return the head branch of an artifact's run; for a tag, that is the tag; None if it is unknown."""
    return None if artifact.workflow_run is None else artifact.workflow_run.head_branch


@attrs.frozen
class _Kept:
    """Why an artifact is kept by the rules, and whether ``max_total_bytes`` may delete it all the same."""

    artifact: Artifact
    reason: str
    may_go: bool = False


def _by_rules(rules: _Rules, listed: Sequence[Artifact]) -> tuple[dict[int, str], dict[int, _Kept]]:
    """Apply all criteria but ``max_total_bytes``; return the reasons by id: to delete, and to keep."""
    delete: dict[int, str] = {}
    keep: dict[int, _Kept] = {}
    for artifact in listed:
        fixed = rules.why_fixed(artifact)
        reason = fixed or rules.why_spared(artifact)
        if reason is None:
            delete[artifact.id] = rules.why_deleted(artifact)
        else:
            keep[artifact.id] = _Kept(artifact, reason, may_go=fixed is None)
    return delete, keep


def _fit(limit: int, delete: dict[int, str], keep: dict[int, _Kept]) -> None:
    """Move the oldest artifacts from ``keep`` to ``delete`` until the others are ``limit`` bytes or fewer."""
    total = sum(kept.artifact.size_in_bytes for kept in keep.values() if not kept.artifact.expired)
    for kept in sorted(keep.values(), key=lambda kept: matching.age(kept.artifact)):
        if total <= limit:
            return
        artifact = kept.artifact
        if kept.may_go and not artifact.expired and artifact.created_at is not None:
            del keep[artifact.id]
            delete[artifact.id] = f"among the oldest, to get down to {limit:,} bytes"
            total -= artifact.size_in_bytes


class _Rules:
    """A policy, applied to one artifact of a listing after another."""

    def __init__(self, policy: RetentionPolicy, listed: Sequence[Artifact], at: datetime) -> None:
        self._policy = policy
        self._at = at
        self._newest = _newest(listed, policy.keep_latest or 0)

    def why_fixed(self, artifact: Artifact) -> str | None:
        """Return why an artifact is kept whatever else the policy says; None if nothing protects it."""
        policy, name = self._policy, artifact.name
        if _matching(policy.names, name) is None:
            return f"its name does not match {' or '.join(map(repr, policy.names))}"
        excepted = _matching(policy.except_names, name)
        if excepted is not None:
            return f"its name matches the exception {excepted!r}"
        protected = self._why_protected(branch_of(artifact))
        if protected is not None:
            return protected
        return self._said_newest("among ", artifact) if artifact.id in self._newest else None

    def _why_protected(self, branch: str | None) -> str | None:
        policy = self._policy
        if branch is None:
            known = not (policy.protect_branches or policy.protect_tags)
            return None if known else "its branch is unknown, so it may be a protected one"
        if _matching(policy.protect_branches, branch) is not None:
            return f"protected branch {branch!r}"
        if _matching(policy.protect_tags, branch) is not None:
            return f"protected tag {branch!r}"
        return None

    def why_spared(self, artifact: Artifact) -> str | None:
        """Return which criterion does not hold; None if all do."""
        policy, created = self._policy, artifact.created_at
        needs_time = policy.older_than is not None or policy.keep_latest is not None
        if created is None and (needs_time or not policy.only_expired):
            return "its creation time is unknown"
        if policy.only_expired and not artifact.expired:
            return "not expired"
        if policy.older_than is not None and created is not None and self._at - created <= policy.older_than:
            return f"not older than {_span(policy.older_than)}"
        if policy.only_expired or needs_time:
            return None
        return "expired, so it takes up no storage" if artifact.expired else "the repository is small enough with it"

    def why_deleted(self, artifact: Artifact) -> str:
        """Return which criteria hold."""
        policy = self._policy
        reasons = ["expired"] if policy.only_expired else []
        if policy.older_than is not None:
            reasons.append(f"older than {_span(policy.older_than)}")
        return ", ".join(reasons) or self._said_newest("not among ", artifact)

    def _said_newest(self, before: str, artifact: Artifact) -> str:
        count, branch = self._policy.keep_latest or 0, branch_of(artifact)
        which = "the newest" if count == 1 else f"the {count:,} newest"
        where = "without a known branch" if branch is None else f"on {branch}"
        return f"{before}{which} named {artifact.name!r} {where}"


def _newest(listed: Iterable[Artifact], count: int) -> frozenset[int]:
    """Return the ids of the ``count`` newest artifacts of each name and branch, those of a fork by themselves."""
    groups: defaultdict[object, list[Artifact]] = defaultdict(list)
    for artifact in listed:
        if count and artifact.created_at is not None:
            run = artifact.workflow_run
            source = None if run is None else run.head_repository_id
            groups[artifact.name, branch_of(artifact), source].append(artifact)
    return frozenset(
        artifact.id for group in groups.values() for artifact in sorted(group, key=matching.age, reverse=True)[:count]
    )


def _matching(globs: Sequence[str], value: str) -> str | None:
    """Return the first glob that matches."""
    return next((glob for glob in globs if fnmatchcase(value, glob)), None)


def _span(length: timedelta) -> str:
    """Return a length of time in the longest unit that it is a multiple of."""
    for unit, one in _UNITS:
        if length and not length % one:
            return f"{length // one:,} {unit}" + ("" if length == one else "s")
    return f"{length.total_seconds():,g} seconds"
