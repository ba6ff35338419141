"""githubkit, whose models are made from GitHub's description and validate what they are given."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import githubkit
from githubkit import AppInstallationAuthStrategy
from githubkit.cache import MemCacheStrategy
from githubkit.exception import RequestFailed

from tests.kits.peers import PER_PAGE, App, Seen, Where

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable


class GithubKit:
    """By githubkit."""

    def __init__(self, github: githubkit.GitHub[Any], repo: str) -> None:
        self._github = github
        owner, _, name = repo.partition("/")
        self._repo = {"owner": owner, "repo": name}

    @classmethod
    @contextlib.asynccontextmanager
    async def at(cls, where: Where) -> AsyncGenerator[GithubKit]:
        """Open it."""
        who: Any = where.who
        if isinstance(who, App):
            who = AppInstallationAuthStrategy(who.id, who.private_key, who.installation)
        async with githubkit.GitHub(
            who,
            base_url=f"{where.base_url}/",
            ssl_verify=where.tls,
            http_cache=where.cache,
            auto_retry=False,
            cache_strategy=MemCacheStrategy(),  # else an App's token is everybody's
        ) as github:
            yield cls(github, where.repo)

    async def _all(self, operation: Any, of: Callable[[Any], list[Any]], **arguments: Any) -> list[Any]:
        pages = self._github.rest.paginate(
            operation, map_func=lambda answer: of(answer.parsed_data), per_page=PER_PAGE, **self._repo, **arguments
        )
        return [item async for item in pages]

    async def artifacts(self, *, run_id: int | None = None, name: str | None = None) -> list[Seen]:
        actions = self._github.rest.actions
        arguments: dict[str, Any] = {} if name is None else {"name": name}
        operation: Any = actions.async_list_artifacts_for_repo
        if run_id is not None:
            operation = actions.async_list_workflow_run_artifacts
            arguments["run_id"] = run_id
        return [self._seen(item) for item in await self._all(operation, lambda page: page.artifacts, **arguments)]

    async def runs(self, **filters: str) -> list[int]:
        operation = self._github.rest.actions.async_list_workflow_runs_for_repo
        return [run.id for run in await self._all(operation, lambda page: page.workflow_runs, **filters)]

    async def artifact(self, artifact_id: int) -> Seen:
        found = await self._github.rest.actions.async_get_artifact(**self._repo, artifact_id=artifact_id)
        return self._seen(found.parsed_data)

    @staticmethod
    def _seen(item: Any) -> Seen:
        # What GitHub left out is "unset" there, and not None.
        digest = item.digest if isinstance(item.digest, str) else None
        run_id = item.workflow_run.id if item.workflow_run else None
        return Seen(item.id, item.name, item.size_in_bytes, digest, item.expired, item.created_at, run_id)

    async def download(self, artifact_id: int) -> bytes:
        operation = self._github.rest.actions.async_download_artifact
        return (await operation(**self._repo, artifact_id=artifact_id, archive_format="zip")).content

    async def delete(self, artifact_id: int) -> None:
        await self._github.rest.actions.async_delete_artifact(**self._repo, artifact_id=artifact_id)

    def status(self, error: Exception) -> int:
        assert isinstance(error, RequestFailed)
        return error.response.status_code
