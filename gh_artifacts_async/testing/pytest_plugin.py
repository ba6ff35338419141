"""A pytest plugin: the fixture ``fake_github``.

Use it with ``pytest_plugins = ["gh_artifacts_async.testing.pytest_plugin"]`` in the top-level ``conftest.py``, or with
``pytest -p gh_artifacts_async.testing.pytest_plugin``. It works in pytest-asyncio's strict mode and in its auto mode,
and in tests that are not pytest-asyncio's. It needs the extra ``testing``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

try:
    import pytest
    import pytest_asyncio
except ImportError as _error:
    _message = 'the fixture fake_github needs pytest and pytest-asyncio: pip install "gh-artifacts-async[testing]"'
    raise ImportError(_message) from _error

from gh_artifacts_async.testing.fake import FakeGitHub

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

LoopScope = Literal["function", "class", "module", "package", "session"]


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker ``fake_github``."""
    config.addinivalue_line(
        "markers", "fake_github(profile, **arguments): arguments of the FakeGitHub that the fixture fake_github runs"
    )


def _fake(request: pytest.FixtureRequest) -> FakeGitHub:
    marker = request.node.get_closest_marker("fake_github")
    return FakeGitHub() if marker is None else FakeGitHub(*marker.args, **marker.kwargs)


def _on_loop_of(scope: LoopScope) -> Callable[[pytest.FixtureRequest], AsyncGenerator[FakeGitHub, None]]:
    """Return a fixture that runs a fake on the loop of ``scope``: a fake on another loop than the test's is silent."""

    @pytest_asyncio.fixture(loop_scope=scope, name=f"_fake_github_{scope}")
    async def on_a_loop(request: pytest.FixtureRequest) -> AsyncGenerator[FakeGitHub, None]:
        async with _fake(request) as github:
            yield github

    return on_a_loop


_function = _on_loop_of("function")
_class = _on_loop_of("class")
_module = _on_loop_of("module")
_package = _on_loop_of("package")
_session = _on_loop_of("session")


@pytest.fixture
def fake_github(request: pytest.FixtureRequest) -> Generator[FakeGitHub, None, None]:
    """Run a ``FakeGitHub`` for one test; ``@pytest.mark.fake_github(profile="ghes-3.8")`` passes it arguments.

    In a test of pytest-asyncio it runs on the test's own event loop; in any other test, of code that is not asyncio or
    of another plugin such as anyio's, in a thread.
    """
    # In auto mode pytest-asyncio takes anyio's tests for its own, though anyio runs them.
    if pytest_asyncio.is_async_test(request.node) and request.node.get_closest_marker("anyio") is None:
        marker = request.node.get_closest_marker("asyncio")
        chosen = {} if marker is None else marker.kwargs
        scope = chosen.get("loop_scope") or request.config.getini("asyncio_default_test_loop_scope") or "function"
        yield request.getfixturevalue(f"_fake_github_{scope}")
        return
    with _fake(request) as github:
        yield github
