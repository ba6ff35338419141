"""What the transfers of one client share: opened late, closed in order, whatever is cancelled meanwhile."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async import ClientClosedError, StoragePolicy, UnsafeRedirectError
from gh_artifacts_async.transfer.storage.context import TransferContext
from tests.kits.transfer import REPO, WORKER_SIZE, add, client_for, fetch, get

if TYPE_CHECKING:
    from pathlib import Path

    from gh_artifacts_async import ArtifactsClient
    from gh_artifacts_async.api.session import GitHubSession
    from gh_artifacts_async.testing import FakeGitHub


def worker_threads() -> list[threading.Thread]:
    """Return the writers' worker threads that are alive."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("gh-artifacts-writer")]


async def test_nothing_is_opened_before_it_is_needed(session: GitHubSession) -> None:
    """A new context has no thread and no connection; closing it leaves the session open."""
    context = TransferContext(session, StoragePolicy())
    assert context.writer.thread is None
    assert session.transport._api is None
    await context.aclose()
    await context.aclose()
    assert worker_threads() == []
    session.check_usable()


async def test_transfers_of_one_client_share_it(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Two downloads are written by one thread, over the API session's own connections."""
    for name in ("one", "two"):
        await fetch(client, add(github, name, size=WORKER_SIZE), tmp_path)
    context = client._context
    assert context is not None
    assert len(worker_threads()) == 1
    assert context.github.transport._bare is context.github.transport._api


async def test_the_policy_is_the_clients(github: FakeGitHub, tmp_path: Path) -> None:
    """Storage is asked under the policy that the context was given, and plain http only if the API has it too."""
    artifact_id = add(github)
    async with client_for(github, storage=StoragePolicy(allowed_hosts=("blob.example",))) as client:
        with pytest.raises(UnsafeRedirectError):
            await fetch(client, artifact_id, tmp_path)
    assert not github.requests_to("storage")


async def test_the_thread_ends_before_the_connections(github: FakeGitHub, tmp_path: Path) -> None:
    """A client closes its context first, then its connections."""
    order: list[str] = []
    async with client_for(github) as client:
        await fetch(client, add(github, size=WORKER_SIZE), tmp_path)
        context = client._context
        assert context is not None
        transport = context.github.transport
        close_connections, end_thread = transport.aclose, context.writer.aclose

        async def connections() -> None:
            order.append("connections")
            await close_connections()

        async def thread() -> None:
            order.append("thread")
            await end_thread()

        transport.aclose, context.writer.aclose = connections, thread  # type: ignore[method-assign]
    assert order == ["thread", "connections"]
    assert worker_threads() == []


async def test_a_cancelled_close_still_ends_the_thread(github: FakeGitHub, tmp_path: Path) -> None:
    """Cancelled at its first wait or before, a close leaves neither the thread nor a connection."""
    for waits in range(4):
        async with client_for(github) as client:
            await fetch(client, add(github, f"docs-{waits}", size=WORKER_SIZE), tmp_path)
            transport = client._github.transport
            connector = transport._api.connector if transport._api is not None else None
            assert connector is not None
            assert len(worker_threads()) == 1
            task = asyncio.ensure_future(client.aclose())
            for _ in range(waits):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait({task})
            if waits:
                assert worker_threads() == []
                assert connector.closed
        assert worker_threads() == []


async def test_a_client_closed_by_its_cancellation(github: FakeGitHub, tmp_path: Path) -> None:
    """A cancellation that ends the client's block closes the context all the same; it cannot be used afterwards."""
    artifact_id = add(github, size=WORKER_SIZE)
    opened: list[ArtifactsClient] = []

    async def work() -> None:
        async with client_for(github) as client:
            opened.append(client)
            await fetch(client, artifact_id, tmp_path)
            await asyncio.Event().wait()

    task = asyncio.ensure_future(work())
    while not (tmp_path / "docs.zip").exists():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert worker_threads() == []
    with pytest.raises(ClientClosedError):
        await get(opened[0], artifact_id)
    assert github.requests_to("storage")
    assert REPO in github.requests[0].path
