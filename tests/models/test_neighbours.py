"""The values around a repository's artifacts."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime

import attrs
import pytest

from gh_artifacts_async.models import RepositoryName, neighbours
from gh_artifacts_async.models.neighbours import (
    ArtifactRetention,
    Job,
    JobPage,
    PullRequest,
    Repository,
    RepositoryPage,
    Workflow,
    WorkflowPage,
)

JOB = Job(id=7, run_id=9, name="build", labels=("ubuntu-latest",), started_at=datetime(2026, 1, 1, tzinfo=UTC))
REPOSITORY = Repository(id=1, name=RepositoryName("octo-org", "octo-docs"))
VALUES = [
    JOB,
    JobPage(total_count=1, jobs=(JOB,)),
    Workflow(id=1, name="CI"),
    WorkflowPage(total_count=1, workflows=(Workflow(id=1),), next_page=2),
    PullRequest(number=7, head_sha="ab" * 20),
    REPOSITORY,
    RepositoryPage(repositories=(REPOSITORY,)),
    ArtifactRetention(days=30, maximum_allowed_days=90),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_are_frozen_hashable_and_picklable(value):
    """As all models are."""
    assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301  our own bytes
    assert hash(value) == hash(attrs.evolve(value))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        value.id = 1


def test_no_class_was_forgotten():
    """Each class of the module is among the values."""
    classes = {
        cls for cls in vars(neighbours).values() if isinstance(cls, type) and cls.__module__ == neighbours.__name__
    }
    assert classes == {type(value) for value in VALUES}
