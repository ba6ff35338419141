"""Scripted faults: what goes wrong, for whom, how often.

A fault with a number (``times=2``) waits in line: each request gets at most one of these, the first that applies, in
the order scripted. A fault without a limit (``times=None``) applies to every matching request, in addition to others.
A byte offset ``at`` is absolute in the stored bytes, whatever range a request asks for; the fault applies only to a
request whose response holds that byte. Without ``at`` it strikes in the middle of what is being sent.

The names of methods say what a client sees. ``where`` is the host that misbehaves: ``"api"`` or ``"storage"``, which
signed URLs point to. ``endpoint`` is the end of GitHub's operation id, such as ``"download-artifact"`` or
``"list-artifacts-for-repo"``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import attrs

from gh_artifacts_async.testing.clock import Clock
from gh_artifacts_async.testing.data.blobs import BytesBlob, SeededBlob
from gh_artifacts_async.testing.data.error_bodies import JSON, LIMIT_DOCS, SECONDARY, api_error, plain_error
from gh_artifacts_async.testing.faults.effects import CannedResponse, Drip, Effects, Framing, Stop
from gh_artifacts_async.testing.faults.fault import Fault, Occasion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gh_artifacts_async.testing.data.profiles import Host


@attrs.define
class Faults:
    """``github.faults``: one method per fault.

    Arguments that most of them share:

    - ``artifact``: an artifact's id; None, the default: any request, of whatever artifact.
    - ``times``: how many requests meet the fault; default: 1; None: every one. Counted faults wait in line: a request
      meets at most one of them, the first that applies. Those with ``times=None`` come in addition.
    - ``at``: a byte offset in the stored bytes, from 0, whatever range a request asks for; requests whose response
      does not hold that byte pass. None, the default: the middle of what is being sent.
    - ``where``: the host that misbehaves, ``"api"`` or ``"storage"``.
    - ``endpoint``: the end of GitHub's operation id, e.g. ``"download-artifact"``; None, the default: any.

    Each returns a ``Fault``, whose ``count`` says how often it has happened. Each raises LookupError if the fake has no
    such artifact, and ValueError where the fault could never happen.

    Attributes:
        clock: the fake's clock.
        script: the faults in order, including those that are used up.
    """

    clock: Clock
    script: list[Fault] = attrs.field(factory=list)
    _known: Callable[[int], bool] | None = attrs.field(default=None, kw_only=True, repr=False, alias="known")

    def add(self, fault: Fault) -> Fault:
        """Put ``fault`` at the end of the script.

        Raises:
            LookupError: the fake has no such artifact.
            ValueError: it could never happen: ``host`` is neither ``"api"`` nor ``"storage"``, an ``endpoint`` is of
                the API alone, or ``left`` is negative.
        """
        if fault.artifact_id is not None and self._known and not self._known(fault.artifact_id):
            msg = f"this fake has no artifact {fault.artifact_id!r}; use the id that add_artifact returned"
            raise LookupError(msg)
        if fault.host not in {"api", "storage"}:
            msg = f"where={fault.host!r} is no host; use 'api' or 'storage'"
            raise ValueError(msg)
        if fault.endpoint is not None and fault.host != "api":
            msg = f"endpoint={fault.endpoint!r} is an operation of the API; add where='api'"
            raise ValueError(msg)
        if fault.left is not None and fault.left < 0:
            msg = f"times={fault.left} is negative; use a number, or None for every request"
            raise ValueError(msg)
        self.script.append(fault)
        return fault

    def _script(self, name: str, fault: Fault) -> Fault:
        fault.name = name
        return self.add(fault)

    def clear(self) -> None:
        """Remove all faults."""
        self.script.clear()

    @property
    def pending(self) -> list[Fault]:
        """The counted faults that have not happened as often as scripted."""
        return [fault for fault in self.script if fault.left]

    def assert_used(self) -> None:
        """Check that each fault has happened as often as scripted, one with ``times=None`` once at least.

        Cancelled faults do not count.

        Raises:
            AssertionError: one has not; the message names each of them.
        """
        idle = [fault for fault in self.script if fault.left or (fault.left is None and not fault.count)]
        if idle:
            msg = "these faults did not happen as often as scripted: " + "; ".join(map(str, idle))
            raise AssertionError(msg)

    def meet(self, occasion: Occasion) -> Effects:
        """Return what happens to a request, and count it."""
        now = self.clock.timestamp()
        effects = Effects()
        fitting = [fault for fault in self.script if fault.fits(occasion, now)]
        first = next((fault for fault in fitting if fault.left is not None), None)
        for fault in fitting:
            if fault.left is None or fault is first:
                effects = effects.merged(fault.effects)
                fault.count += 1
        if first is not None and first.left is not None:
            first.left -= 1
        return effects

    # -- the connection --------------------------------------------------------------------------------------------

    def cut(
        self, artifact: int | None = None, at: int | None = None, times: int | None = 1, *, where: Host = "storage"
    ) -> Fault:
        """Close the connection (FIN) when byte ``at`` is due; Content-Length promised the rest."""
        return self._on_the_way("cut", Stop("cut", at), artifact, times, where)

    def reset(
        self, artifact: int | None = None, at: int | None = None, times: int | None = 1, *, where: Host = "storage"
    ) -> Fault:
        """Reset the connection (RST) when byte ``at`` is due."""
        return self._on_the_way("reset", Stop("reset", at), artifact, times, where)

    def stall(
        self,
        artifact: int | None = None,
        at: int | None = None,
        times: int | None = 1,
        *,
        seconds: float = 3600.0,
        where: Host = "storage",
    ) -> Fault:
        """Send nothing for ``seconds`` when byte ``at`` is due, then continue."""
        return self._on_the_way("stall", Stop("stall", at, seconds), artifact, times, where)

    def _on_the_way(self, name: str, stop: Stop, artifact: int | None, times: int | None, where: Host) -> Fault:
        return self._script(name, Fault(Effects(stop=stop), where, artifact, left=times, at=stop.at))

    def drip(
        self,
        artifact: int | None = None,
        times: int | None = 1,
        *,
        chunk: int = 1,
        interval: float = 0.2,
        at: int | None = 0,
    ) -> Fault:
        """Send the body slowly from byte ``at``: ``chunk`` bytes every ``interval`` seconds."""
        return self._script("drip", Fault(Effects(drip=Drip(chunk, interval, at)), "storage", artifact, left=times))

    def no_reply(
        self, artifact: int | None = None, times: int | None = 1, *, reset: bool = False, where: Host = "storage"
    ) -> Fault:
        """Close the connection (with RST if ``reset``) without sending a byte."""
        return self._script("no_reply", Fault(Effects(raw=b"", reset=reset), where, artifact, left=times))

    def garbage(
        self,
        artifact: int | None = None,
        times: int | None = 1,
        *,
        data: bytes = b"\x16\x03\x01\x00\x02\x02(\r\n\r\n",
        where: Host = "storage",
    ) -> Fault:
        """Send ``data`` in place of HTTP and close; it may be a whole response with, say, two Content-Lengths."""
        return self._script("garbage", Fault(Effects(raw=data), where, artifact, left=times))

    def slow_headers(
        self, artifact: int | None = None, times: int | None = 1, *, seconds: float = 3600.0, where: Host = "storage"
    ) -> Fault:
        """Wait ``seconds`` before the first byte of the response."""
        return self._script("slow_headers", Fault(Effects(head_delay=seconds), where, artifact, left=times))

    def pass_by(self, artifact: int | None = None, times: int | None = 1, *, where: Host = "storage") -> Fault:
        """Let ``times`` requests pass untouched: a gap in the line of counted faults."""
        return self._script("pass_by", Fault(Effects(), where, artifact, left=times))

    # -- the response ----------------------------------------------------------------------------------------------

    def status(
        self,
        artifact: int | None = None,
        code: int = 500,
        times: int | None = 1,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
        where: Host = "storage",
        endpoint: str | None = None,
    ) -> Fault:
        """Respond with ``code``; without ``body``: with an error as that host writes it (JSON, or Azure's XML)."""
        if body is None:
            default, body = plain_error(code, where)
            headers = {**default, **(headers or {})}
        data = body.encode() if isinstance(body, str) else body
        return self._respond(
            "status", CannedResponse(code, headers or {}, data), artifact, times, where, endpoint=endpoint
        )

    def _respond(
        self,
        name: str,
        response: CannedResponse,
        artifact: int | None,
        times: int | None,
        where: Host,
        *,
        endpoint: str | None = None,
    ) -> Fault:
        return self._script(name, Fault(Effects(response=response), where, artifact, endpoint, times))

    def headers(
        self,
        artifact: int | None = None,
        headers: Mapping[str, str | None] | None = None,
        times: int | None = 1,
        *,
        where: Host = "storage",
        endpoint: str | None = None,
    ) -> Fault:
        """Set ``headers`` on the honest response in place of its own; None removes one."""
        return self._script("headers", Fault(Effects(headers=dict(headers or {})), where, artifact, endpoint, times))

    def redirect(
        self,
        artifact: int | None = None,
        location: str = "",
        times: int | None = 1,
        *,
        status: int = 302,
        where: Host = "storage",
    ) -> Fault:
        """Redirect to ``location``: from storage, or from the API in place of the signed URL."""
        endpoint = "download-artifact" if where == "api" else None
        return self._respond(
            "redirect", CannedResponse(status, {"Location": location}), artifact, times, where, endpoint=endpoint
        )

    def html(
        self,
        artifact: int | None = None,
        times: int | None = 1,
        *,
        status: int = 200,
        where: Host = "api",
        endpoint: str | None = None,
    ) -> Fault:
        """Respond with a page of HTML, as a proxy that asks for a login does."""
        page = b"<!DOCTYPE html><html><title>Sign in</title><p>Please sign in.</p></html>"
        response = CannedResponse(status, {"Content-Type": "text/html; charset=utf-8"}, page)
        return self._respond("html", response, artifact, times, where, endpoint=endpoint)

    # -- the API ---------------------------------------------------------------------------------------------------

    def rate_limit(
        self,
        artifact: int | None = None,
        times: int | None = 1,
        *,
        status: int = 403,
        reset_in: float = 60.0,
        limit: int = 5000,
        retry_after: float | str | None = None,
        endpoint: str | None = None,
    ) -> Fault:
        """Refuse as over the primary limit, for at most ``reset_in`` seconds from now, also with ``times=None``."""
        until = int(self.clock.timestamp() + reset_in)
        headers = {
            **JSON,
            "x-ratelimit-limit": str(limit),
            "x-ratelimit-remaining": "0",
            "x-ratelimit-used": str(limit),
            "x-ratelimit-reset": str(until),
            "x-ratelimit-resource": "core",
        }
        if retry_after is not None:
            headers["retry-after"] = str(retry_after)
        body = api_error("API rate limit exceeded for user ID 583231.", LIMIT_DOCS)
        effects = Effects(response=CannedResponse(status, headers, body))
        return self._script("rate_limit", Fault(effects, "api", artifact, endpoint, times, until=until))

    def secondary_limit(
        self,
        artifact: int | None = None,
        times: int | None = 1,
        *,
        retry_after: float | str | None = None,
        status: int = 403,
        headers: Mapping[str, str] | None = None,
        endpoint: str | None = None,
    ) -> Fault:
        """Refuse as over a secondary limit; ``retry_after`` (seconds, or any text) is sent only if given."""
        sent = {**JSON, **(headers or {})}
        if retry_after is not None:
            sent["retry-after"] = str(retry_after)
        response = CannedResponse(status, sent, api_error(SECONDARY, f"{LIMIT_DOCS}#about-secondary-rate-limits"))
        return self._respond("secondary_limit", response, artifact, times, "api", endpoint=endpoint)

    def forbidden(
        self, artifact: int | None = None, times: int | None = 1, *, permissions: str = "actions=read"
    ) -> Fault:
        """Respond with 403 as to an App's token that lacks ``permissions``."""
        headers = {**JSON, "x-accepted-github-permissions": permissions}
        response = CannedResponse(403, headers, api_error("Resource not accessible by integration", status="403"))
        return self._respond("forbidden", response, artifact, times, "api")

    def expired_500(self, artifact: int | None = None, times: int | None = 1) -> Fault:
        """Respond to a download with 500 "Failed to generate URL", as GitHub did for expired artifacts."""
        response = CannedResponse(500, JSON, api_error("Failed to generate URL to download artifact."))
        return self._respond("expired_500", response, artifact, times, "api", endpoint="download-artifact")

    def next_link(self, url: str, times: int | None = 1) -> Fault:
        """Link to ``url`` as the next page in a response that has one."""
        return self._script("next_link", Fault(Effects(next_link=url), "api", left=times, needs_link=True))

    # -- the stored bytes ------------------------------------------------------------------------------------------

    def expire_url(self, artifact: int | None = None, times: int | None = 1) -> Fault:
        """Make storage refuse a signed URL as expired, now and in later requests."""
        return self._script("expire_url", Fault(Effects(expire=True), "storage", artifact, left=times))

    def ignore_range(self, artifact: int | None = None, times: int | None = 1) -> Fault:
        """Respond to a range request with 200 and the whole blob."""
        return self._script(
            "ignore_range", Fault(Effects(ignore_range=True), "storage", artifact, left=times, needs_range=True)
        )

    def wrong_content_range(
        self, artifact: int | None = None, value: str = "bytes 1-2/3", times: int | None = 1
    ) -> Fault:
        """Respond to a range request with 206 and a Content-Range of ``value``."""
        effects = Effects(content_range=value)
        return self._script("wrong_content_range", Fault(effects, "storage", artifact, left=times, needs_range=True))

    def change_etag(
        self, artifact: int | None = None, content: bytes | int | None = None, times: int | None = 1
    ) -> Fault:
        """Change the blob's ETag permanently as a request arrives, and its bytes if ``content`` is given.

        Args:
            artifact: whose blob.
            content: the new bytes, or a number: that many pseudo-random ones. The listing keeps the old digest.
            times: how many requests cause a change.
        """
        blob = SeededBlob(content, 1) if isinstance(content, int) else None if content is None else BytesBlob(content)
        return self._script("change_etag", Fault(Effects(change=(blob,)), "storage", artifact, left=times))

    def corrupt(self, artifact: int | None = None, at: int | None = None, times: int | None = 1) -> Fault:
        """Invert byte ``at`` of what is sent."""
        effects = Effects(corrupt=-1 if at is None else at)
        return self._script("corrupt", Fault(effects, "storage", artifact, left=times, at=at))

    def truncate_clean(
        self,
        artifact: int | None = None,
        at: int | None = None,
        times: int | None = 1,
        *,
        framing: Framing = "length",
    ) -> Fault:
        """End the body before byte ``at`` as if that were all of it: a shorter Content-Length, last chunk, or FIN."""
        effects = Effects(end_at=-1 if at is None else at, framing=framing)
        return self._script("truncate_clean", Fault(effects, "storage", artifact, left=times, at=at))

    def extra(
        self,
        artifact: int | None = None,
        data: bytes = b"extra",
        times: int | None = 1,
        *,
        framing: Framing | None = None,
    ) -> Fault:
        """Send ``data`` after the last byte, as part of the body."""
        return self._script("extra", Fault(Effects(extra=data, framing=framing), "storage", artifact, left=times))

    def wrong_length(self, artifact: int | None = None, by: int = 1, times: int | None = 1) -> Fault:
        """Send a Content-Length ``by`` bytes too large (the connection is then closed), or too small if negative."""
        return self._script("wrong_length", Fault(Effects(longer=by), "storage", artifact, left=times))

    def no_length(
        self, artifact: int | None = None, times: int | None = 1, *, framing: Literal["chunked", "close"] = "chunked"
    ) -> Fault:
        """Send the body without a Content-Length."""
        return self._script("no_length", Fault(Effects(framing=framing), "storage", artifact, left=times))

    def gzip(self, artifact: int | None = None, times: int | None = 1) -> Fault:
        """Send the body with gzip coding although the client did not accept it."""
        return self._script("gzip", Fault(Effects(gzip=True), "storage", artifact, left=times))
