"""The client's methods that keep things in order: each checks its repository, and asks the right module."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gh_artifacts_async import (
    CleanupPlan,
    ClientClosedError,
    ConfigurationError,
    MirrorReport,
    RetentionPolicy,
    StorageUsage,
)
from tests.kits.transfer import REPO, client_for

POLICY = RetentionPolicy(older_than=timedelta(days=36500))


async def test_each_method_answers_with_its_own_type(github, client, run, tmp_path):
    """A plan, outcomes, what is used, and a mirror's report."""
    number = github.add_artifact(run, "docs")
    plan = await client.plan_cleanup(REPO, POLICY)
    assert isinstance(plan, CleanupPlan)
    assert [planned.artifact.id for planned in plan.keep] == [number]
    assert isinstance(await client.storage_usage(REPO), StorageUsage)
    assert isinstance(await client.mirror(REPO, tmp_path), MirrorReport)
    artifact = await client.get_artifact(REPO, number)
    async with client.apply_cleanup(CleanupPlan.of([artifact])) as outcomes:
        assert [outcome.artifact async for outcome in outcomes if outcome.ok] == [artifact]


async def test_a_repository_that_cannot_exist(client, tmp_path):
    """Nothing is sent."""
    with pytest.raises(ConfigurationError):
        await client.plan_cleanup("nowhere", POLICY)
    with pytest.raises(ConfigurationError):
        await client.storage_usage("nowhere")
    with pytest.raises(ConfigurationError):
        await client.mirror("nowhere", tmp_path)


async def test_mirror_of_no_repository(github, client, tmp_path):
    """A name that no repository can have is an error before anything is asked or written."""
    with pytest.raises(ConfigurationError, match="is not a repository name"):
        await client.mirror("octo", tmp_path / "mirror")
    assert github.requests == []
    assert list(tmp_path.iterdir()) == []


async def test_mirror_with_a_closed_client(github, tmp_path):
    """A client that is closed mirrors nothing, and leaves the folder alone."""
    async with client_for(github) as client:
        pass
    with pytest.raises(ClientClosedError):
        await client.mirror(REPO, tmp_path / "mirror")
    assert list(tmp_path.iterdir()) == []


async def test_mirror_into_a_file(github, client, tmp_path):
    """A file in the folder's place is the system's kind of error, before anything is asked."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileExistsError):
        await client.mirror(REPO, tmp_path / "file")
    assert github.requests == []
