"""The operations of GitHub Apps: their installations, and tokens for them.

https://docs.github.com/en/rest/apps/apps
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gh_artifacts_async.testing.clock import iso
from gh_artifacts_async.testing.server.responses import HTTPError, Response, json_response
from gh_artifacts_async.testing.server.tokens import LEVELS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gh_artifacts_async.testing.data.models import FakeInstallation, FakeRepository
    from gh_artifacts_async.testing.server.backend import Backend, Call

_NOT_GRANTED = "The permissions requested are not granted to this installation."
_NOT_THERE = "There is at least one repository that does not exist or is not accessible to the parent installation."


def _installations(backend: Backend, call: Call) -> list[FakeInstallation]:
    """Return the installations of the App that the request's JSON Web Token names.

    Raises:
        HTTPError: 401, the token is not valid; 404, there is no such App.
    """
    issuer = backend.tokens.issuer(call.token)
    found = [item for item in backend.scenario.installations.values() if issuer in {str(item.app_id), item.client_id}]
    app = str(found[0].app_id) if found else issuer
    if not found and app not in backend.tokens.app_keys:
        raise HTTPError(404, "Integration not found")
    backend.tokens.check_signature(app, call.token)
    return found


def _included(backend: Backend, item: FakeInstallation) -> list[FakeRepository]:
    """Return an installation's repositories, under whatever name they have now."""
    scenario = backend.scenario
    numbers = {scenario.renamed.get(name.lower()) for name in item.repositories}
    names = {name.lower() for name in item.repositories}
    return [it for it in scenario.repositories.values() if it.id in numbers or it.full_name.lower() in names]


def _described(backend: Backend, call: Call, covers: Callable[[FakeRepository], bool]) -> Response:
    for item in _installations(backend, call):
        if any(map(covers, _included(backend, item))):
            return json_response(backend.render.installation(item))
    raise HTTPError(404, "Not Found")


async def get_repo_installation(backend: Backend, call: Call) -> Response:
    """Find a GitHub App's installation on a repository."""
    _installations(backend, call)  # an invalid token is told before anything about the repository
    wanted = backend.repository(call)
    return _described(backend, call, lambda repository: repository.id == wanted.id)


async def get_org_installation(backend: Backend, call: Call) -> Response:
    """Find a GitHub App's installation in an organization."""
    wanted = call.values["org"].lower()
    return _described(backend, call, lambda repository: repository.owner.lower() == wanted)


async def create_installation_access_token(backend: Backend, call: Call) -> Response:
    """Hand out an installation token, narrowed as the body says."""
    number = int(call.values["installation_id"])
    item = next((item for item in _installations(backend, call) if item.id == number), None)
    if item is None:
        raise HTTPError(404, "Not Found")
    asked = await _asked(call)
    permissions = _permissions(item, asked.get("permissions"))
    repositories = _repositories(backend, item, asked)
    preferred = call.request.headers.get("X-GitHub-Stateless-S2S-Token", "")
    stateless = {"enabled": True, "disabled": False}.get(preferred, item.stateless)
    numbers = {repository.id for repository in repositories}
    token, expires = backend.tokens.mint(item, numbers, permissions, stateless=stateless)
    document: dict[str, Any] = {
        "token": token,
        "expires_at": iso(expires),
        "permissions": permissions,
        "repository_selection": "selected",
    }
    if asked.keys() & {"repositories", "repository_ids"}:
        document["repositories"] = [backend.render.repository(repository) for repository in repositories]
    return json_response(document, 201)


async def _asked(call: Call) -> Mapping[str, Any]:
    """Return the body's JSON object; an empty one for no body."""
    if not await call.request.read():
        return {}
    try:
        found = await call.request.json()
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise HTTPError(400, "Problems parsing JSON")
    return {name: value for name, value in found.items() if value is not None}


def _permissions(item: FakeInstallation, asked: Mapping[str, str] | None) -> Mapping[str, str]:
    """Return what a token may do: all that the installation may, or the part of it that is asked for."""
    if asked is None:
        return dict(item.permissions)
    for name, level in asked.items():
        granted = item.permissions.get(name)
        if level not in LEVELS or granted not in LEVELS or LEVELS.index(level) > LEVELS.index(granted):
            raise HTTPError(422, _NOT_GRANTED)
    return {"metadata": "read", **asked}


def _repositories(backend: Backend, item: FakeInstallation, asked: Mapping[str, Any]) -> list[FakeRepository]:
    """Return the repositories that a token reaches: all of the installation's, or those that are asked for."""
    found = _included(backend, item)
    by_name = {str(name).lower() for name in asked.get("repositories", ())}
    by_id = set(asked.get("repository_ids", ()))
    if not by_name and not by_id:
        return found
    if not by_name <= {known.name.lower() for known in found} or not by_id <= {known.id for known in found}:
        raise HTTPError(422, _NOT_THERE)
    return [known for known in found if known.name.lower() in by_name or known.id in by_id]
