"""A fake GitHub with one run, and a session to ask it with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.settings import Timeouts
from gh_artifacts_async.testing import FakeGitHub, FakeRun
from tests.api.kit import QUICK, REPO, TOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


@pytest.fixture
async def github(request: pytest.FixtureRequest) -> AsyncGenerator[FakeGitHub]:
    """A fake; parametrize indirectly to give it keywords."""
    async with FakeGitHub(**getattr(request, "param", {})) as fake:
        yield fake


@pytest.fixture
def run(github: FakeGitHub) -> FakeRun:
    """A finished run."""
    return github.add_run(REPO)


@pytest.fixture
async def session(github: FakeGitHub) -> AsyncGenerator[GitHubSession]:
    """A session without pacing and timeouts: large bodies take real time, which the clock may jump over."""
    silent = Timeouts(connect=None, read=None)
    async with GitHubSession(TOKEN, base_url=github.base_url, limits=QUICK, timeouts=silent) as made:
        yield made


@pytest.fixture
async def public() -> AsyncGenerator[GitHubSession]:
    """A session for api.github.com, to be used with ``mocked`` only."""
    async with GitHubSession(TOKEN, limits=QUICK) as made:
        yield made
