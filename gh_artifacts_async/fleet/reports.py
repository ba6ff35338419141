"""What a fleet reports: small values, for they come from the workers one by one."""

from __future__ import annotations

import importlib
import pickle
from typing import Any

import attrs

from gh_artifacts_async.errors import ArtifactsError
from gh_artifacts_async.models import RepositoryName
from gh_artifacts_async.models.values import Value
from gh_artifacts_async.results import Failure


@attrs.frozen(kw_only=True, repr=False)
class RepositoryReport(Value):
    """What was done for one repository.

    Attributes:
        repository: which one.
        fetched: artifacts that are new in the destination.
        kept: artifacts that were there already. After a worker's death, what it had fetched counts here.
        failed: artifacts that could not be fetched; the others are there.
        bytes_fetched: bytes of the downloads among ``fetched``.
        error: what ended the work for this repository; None if it came to its end.
        worker: the address of the worker that did it; None if none did.
    """

    repository: RepositoryName
    fetched: int = 0
    kept: int = 0
    failed: tuple[Failure, ...] = ()
    bytes_fetched: int = 0
    error: Exception | None = None
    worker: str | None = None

    def __repr__(self) -> str:
        """Return one short line: the repository, the numbers, and the error."""
        error = "" if self.error is None else f", {type(self.error).__name__}: {self.error}"
        return f"RepositoryReport({self.repository}, {_numbers(self.fetched, self.kept, len(self.failed))}{error})"

    @property
    def ok(self) -> bool:
        """Whether everything is in the destination."""
        return self.error is None and not self.failed


@attrs.frozen(kw_only=True, repr=False)
class FleetReport(Value):
    """What was done for all repositories.

    Attributes:
        repositories: a report for each, in the order in which they were done.
    """

    repositories: tuple[RepositoryReport, ...] = ()

    def __repr__(self) -> str:
        """Return one short line: there may be thousands of repositories."""
        numbers = _numbers(self.fetched, self.kept, self.failed)
        return f"FleetReport({len(self.repositories)} repositories, {numbers}, {len(self.unfinished)} unfinished)"

    @property
    def fetched(self) -> int:
        """Artifacts that are new in the destination."""
        return sum(report.fetched for report in self.repositories)

    @property
    def kept(self) -> int:
        """Artifacts that were there already."""
        return sum(report.kept for report in self.repositories)

    @property
    def failed(self) -> int:
        """Artifacts that could not be fetched; those of repositories with an ``error`` are not known."""
        return sum(len(report.failed) for report in self.repositories)

    @property
    def bytes_fetched(self) -> int:
        """Bytes of the downloads among ``fetched``."""
        return sum(report.bytes_fetched for report in self.repositories)

    @property
    def unfinished(self) -> tuple[RepositoryReport, ...]:
        """Those whose work an error has ended."""
        return tuple(report for report in self.repositories if report.error is not None)


def sendable(report: RepositoryReport) -> RepositoryReport:
    """Return a report that arrives: errors of users' classes that cannot be pickled, or made again, are told in text.

    The whole report would be lost with such an error otherwise.
    """
    failed = tuple(attrs.evolve(failure, error=_sendable(failure.error)) for failure in report.failed)
    error = None if report.error is None else _sendable(report.error)
    return attrs.evolve(report, failed=failed, error=error)


def _sendable(error: Exception) -> Exception:
    pickler: Any = importlib.import_module("cloudpickle")  # untyped; it is what Dask uses
    try:
        pickle.loads(pickler.dumps(error))  # noqa: S301 - of this line's own making
    except Exception:  # noqa: BLE001 - whatever a class raises
        return ArtifactsError(f"{type(error).__name__}: {error}")
    return error


def _numbers(fetched: int, kept: int, failed: int) -> str:
    return f"{fetched} fetched, {kept} kept, {failed} failed"
