"""What a fake GitHub holds."""

from __future__ import annotations

import attrs
import pytest

from gh_artifacts_async.testing import FakeGitHub, FakeRepository, FakeRun
from gh_artifacts_async.testing.data.models import job_from_id


def test_a_repositorys_name_has_two_parts() -> None:
    """Owner and name are the two halves of the full name."""
    repository = FakeRepository(1, "octo-org/octo-docs")
    assert (repository.owner, repository.name) == ("octo-org", "octo-docs")


@pytest.mark.parametrize(("attempt", "index"), [(1, 0), (51, 255), (99, 999)])
async def test_jobs_have_numbers_of_their_own(run: FakeRun, attempt: int, index: int) -> None:
    """A job's number says of which run, attempt and place it is."""
    number = attrs.evolve(run, attempt=attempt).job_id(index)
    assert job_from_id(number) == (run.id, attempt, index)
    assert number < 2**53


async def test_an_etag_is_the_bytes_identity(github: FakeGitHub, run: FakeRun) -> None:
    """An artifact's ETag differs from that of others, and from its own once its bytes change."""
    one, two = (github.artifact(github.add_artifact(run, "x")) for _ in range(2))
    changed = attrs.evolve(one, generation=1)
    assert len({one.etag, two.etag, changed.etag}) == 3
    assert one.etag == attrs.evolve(one).etag
