"""A pytest plugin: the fixture ``fake_github``.

Use it with ``pytest_plugins = ["gh_artifacts_async.testing.pytest_plugin"]`` in the top-level ``conftest.py``; it
works in pytest-asyncio's strict mode and in its auto mode. It needs the extra ``testing``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

try:
    import pytest_asyncio
except ImportError as error:
    message = 'the fixture fake_github needs pytest and pytest-asyncio: pip install "gh-artifacts-async[testing]"'
    raise ImportError(message) from error

from gh_artifacts_async.testing.fake import FakeGitHub

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker ``fake_github``."""
    config.addinivalue_line(
        "markers", "fake_github(**arguments): arguments of the FakeGitHub that the fixture fake_github runs"
    )


@pytest_asyncio.fixture
async def fake_github(request: pytest.FixtureRequest) -> AsyncGenerator[FakeGitHub, None]:
    """Run a ``FakeGitHub`` for one test; ``@pytest.mark.fake_github(profile="ghes-3.8")`` passes it arguments."""
    marker = request.node.get_closest_marker("fake_github")
    async with FakeGitHub(**({} if marker is None else marker.kwargs)) as github:
        yield github
