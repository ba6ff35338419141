"""One scripted fault: what it does, and which requests it applies to."""

from __future__ import annotations

import attrs

from gh_artifacts_async.testing.data.profiles import Host
from gh_artifacts_async.testing.faults.effects import Effects


@attrs.frozen
class Occasion:
    """What a fault needs to know of a request.

    Attributes:
        host: where it arrived.
        artifact_id: the artifact it is for, or None.
        endpoint: GitHub's operation id.
        ranged: it has a Range header.
        bodiless: its response has no body.
        start: first byte of the honest response.
        stop: the byte after the last one.
        linked: the honest response links to a next page.
    """

    host: Host
    artifact_id: int | None = None
    endpoint: str | None = None
    ranged: bool = False
    bodiless: bool = False
    start: int = 0
    stop: int = 0
    linked: bool = False


@attrs.define(eq=False)
class Fault:
    """One scripted fault; keep it to look at ``count`` or ``left``, or to ``cancel`` it.

    Attributes:
        effects: what it does.
        host: where.
        artifact_id: for which artifact; None: all.
        endpoint: end of GitHub's operation id, e.g. ``download-artifact``; None: all.
        left: how many more times; None: no limit.
        at: the byte that must be in the response; None: any response.
        needs_range: only for requests with a Range header.
        needs_link: only for responses with a next page.
        until: time (seconds since 1970) at which it is over.
        name: the method of ``Faults`` that scripted it.
        count: how many requests it has happened to.
    """

    effects: Effects
    host: Host = "storage"
    artifact_id: int | None = None
    endpoint: str | None = None
    left: int | None = 1
    at: int | None = None
    needs_range: bool = False
    needs_link: bool = False
    until: float | None = None
    name: str = "fault"
    count: int = 0

    def __str__(self) -> str:
        """What it is, for whom, and how often it has happened, e.g. ``cut of artifact 7 at byte 100 (0 of 2)``."""
        words = [
            self.name,
            f"of artifact {self.artifact_id}" if self.artifact_id is not None else f"at the {self.host}",
        ]
        words += [] if self.endpoint is None else [f"for {self.endpoint}"]
        words += [] if self.at is None else [f"at byte {self.at}"]
        scripted = "any number" if self.left is None else self.count + self.left
        return f"{' '.join(words)} ({self.count} of {scripted})"

    def cancel(self) -> None:
        """Cancel the fault."""
        self.left = 0

    def fits(self, occasion: Occasion, now: float) -> bool:
        """Tell whether this fault applies to a request."""
        over = self.left == 0 or (self.until is not None and now >= self.until)
        return not over and self._is_for(occasion) and self._shows_in(occasion)

    def _is_for(self, occasion: Occasion) -> bool:
        return (
            self.host == occasion.host
            and self.artifact_id in {None, occasion.artifact_id}
            and (self.endpoint is None or (occasion.endpoint or "").endswith(self.endpoint))
        )

    def _shows_in(self, occasion: Occasion) -> bool:
        if (self.needs_range and not occasion.ranged) or (self.needs_link and not occasion.linked):
            return False
        if occasion.bodiless and self.effects.in_body:
            return False
        return self.at is None or occasion.start <= self.at < max(occasion.stop, occasion.start + 1)
