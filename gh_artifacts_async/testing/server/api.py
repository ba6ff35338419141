"""The API's host: admission, rate limits, conditional requests, faults; the operations are in ``routes``."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote

import attrs
from multidict import CIMultiDict

from gh_artifacts_async.testing.data.blobs import BytesBlob
from gh_artifacts_async.testing.data.error_bodies import LIMIT_DOCS, SECONDARY
from gh_artifacts_async.testing.faults.fault import Occasion
from gh_artifacts_async.testing.faults.script import Faults
from gh_artifacts_async.testing.server.backend import Backend, Call
from gh_artifacts_async.testing.server.journal import Journal
from gh_artifacts_async.testing.server.rate_limits import MAX_CONCURRENT
from gh_artifacts_async.testing.server.responses import HTTPError, Response
from gh_artifacts_async.testing.server.routes import ROUTES, Route
from gh_artifacts_async.testing.server.wire import deliver

if TYPE_CHECKING:
    from aiohttp import web

    from gh_artifacts_async.testing.faults.effects import Effects
    from gh_artifacts_async.testing.server.rate_limits import Budget

_ADMINISTRATIVE = (
    "\r\nRequest forbidden by administrative rules. "
    "Please make sure your request has a User-Agent header "
    "(https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required). "
    "Check https://developer.github.com for other possible causes.\r\n"
)
_BASIC = re.compile(r"basic +(\S+)", re.IGNORECASE)
_AUTHORIZATION = re.compile(r"(?:bearer|token) +(\S+)", re.IGNORECASE)


@attrs.frozen
class Matched:
    """A request and the operation that its path belongs to, if any."""

    route: Route | None
    values: Mapping[str, str]

    @property
    def endpoint(self) -> str | None:
        """GitHub's operation id."""
        return None if self.route is None else self.route.endpoint

    @property
    def artifact_id(self) -> int | None:
        """The artifact in the path."""
        number = self.values.get("artifact_id")
        return None if number is None else int(number)


@attrs.define
class Api:
    """Handles the API's requests.

    Attributes:
        backend: what the operations work on.
        faults: what should go wrong.
        journal: records every request.
    """

    backend: Backend
    faults: Faults
    journal: Journal

    def match(self, request: web.Request) -> Matched:
        """Find the operation a request is for; paths match exactly, so that a trailing slash is a 404."""
        raw, prefix = request.raw_path.partition("?")[0], self.backend.scenario.profile.prefix
        # HEAD is GET without the body, for every operation.
        method = "GET" if request.method == "HEAD" else request.method
        if raw.startswith(prefix):
            for route in ROUTES:
                found = route.pattern.fullmatch(raw[len(prefix) :])
                if found and route.method == method:
                    values = {name: unquote(value) for name, value in found.groupdict().items() if value is not None}
                    return Matched(route, values)
        return Matched(None, {})

    async def handle(self, request: web.Request, number: int, matched: Matched) -> web.StreamResponse:
        """Handle ``request``, which has ``number`` in the journal."""
        honest = await self.own_answer(request, matched)
        occasion = Occasion(
            "api",
            matched.artifact_id,
            matched.endpoint,
            bodiless=request.method == "HEAD",
            stop=honest.body.size,
            linked='rel="next"' in honest.headers.get("Link", ""),
        )
        effects = self.faults.meet(occasion)
        response = self._faulty(honest, effects)
        self.journal.note(number, status=0 if effects.raw is not None else response.status)
        return await deliver(request, response, effects, lambda sent: self.journal.note(number, sent=sent))

    async def own_answer(self, request: web.Request, matched: Matched) -> Response:
        """Return the answer before any fault; this project's tests hold what they see here to GitHub's description."""
        token = _token(request)
        headers = self._common(request, number=self.journal.count)
        try:
            self._admit(request, matched, token)
            budget = self.backend.limits.budget(token)
            response = await self._within(budget, request, matched, token)
        except HTTPError as error:
            response = error.response()
            budget = self.backend.limits.budget(token)
        if self.backend.limits.enabled:
            headers.update(budget.headers())
        headers.update(response.headers)
        response = attrs.evolve(response, headers=headers, head_only=request.method == "HEAD")
        return _compressed(response) if _accepts_gzip(request) else response

    def _common(self, request: web.Request, number: int) -> CIMultiDict[str]:
        """Return the headers of every response of the API."""
        version = request.headers.get("X-GitHub-Api-Version", "2022-11-28")
        mark = hashlib.sha256(str(number).encode()).hexdigest().upper()
        headers = CIMultiDict(
            {
                "Server": "github.com",
                "Date": self.backend.scenario.clock.http_date(),
                "x-github-request-id": f"{mark[:4]}:{mark[4:10]}:{mark[10:17]}:{mark[17:24]}:{mark[24:32]}",
                "x-github-media-type": "github.v3; format=json",
                "Vary": "Accept, Authorization, Cookie, X-GitHub-OTP, Accept-Encoding, Accept, X-Requested-With",
                "X-Content-Type-Options": "nosniff",
            }
        )
        if version in self.backend.scenario.profile.api_versions:
            headers["x-github-api-version-selected"] = version
        if self.backend.scenario.profile.installed_version is not None:
            headers["x-github-enterprise-version"] = self.backend.scenario.profile.installed_version
        return headers

    def _admit(self, request: web.Request, matched: Matched, token: str) -> None:
        """Refuse what GitHub refuses whatever the path is."""
        if not request.headers.get("User-Agent"):
            raise HTTPError(403, _ADMINISTRATIVE, text=True)
        versions = self.backend.scenario.profile.api_versions
        version = request.headers.get("X-GitHub-Api-Version")
        if version is not None and versions and version not in versions:
            raise HTTPError(400, f"The API version {version!r} is not supported. Supported: {', '.join(versions)}.")
        # Apps' operations take a JSON Web Token and check it themselves.
        for_apps = (matched.endpoint or "").startswith("apps/")
        if "Authorization" in request.headers and not for_apps and not self.backend.tokens.good(token):
            raise HTTPError(401, "Bad credentials")

    async def _within(self, budget: Budget, request: web.Request, matched: Matched, token: str) -> Response:
        """Run the operation if the rate limits allow it; a 304 costs nothing."""
        route, limits = matched.route, self.backend.limits
        endpoint = matched.endpoint or "unknown"
        free = matched.endpoint == "rate-limit/get"
        if limits.enabled and not free and not budget.remaining:
            raise HTTPError(403, "API rate limit exceeded for user ID 583231.", documentation=LIMIT_DOCS)
        within = limits.spend(endpoint, self.journal.charge(endpoint, request.method))
        if limits.secondary and (not within or self.journal.concurrency > MAX_CONCURRENT):
            raise HTTPError(403, SECONDARY, documentation=LIMIT_DOCS, headers={"retry-after": f"{limits.minute:.0f}"})
        try:
            if route is None:
                raise HTTPError(404, "Not Found")
            response = await route.operation(self.backend, Call(request, route.endpoint, matched.values, token))
        finally:
            if not free:
                budget.used += 1
        return self._conditional(request, response, token, budget)

    def _conditional(self, request: web.Request, response: Response, token: str, budget: Budget) -> Response:
        """Add the ETag, which is specific to the token, to a 200; make it a 304 if the client has it."""
        if request.method not in {"GET", "HEAD"} or response.status != HTTPStatus.OK:
            return response
        mark = hashlib.sha256(token.encode() + b"\0" + response.body.read(0, response.body.size)).hexdigest()
        headers = {**response.headers, "ETag": f'W/"{mark}"', "Cache-Control": "private, max-age=60, s-maxage=60"}
        asked = {tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")}
        if asked & {f'W/"{mark}"', f'"{mark}"'}:
            budget.used -= 1
            headers.pop("Content-Type", None)
            return Response(304, headers)
        return attrs.evolve(response, headers=headers)

    def _faulty(self, honest: Response, effects: Effects) -> Response:
        canned = effects.response
        if canned is not None:
            headers = CIMultiDict(honest.headers)
            for name in ("Content-Encoding", "Content-Type", "ETag", "Link", "Location"):
                headers.popall(name, None)
            headers.update(canned.headers)
            return Response(canned.status, headers, BytesBlob(canned.body), head_only=honest.head_only)
        if effects.next_link is not None:
            headers = CIMultiDict(honest.headers)
            headers["Link"] = re.sub(r'<[^>]*>(?=; rel="next")', f"<{effects.next_link}>", headers.get("Link", ""))
            return attrs.evolve(honest, headers=headers)
        return honest


def _token(request: web.Request) -> str:
    """Return the token of a request; "" if there is none, or nothing that could be one.

    With Basic authentication it is the password, or the user name with the password ``x-oauth-basic`` or none.
    """
    given = request.headers.get("Authorization", "").strip()
    found = _AUTHORIZATION.fullmatch(given)
    if found:
        return found[1]
    basic = _BASIC.fullmatch(given)
    try:
        user, colon, password = base64.b64decode(basic[1] if basic else "", validate=True).decode().partition(":")
    except ValueError:
        return ""
    if not colon:
        return ""
    return user if password in {"", "x-oauth-basic"} else password


def _accepts_gzip(request: web.Request) -> bool:
    """Return whether ``Accept-Encoding`` allows gzip (https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3)."""
    qualities = {}
    for part in request.headers.get("Accept-Encoding", "").lower().split(","):
        coding, _, quality = part.partition(";")
        qualities[coding.strip()] = quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return qualities.get("gzip", qualities.get("*", False))


def _compressed(response: Response) -> Response:
    """Return a JSON response with gzip coding; any other as it is."""
    if not response.headers.get("Content-Type", "").startswith("application/json"):
        return response
    body = BytesBlob(gzip.compress(response.body.read(0, response.body.size), compresslevel=1, mtime=0))
    headers = CIMultiDict(response.headers)
    headers["Content-Encoding"] = "gzip"
    return attrs.evolve(response, headers=headers, body=body)
