"""A fake in a thread."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.request
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async.testing import FakeGitHub
from gh_artifacts_async.testing.thread import LoopThread

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


def listed(github: FakeGitHub) -> int:
    """Return how many artifacts a client that blocks sees."""
    url = f"{github.base_url}/repos/a/b/actions/artifacts"
    with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310  our own server
        found: int = json.load(response)["total_count"]
    return found


def test_it_serves_code_that_blocks() -> None:
    """Between two requests the data may change; the requests are known; afterwards no thread is left."""
    threads = threading.active_count()
    with FakeGitHub() as github:
        run = github.add_run("a/b")
        assert listed(github) == 0
        github.add_artifact(run, "Rails")
        assert listed(github) == 1
        assert [record.endpoint for record in github.requests] == ["actions/list-artifacts-for-repo"] * 2
    assert threading.active_count() == threads


def test_a_port_that_is_taken() -> None:
    """What goes wrong at the start is raised where the block begins, and no thread is left."""
    threads = threading.active_count()
    with FakeGitHub() as github:
        taken = int(github.base_url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"), FakeGitHub(port=taken):
            pass
        with pytest.raises(RuntimeError, match="running already"), github:
            pass
        assert listed_nothing(github)
    assert threading.active_count() == threads


def listed_nothing(github: FakeGitHub) -> bool:
    """Whether the fake still responds, with a repository that has nothing."""
    github.add_repository("a/b")
    return listed(github) == 0


def test_what_fails_at_the_end() -> None:
    """An error of leaving is raised by whoever leaves."""

    @asynccontextmanager
    async def failing() -> AsyncGenerator[None]:
        yield
        await asyncio.sleep(0)
        raise ZeroDivisionError

    thread = LoopThread(failing())
    thread.start()
    with pytest.raises(ZeroDivisionError):
        thread.stop()
