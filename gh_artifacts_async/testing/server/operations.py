"""What each of GitHub's operations does, one function each, and the paths they stand at."""

from __future__ import annotations

import inspect
import random
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import attrs
from aiohttp import web

from gh_artifacts_async.testing.clock import iso
from gh_artifacts_async.testing.data.scenario import Scenario
from gh_artifacts_async.testing.server.documents import Documents
from gh_artifacts_async.testing.server.limits import RateLimits
from gh_artifacts_async.testing.server.problems import Paging, Problem, json_reply
from gh_artifacts_async.testing.server.runfilters import SEARCH_CAP, matching_runs
from gh_artifacts_async.testing.server.signing import Signer
from gh_artifacts_async.testing.server.tokens import Tokens
from gh_artifacts_async.testing.server.wire import Reply

if TYPE_CHECKING:
    from gh_artifacts_async.testing.data.records import FakeArtifact, FakeRepository, FakeRun

_ACTIONS_SCOPE = "You must have the actions scope to download artifacts."


@attrs.frozen
class Call:
    """A request on its way through an operation.

    Attributes:
        request: as it arrived.
        endpoint: GitHub's operation id.
        values: of the path, decoded.
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


@attrs.frozen
class PageSeen:
    """What ``on_page`` is told of: a page of a listing that is about to be sent.

    Attributes:
        endpoint: GitHub's operation id.
        repo: ``owner/name``.
        page: its number.
        per_page: entries on a page.
        total_count: as it says.
        run_id: the run whose artifacts are listed, or None.
    """

    endpoint: str
    repo: str
    page: int
    per_page: int
    total_count: int
    run_id: int | None = None


@attrs.define
class ListingManners:
    """How listings behave beside their data.

    Attributes:
        on_page: called after each page is made up; what it changes shows on the next. A coroutine function will do.
        shuffle_links: give the Link header's parts in another order each time.
        omit_last_link: leave ``last`` out, as GitHub may.
    """

    on_page: Callable[[PageSeen], object] | None = None
    shuffle_links: bool = False
    omit_last_link: bool = False
    _random: random.Random = attrs.field(factory=lambda: random.Random(0))  # noqa: S311

    def link(self, links: Mapping[str, str]) -> dict[str, str]:
        """Return the Link header, if there is anything to link."""
        parts = [f'<{url}>; rel="{rel}"' for rel, url in links.items() if rel != "last" or not self.omit_last_link]
        if self.shuffle_links:
            self._random.shuffle(parts)
        return {"Link": ", ".join(parts)} if parts else {}


@attrs.define
class Operations:
    """The operations and what they work on.

    Attributes:
        scenario: the data.
        documents: writes JSON.
        signer: mints signed URLs.
        tokens: who may.
        limits: rate limits.
        manners: how listings behave.
        storage_url: origin of the storage host.
        same_host: v3 URLs lead to the API's own host, as on an appliance.
    """

    scenario: Scenario
    documents: Documents
    signer: Signer
    tokens: Tokens
    limits: RateLimits
    manners: ListingManners = attrs.field(factory=ListingManners)
    storage_url: str = ""
    same_host: bool = False

    # -- finding ---------------------------------------------------------------------------------------------------

    def repository(self, call: Call) -> FakeRepository:
        """Return the repository of the path.

        Raises:
            Problem: 404, also where it is private and no token came; 301 where it was renamed.
        """
        if "repository_id" in call.values:
            found = self.scenario.repositories.get(int(call.values["repository_id"]))
        else:
            name = f"{call.values['owner']}/{call.values['repo']}"
            found = self.scenario.find_repository(name)
            if found is None and name.lower() in self.scenario.renamed:
                raise self._moved(call, self.scenario.renamed[name.lower()])
        if found is None or (found.private and not call.token):
            raise Problem(404, "Not Found")
        return found

    def _moved(self, call: Call, repository_id: int) -> Problem:
        """Point to the repository's number (https://docs.github.com/en/rest/using-the-rest-api/best-practices)."""
        raw = call.request.raw_path[len(self.scenario.profile.prefix) :]
        rest = re.sub(r"^/repos/[^/?]+/[^/?]+", "", raw)
        location = f"{self.documents.base_url}/repositories/{repository_id}{rest}"
        return Problem(301, "Moved Permanently", headers={"Location": location})

    def artifact(self, call: Call) -> FakeArtifact:
        """Return the artifact of the path, or raise the Problem 404."""
        repository = self.repository(call)
        found = self.scenario.artifacts.get(int(call.values["artifact_id"]))
        if found is None or found.repository_id != repository.id:
            raise Problem(404, "Not Found")
        return found

    def run(self, call: Call) -> FakeRun:
        """Return the run of the path, or raise the Problem 404."""
        repository = self.repository(call)
        found = self.scenario.runs.get(int(call.values["run_id"]))
        if found is None or found.repository_id != repository.id:
            raise Problem(404, "Not Found")
        return found

    # -- artifacts -------------------------------------------------------------------------------------------------

    async def list_artifacts_for_repo(self, call: Call) -> Reply:
        """List a repository's artifacts."""
        repository = self.repository(call)
        found = self.scenario.listing(repository.id)
        if self.scenario.profile.name_filter:
            found = _named(found, call.query)
        return await self._page(call, repository, found, self.documents.artifact)

    async def list_workflow_run_artifacts(self, call: Call) -> Reply:
        """List a run's artifacts."""
        repository, run = self.repository(call), self.run(call)
        found = self.scenario.listing(repository.id, run.id)
        if self.scenario.profile.run_name_filter:
            found = _named(found, call.query)
        if self.scenario.profile.direction and call.query.get("direction") == "asc":
            found.reverse()
        return await self._page(call, repository, found, self.documents.artifact)

    async def _page(
        self,
        call: Call,
        repository: FakeRepository,
        found: list[Any],
        document: Callable[[Any], dict[str, Any]],
        *,
        key: str = "artifacts",
        total: int | None = None,
    ) -> Reply:
        """Return one page of a listing, and tell ``on_page``."""
        paging = Paging.of(call.query)
        total = len(found) if total is None else total
        tail = re.sub(r"^.*?(?=/actions/)", "", call.request.path)
        url = f"{self.documents.base_url}/repositories/{repository.id}{tail}"
        body = {"total_count": total, key: [document(item) for item in paging.cut(found)]}
        reply = json_reply(body, headers=self.manners.link(paging.links(url, call.query, len(found))))
        if self.manners.on_page is not None:
            run_id = int(call.values["run_id"]) if "run_id" in call.values else None
            seen = PageSeen(call.endpoint, repository.full_name, paging.number, paging.size, total, run_id)
            outcome = self.manners.on_page(seen)
            if inspect.isawaitable(outcome):
                await outcome
        return reply

    async def get_artifact(self, call: Call) -> Reply:
        """Get an artifact."""
        return json_reply(self.documents.artifact(self.artifact(call)))

    async def delete_artifact(self, call: Call) -> Reply:
        """Delete an artifact."""
        artifact = self.artifact(call)
        if not call.token or call.token in self.tokens.scopeless:
            raise Problem(403, "Must have admin rights to Repository.")
        del self.scenario.artifacts[artifact.id]
        return Reply(204)

    async def download_artifact(self, call: Call) -> Reply:
        """Redirect to an artifact's bytes."""
        artifact = self.artifact(call)
        if call.values["archive_format"] != "zip":
            raise Problem(404, "Not Found")
        if not call.token or call.token in self.tokens.scopeless:
            raise Problem(403, _ACTIONS_SCOPE)
        if self.scenario.is_expired(artifact):
            raise Problem(410, "Artifact has expired")
        same_host = self.same_host and artifact.kind == "v3"
        target = self.signer.mint(artifact, same_host=same_host)
        return Reply(302, {"Location": f"{self._api_origin() if same_host else self.storage_url}{target}"})

    def _api_origin(self) -> str:
        return self.documents.base_url.removesuffix(self.scenario.profile.prefix)

    # -- neighbours ------------------------------------------------------------------------------------------------

    async def list_workflow_runs_for_repo(self, call: Call) -> Reply:
        """List a repository's runs."""
        return await self._runs(call, self.scenario.run_listing(self.repository(call).id))

    async def list_workflow_runs(self, call: Call) -> Reply:
        """List the runs of one workflow, named by its file or its number."""
        repository, wanted = self.repository(call), call.values["workflow_id"]
        known = {name for owner, name in self.scenario.workflows if owner == repository.id}
        numbers = {str(self.scenario.workflows[repository.id, name]) for name in known}
        if wanted not in known | numbers:
            raise Problem(404, "Not Found")
        runs = self.scenario.run_listing(repository.id)
        return await self._runs(call, [run for run in runs if wanted in {run.workflow, str(run.workflow_id)}])

    async def _runs(self, call: Call, runs: list[FakeRun]) -> Reply:
        found, filtered = matching_runs(runs, call.query)
        pull_requests = call.query.get("exclude_pull_requests") != "true"
        total = len(found)
        shown = found[:SEARCH_CAP] if filtered else found

        def document(run: FakeRun) -> dict[str, Any]:
            return self.documents.run(run, pull_requests=pull_requests)

        return await self._page(call, self.repository(call), shown, document, key="workflow_runs", total=total)

    async def get_workflow_run(self, call: Call) -> Reply:
        """Get a run."""
        return json_reply(self.documents.run(self.run(call)))

    async def delete_workflow_run(self, call: Call) -> Reply:
        """Delete a run, and with it its artifacts."""
        run = self.run(call)
        if not call.token:
            raise Problem(403, "Must have admin rights to Repository.")
        for artifact in self.scenario.listing(run.repository_id, run.id):
            del self.scenario.artifacts[artifact.id]
        del self.scenario.runs[run.id]
        return Reply(204)

    async def get_repository(self, call: Call) -> Reply:
        """Get a repository."""
        return json_reply(self.documents.repository(self.repository(call)))

    async def get_rate_limit(self, call: Call) -> Reply:
        """Tell what is left of the primary rate limit."""
        if not self.limits.enabled:
            raise Problem(404, "Rate limiting is not enabled.")
        budget = self.limits.budget(call.token)
        told = {"limit": budget.limit, "used": budget.used, "remaining": budget.remaining, "reset": budget.reset}
        search = {"limit": 30, "used": 0, "remaining": 30, "reset": budget.reset}
        document: dict[str, Any] = {"resources": {"core": told, "search": search}}
        if call.request.headers.get("X-GitHub-Api-Version") != "2026-03-10":
            document["rate"] = told
        return json_reply(document)

    async def get_repo_installation(self, call: Call) -> Reply:
        """Find a GitHub App's installation on a repository."""
        app = self.tokens.app_id(call.token)
        name = f"{call.values['owner']}/{call.values['repo']}".lower()
        for item in self.scenario.installations.values():
            if str(item.app_id) == app and name in {known.lower() for known in item.repositories}:
                return json_reply(self.documents.installation(item))
        raise Problem(404, "Not Found")

    async def create_installation_access_token(self, call: Call) -> Reply:
        """Hand out an installation token."""
        app = self.tokens.app_id(call.token)
        item = self.scenario.installations.get(int(call.values["installation_id"]))
        if item is None or str(item.app_id) != app:
            raise Problem(404, "Not Found")
        token, expires = self.tokens.mint(item)
        document = {
            "token": token,
            "expires_at": iso(expires),
            "permissions": dict(item.permissions),
            "repository_selection": "selected",
        }
        return json_reply(document, 201)


def _named(artifacts: list[FakeArtifact], query: Mapping[str, str]) -> list[FakeArtifact]:
    name = query.get("name")
    return artifacts if name is None else [item for item in artifacts if item.name == name]


Method = Literal["GET", "DELETE", "POST"]


@attrs.frozen
class Route:
    """Where an operation stands.

    Attributes:
        method: e.g. ``GET``.
        pattern: matches the path as it stands on the wire, after the profile's prefix.
        endpoint: GitHub's operation id.
        answer: the operation.
    """

    method: Method
    pattern: re.Pattern[str]
    endpoint: str
    answer: Callable[[Operations, Call], Awaitable[Reply]]


_SUBJECT = r"(?:/repos/(?P<owner>[^/]+)/(?P<repo>[^/]+)|/repositories/(?P<repository_id>\d+))"
_ARTIFACT = rf"{_SUBJECT}/actions/artifacts/(?P<artifact_id>\d{{1,19}})"
_RUN = rf"{_SUBJECT}/actions/runs/(?P<run_id>\d{{1,19}})"


def _route(method: Method, path: str, endpoint: str, answer: Callable[[Operations, Call], Awaitable[Reply]]) -> Route:
    return Route(method, re.compile(path), endpoint, answer)


ROUTES: tuple[Route, ...] = (
    _route(
        "GET", f"{_SUBJECT}/actions/artifacts", "actions/list-artifacts-for-repo", Operations.list_artifacts_for_repo
    ),
    _route("GET", _ARTIFACT, "actions/get-artifact", Operations.get_artifact),
    _route("DELETE", _ARTIFACT, "actions/delete-artifact", Operations.delete_artifact),
    _route("GET", rf"{_ARTIFACT}/(?P<archive_format>[^/]+)", "actions/download-artifact", Operations.download_artifact),
    _route("GET", f"{_RUN}/artifacts", "actions/list-workflow-run-artifacts", Operations.list_workflow_run_artifacts),
    _route(
        "GET", f"{_SUBJECT}/actions/runs", "actions/list-workflow-runs-for-repo", Operations.list_workflow_runs_for_repo
    ),
    _route(
        "GET",
        rf"{_SUBJECT}/actions/workflows/(?P<workflow_id>[^/]+)/runs",
        "actions/list-workflow-runs",
        Operations.list_workflow_runs,
    ),
    _route("GET", _RUN, "actions/get-workflow-run", Operations.get_workflow_run),
    _route("DELETE", _RUN, "actions/delete-workflow-run", Operations.delete_workflow_run),
    _route("GET", _SUBJECT, "repos/get", Operations.get_repository),
    _route("GET", rf"{_SUBJECT}/installation", "apps/get-repo-installation", Operations.get_repo_installation),
    _route("GET", "/rate_limit", "rate-limit/get", Operations.get_rate_limit),
    _route(
        "POST",
        r"/app/installations/(?P<installation_id>\d{1,19})/access_tokens",
        "apps/create-installation-access-token",
        Operations.create_installation_access_token,
    ),
)
