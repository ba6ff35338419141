"""A fake GitHub in a thread, and the file system registered as its entry point registers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fsspec
import fsspec.asyn
import pytest

from gh_artifacts_async.fs import ArtifactsFileSystem
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.fs import filesystem, mounted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """Start fsspec's own event loop, which stays for the rest of the process with its descriptors."""
    fsspec.asyn.get_loop()
    fsspec.register_implementation("ghartifacts", ArtifactsFileSystem, clobber=True)


@pytest.fixture
async def fs(github: FakeGitHub) -> AsyncGenerator[ArtifactsFileSystem]:
    """An instance that is used with ``await``."""
    made = filesystem(github, asynchronous=True)
    yield made
    await made.aclose()


@pytest.fixture
def served() -> Generator[FakeGitHub]:
    """A fake in a thread of its own."""
    with FakeGitHub() as fake:
        yield fake


@pytest.fixture
def mount(served: FakeGitHub) -> Generator[ArtifactsFileSystem]:
    """An instance for code that is not asyncio, and reads from ``served``."""
    with mounted(served) as made:
        yield made
