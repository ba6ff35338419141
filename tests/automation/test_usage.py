"""What takes up a repository's storage."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async import Artifact, ArtifactRun, RepositoryName, UsageEntry
from gh_artifacts_async.automation import now, usage
from tests.kits.transfer import REPO

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def artifact(number: int, *, days: float | None = 0, branch: str | None = "main", **values: Any) -> Artifact:
    """Return an artifact of so many days ago."""
    fields: dict[str, Any] = {"name": "wheel", "size_in_bytes": 100, "expired": False, **values}
    created = None if days is None else NOW - timedelta(days=days)
    run = ArtifactRun(id=1, head_branch=branch)
    return Artifact(id=number, url="u", archive_download_url="d", created_at=created, workflow_run=run, **fields)


def rows(entries: tuple[UsageEntry, ...]) -> list[tuple[str | None, int, int]]:
    """Return entries as tuples."""
    return [(entry.label, entry.count, entry.bytes) for entry in entries]


def test_by_name_and_by_branch():
    """The largest first; what has expired is counted, and takes up nothing."""
    found = [
        artifact(1),
        artifact(2, branch="dev"),
        artifact(3, name="logs", size_in_bytes=150),
        artifact(4, name="docs", size_in_bytes=500, branch=None),
        artifact(5, size_in_bytes=9999, expired=True),
    ]
    made = usage.summed(found, NOW, repository=RepositoryName.parse(REPO))
    assert rows(made.by_name) == [("docs", 1, 500), ("wheel", 2, 200), ("logs", 1, 150)]
    assert rows(made.by_branch) == [(None, 1, 500), ("main", 2, 250), ("dev", 1, 100)]
    assert (made.count, made.bytes, made.expired, str(made.repository)) == (4, 850, 1, REPO)
    assert made.measured_at == NOW
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301 - just made


def test_by_age():
    """Each span without those before it, the youngest first; the unknown one only where it is needed."""
    days = (-1, 0.5, 1, 1.1, 7, 8, 30, 89, 91, 400)
    found = [artifact(number, days=it) for number, it in enumerate(days, 1)]
    expected = [
        ("last day", 3, 300),
        ("last week", 2, 200),
        ("last month", 2, 200),
        ("last quarter", 1, 100),
        ("older", 2, 200),
    ]
    assert rows(usage.summed(found, NOW).by_age) == expected
    assert rows(usage.summed([*found, artifact(99, days=None)], NOW).by_age) == [*expected, (None, 1, 100)]
    assert rows(usage.summed([], NOW).by_age) == [(label, 0, 0) for label, *_ in expected]


@given(
    st.lists(
        st.builds(
            artifact,
            st.integers(1),
            days=st.none() | st.integers(0, 200),
            branch=st.sampled_from([None, "main", "dev"]),
            name=st.sampled_from(["wheel", "logs"]),
            size_in_bytes=st.integers(0, 1000),
            expired=st.booleans(),
        )
    )
)
def test_each_view_has_all_of_it(found):
    """Counts and bytes of each view are the total's; names and branches are sorted by bytes."""
    made = usage.summed(found, NOW)
    for entries in (made.by_name, made.by_age, made.by_branch):
        assert sum(entry.count for entry in entries) == made.count
        assert sum(entry.bytes for entry in entries) == made.bytes
        assert len({entry.label for entry in entries}) == len(entries)
    for entries in (made.by_name, made.by_branch):
        assert sorted(entries, key=lambda entry: -entry.bytes) == list(entries)
    assert made.count + made.expired == len(found)


async def test_a_repository(github, client, run, monkeypatch):
    """All pages of the listing are summed up."""
    monkeypatch.setattr(now, "utcnow", github.clock.now)
    for number in range(150):
        github.add_artifact(run, f"docs-{number % 2}", size=200, size_in_bytes=200)
    made = await client.storage_usage(REPO)
    assert rows(made.by_name) == [("docs-0", 75, 15000), ("docs-1", 75, 15000)]
    assert rows(made.by_age)[0] == ("last day", 150, 30000)
    assert rows(made.by_branch) == [("main", 150, 30000)]
    assert str(made.repository) == REPO
    assert len(github.requests) == 2
