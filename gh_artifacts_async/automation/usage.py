"""What takes up a repository's storage: by name, by age and by branch."""

from __future__ import annotations

from collections import Counter
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.api import listing
from gh_artifacts_async.automation import now
from gh_artifacts_async.automation.retention import branch_of
from gh_artifacts_async.models import Artifact, RepositoryName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gh_artifacts_async.api.session import GitHubSession

_AGES = (
    ("last day", timedelta(days=1)),
    ("last week", timedelta(days=7)),
    ("last month", timedelta(days=30)),
    ("last quarter", timedelta(days=90)),
)
_OLDER = "older"


@attrs.frozen(kw_only=True)
class UsageEntry:
    """The artifacts that have something in common.

    Attributes:
        label: the name, branch or age that they share; None if it is unknown.
        count: how many.
        bytes: their size together.
    """

    label: str | None
    count: int
    bytes: int


@attrs.frozen(kw_only=True)
class StorageUsage:
    """What takes up a repository's storage, as GitHub's listing tells; expired artifacts take up none.

    Attributes:
        repository: the repository.
        measured_at: when the listing began (aware, UTC).
        count: artifacts that have not expired.
        bytes: their size together.
        expired: artifacts that are still listed and have expired.
        by_name: an entry for each name, the largest first.
        by_age: the last day, week, month (30 days) and quarter (90 days), each without those before it, and older ones.
        by_branch: an entry for each head branch, the largest first; a tag's run has the tag in its place.
    """

    repository: RepositoryName | None
    measured_at: datetime
    count: int
    bytes: int
    expired: int
    by_name: tuple[UsageEntry, ...]
    by_age: tuple[UsageEntry, ...]
    by_branch: tuple[UsageEntry, ...]


async def storage_usage(github: GitHubSession, repo: RepositoryName) -> StorageUsage:
    """List a repository and sum up, see :meth:`gh_artifacts_async.ArtifactsClient.storage_usage`."""
    begun = now.utcnow()
    async with aclosing(listing.everything(github, repo)) as listed:
        found = [artifact async for artifact in listed]
    return summed(found, begun, repository=repo)


def summed(artifacts: Iterable[Artifact], at: datetime, *, repository: RepositoryName | None = None) -> StorageUsage:
    """Sum up a listing.

    Args:
        artifacts: all of a repository's, expired ones included.
        at: the time to which ages refer (aware).
        repository: where they are.
    """
    listed = list(artifacts)
    stored = [artifact for artifact in listed if not artifact.expired]
    return StorageUsage(
        repository=repository,
        measured_at=at,
        count=len(stored),
        bytes=sum(artifact.size_in_bytes for artifact in stored),
        expired=len(listed) - len(stored),
        by_name=_largest_first(_grouped(stored, lambda artifact: artifact.name)),
        by_age=_youngest_first(_grouped(stored, lambda artifact: _age(artifact, at))),
        by_branch=_largest_first(_grouped(stored, branch_of)),
    )


def _grouped(artifacts: Iterable[Artifact], label_of: Callable[[Artifact], str | None]) -> dict[str | None, UsageEntry]:
    counts: Counter[str | None] = Counter()
    sizes: Counter[str | None] = Counter()
    for artifact in artifacts:
        label = label_of(artifact)
        counts[label] += 1
        sizes[label] += artifact.size_in_bytes
    return {label: UsageEntry(label=label, count=counts[label], bytes=sizes[label]) for label in counts}


def _largest_first(groups: dict[str | None, UsageEntry]) -> tuple[UsageEntry, ...]:
    return tuple(sorted(groups.values(), key=lambda entry: (-entry.bytes, -entry.count, entry.label or "")))


def _youngest_first(groups: dict[str | None, UsageEntry]) -> tuple[UsageEntry, ...]:
    """Return an entry for every age, also for one that no artifact has; the unknown one only if it is needed."""
    labels = [*(label for label, _ in _AGES), _OLDER, *([None] if None in groups else [])]
    return tuple(groups.get(label, UsageEntry(label=label, count=0, bytes=0)) for label in labels)


def _age(artifact: Artifact, at: datetime) -> str | None:
    created = artifact.created_at
    if created is None:
        return None
    return next((label for label, length in _AGES if at - created <= length), _OLDER)
