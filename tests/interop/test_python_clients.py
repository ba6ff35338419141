"""githubkit, gidgethub and PyGithub against the fake: each sees what the client sees, and gets what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from gh_artifacts_async import ArtifactsClient
from gh_artifacts_async.testing import FakeGitHub, make_zip
from tests.kits.apptoken import keys
from tests.kits.interop import REPO, two_hosts
from tests.kits.peers import PEERS, App, Peer, Seen, Where, peer_at

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from gh_artifacts_async import Artifact

pytestmark = [pytest.mark.slow, pytest.mark.realtime]


@attrs.frozen
class Scene:
    """A GitHub, and a client of another's making.

    Attributes:
        github: the fake.
        name: the client's name.
        where: how to reach the fake.
    """

    github: FakeGitHub
    name: str
    where: Where

    def peer(self, who: str | App = "token", *, cache: bool = False) -> AbstractAsyncContextManager[Peer]:
        """Return the client, as somebody."""
        return peer_at(self.name, self.where._replace(who=who, cache=cache))

    def ours(self) -> ArtifactsClient:
        """Return our client."""
        return ArtifactsClient("token", base_url=self.where.base_url, ca_file=self.where.authority)


@pytest.fixture(params=["github.com", "ghes-3.22"])
async def where(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[tuple[FakeGitHub, Where]]:
    """github.com over http, or an Enterprise Server over TLS; storage has a host name of its own."""
    async with two_hosts(request.param, tmp_path) as (github, authority):
        yield github, Where(github.base_url, authority, REPO)


CLIENTS = {name: pytest.param(name, marks=pytest.mark.counterpart(name)) for name in PEERS}


@pytest.fixture(params=CLIENTS.values())
async def scene(request: pytest.FixtureRequest, where: tuple[FakeGitHub, Where]) -> Scene:
    """A GitHub and each of the clients."""
    github, place = where
    return Scene(github, request.param, place)


@pytest.fixture
async def peer(scene: Scene) -> AsyncGenerator[Peer]:
    """The client, with a token."""
    async with scene.peer() as it:
        yield it


def seen(artifact: Artifact) -> Seen:
    """Return what another client should report of an artifact."""
    assert artifact.created_at is not None
    return Seen(
        artifact.id,
        artifact.name,
        artifact.size_in_bytes,
        None if artifact.digest is None else str(artifact.digest),
        artifact.expired,
        artifact.created_at,
        artifact.workflow_run.id if artifact.workflow_run else None,
    )


async def test_a_thousand(scene: Scene, peer: Peer):
    """All of 1,000 artifacts, over ten pages, with the same fields in the same order as ours; and those of a run."""
    runs = [scene.github.add_run(REPO) for _ in range(5)]
    added = {scene.github.add_artifact(runs[number % 5], f"docs-{number % 7}") for number in range(1000)}
    theirs = await peer.artifacts()
    pages = [record for record in scene.github.requests if record.endpoint == "actions/list-artifacts-for-repo"]
    assert len(pages) == 10
    async with scene.ours() as ours:
        assert theirs == [seen(artifact) async for artifact in ours.list_artifacts(REPO)]
        assert {artifact.id for artifact in theirs} == added
        of_a_run = await peer.artifacts(run_id=runs[2].id)
        assert of_a_run == [seen(artifact) async for artifact in ours.list_run_artifacts(REPO, runs[2].id)]
    assert len(of_a_run) == 200
    named = await peer.artifacts(name="docs-3")
    assert named == [artifact for artifact in theirs if artifact.name == "docs-3"]


async def test_runs(scene: Scene, peer: Peer):
    """Runs over two pages, and each filter, as ours."""
    for number in range(120):
        scene.github.add_run(
            REPO,
            branch=f"branch-{number % 3}",
            conclusion="failure" if number % 4 else "success",
            event="schedule" if number % 5 else "push",
            created_at=f"2026-01-{1 + number % 28:02}T08:00:00Z",
        )
    async with scene.ours() as ours:
        for filters in (
            {},
            {"branch": "branch-1"},
            {"status": "failure"},
            {"event": "push"},
            {"branch": "branch-2", "status": "success", "event": "push"},
        ):
            wanted = [run.id async for run in ours.list_workflow_runs(REPO, **filters)]
            assert await peer.runs(**filters) == wanted
    days = await peer.runs(created="2026-01-05..2026-01-06")
    assert len(days) == len(set(days)) == 10
    assert await peer.runs(created=">2026-01-28") == []


async def test_one(scene: Scene, peer: Peer):
    """An artifact as ours; its bytes as they are stored, and no token for storage; deleted, it is gone for all."""
    run = scene.github.add_run(REPO)
    made = {
        "docs": scene.github.add_artifact(run, "docs", size=300_000, kind="azure"),
        "logs": scene.github.add_artifact(run, "logs", archive=make_zip({"a.txt": b"a"}), kind="v3"),
        "page.html": scene.github.add_artifact(
            run, "page.html", raw=("page.html", b"<p>all is well"), kind="azure-raw"
        ),
    }
    async with scene.ours() as ours:
        for number in made.values():
            assert await peer.artifact(number) == seen(await ours.get_artifact(REPO, number))
    for number in made.values():
        assert await peer.download(number) == scene.github.content(number)
    assert not any("Authorization" in record.headers for record in scene.github.requests_to("storage"))
    await peer.delete(made["docs"])
    assert made["docs"] not in scene.github.scenario.artifacts
    for refused in (peer.artifact, peer.download, peer.delete):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - each client has an error of its own
            await refused(made["docs"])
        assert peer.status(caught.value) == 404


async def test_expired(scene: Scene, peer: Peer):
    """An expired artifact is listed as such, and its download is an error that says 410."""
    number = scene.github.add_artifact(scene.github.add_run(REPO), "old", expired=True)
    assert [(item.id, item.expired) for item in await peer.artifacts()] == [(number, True)]
    with pytest.raises(Exception, match=r"410|expired") as caught:
        await peer.download(number)
    assert peer.status(caught.value) == 410


async def test_tokens(scene: Scene):
    """A token that is not known is refused with 401; one without scopes reads, and may not delete (403)."""
    number = scene.github.add_artifact(scene.github.add_run(REPO), "docs")
    scene.github.tokens, scene.github.scopeless_tokens = ["good", "weak"], ["weak"]
    async with scene.peer("bad") as stranger:
        with pytest.raises(Exception, match=r"Bad credentials|401") as caught:
            await stranger.artifacts()
        assert stranger.status(caught.value) == 401
    async with scene.peer("weak") as reader:
        assert len(await reader.artifacts()) == 1
        with pytest.raises(Exception, match=r"admin rights|403") as caught:
            await reader.delete(number)
        assert reader.status(caught.value) == 403
    async with scene.peer("good") as owner:
        await owner.delete(number)


async def test_a_renamed_repository(scene: Scene, peer: Peer):
    """The old name leads to the new one."""
    number = scene.github.add_artifact(scene.github.add_run(REPO), "docs")
    scene.github.rename_repo(REPO, "octo-org/renamed")
    assert [item.id for item in await peer.artifacts()] == [number]
    assert (await peer.artifact(number)).id == number
    assert 301 in {record.status for record in scene.github.requests}


@pytest.mark.parametrize("scene", [CLIENTS["githubkit"], CLIENTS["gidgethub"]], indirect=True)
async def test_caches(scene: Scene):
    """What a client remembers it asks for again by its ETag; a change shows."""
    number = scene.github.add_artifact(scene.github.add_run(REPO), "docs")
    async with scene.peer(cache=True) as peer:
        first = await peer.artifact(number)
        assert await peer.artifact(number) == first
        scene.github.expire_artifact(number)
        assert (await peer.artifact(number)).expired
    assert [item.status for item in scene.github.requests] == [200, 304, 200]


async def test_apps(scene: Scene):
    """An App's token, by a JSON Web Token of the client's making whose signature is checked, does what it may."""
    number = scene.github.add_artifact(scene.github.add_run(REPO), "docs")
    installation = scene.github.add_installation(77, [REPO], permissions={"actions": "read", "metadata": "read"})
    scene.github.set_app_keys(77, keys().public)
    async with scene.peer(App(77, keys().private, installation.id)) as app:
        assert [item.id for item in await app.artifacts()] == [number]
        with pytest.raises(Exception, match=r"not accessible by integration|403") as caught:
            await app.delete(number)
        assert app.status(caught.value) == 403
