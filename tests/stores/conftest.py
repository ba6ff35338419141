"""What the tests of object stores share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import RetryPolicy
from gh_artifacts_async.stores import upload
from tests.kits.objectstores import start_threads, store_of, wait_for_files
from tests.kits.transfer import client_for

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from pathlib import Path

    from gh_artifacts_async import ArtifactsClient
    from gh_artifacts_async.testing import FakeGitHub


@pytest.fixture(scope="session", autouse=True)
def threads() -> None:
    """Start the threads of obstore before any test: it keeps them."""
    start_threads()


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Any]:
    """A store that keeps attributes, and one that does not."""
    yield store_of(request.param, tmp_path)
    wait_for_files(tmp_path)


@pytest.fixture
def memory(tmp_path: Path) -> Any:
    """A store that keeps attributes."""
    return store_of("memory", tmp_path)


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is larger than 100 kB is stored in parts."""
    monkeypatch.setattr(upload, "WHOLE", 100_000)


@pytest.fixture
async def client(github: FakeGitHub) -> AsyncGenerator[ArtifactsClient]:
    """A client of the fake that tries again at once: obstore's threads live in real time."""
    async with client_for(github, retry=RetryPolicy(wait_initial=0.001, wait_max=0.01)) as its_client:
        yield its_client
