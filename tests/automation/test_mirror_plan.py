"""The plan of a run, without a folder: what is new, kept, looked at, in the way."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from gh_artifacts_async import Artifact, ArtifactRef, ConfigurationError, DestinationExistsError, RepositoryName
from gh_artifacts_async.automation.manifest import MirroredArtifact
from gh_artifacts_async.automation.mirror_plan import MirrorOptions, Plan, Planner
from tests.kits.transfer import REPO

if TYPE_CHECKING:
    from gh_artifacts_async.api.session import GitHubSession

FOLDER = Path("/mirror")


def artifact(number: int, name: str = "docs", *, expired: bool = False) -> Artifact:
    """Return an artifact."""
    return Artifact(
        id=number,
        name=name,
        size_in_bytes=1,
        url="u",
        archive_download_url="u/zip",
        expired=expired,
        repository=RepositoryName.parse(REPO),
    )


def entry(number: int, path: str) -> MirroredArtifact:
    """Return an entry."""
    return MirroredArtifact(id=number, name="docs", path=PurePosixPath(path), size=1)


async def planned(
    session: GitHubSession,
    listed: list[Artifact],
    entries: list[MirroredArtifact] = [],  # noqa: B006 - not changed
    *,
    states: dict[int, Any] | None = None,
    obsolete: tuple[int, ...] = (),
    **options: Any,
) -> Plan:
    """Return the plan."""
    given = MirrorOptions(**{"layout": "name", **options})
    planner = Planner(session, RepositoryName.parse(REPO), FOLDER, given)
    known = {one.id: one for one in entries}
    return await planner.plan(
        {one.id: one for one in listed},
        known,
        dict.fromkeys(known, "there") | (states or {}),
        {number: known[number] for number in obsolete},
    )


async def test_new_and_kept(session: GitHubSession) -> None:
    """What the manifest has stays where it is; what is new goes where the layout says, unless it has expired."""
    old = entry(1, "elsewhere/x.zip")
    plan = await planned(session, [artifact(1), artifact(2), artifact(3, "old", expired=True)], [old])
    assert plan.kept == [old]
    (job,) = plan.jobs
    assert (job.subject, job.path, job.check, job.entry) == (artifact(2), FOLDER / "docs.zip", False, None)


async def test_missing_goes_back_to_its_place(session: GitHubSession) -> None:
    """What is missing is fetched to its old place."""
    old = entry(1, "elsewhere/x.whl")
    (job,) = (await planned(session, [artifact(1)], [old], states={1: "missing"})).jobs
    assert job.path == FOLDER / "elsewhere" / "x.whl"
    assert {job.destination.path("zip"), job.destination.path("raw"), job.destination.path(extract=True)} == {job.path}


async def test_verify_looks_at_everything(session: GitHubSession) -> None:
    """With verify all is looked at, what is not listed by a reference."""
    plan = await planned(session, [artifact(1)], [entry(1, "a"), entry(2, "b")], states={2: "changed"}, verify=True)
    assert [(job.subject, job.check) for job in plan.jobs] == [
        (artifact(1), True),
        (ArtifactRef(REPO, 2, "docs"), True),
    ]
    assert not (plan.kept)
    assert not (plan.failed)


async def test_changed_is_a_failure(session: GitHubSession) -> None:
    """Without verify something that was changed is a failure."""
    plan = await planned(session, [], [entry(1, "a")], states={1: "changed"})
    (failure,) = plan.failed
    assert isinstance(failure.error, DestinationExistsError)


async def test_places(session: GitHubSession) -> None:
    """A place has one artifact: a new one, one that is kept, or one that is not listed; an obsolete one yields."""
    with pytest.raises(DestinationExistsError, match="artifacts 1 and 2 would both be"):
        await planned(session, [artifact(1), artifact(2)])
    with pytest.raises(DestinationExistsError, match="artifacts 1 and 2 would both be"):
        await planned(session, [artifact(1), artifact(2)], [entry(1, "docs.zip")])
    with pytest.raises(DestinationExistsError, match="prune the mirror, or use layout='id'"):
        await planned(session, [artifact(2)], [entry(1, "docs.zip")])
    old = entry(1, "docs.zip")
    plan = await planned(session, [artifact(2)], [old], obsolete=(1,))
    (job,) = plan.jobs
    assert job.replaces == old
    assert plan.taken_over == {1: 2}


async def test_raw_place(session: GitHubSession) -> None:
    """What was not uploaded as a zip yields to a new artifact of its name."""
    old = entry(1, "app.whl")
    (job,) = (await planned(session, [artifact(2, "app.whl")], [old], obsolete=(1,))).jobs
    assert (job.replaces, job.path, job.place) == (old, FOLDER / "app.whl.zip", FOLDER / "app.whl")


async def test_layout_that_leads_out(session: GitHubSession) -> None:
    """A callable that leads out of the folder is the caller's mistake."""
    with pytest.raises(ConfigurationError, match="not a relative path"):
        await planned(session, [artifact(1)], layout=lambda _: "../x")


def test_options() -> None:
    """The public arguments are checked."""
    good: dict[str, Any] = {
        "layout": "id",
        "prune": True,
        "verify": False,
        "extract": True,
        "link": False,
        "durable": True,
        "concurrency": 3,
    }
    options = MirrorOptions.checked(**good)
    assert (options.prune, options.link, options.downloads.durable, options.concurrency) == (True, False, True, 3)
    assert options.downloads.extract is not None
    assert attrs.evolve(options, prune=False) != options
    for bad in ({"layout": "{x}"}, {"concurrency": 0}):
        with pytest.raises(ConfigurationError):
            MirrorOptions.checked(**{**good, **bad})
