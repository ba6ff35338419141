"""What the API's operations work on, and how they find the repository, run or artifact of a path."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
from aiohttp import web

from gh_artifacts_async.testing.data.scenario import Scenario
from gh_artifacts_async.testing.server.pages import ListingOptions, PageSeen, Paging
from gh_artifacts_async.testing.server.rate_limits import RateLimits
from gh_artifacts_async.testing.server.rendering import Renderer
from gh_artifacts_async.testing.server.responses import HTTPError, Response, json_response
from gh_artifacts_async.testing.server.signing import Signer
from gh_artifacts_async.testing.server.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from gh_artifacts_async.testing.data.models import FakeArtifact, FakeRepository, FakeRun

_NOT_FOR_APP = "Resource not accessible by integration"


@attrs.frozen
class Call:
    """A request with the operation it is for.

    Attributes:
        request: as it arrived.
        endpoint: GitHub's operation id.
        values: the parameters in the path, decoded.
        token: "" for none.
    """

    request: web.Request
    endpoint: str
    values: Mapping[str, str]
    token: str

    @property
    def query(self) -> Mapping[str, str]:
        """The decoded query."""
        return self.request.query

    async def document(self) -> Mapping[str, Any]:
        """Return the JSON object in the body, which is UTF-8 whatever its Content-Type says; empty for no body.

        https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#400-bad-request

        Raises:
            HTTPError: 400, it is no JSON object.
        """
        body = await self.request.read()
        try:
            found = json.loads(body) if body else {}
        except (ValueError, RecursionError):
            raise HTTPError(400, "Problems parsing JSON") from None
        if not isinstance(found, dict):
            raise HTTPError(400, "Body should be a JSON object")
        return found


@attrs.define
class Backend:
    """The data and the services behind the API.

    Attributes:
        scenario: the data.
        render: turns data into GitHub's JSON.
        signer: mints signed URLs.
        tokens: who may do what.
        limits: rate limits.
        listings: how listings behave.
        storage_url: origin of the storage host.
        same_host: v3 URLs point to the API's own host, as on an appliance.
    """

    scenario: Scenario
    render: Renderer
    signer: Signer
    tokens: Tokens
    limits: RateLimits
    listings: ListingOptions = attrs.field(factory=ListingOptions)
    storage_url: str = ""
    same_host: bool = False

    @property
    def origin(self) -> str:
        """Origin of the API's host."""
        return self.render.base_url.removesuffix(self.scenario.profile.prefix)

    def repository(self, call: Call) -> FakeRepository:
        """Return the repository of the path.

        Raises:
            HTTPError: 404, also where it is private and the request has no token; 301 where it was renamed; 404 or 403
                where the token is of an installation that does not include it.
        """
        if "repository_id" in call.values:
            found = self.scenario.repositories.get(int(call.values["repository_id"]))
        else:
            name = f"{call.values['owner']}/{call.values['repo']}"
            found = self.scenario.find_repository(name)
            if found is None and name.lower() in self.scenario.renamed:
                raise self._moved(call, self.scenario.renamed[name.lower()])
        if found is None or (found.private and not call.token):
            raise HTTPError(404, "Not Found")
        minted = self.tokens.minted.get(call.token)
        if minted is not None and found.id not in minted.repositories:
            raise HTTPError(404, "Not Found") if found.private else HTTPError(403, _NOT_FOR_APP)
        return found

    def check_may(self, call: Call, level: str, otherwise: str, permission: str = "actions") -> None:
        """Check that the request's token may do what needs ``level``: to artifacts, or of another permission.

        Raises:
            HTTPError: 403, with the message ``otherwise`` for what is not a token of an App.
        """
        minted = self.tokens.minted.get(call.token)
        if minted is not None and not minted.may(level, permission):
            raise HTTPError(403, _NOT_FOR_APP, headers={"X-Accepted-GitHub-Permissions": f"{permission}={level}"})
        if not call.token or call.token in self.tokens.scopeless:
            raise HTTPError(403, otherwise)

    def _moved(self, call: Call, repository_id: int) -> HTTPError:
        """Point to the repository's number (https://docs.github.com/en/rest/using-the-rest-api/best-practices)."""
        raw = call.request.raw_path[len(self.scenario.profile.prefix) :]
        rest = re.sub(r"^/repos/[^/?]+/[^/?]+", "", raw)
        location = f"{self.render.base_url}/repositories/{repository_id}{rest}"
        return HTTPError(301, "Moved Permanently", headers={"Location": location})

    def artifact(self, call: Call) -> FakeArtifact:
        """Return the artifact of the path, or raise the 404."""
        repository = self.repository(call)
        found = self.scenario.artifacts.get(int(call.values["artifact_id"]))
        if found is None or found.repository_id != repository.id:
            raise HTTPError(404, "Not Found")
        return found

    def run(self, call: Call) -> FakeRun:
        """Return the run of the path, or raise the 404."""
        repository = self.repository(call)
        found = self.scenario.runs.get(int(call.values["run_id"]))
        if found is None or found.repository_id != repository.id:
            raise HTTPError(404, "Not Found")
        return found

    def job(self, call: Call, key: str = "job_id") -> tuple[FakeRun, int]:
        """Return the attempt of the job that the path names at ``key``, and its place there, or raise the 404."""
        repository = self.repository(call)
        found = self.scenario.job(int(call.values[key]))
        if found is None or found[0].repository_id != repository.id:
            raise HTTPError(404, "Not Found")
        return found

    async def array(
        self, call: Call, about: str, found: list[Any], document: Callable[[Any], dict[str, Any]]
    ) -> Response:
        """Return the page that ``call`` asks for of a listing that is a bare array, and call ``on_page``.

        Args:
            call: the request.
            about: the account or repository that it is about.
            found: all entries, in order.
            document: turns one of them into JSON.
        """
        paging = Paging.of(call.query)
        links = paging.links(f"{self.origin}{call.request.path}", call.query, len(found))
        seen = PageSeen(call.endpoint, about, paging.number, paging.size, len(found))
        return await self.send_page([document(item) for item in paging.cut(found)], links, seen)

    async def page(
        self,
        call: Call,
        key: str,
        found: list[Any],
        document: Callable[[Any], dict[str, Any]],
        *,
        total: int | None = None,
    ) -> Response:
        """Return the page of a listing that ``call`` asks for, and call ``on_page``.

        Args:
            call: the request.
            key: name of the array in the JSON.
            found: all entries, in order.
            document: turns one of them into JSON.
            total: ``total_count``, if it is not the number of entries.
        """
        repository = self.repository(call)
        paging = Paging.of(call.query)
        total = len(found) if total is None else total
        tail = re.sub(r"^.*?(?=/actions/)", "", call.request.path)
        url = f"{self.render.base_url}/repositories/{repository.id}{tail}"
        body = {"total_count": total, key: [document(item) for item in paging.cut(found)]}
        links = paging.links(url, call.query, len(found))
        run_id = int(call.values["run_id"]) if "run_id" in call.values else None
        seen = PageSeen(call.endpoint, repository.full_name, paging.number, paging.size, total, run_id)
        return await self.send_page(body, links, seen)

    async def send_page(self, body: Any, links: Mapping[str, str], seen: PageSeen) -> Response:  # noqa: ANN401 - JSON
        """Return a page with the links to others, and call ``on_page``."""
        response = json_response(body, headers=self.listings.link(links))
        if self.listings.on_page is not None:
            outcome = self.listings.on_page(seen)
            if inspect.isawaitable(outcome):
                await outcome
        return response
