"""The folders above an artifact: what is in them, and which artifact a path means."""

from __future__ import annotations

from contextlib import aclosing
from operator import attrgetter
from typing import TYPE_CHECKING

from gh_artifacts_async.fs.paths import LATEST, RUNS, Place, joined, missing, names_itself
from gh_artifacts_async.models import Artifact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gh_artifacts_async.fs.loops import LoopState
    from gh_artifacts_async.fs.opened import Info
    from gh_artifacts_async.models import WorkflowRun

RECENT = 100
"""Runs that ``OWNER/REPO/runs`` lists, the newest; the others can be named all the same."""


async def listing(state: LoopState, place: Place) -> list[Info]:
    """Return what is in a folder above the artifacts; those that have expired are left out.

    Raises:
        FileNotFoundError: it is the root: GitHub's owners cannot be listed.
        ArtifactsError: GitHub answered with an error, or did not answer.
    """
    if place.kind == "owner":
        found = [name async for name in state.client.list_repositories(place.owner)]
        return [folder(str(name)) for name in found]
    if place.kind == "repo":
        return await _of_repository(state, place)
    if place.kind == "runs":
        runs = [run async for run in state.client.list_workflow_runs(place.repository, limit=RECENT)]
        return [_of_run(place, run) for run in runs]
    if place.kind == "root":
        raise missing(place.path, "the owners of GitHub cannot be listed; name one, as in ghartifacts://OWNER")
    named = [(joined(place.path, artifact.name), artifact) for artifact in await _named(state, place)]
    return [about(path, artifact) for path, artifact in named if names_itself(path, artifact.name)]


async def info(state: LoopState, place: Place) -> Info:
    """Return the details of a folder above the artifacts, after one request that says whether it exists.

    Raises:
        ArtifactsError: GitHub answered with an error, or did not answer.
    """
    await state.resolved.get(place.path, lambda: _check(state, place))
    return folder(place.path)


async def _check(state: LoopState, place: Place) -> bool:
    if place.kind == "owner":
        async with aclosing(state.client.list_repositories(place.owner, limit=1)) as found:
            async for _ in found:
                break
    elif place.kind == "run":
        await state.client.get_workflow_run(place.repository, place.run_id or 0)
    elif place.kind != "root":
        await state.client.count_artifacts(place.repository)
    return True


async def resolve(state: LoopState, place: Place) -> Artifact:
    """Return the artifact that a path means; the answer for a name is remembered for a minute.

    Raises:
        FileNotFoundError: there is none.
        ArtifactsError: GitHub answered with an error, or did not answer.
    """
    if place.artifact_id is not None:
        artifact = await state.artifact(place.repository, place.artifact_id)
        if artifact.expired:
            raise missing(place.path, f"artifact {artifact.id} has expired")
        return artifact
    found = await state.resolved.get(place.base, lambda: _search(state, place))
    assert isinstance(found, Artifact)  # noqa: S101 - the path of an artifact has nothing else
    return found


async def _search(state: LoopState, place: Place) -> Artifact:
    found = await _named(state, place)
    if not found:
        what = "in that run" if place.run_id is not None else "that matches"
        raise missing(place.path, f"there is no artifact {place.name!r} {what}, or it has expired")
    return found[0]


async def _named(state: LoopState, place: Place) -> list[Artifact]:
    """Return the artifacts of a run or of ``latest``, the newest of each name, and remember which they are."""
    if place.run_id is not None:
        listed = state.client.list_run_artifacts(place.repository, place.run_id, name=place.name or None)
    else:
        assert place.query is not None  # noqa: S101 - nothing else has names
        listed = state.client.find_artifacts(place.repository, place.query)
    found = newest_of_each_name([artifact async for artifact in listed if not artifact.expired])
    view = place.base.rpartition("/")[0] if place.name else place.path
    for artifact in found:
        state.remember(artifact)
        state.resolved.put(joined(view, artifact.name), artifact)
    return found


def newest_of_each_name(artifacts: Iterable[Artifact]) -> list[Artifact]:
    """Return the newest artifact of each name, by name: a run that was done again has several."""
    dated = sorted(artifacts, key=lambda it: (it.created_at is not None and it.created_at.timestamp(), it.id))
    return sorted({artifact.name: artifact for artifact in dated}.values(), key=attrgetter("name"))


async def _of_repository(state: LoopState, place: Place) -> list[Info]:
    found = [folder(joined(place.path, view)) for view in (LATEST, RUNS)]
    async for artifact in state.client.list_artifacts(place.repository):
        if not artifact.expired:
            state.remember(artifact)
            found.append(about(joined(place.path, str(artifact.id)), artifact))
    return found


def folder(path: str) -> Info:
    """Return the details of a folder."""
    return {"name": path, "size": 0, "type": "directory"}


def about(path: str, artifact: Artifact) -> Info:
    """Return the details of an artifact, which is a folder."""
    run = artifact.workflow_run
    return {
        **folder(path),
        "artifact_id": artifact.id,
        "artifact_name": artifact.name,
        "size_in_bytes": artifact.size_in_bytes,
        "created": artifact.created_at,
        "expires": artifact.expires_at,
        "run_id": artifact.run_id,
        "branch": None if run is None else run.head_branch,
    }


def _of_run(place: Place, run: WorkflowRun) -> Info:
    return {
        **folder(joined(place.path, str(run.id))),
        "run_id": run.id,
        "workflow": run.name,
        "branch": run.head_branch,
        "event": run.event,
        "conclusion": run.conclusion,
        "created": run.created_at,
    }
