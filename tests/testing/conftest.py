"""A fake GitHub with one run in it, and a client to look at it with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async.testing import FakeGitHub, FakeRun
from tests.testing.probe import REPO, Probe

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


@pytest.fixture
async def github(request: pytest.FixtureRequest) -> AsyncGenerator[FakeGitHub]:
    """A fake; parametrize indirectly to give it a profile or keywords."""
    arguments = getattr(request, "param", {})
    arguments = {"profile": arguments} if isinstance(arguments, str) else arguments
    async with FakeGitHub(**arguments) as fake:
        yield fake


@pytest.fixture
def run(github: FakeGitHub) -> FakeRun:
    """A finished run."""
    return github.add_run(REPO, workflow="ci.yml", branch="main")


@pytest.fixture
async def probe(github: FakeGitHub) -> AsyncGenerator[Probe]:
    """A client."""
    async with Probe(github) as client:
        yield client
