"""Never run: what a user's type checker must make of the test kit. mypy and basedpyright read it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Literal, assert_type

from gh_artifacts_async.testing import (
    ChaosProxy,
    Clock,
    FakeArtifact,
    FakeGitHub,
    FakeRun,
    Fault,
    JumpLoop,
    PageSeen,
    RequestRecord,
    make_zip,
)


async def a_test(fake_github: FakeGitHub) -> None:
    """What a test writes."""
    run = fake_github.add_run("octo-org/octo-docs", status="in_progress")
    assert_type(run, FakeRun)
    assert_type(fake_github.update_run(run, status="completed"), FakeRun)
    artifact_id = fake_github.add_artifact(run, "Rails", archive=make_zip({"log.txt": "text", "raw": b"bytes"}))
    assert_type(artifact_id, int)
    assert_type(fake_github.artifact(artifact_id), FakeArtifact)
    assert_type(fake_github.content(artifact_id), bytes)
    assert_type(fake_github.base_url, str)
    assert_type(fake_github.tokens, Collection[str] | None)
    fake_github.tokens = {"t1"}


def faults(fake_github: FakeGitHub) -> None:
    """Every fault is one, and can be counted and cancelled."""
    fault = fake_github.faults.cut(7, at=1000, times=2, where="storage")
    assert_type(fault, Fault)
    assert_type(fake_github.faults.status(code=502, where="api"), Fault)
    assert_type(fake_github.faults.html(times=None), Fault)
    assert_type(fault.count, int)
    assert_type(fault.left, int | None)
    assert_type(fake_github.faults.pending, list[Fault])
    fake_github.faults.cut(where="nowhere")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    fake_github.faults.assert_used()


def requests(fake_github: FakeGitHub) -> None:
    """Requests are records."""
    assert_type(fake_github.requests, list[RequestRecord])
    for record in fake_github.requests_to("storage", 7):
        assert_type(record.host, Literal["api", "storage"])
        assert_type(record.headers.get("Authorization"), str | None)
        assert_type(record.query.get("per_page"), str | None)
        assert_type(record.status, int)
        assert_type(record.endpoint, str | None)
    assert_type(fake_github.points, Counter[str])


def seen(page: PageSeen) -> None:
    """A callback for pages need not return anything."""
    assert_type(page.run_id, int | None)


async def time_and_chaos() -> None:
    """The fake in either block, its clock, and the proxy."""
    async with FakeGitHub("ghes-3.8", url_ttl=5) as github, ChaosProxy(github.storage_url) as proxy:
        assert_type(github, FakeGitHub)
        assert_type(github.clock, Clock)
        assert_type(github.clock.now(), datetime)
        github.on_page(seen)
        github.advertise(storage=proxy.url)
        proxy.at_random(0.2, seed=1)
    with FakeGitHub() as in_a_thread:
        assert_type(in_a_thread, FakeGitHub)


def a_test_that_jumps() -> None:
    """The loop is a factory for asyncio.Runner."""
    with asyncio.Runner(loop_factory=JumpLoop) as runner:
        assert_type(runner.run(time_and_chaos()), None)
