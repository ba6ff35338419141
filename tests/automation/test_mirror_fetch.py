"""Which content is fetched first, and what an artifact is linked to."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import attrs
import pytest

from gh_artifacts_async import ExtractPolicy, RepositoryName
from gh_artifacts_async.api.emitter import Emitter
from gh_artifacts_async.automation.manifest import MirroredArtifact
from gh_artifacts_async.automation.mirror_fetch import Fetcher
from gh_artifacts_async.automation.mirror_plan import MirrorOptions, Planner
from gh_artifacts_async.transfer.download import DownloadOptions
from tests.kits.transfer import INLINE_SIZE, REPO, listed

if TYPE_CHECKING:
    from pathlib import Path

    from gh_artifacts_async import Artifact, ArtifactsClient
    from gh_artifacts_async.testing import FakeGitHub


async def fetcher(
    client: ArtifactsClient,
    folder: Path,
    artifacts: list[Artifact],
    entries: tuple[MirroredArtifact, ...] = (),
    options: MirrorOptions | None = None,
) -> Fetcher:
    """Return what does the jobs of a first run."""
    context = client._transfers()
    given = options or MirrorOptions()
    planner = Planner(context.github, RepositoryName.parse(REPO), folder, given)
    plan = await planner.plan({one.id: one for one in artifacts}, {}, {}, {})
    return Fetcher(context, folder, given, plan, emitter=Emitter(), entries=entries)


@pytest.fixture
async def artifacts(github: FakeGitHub, client: ArtifactsClient) -> list[Artifact]:
    """Three of one content, then one of another, and one without a digest."""
    run = github.add_run(REPO)
    for seed in (0, 0, 0, 1):
        github.add_artifact(run, "docs", size=INLINE_SIZE, seed=seed)
    github.add_artifact(run, "docs", size=INLINE_SIZE, digest=None)
    return await listed(client)


@pytest.mark.github_com("digest")
async def test_twins_come_last(client: ArtifactsClient, artifacts: list[Artifact], tmp_path: Path) -> None:
    """One of each content comes first, so that no transfer waits for another."""
    one, two, three, other, unknown = artifacts
    first = await fetcher(client, tmp_path, artifacts)
    assert first.subjects() == [one, other, unknown, two, three]
    sha256 = None if other.digest is None else other.digest.hex
    known = MirroredArtifact(id=1, name="docs", path=PurePosixPath("x.zip"), size=1, sha256=sha256)
    second = await fetcher(client, tmp_path, artifacts, (known,))
    assert second.subjects() == [one, unknown, two, three, other]
    third = await fetcher(client, tmp_path, artifacts, (attrs.evolve(known, tree="0" * 64),))
    assert third.subjects() == first.subjects()


async def test_folders_have_no_twins(client: ArtifactsClient, artifacts: list[Artifact], tmp_path: Path) -> None:
    """What is extracted is fetched in the order of the listing."""
    options = MirrorOptions(downloads=DownloadOptions(if_exists="skip", extract=ExtractPolicy()))
    assert (await fetcher(client, tmp_path, artifacts, options=options)).subjects() == artifacts


@pytest.mark.github_com("digest")
async def test_kinds(github: FakeGitHub, client: ArtifactsClient, artifacts: list[Artifact], tmp_path: Path) -> None:
    """The first of a content is downloaded, the second linked, and what was there before is kept."""
    one, two, three, *_ = artifacts
    (tmp_path / f"docs-{three.id}.zip").write_bytes(github.content(three.id))
    work = await fetcher(client, tmp_path, artifacts)
    kinds = [(await work.fetch(subject)).kind for subject in (one, two, three)]
    assert kinds == ["downloaded", "linked", "kept"]
    assert work.job(one).path.samefile(work.job(two).path)
    assert hashlib.sha256(work.job(two).path.read_bytes()).hexdigest() == one.digest.hex  # type: ignore[union-attr]
