"""What is in the way of a download, as far as GitHub's listing can tell."""

from __future__ import annotations

import os.path
from contextlib import aclosing
from typing import TYPE_CHECKING, Literal

from gh_artifacts_async.errors import DestinationExistsError

if TYPE_CHECKING:
    from datetime import datetime

    from gh_artifacts_async import Artifact, ArtifactsClient, RepositoryName

_MOST = 100
"""Artifacts of the same name that are compared with the file: one page of the listing."""


async def explained(
    client: ArtifactsClient, repo: RepositoryName, artifact: Artifact, error: DestinationExistsError
) -> DestinationExistsError:
    """Return the error with what is in the way: another artifact of the same name, where the listing still has it.

    Args:
        client: to ask with.
        repo: the repository.
        artifact: what was to be downloaded.
        error: says where.
    """
    path = error.filename or ""
    kind = _kind(path)
    if kind == "none":
        return error
    old = await _holder(client, repo, artifact, path) if kind == "file" else None
    if old is None:
        msg = f"{path} exists, and is not artifact {artifact.id}"
    else:
        order = "newer" if _age(artifact) > _age(old) else "older"
        msg = f"{path} is artifact {old.id}, and artifact {artifact.id} of the same name is {order}"
    return DestinationExistsError(msg, filename=error.filename)


def _age(artifact: Artifact) -> tuple[bool, datetime | None, int]:
    return artifact.created_at is not None, artifact.created_at, artifact.id


def _kind(path: str) -> Literal["file", "folder", "none"]:
    return "file" if os.path.isfile(path) else "folder" if os.path.isdir(path) else "none"  # noqa: PTH112, PTH113 - names


async def _holder(client: ArtifactsClient, repo: RepositoryName, artifact: Artifact, path: str) -> Artifact | None:
    """Return another artifact of the name whose bytes a file has."""
    async with aclosing(client.list_artifacts(repo, name=artifact.name, limit=_MOST)) as listed:
        async for other in listed:
            if other.id != artifact.id and other.digest is not None and await client.verify(other, path):
                return other
    return None
