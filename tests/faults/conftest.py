"""A fake GitHub and a client of it, for every test of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async.testing import FakeGitHub
from tests.transfer.kit import client_for

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gh_artifacts_async import ArtifactsClient


@pytest.fixture
async def github() -> AsyncGenerator[FakeGitHub]:
    """Run a fake GitHub."""
    async with FakeGitHub() as fake:
        yield fake


@pytest.fixture
async def client(github: FakeGitHub) -> AsyncGenerator[ArtifactsClient]:
    """Run a client of it."""
    async with client_for(github) as its_client:
        yield its_client
