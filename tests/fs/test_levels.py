"""The folders above artifacts: which of several artifacts a name means, and what is asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from gh_artifacts_async import Artifact
from gh_artifacts_async.fs import levels
from gh_artifacts_async.models import parse_timestamp
from tests.kits.fs import REPO, SMALL, add, kinds

if TYPE_CHECKING:
    from gh_artifacts_async.fs import ArtifactsFileSystem
    from gh_artifacts_async.testing import FakeGitHub


def test_newest_of_each_name():
    """By time, then by id; one without a time is older than all others."""
    one = Artifact(id=5, name="a", size_in_bytes=1, url="u", archive_download_url="u", expired=False, created_at=None)
    old, new = (parse_timestamp(f"2026-01-0{day}T00:00:00Z") for day in (1, 2))
    listed = [
        attrs.evolve(one, id=9, created_at=old),
        attrs.evolve(one, id=3, created_at=new),
        attrs.evolve(one, id=2, created_at=new),
        attrs.evolve(one, id=99),
        attrs.evolve(one, id=1, name="b"),
    ]
    assert [(it.name, it.id) for it in levels.newest_of_each_name(listed)] == [("a", 3), ("b", 1)]
    assert levels.newest_of_each_name([]) == []


@pytest.mark.github_com("ranges")
async def test_requests(github: FakeGitHub, fs: ArtifactsFileSystem) -> None:
    """A name costs one listing, which spares the request for the artifact; a listing of names spares it for each."""
    run = github.add_run(REPO)
    for name in ("docs", "other"):
        github.add_artifact(run, name, files=SMALL)
    await fs._cat_file(f"{REPO}/runs/{run.id}/docs/notes.txt")
    assert kinds(github)[:2] == ["artifacts", "zip"]
    assert len(github.requests) == 3
    github.forget_requests()
    fs.invalidate_cache()
    await fs._ls(f"{REPO}/runs/{run.id}")
    for name in ("docs", "other"):
        await fs._cat_file(f"{REPO}/runs/{run.id}/{name}/notes.txt")
    assert len(github.requests) == 1 + 2 * 2
    github.forget_requests()
    fs.invalidate_cache()
    await fs._cat_file(f"{REPO}/latest/docs/notes.txt?conclusion=any")
    assert len(github.requests) == 1 + 2  # no run is asked for


async def test_recent_runs(github: FakeGitHub, fs: ArtifactsFileSystem) -> None:
    """The newest hundred are listed, by one request; older ones can be named."""
    first = github.add_run(REPO)
    github.add_artifact(first, "docs", files=SMALL)
    for _ in range(levels.RECENT):
        github.add_run(REPO)
    github.forget_requests()
    listed = await fs._ls(f"{REPO}/runs", detail=False)
    assert len(listed) == levels.RECENT
    assert len(github.requests) == 1
    assert f"{REPO}/runs/{first.id}" not in listed
    assert await fs._ls(f"{REPO}/runs/{first.id}", detail=False) == [f"{REPO}/runs/{first.id}/docs"]


async def test_an_owner_without_repositories(github: FakeGitHub, fs: ArtifactsFileSystem) -> None:
    """A user that has none is an empty folder."""
    add(github)
    github.add_user("octocat")
    assert await fs._isdir("octocat")
    assert await fs._ls("octocat") == []
