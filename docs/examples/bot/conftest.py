"""What the bot's tests share."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gh_artifacts_async import ArtifactsClient
from gh_artifacts_async.testing import FakeGitHub

pytest_plugins = ["gh_artifacts_async.testing.pytest_plugin"]


@pytest_asyncio.fixture
async def client(fake_github: FakeGitHub) -> AsyncIterator[ArtifactsClient]:
    """A client of the fake."""
    async with ArtifactsClient("token", base_url=fake_github.base_url) as it:
        yield it


@pytest.fixture
def environment(fake_github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the environment name the fake, and a token that counts only there."""
    for name in ("GH_HOST", "GH_TOKEN", "GITHUB_TOKEN", "GITHUB_SERVER_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GITHUB_API_URL", fake_github.base_url)
    monkeypatch.setenv("GH_ENTERPRISE_TOKEN", "token")
