"""What a fleet reports."""

from __future__ import annotations

import pickle
import threading

import pytest

from gh_artifacts_async import ArtifactRef, ArtifactsError, Failure, NotFoundError, RepositoryName
from gh_artifacts_async.fleet import FleetReport, RepositoryReport
from gh_artifacts_async.fleet.reports import sendable

REPO = RepositoryName("octo-org", "octo-docs")


def test_totals():
    """They are the sums; those that an error has ended are named, and only what is whole is ok."""
    gone = NotFoundError("gone", status=404)
    failure = Failure(artifact=ArtifactRef(REPO, 7, "docs"), error=gone)
    whole = RepositoryReport(repository=REPO, fetched=3, kept=2, bytes_fetched=100, worker="tcp://127.0.0.1:1")
    partly = RepositoryReport(repository=REPO, fetched=1, failed=(failure, failure), bytes_fetched=10)
    ended = RepositoryReport(repository=REPO, error=gone)
    report = FleetReport(repositories=(whole, partly, ended))
    assert (report.fetched, report.kept, report.failed, report.bytes_fetched) == (4, 2, 2, 110)
    assert report.unfinished == (ended,)
    assert [one.ok for one in report.repositories] == [True, False, False]
    assert repr(report) == "FleetReport(3 repositories, 4 fetched, 2 kept, 2 failed, 1 unfinished)"
    assert repr(partly) == "RepositoryReport(octo-org/octo-docs, 1 fetched, 0 kept, 2 failed)"
    assert repr(ended) == ("RepositoryReport(octo-org/octo-docs, 0 fetched, 0 kept, 0 failed, NotFoundError: gone)")


def test_it_is_small_on_its_way():
    """It is pickled, and a mirror of any size is a few numbers."""
    report = RepositoryReport(repository=REPO, fetched=100_000, kept=100_000, worker="tcp://127.0.0.1:1")
    sent = pickle.dumps(report)
    assert pickle.loads(sent) == report  # noqa: S301  ours
    assert len(sent) < 500


class PickyError(Exception):
    """It cannot be made again of what pickle keeps of it."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} {other}")


class LockedError(Exception):
    """It cannot be pickled."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} {other}")
        self.lock = threading.Lock()


@pytest.mark.parametrize("kind", [PickyError, LockedError])
def test_errors_of_any_class_arrive(kind: type[Exception]):
    """Those that a user's layout raises, say; what can be sent is left as it is."""
    gone = NotFoundError("gone", status=404)
    failed = tuple(Failure(artifact=ArtifactRef(REPO, 7, "docs"), error=error) for error in (kind("no", "name"), gone))
    given = RepositoryReport(repository=REPO, fetched=3, failed=failed, error=kind("a", "b"))
    report = pickle.loads(pickle.dumps(sendable(given)))  # noqa: S301  ours
    assert isinstance(report.error, ArtifactsError)
    assert str(report.error) == f"{kind.__name__}: a b"
    assert [str(failure.error) for failure in report.failed] == [f"{kind.__name__}: no name", "gone"]
    assert type(report.failed[1].error) is NotFoundError
    assert report.fetched == 3
