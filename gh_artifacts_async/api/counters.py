"""The numbers behind ``client.statistics``: counted where things happen, with no event and no call in between."""

from __future__ import annotations

from gh_artifacts_async.results import Statistics


class Counters:
    """What one client has done so far; the attributes are those of :class:`~gh_artifacts_async.Statistics`.

    The plain numbers are added to where they are counted; a call there would cost more than the addition.
    """

    __slots__ = (
        "api_requests",
        "artifacts_done",
        "artifacts_failed",
        "artifacts_skipped",
        "bytes_fetched",
        "not_modified",
        "paced_seconds",
        "paused_seconds",
        "pauses",
        "retries",
        "storage_requests",
    )

    def __init__(self) -> None:
        """Start from zero."""
        self.api_requests: int = 0
        self.storage_requests: int = 0
        self.not_modified: int = 0
        self.bytes_fetched: int = 0
        self.artifacts_done: int = 0
        self.artifacts_skipped: int = 0
        self.artifacts_failed: int = 0
        self.retries: dict[str, int] = {}
        self.pauses: dict[str, int] = {}
        self.paused_seconds: dict[str, float] = {}
        self.paced_seconds: float = 0.0

    def retry(self, kind: str, error: BaseException) -> None:
        """Count a failed attempt that is followed by another, by the error that ended it."""
        key = f"{kind}/{type(error).__name__}"
        self.retries[key] = self.retries.get(key, 0) + 1

    def pause(self, kind: str, seconds: float) -> None:
        """Count a pause, or the seconds that one became longer.

        Args:
            kind: ``"primary"`` or ``"secondary"``.
            seconds: of this pause alone: without those of a pause under way that it overlaps.
        """
        self.pauses[kind] = self.pauses.get(kind, 0) + 1
        self.paused_seconds[kind] = self.paused_seconds.get(kind, 0.0) + seconds

    def snapshot(self) -> Statistics:
        """Return the numbers as of now."""
        return Statistics(
            api_requests=self.api_requests,
            storage_requests=self.storage_requests,
            not_modified=self.not_modified,
            bytes_fetched=self.bytes_fetched,
            artifacts_done=self.artifacts_done,
            artifacts_skipped=self.artifacts_skipped,
            artifacts_failed=self.artifacts_failed,
            retries=dict(self.retries),
            pauses=dict(self.pauses),
            paused_seconds=dict(self.paused_seconds),
            paced_seconds=self.paced_seconds,
        )
