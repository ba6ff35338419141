"""gidgethub on aiohttp."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

import aiohttp
from gidgethub import HTTPException, sansio
from gidgethub.aiohttp import GitHubAPI
from gidgethub.apps import get_installation_access_token

from tests.kits.peers import PER_PAGE, App, Seen, Where

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


def _from_json(item: dict[str, Any]) -> Seen:
    created = datetime.fromisoformat(item["created_at"])
    run_id = (item["workflow_run"] or {}).get("id")
    return Seen(item["id"], item["name"], item["size_in_bytes"], item.get("digest"), item["expired"], created, run_id)


class Gidgethub:
    """By gidgethub on aiohttp."""

    def __init__(self, github: GitHubAPI, repo: str) -> None:
        self._github = github
        self._actions = f"/repos/{repo}/actions"

    @classmethod
    @contextlib.asynccontextmanager
    async def at(cls, where: Where) -> AsyncGenerator[Gidgethub]:
        """Open it."""
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=where.tls)) as session:
            github = GitHubAPI(session, "peer", base_url=where.base_url, cache={} if where.cache else None)
            if isinstance(where.who, App):
                issued = await get_installation_access_token(
                    github,
                    installation_id=str(where.who.installation),
                    app_id=str(where.who.id),
                    private_key=where.who.private_key,
                )
                github.oauth_token = issued["token"]
            else:
                github.oauth_token = where.who
            yield cls(github, where.repo)

    async def _all(self, path: str, key: str, **query: Any) -> list[dict[str, Any]]:
        names = "".join(f",{name}" for name in query)
        url = f"{self._actions}{path}{{?per_page{names}}}"
        pages = self._github.getiter(url, {"per_page": str(PER_PAGE), **query}, iterable_key=key)
        return [item async for item in pages]

    async def artifacts(self, *, run_id: int | None = None, name: str | None = None) -> list[Seen]:
        path = "/artifacts" if run_id is None else f"/runs/{run_id}/artifacts"
        query = {} if name is None else {"name": name}
        return [_from_json(item) for item in await self._all(path, "artifacts", **query)]

    async def runs(self, **filters: str) -> list[int]:
        return [run["id"] for run in await self._all("/runs", "workflow_runs", **filters)]

    async def artifact(self, artifact_id: int) -> Seen:
        return _from_json(await self._github.getitem(f"{self._actions}/artifacts/{artifact_id}"))

    async def download(self, artifact_id: int) -> bytes:
        # Its public methods take every body for text.
        url = sansio.format_url(f"{self._actions}/artifacts/{artifact_id}/zip", {}, base_url=self._github.base_url)
        headers = sansio.create_headers("peer", oauth_token=self._github.oauth_token)
        status, answered, body = await self._github._request("GET", url, headers)
        if status >= 400:
            sansio.decipher_response(status, answered, body)
        return body

    async def delete(self, artifact_id: int) -> None:
        await self._github.delete(f"{self._actions}/artifacts/{artifact_id}")

    def status(self, error: Exception) -> int:
        assert isinstance(error, HTTPException)
        return int(error.status_code)
