"""Many artifacts into a store: their keys, an outcome each, what stops all, and what is left after faults."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import obstore
import pytest
from obstore.exceptions import GenericError, PermissionDeniedError

from gh_artifacts_async import (
    ArtifactRef,
    ArtifactsClient,
    AuthenticationError,
    ClientClosedError,
    ConfigurationError,
    DestinationExistsError,
    ObjectStoreError,
    ObjectStoreUnavailableError,
    StorageError,
    raise_for_failures,
)
from gh_artifacts_async.stores import store_many
from tests.kits.objectstores import RECORD, content, everything, facts, keys, store_all
from tests.kits.transfer import INLINE_SIZE, REPO, add, client_for, fetch_all, fill, get, listed, names

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gh_artifacts_async import Artifact
    from gh_artifacts_async.testing import FakeGitHub

pytestmark = pytest.mark.realtime  # obstore's threads

LAYOUTS = ["id", "name", "{repo}/{run_id}/{name}", "{workflow}/{branch}/{date}-{id}", lambda it: f"x/{it.id}/y"]


async def test_all(github: FakeGitHub, client: ArtifactsClient, store: Any) -> None:
    """Every item comes out once, as what was passed in, with its object; run again, nothing is fetched."""
    ids = fill(github, 12)
    artifacts = [*(await listed(client))[:8], *(ArtifactRef(REPO, it) for it in ids[8:])]
    outcomes = await store_all(client, artifacts, store)
    raise_for_failures(outcomes)
    assert {outcome.artifact for outcome in outcomes} == set(artifacts)
    assert keys(store) == {f"docs-{number}-{it}.zip" for number, it in enumerate(ids)}
    for outcome in outcomes:
        assert outcome.value is not None
        assert content(store, outcome.value.key) == github.content(outcome.artifact.id)
        assert outcome.value.key in repr(outcome)
    github.forget_requests()
    again = await store_all(client, await listed(client), store)
    assert all(outcome.unwrap().skipped for outcome in again)
    assert not github.requests_to("storage")


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda it: it if isinstance(it, str) else "callable")
async def test_keys_are_those_of_files(
    github: FakeGitHub, client: ArtifactsClient, memory: Any, tmp_path: Path, layout: Any
) -> None:
    """The keys are the paths that a bulk download gives, for raw files too, and for hostile names."""
    run = github.add_run(REPO, workflow="ci.yml", branch="feature/x")
    for name in ("docs", "a/../b", "résumé", "x" * 300, "con", "a.zip"):
        github.add_artifact(run, name)
    github.add_artifact(run, "report.html", raw=("report.html", b"<p>"))
    github.add_artifact(run, "nameless", raw=("from storage.txt", b"raw"))
    artifacts = await listed(client)
    raise_for_failures(await store_all(client, artifacts, memory, layout=layout))
    raise_for_failures(await fetch_all(client, artifacts, tmp_path, layout=layout))
    assert keys(memory) == names(tmp_path)
    again = await store_all(client, artifacts, memory, layout=layout)
    assert all(outcome.unwrap().skipped for outcome in again)


async def test_prefix(github: FakeGitHub, client: ArtifactsClient, memory: Any) -> None:
    """What mirrors many repositories puts each below a prefix."""
    (it,) = fill(github, 1)
    async with store_many(client._transfers(), await listed(client), memory, prefix="octo-org/octo-docs/") as outcomes:
        assert [outcome.unwrap().key async for outcome in outcomes] == [f"octo-org/octo-docs/docs-0-{it}.zip"]


async def test_a_name_like_that_of_a_record(github: FakeGitHub, client: ArtifactsClient, store: Any) -> None:
    """No artifact may take the place of another one's record."""
    run = github.add_run(REPO)
    github.add_artifact(run, "docs")
    github.add_artifact(run, "docs.zip" + RECORD, raw=("docs.zip" + RECORD, b"{}"))
    raise_for_failures(await store_all(client, await listed(client), store, layout="name"))
    assert keys(store) == {"docs.zip", f"docs.zip{RECORD}_"}
    assert "artifactid" in facts(store, "docs.zip")


async def test_names_that_mark_unfinished_objects(github: FakeGitHub, client: ArtifactsClient, store: Any) -> None:
    """A folder takes no object whose name ends with ``#1``: a raw file is renamed, and a zip is not affected."""
    run = github.add_run(REPO)
    github.add_artifact(run, "docs#1")
    github.add_artifact(run, "report#2", raw=("report#2", b"hello"))
    for skipped in (False, True):
        outcomes = await store_all(client, await listed(client), store, layout="name")
        assert {outcome.unwrap().skipped for outcome in outcomes} == {skipped}
    assert keys(store) == {"docs#1.zip", "report#2_"}


@pytest.mark.parametrize("as_iterator", [False, True])
async def test_two_of_one_key(github: FakeGitHub, client: ArtifactsClient, memory: Any, as_iterator: bool) -> None:  # noqa: FBT001
    """Two artifacts of one key are an error before anything is fetched; from an iterator, the second one fails."""
    first, second = add(github), add(github)
    artifacts: Any = await listed(client)
    github.forget_requests()
    if as_iterator:
        outcomes = await store_all(client, iter(artifacts), memory, layout="name", concurrency=1)
        assert [type(outcome.error) for outcome in outcomes] == [type(None), DestinationExistsError]
        return
    with pytest.raises(DestinationExistsError, match=f"{first} and {second} would both be docs.zip"):
        await store_all(client, artifacts, memory, layout="name")
    assert not github.requests


async def test_two_of_one_key_known_late(github: FakeGitHub, client: ArtifactsClient, memory: Any) -> None:
    """Two raw files that storage gives one name: the second one fails, and the first one's object stays."""
    run = github.add_run(REPO)
    for name in ("one", "two"):
        github.add_artifact(run, name, raw=("same.txt", name.encode()), filename="same.txt")
    outcomes = await store_all(client, await listed(client), memory, layout="name", concurrency=1)
    assert [type(outcome.error) for outcome in outcomes] == [type(None), DestinationExistsError]
    assert content(memory, "same.txt") == outcomes[0].artifact.name.encode()  # type: ignore[union-attr]


@pytest.mark.parametrize(("if_exists", "raises"), [("error", True), ("skip", True), ("replace", False)])
async def test_in_the_way_and_known_late(
    github: FakeGitHub,
    client: ArtifactsClient,
    memory: Any,
    if_exists: Any,
    raises: bool,  # noqa: FBT001
) -> None:
    """What is at a key that only storage's answer tells is looked at before a byte is stored."""
    it = add(github, "raw", raw=("late.txt", b"new"))
    await memory.put_async("late.txt", b"old")
    (outcome,) = await store_all(client, await listed(client), memory, layout="name", if_exists=if_exists)
    assert isinstance(outcome.error, DestinationExistsError) is raises
    assert content(memory, "late.txt") == (b"old" if raises else github.content(it))
    if if_exists == "replace":
        await memory.put_async("late.txt", b"old", attributes={"artifactid": "1", "repository": REPO})
        (again,) = await store_all(client, await listed(client), memory, layout="name", if_exists="error")
        assert isinstance(again.error, DestinationExistsError)


async def test_the_same_twice(github: FakeGitHub, client: ArtifactsClient, store: Any) -> None:
    """An artifact that is given twice is fetched once."""
    artifact = await get(client, add(github))
    outcomes = await store_all(client, iter([artifact, artifact]), store)
    assert sorted(outcome.unwrap().skipped for outcome in outcomes) == [False, True]
    assert len(github.requests_to("storage")) == 1


async def test_one_failure(github: FakeGitHub, client: ArtifactsClient, store: Any) -> None:
    """One item's failure is its outcome; the others are stored."""
    ids = fill(github, 5)
    github.faults.status(ids[2], 404)
    outcomes = await store_all(client, await listed(client), store)
    assert [(it.artifact.id, type(it.error)) for it in outcomes if not it.ok] == [(ids[2], StorageError)]
    assert len(keys(store)) == 4


async def test_a_bad_key_is_one_outcome(github: FakeGitHub, client: ArtifactsClient, memory: Any) -> None:
    """A layout whose key is too long fails for that artifact alone."""
    fill(github, 2)
    long = (await listed(client))[0]

    def layout(artifact: Artifact) -> str:
        return "/".join(["x" * 200] * 6) if artifact.id == long.id else artifact.name

    outcomes = await store_all(client, await listed(client), memory, layout=layout)
    assert [type(it.error) for it in outcomes if not it.ok] == [ConfigurationError]


STOPS = {
    "asked": (GenericError("Generic S3 error: no connection"), ObjectStoreUnavailableError),
    "credentials": (PermissionDeniedError("403"), ObjectStoreUnavailableError),
    "bucket": (FileNotFoundError("404"), ObjectStoreUnavailableError),
}


@pytest.mark.parametrize("if_exists", ["skip", "replace"])
@pytest.mark.parametrize("why", STOPS)
async def test_a_store_that_cannot_be_used(
    github: FakeGitHub, client: ArtifactsClient, memory: Any, monkeypatch: pytest.MonkeyPatch, why: str, if_exists: Any
) -> None:
    """A store that would refuse everything stops all: what is left gets the same error, and is not fetched."""
    fill(github, 20)
    error, kind = STOPS[why]

    async def fail(*_: Any, **__: Any) -> None:
        await asyncio.sleep(0.01)
        raise error

    if why == "asked":
        monkeypatch.setattr(obstore.store.MemoryStore, "get_async", fail)
    else:
        monkeypatch.setattr("obstore.put_async", fail)
    outcomes = await store_all(client, await listed(client), memory, concurrency=2, if_exists=if_exists)
    assert {type(outcome.error) for outcome in outcomes} == {kind}
    assert len(outcomes) == 20
    assert len(github.requests_to("storage")) <= (0 if why == "asked" else 2)


async def test_one_object_that_is_refused(
    github: FakeGitHub, client: ArtifactsClient, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that fails on one object is asked to take the others."""
    fill(github, 3)
    put, left = obstore.put_async, [GenericError("Generic S3 error: 500")]

    async def fail_once(*arguments: Any, **options: Any) -> Any:
        if left:
            raise left.pop()
        return await put(*arguments, **options)

    monkeypatch.setattr("obstore.put_async", fail_once)
    outcomes = await store_all(client, await listed(client), memory, concurrency=1)
    assert [type(outcome.error) for outcome in outcomes] == [ObjectStoreError, type(None), type(None)]


async def test_a_rejected_token(github: FakeGitHub, memory: Any) -> None:
    """A token that is rejected stops all, and the input is not read further."""
    fill(github, 20)
    async with client_for(github) as client:
        artifacts = await listed(client)
        github.tokens = set()
        taken = 0

        async def endless() -> AsyncIterator[Artifact]:
            nonlocal taken
            for artifact in artifacts:
                taken += 1
                yield artifact

        outcomes = await store_all(client, endless(), memory, concurrency=2)
    assert {type(outcome.error) for outcome in outcomes} == {AuthenticationError}
    assert taken <= 4


@pytest.mark.usefixtures("parts")
async def test_left_in_the_middle(github: FakeGitHub, client: ArtifactsClient, store: Any) -> None:
    """Leaving the block aborts what is under way; what was stored stays."""
    ids = fill(github, 6, size=600_000)
    for it in ids[3:]:
        github.faults.stall(it, at=300_000)
    async with client.store_many(await listed(client), store, concurrency=4) as outcomes:
        async for outcome in outcomes:
            assert outcome.ok
            if sum(github.bytes_sent(it) >= 300_000 for it in ids[3:]):
                break
    assert keys(store) <= {f"docs-{number}-{it}.zip" for number, it in enumerate(ids[:3])}
    assert {key.removesuffix(RECORD) for key in everything(store)} == keys(store)


async def test_closed(github: FakeGitHub, memory: Any) -> None:
    """A client that is closed stores nothing."""
    async with client_for(github) as client:
        fill(github, 1)
        artifacts = await listed(client)
    with pytest.raises(ClientClosedError):
        await store_all(client, artifacts, memory)


@pytest.mark.slow
@pytest.mark.sample
async def test_a_hundred_with_faults(github: FakeGitHub, client: ArtifactsClient, store: Any) -> None:
    """A hundred artifacts whose transfers are cut, refused and wrong are all there in the end, each as it is."""
    ids = fill(github, 100, size=INLINE_SIZE)
    for number, it in enumerate(ids):
        match number % 5:
            case 0:
                github.faults.cut(it, at=5_000 + number)
            case 1:
                github.faults.status(it, 503)
            case 2:
                github.faults.corrupt(it)
            case 3:
                github.faults.expire_url(it)
            case _:
                pass
    outcomes = await store_all(client, client.list_artifacts(REPO), store)
    raise_for_failures(outcomes)
    assert len(outcomes) == 100
    for outcome in outcomes:
        assert content(store, outcome.unwrap().key) == github.content(outcome.artifact.id)
    assert len(keys(store)) == 100
    assert client.statistics.artifacts_done == 100
