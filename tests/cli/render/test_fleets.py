"""What is said of many repositories."""

from __future__ import annotations

import pytest

from gh_artifacts_async import ArtifactRef, Failure, NotFoundError, RepositoryName
from gh_artifacts_async.cli.render import fleets
from gh_artifacts_async.fleet import FleetReport, RepositoryReport

REPO = RepositoryName("octo-org", "octo-docs")
GONE = NotFoundError("gone", status=404)
FAILURE = Failure(artifact=ArtifactRef(REPO, 7, "docs"), error=GONE)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "     0 B  octo-org/octo-docs  0 new"),
        ({"fetched": 3, "bytes_fetched": 1_400_000}, "  1.4 MB  octo-org/octo-docs  3 new"),
        ({"kept": 2500}, "     0 B  octo-org/octo-docs  0 new, 2,500 already there"),
        ({"failed": (FAILURE,)}, "     0 B  octo-org/octo-docs  1 failed"),
        ({"error": GONE}, "     0 B  octo-org/octo-docs  not done"),
        (
            {"fetched": 1, "kept": 2, "failed": (FAILURE,), "bytes_fetched": 999_000},
            "  999 kB  octo-org/octo-docs  1 new, 2 already there, 1 failed",
        ),
    ],
)
def test_a_line(values: dict, said: str):
    """What has happened, and no more."""
    assert fleets.line(RepositoryReport(repository=REPO, **values)) == said


def test_the_whole():
    """Artifacts, repositories, and what is missing."""
    whole = RepositoryReport(repository=REPO, fetched=1, kept=3, bytes_fetched=500)
    partly = RepositoryReport(repository=REPO, failed=(FAILURE,))
    ended = RepositoryReport(repository=REPO, error=GONE)
    assert fleets.total(FleetReport(), 1.0, "out") == "nothing new in out, 0 repositories"
    assert fleets.total(FleetReport(repositories=(whole, partly, ended)), 1.0, "out") == (
        "1 artifact new in out, 2 repositories (500 B downloaded in 1.0 s); 3 already there; 1 failed; "
        "1 repository not done"
    )


def test_a_document():
    """The numbers, and each failure with a sentence."""
    report = RepositoryReport(repository=REPO, fetched=1, failed=(FAILURE,), error=GONE, worker="tcp://127.0.0.1:1")
    assert fleets.document(report, lambda error: f"said {error}") == {
        "repository": "octo-org/octo-docs",
        "fetched": 1,
        "kept": 0,
        "failed": [{"id": 7, "name": "docs", "error": f"said {GONE}", "type": "NotFoundError"}],
        "bytes": 0,
        "error": {"error": f"said {GONE}", "type": "NotFoundError"},
        "worker": "tcp://127.0.0.1:1",
    }
