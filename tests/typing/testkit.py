"""Never run: what a user's type checker must make of the test kit."""

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
    FakeInstallation,
    FakePullRequest,
    FakeRepository,
    FakeRun,
    Fault,
    Faults,
    JumpLoop,
    PageSeen,
    RequestRecord,
    make_zip,
    random_zip,
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


def every_fault(faults: Faults) -> list[Fault]:
    """Each method makes one."""
    return [
        faults.change_etag(7, content=b"other"),
        faults.corrupt(7, at=10),
        faults.drip(7, chunk=2, interval=0.1),
        faults.expire_url(times=2),
        faults.expired_500(7),
        faults.extra(7, b"more", framing="length"),
        faults.forbidden(permissions="actions=write"),
        faults.garbage(data=b"x", where="api"),
        faults.gzip(7),
        faults.headers(7, {"Digest": None}, endpoint="get_artifact"),
        faults.ignore_range(7),
        faults.next_link("https://example.com/", times=None),
        faults.no_length(7, framing="close"),
        faults.no_reply(reset=True),
        faults.pass_by(7),
        faults.rate_limit(retry_after=3.0, reset_in=60),
        faults.redirect(7, "https://example.com/", status=307),
        faults.reset(7, at=1),
        faults.secondary_limit(retry_after="soon", headers={}),
        faults.slow_headers(seconds=60),
        faults.stall(7, at=1, seconds=60),
        faults.truncate_clean(7, framing="length"),
        faults.wrong_content_range(7, "bytes 0-0/1"),
        faults.wrong_length(7, by=-1),
        faults.add(Fault(faults.script[0].effects, artifact_id=7)),
    ]


def undone(faults: Faults, fault: Fault) -> None:
    """Faults can be taken back."""
    fault.cancel()
    faults.clear()


def what_there_is(fake_github: FakeGitHub) -> None:
    """A test sets up what GitHub has, and changes it."""
    assert_type(fake_github.add_repository("o/r", private=True, fork=True), FakeRepository)
    assert_type(fake_github.add_pull_request("o/r", 3, head_sha="0" * 40), FakePullRequest)
    installed = fake_github.add_installation(7, ["o/r"], permissions={"actions": "read"}, lifetime=60)
    assert_type(installed, FakeInstallation)
    fake_github.set_app_keys(7, b"key", "key")
    fake_github.add_user("octocat")
    fake_github.rename_repo("o/r", "o/s")
    fake_github.set_link_options(shuffle=True)
    fake_github.set_rate_limit(limit=60, remaining=0)
    fake_github.expire_artifact(7)
    fake_github.remove_artifact(7)
    fake_github.revoke_installation_tokens()
    fake_github.forget_requests()
    fake_github.scopeless_tokens = ["t"]
    fake_github.enforce_secondary_limits = fake_github.rate_limits_enabled = fake_github.check_jwt_times = False
    assert_type(fake_github.bytes_sent(7), int)
    assert_type((fake_github.max_concurrency, fake_github.max_storage_concurrency), tuple[int, int])
    assert_type(random_zip(100, seed=1), bytes)


async def by_hand(clock: Clock, run: FakeRun, loop: JumpLoop) -> None:
    """What has no block is closed; time is a value."""
    github = FakeGitHub()
    await github.aclose()
    clock.advance(60)
    assert_type((clock.elapsed(), clock.timestamp(), clock.http_date()), tuple[float, float, str])
    assert_type(run.job_id(0), int)
    loop.jump(60)
    assert_type((loop.time(), loop.jumped, loop.thread_work), tuple[float, float, int])


async def disrupted(proxy: ChaosProxy) -> None:
    """Each kind of disruption, for connections to come."""
    disruptions = [
        proxy.cut(after=10, direction="up"),
        proxy.delay(0.1),
        proxy.drip(chunk=2),
        proxy.pass_by(),
        proxy.refuse(times=2),
        proxy.reset(),
        proxy.stall(seconds=60),
    ]
    assert_type(proxy.script == disruptions, bool)
    await proxy.stop_listening()
    await proxy.listen()
    assert_type((proxy.port, proxy.url), tuple[int, str])
