"""What a download would do: as download_many does it, with nothing written and storage not asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import (
    Artifact,
    ArtifactRef,
    ArtifactsClient,
    ConfigurationError,
    ConnectionFailedError,
    DestinationExistsError,
    NotFoundError,
    PlannedDownload,
)
from tests.kits.transfer import INLINE_SIZE, ONE_TRY, REPO, WORKER_SIZE, add, client_for, get

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from gh_artifacts_async.testing import FakeGitHub


async def planned(client: ArtifactsClient, artifact_id: int, folder: Path, **options: Any) -> PlannedDownload:
    """Return the plan for one artifact."""
    (plan,) = await client.plan_downloads([await get(client, artifact_id)], folder, **options)
    return plan


@pytest.mark.github_com("size")
async def test_a_fresh_download(github: FakeGitHub, tmp_path: Path) -> None:
    """All of it is to be fetched; no folder is created, and storage gets no request."""
    number = add(github)
    async with client_for(github) as client:
        plan = await planned(client, number, tmp_path / "out")
    assert (plan.artifact.id, plan.action, plan.bytes) == (number, "download", WORKER_SIZE)
    assert plan.path == tmp_path / "out" / f"docs-{number}.zip"
    assert not (tmp_path / "out").exists()
    assert github.requests_to("storage") == []


async def test_without_a_token(github: FakeGitHub, tmp_path: Path) -> None:
    """A plan needs no more permission than a listing."""
    number = add(github)
    async with client_for(github, None) as client:
        assert (await planned(client, number, tmp_path)).action == "download"


@pytest.mark.parametrize("extract", [False, True])
async def test_what_was_downloaded_is_skipped(github: FakeGitHub, tmp_path: Path, *, extract: bool) -> None:
    """The plan agrees with the download: the same path, and nothing to fetch."""
    number = add(github, files={"a": b"x"})
    async with client_for(github) as client:
        artifact = await get(client, number)
        async with client.download_many([artifact], tmp_path, layout="id", extract=extract) as outcomes:
            (outcome,) = [outcome async for outcome in outcomes]
        before = len(github.requests_to("storage"))
        plan = await planned(client, number, tmp_path, extract=extract)
        assert outcome.value is not None
        assert (plan.action, plan.path, plan.bytes) == ("skip", outcome.value.path, 0)
        replaced = await planned(client, number, tmp_path, extract=extract, if_exists="replace")
        assert (replaced.action, replaced.bytes) == ("skip", 0)
        refused = await planned(client, number, tmp_path, extract=extract, if_exists="error")
        assert (refused.action, refused.bytes) == ("conflict", 0)
    assert len(github.requests_to("storage")) == before


async def test_a_raw_file_is_found_under_its_own_name(github: FakeGitHub, tmp_path: Path) -> None:
    """As download_many finds it."""
    number = add(github, "report.html", raw=("report.html", b"<p>"))
    async with client_for(github) as client:
        await client.download(await get(client, number), tmp_path)
        plan = await planned(client, number, tmp_path, layout="name")
    assert (plan.action, plan.path) == ("skip", tmp_path / "report.html")


async def test_something_else_in_the_way_is_a_conflict(github: FakeGitHub, tmp_path: Path) -> None:
    """It would be an error of download_many; replacing it would not."""
    number = add(github)
    (tmp_path / "docs.zip").write_bytes(b"mine")
    async with client_for(github) as client:
        for if_exists, action in (("skip", "conflict"), ("error", "conflict"), ("replace", "download")):
            plan = await planned(client, number, tmp_path, layout="name", if_exists=if_exists)
            assert (plan.action, plan.path) == (action, tmp_path / "docs.zip")
    assert (tmp_path / "docs.zip").read_bytes() == b"mine"


async def test_two_artifacts_of_one_place_are_conflicts(github: FakeGitHub, tmp_path: Path) -> None:
    """Both of them, even where one is there already; a third is not touched by that, and a twin of itself is none."""
    one, two, other = add(github), add(github), add(github, "other")
    async with client_for(github) as client:
        artifacts = [await get(client, number) for number in (one, two, other)]
        await client.download(artifacts[0], tmp_path)
        plans = await client.plan_downloads([*artifacts, artifacts[2]], tmp_path, layout="name")
        assert [(plan.artifact.id, plan.action) for plan in plans] == [
            (one, "conflict"),
            (two, "conflict"),
            (other, "download"),
        ]
        assert [plan.action for plan in await client.plan_downloads(artifacts, tmp_path)] == ["download"] * 3


class TestResume:
    """Part files of an earlier run."""

    @pytest.fixture
    async def broken(self, github: FakeGitHub, tmp_path: Path) -> int:
        """An artifact whose download broke half way."""
        number = add(github)
        github.faults.cut(number, at=WORKER_SIZE // 2)
        async with client_for(github, retry=ONE_TRY) as client:
            with pytest.raises(ConnectionFailedError):
                await client.download(await get(client, number), tmp_path)
        github.faults.clear()
        return number

    @pytest.mark.github_com("ranges")
    @pytest.mark.parametrize("extract", [False, True])
    async def test_only_what_is_missing_counts(
        self, github: FakeGitHub, tmp_path: Path, broken: int, *, extract: bool
    ) -> None:
        """The plan says how much the download then fetches, and leaves the part as it is."""
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        async with client_for(github) as client:
            plan = await planned(client, broken, tmp_path, extract=extract)
            assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
            assert plan.action == "resume"
            assert 0 < plan.bytes < WORKER_SIZE
            result = await client.download(await get(client, broken), tmp_path)
        assert WORKER_SIZE - result.resumed_from == plan.bytes

    @pytest.mark.github_com("ranges")
    async def test_a_part_that_cannot_be_used(self, github: FakeGitHub, tmp_path: Path, broken: int) -> None:
        """Without its state a part is of no use; nothing is swept, as a download would."""
        (part,) = tmp_path.glob(".*.part")
        (state,) = tmp_path.glob(".*.part.json")
        part.rename(tmp_path / f".docs.{broken}.0123456789.part")
        async with client_for(github) as client:
            plan = await planned(client, broken, tmp_path)
        assert (plan.action, plan.bytes) == ("download", WORKER_SIZE)
        assert state.exists()

    @pytest.mark.github_com("ranges")
    async def test_a_part_of_another_digest(self, github: FakeGitHub, tmp_path: Path, broken: int) -> None:
        """What belongs to other bytes is not resumed."""
        (state,) = tmp_path.glob(".*.part.json")
        state.write_text(state.read_text().replace("sha256:", "sha256:0"))
        async with client_for(github) as client:
            assert (await planned(client, broken, tmp_path)).action == "download"


@pytest.mark.github_com("size")
async def test_references_and_async_iterables(github: FakeGitHub, tmp_path: Path) -> None:
    """A reference is looked up; its failure is the call's."""
    number = add(github, size=INLINE_SIZE)

    async def references() -> AsyncGenerator[ArtifactRef]:
        yield ArtifactRef(REPO, number)

    async with client_for(github) as client:
        (plan,) = await client.plan_downloads(references(), tmp_path)
        assert isinstance(plan.artifact, Artifact)
        assert plan.bytes == INLINE_SIZE
        with pytest.raises(NotFoundError):
            await client.plan_downloads([ArtifactRef(REPO, 7)], tmp_path)
        assert await client.plan_downloads([], tmp_path) == ()


async def test_a_layout_that_needs_the_run(github: FakeGitHub, tmp_path: Path) -> None:
    """The run is asked for, once."""
    run = github.add_run(REPO, workflow="ci.yml", event="push")
    for name in ("a", "b"):
        github.add_artifact(run, name, size=INLINE_SIZE)
    async with client_for(github) as client:
        plans = await client.plan_downloads(client.list_artifacts(REPO), tmp_path, layout="{event}/{name}")
    assert {plan.path for plan in plans} == {tmp_path / "push/a.zip", tmp_path / "push/b.zip"}
    assert sum("/runs/" in record.path for record in github.requests) == 1


async def test_a_layout_by_attempt(github: FakeGitHub, tmp_path: Path) -> None:
    """The plan shows where each of a re-run's twins goes, without a conflict."""
    run = github.add_run(REPO, run_started_at="2026-07-09T12:00:00Z", created_at="2026-07-09T12:00:00Z")
    github.add_artifact(run, "docs", size=INLINE_SIZE, created_at="2026-07-09T12:05:00Z")
    run = github.update_run(run, attempt=2, run_started_at=datetime(2026, 7, 9, 13, tzinfo=UTC))
    github.add_artifact(run, "docs", size=INLINE_SIZE, created_at="2026-07-09T13:05:00Z")
    async with client_for(github) as client:
        plans = await client.plan_downloads(client.list_artifacts(REPO), tmp_path, layout="{attempt}/{name}")
    assert {plan.path for plan in plans} == {tmp_path / "1/docs.zip", tmp_path / "2/docs.zip"}
    assert {plan.action for plan in plans} == {"download"}


async def test_arguments(github: FakeGitHub, tmp_path: Path) -> None:
    """What cannot be right is found before any request."""
    (tmp_path / "file").write_text("")
    async with client_for(github) as client:
        wrong: list[tuple[Any, dict[str, Any]]] = [
            (7, {}),
            ([], {"layout": "{nonsense}"}),
            ([], {"if_exists": "maybe"}),
        ]
        for artifacts, options in wrong:
            with pytest.raises(ConfigurationError):
                await client.plan_downloads(artifacts, tmp_path, **options)
        with pytest.raises(DestinationExistsError):
            await client.plan_downloads([], tmp_path / "file")
    assert github.requests == []
