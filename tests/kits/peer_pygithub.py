"""PyGithub, in threads."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import requests
from github import Auth, Github, GithubException, GithubIntegration

from tests.kits.peers import PER_PAGE, App, Seen, Where

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from github.Repository import Repository


class PyGithub:
    """By PyGithub."""

    def __init__(self, github: Github, where: Where) -> None:
        self._github = github
        self._where = where

    @classmethod
    @contextlib.asynccontextmanager
    async def at(cls, where: Where) -> AsyncGenerator[PyGithub]:
        """Open it."""
        verify = cls._verify(where)
        token = where.who
        if isinstance(token, App):
            by = Auth.AppAuth(token.id, token.private_key)
            with GithubIntegration(auth=by, base_url=where.base_url, verify=verify) as integration:
                token = (await asyncio.to_thread(integration.get_access_token, token.installation)).token
        with Github(
            auth=Auth.Token(token),
            base_url=where.base_url,
            verify=verify,
            per_page=PER_PAGE,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
        ) as github:
            yield cls(github, where)

    @staticmethod
    def _verify(where: Where) -> str | bool:
        return True if where.authority is None else str(where.authority)

    @property
    def _repo(self) -> Repository:
        return self._github.get_repo(self._where.repo)

    async def artifacts(self, *, run_id: int | None = None, name: str | None = None) -> list[Seen]:
        return await asyncio.to_thread(self._artifacts, run_id, name)

    def _artifacts(self, run_id: int | None, name: str | None) -> list[Seen]:
        if run_id is not None:
            return [self._seen(item) for item in self._repo.get_workflow_run(run_id).get_artifacts()]
        query = {} if name is None else {"name": name}
        return [self._seen(item) for item in self._repo.get_artifacts(**query)]

    async def runs(self, **filters: str) -> list[int]:
        return await asyncio.to_thread(lambda: [run.id for run in self._repo.get_workflow_runs(**filters)])

    async def artifact(self, artifact_id: int) -> Seen:
        return self._seen(await asyncio.to_thread(lambda: self._repo.get_artifact(artifact_id)))

    @staticmethod
    def _seen(item: Any) -> Seen:
        run = item.raw_data["workflow_run"]
        return Seen(
            item.id,
            item.name,
            item.size_in_bytes,
            item.raw_data.get("digest"),
            item.expired,
            item.created_at,
            None if run is None else item.workflow_run.id,
        )

    async def download(self, artifact_id: int) -> bytes:
        return await asyncio.to_thread(self._download, artifact_id)

    def _download(self, artifact_id: int) -> bytes:
        # It has no download, and follows a redirection to no host but the API's.
        url = f"/repos/{self._where.repo}/actions/artifacts/{artifact_id}/zip"
        headers, _ = self._github.requester.requestJsonAndCheck("GET", url)
        answer = requests.get(headers["location"], timeout=20, verify=self._verify(self._where))
        answer.raise_for_status()
        return answer.content

    async def delete(self, artifact_id: int) -> None:
        await asyncio.to_thread(self._delete, artifact_id)

    def _delete(self, artifact_id: int) -> None:
        artifact = self._repo.get_artifact(artifact_id)
        if not artifact.delete():  # which does not say why
            self._github.requester.requestJsonAndCheck("DELETE", artifact.url)

    def status(self, error: Exception) -> int:
        assert isinstance(error, GithubException)
        return error.status
