"""A cluster in this process, and a fake GitHub that its workers use with a token from their environment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from multiprocessing import resource_tracker

import pytest
from distributed import Client

from gh_artifacts_async import ClientOptions
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.api import TOKEN
from tests.kits.dask import dask_cluster
from tests.kits.fleet import TOKEN_VARIABLE


@pytest.fixture(scope="session", autouse=True)
def kept() -> None:
    """Start what a process keeps with its descriptors: obstore's threads, and what tracks processes' resources."""
    store = pytest.importorskip("obstore.store")
    asyncio.run(store.MemoryStore().put_async("a", b"a"))
    resource_tracker.ensure_running()


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the workers' environment has, for a server that is not github.com."""
    for name in ("GH_TOKEN", "GITHUB_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GITHUB_API_URL", "GH_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)


@pytest.fixture
async def cluster() -> AsyncGenerator[Client]:
    """A client of a cluster with two workers."""
    async with dask_cluster() as client:
        yield client


@pytest.fixture
def options(github: FakeGitHub) -> ClientOptions:
    """What the workers' clients are made with."""
    return {"base_url": github.base_url}
