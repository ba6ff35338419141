"""The fake's record: every request, how many at once, the points they cost."""

from __future__ import annotations

from collections import Counter

import attrs
from multidict import CIMultiDictProxy, MultiMapping

from gh_artifacts_async.testing.data.profiles import Host

READ_POINTS = 1
WRITE_POINTS = 5
"""https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#calculating-points-for-the-secondary-rate-limit"""


@attrs.frozen(eq=False)
class RequestRecord:
    """One request that arrived; ``print`` shows it as a line, without the headers.

    Attributes:
        number: 1 for the first request of this fake.
        host: ``"api"`` or ``"storage"``.
        method: e.g. ``"GET"``.
        path: percent-decoded, without the query.
        raw_path: path and query exactly as they stood on the wire.
        query: the decoded query.
        headers: as they arrived; names in any case.
        time: seconds since the fake's clock began.
        endpoint: GitHub's operation id, e.g. ``"actions/get-artifact"``; None if there is none, and for storage.
        artifact_id: the artifact it was for, or None.
        status: of the response; 0 until there is one (or where raw bytes or nothing was sent).
        bytes_sent: bytes of the body handed to the network so far.
    """

    number: int
    host: Host
    method: str
    path: str
    raw_path: str = attrs.field(repr=False)
    query: MultiMapping[str] = attrs.field(repr=False)
    headers: CIMultiDictProxy[str] = attrs.field(repr=False)
    time: float
    endpoint: str | None = None
    artifact_id: int | None = None
    status: int = 0
    bytes_sent: int = 0

    def __str__(self) -> str:
        """The request as a line, e.g. ``3 api GET /repos/octo-org/octo-docs/actions/artifacts?per_page=100: 200``."""
        # A signed URL's query is its signature.
        where = self.raw_path if self.host == "api" else self.path
        return f"{self.number} {self.host} {self.method} {where}: {self.status or 'nothing'}"


@attrs.define
class Journal:
    """All requests of one fake, and sums over them.

    Attributes:
        points: operation id -> the points its requests have cost (reads 1, writes 5).
        concurrency: API requests in progress.
        max_concurrency: the most API requests at once so far.
        storage_concurrency: storage requests in progress.
        max_storage_concurrency: the most storage requests at once so far.
        count: requests so far, including forgotten ones.
    """

    points: Counter[str] = attrs.field(factory=Counter)
    concurrency: int = 0
    max_concurrency: int = 0
    storage_concurrency: int = 0
    max_storage_concurrency: int = 0
    _records: dict[int, RequestRecord] = attrs.field(factory=dict)
    count: int = 0

    def next_number(self) -> int:
        """Return the number of the request that is arriving."""
        self.count += 1
        return self.count

    def put(self, record: RequestRecord) -> RequestRecord:
        """Add ``record``, or replace the one with its number; a forgotten one is not added again."""
        self._records[record.number] = record
        return record

    def note(self, number: int, *, status: int | None = None, sent: int = 0) -> None:
        """Update request ``number``."""
        record = self._records.get(number)
        if record is not None:
            status = record.status if status is None else status
            self._records[number] = attrs.evolve(record, status=status, bytes_sent=record.bytes_sent + sent)

    def enter(self, host: Host) -> None:
        """Count a request in."""
        if host == "api":
            self.concurrency += 1
            self.max_concurrency = max(self.max_concurrency, self.concurrency)
        else:
            self.storage_concurrency += 1
            self.max_storage_concurrency = max(self.max_storage_concurrency, self.storage_concurrency)

    def leave(self, host: Host) -> None:
        """Count a request out."""
        if host == "api":
            self.concurrency -= 1
        else:
            self.storage_concurrency -= 1

    def charge(self, endpoint: str, method: str) -> int:
        """Add what a request costs to its endpoint's points, and return that cost."""
        cost = READ_POINTS if method in {"GET", "HEAD", "OPTIONS"} else WRITE_POINTS
        self.points[endpoint] += cost
        return cost

    @property
    def requests(self) -> list[RequestRecord]:
        """Every request in the order of arrival."""
        return list(self._records.values())

    def forget(self) -> None:
        """Drop the requests and sums; those in progress continue unrecorded."""
        self._records.clear()
        self.points.clear()
        self.max_concurrency = self.concurrency
        self.max_storage_concurrency = self.storage_concurrency
