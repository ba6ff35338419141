"""Wait until artifacts are there, or a run has ended: polls that cost nothing while nothing changes, and a deadline."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.api import endpoints, listing
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.automation import matching, now
from gh_artifacts_async.automation.checks import check_seconds
from gh_artifacts_async.errors import ConfigurationError, RunFailedError, WaitTimeoutError
from gh_artifacts_async.models import Artifact, RepositoryName, WorkflowRun, check_id
from gh_artifacts_async.protocol.requests import check_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence


GRACE = 30.0
"""Seconds after a run's end within which its artifacts may still appear: GitHub lists some only then."""

_GRACE_INTERVAL = 3.0
_LONG_AGO = timedelta(minutes=10)  # more than clocks differ
_LEAST_MARGIN, _MOST_MARGIN = 0.1, 5.0  # seconds
_PAGE = 100
_SHOWN = 3

COMPLETED = "completed"
SUCCESS = "success"


async def wait_for_artifacts(
    github: GitHubSession,
    repo: RepositoryName,
    names: Sequence[str],
    *,
    run_id: int | None = None,
    timeout: float,  # noqa: ASYNC109 - a deadline that also bounds what is asked for at the end
    interval: float = 15.0,
    fail_fast: bool = True,
) -> dict[str, Artifact]:
    """Return the newest artifact of each name once all are there.

    The arguments are those of :meth:`ArtifactsClient.wait_for_artifacts`.

    Raises:
        ConfigurationError: an argument is invalid.
        WaitTimeoutError: some have not come, or the run has ended successfully without them.
        RunFailedError: the run has ended without success.
        ArtifactsError: GitHub answered with an error, or did not answer.
    """
    if isinstance(names, str):
        msg = f"names must be a sequence of names, such as [{names!r}], not one name"
        raise ConfigurationError(msg)
    for name in names:
        check_name(name)
    pace = _Pace(timeout=check_seconds("timeout", timeout), interval=check_seconds("interval", interval))
    wanted = tuple(dict.fromkeys(names))
    if not wanted:
        return {}
    wait: _NamesWait | _RunWait
    if run_id is None:
        wait = _NamesWait(github, repo, wanted)
    else:
        wait = _RunWait(github, repo, wanted, check_id(run_id, "run_id"), fail_fast=fail_fast, pace=pace)
    try:
        await pace.repeat(wait.poll)
    except _OutOfTimeError:
        raise wait.timed_out(pace.timeout) from None
    return {name: wait.found[name] for name in wanted}


async def wait_for_run(
    github: GitHubSession,
    repo: RepositoryName,
    run_id: int,
    *,
    timeout: float,  # noqa: ASYNC109 - as above
    interval: float = 15.0,
) -> WorkflowRun:
    """Return a run once it has ended, whatever its conclusion.

    The arguments are those of :meth:`ArtifactsClient.wait_for_run`.

    Raises:
        ConfigurationError: an argument is invalid.
        WaitTimeoutError: it has not ended.
        ArtifactsError: GitHub answered with an error, or did not answer.
    """
    pace = _Pace(timeout=check_seconds("timeout", timeout), interval=check_seconds("interval", interval))
    seen: list[WorkflowRun] = []
    check_id(run_id, "run_id")

    async def poll() -> bool:
        seen[:] = [await endpoints.get_workflow_run(github, repo, run_id)]
        return seen[0].status == COMPLETED

    try:
        await pace.repeat(poll)
    except _OutOfTimeError:
        run = seen[0] if seen else None
        msg = f"{_state(repo, run_id, run)} after {pace.timeout:g} s; pass a larger timeout to wait longer"
        raise WaitTimeoutError(msg, run=run) from None
    return seen[0]


class _OutOfTimeError(Exception):
    """The deadline has come."""


@attrs.define(kw_only=True)
class _Pace:
    """When to poll, and when to stop.

    Attributes:
        timeout: seconds of the whole wait.
        interval: seconds from the end of a poll to the next.
        deadline: on the loop's clock.
    """

    timeout: float
    interval: float
    deadline: float = attrs.field(init=False)
    _longest: float = 0.0

    def __attrs_post_init__(self) -> None:
        """Start the clock."""
        self.deadline = asyncio.get_running_loop().time() + self.timeout

    async def repeat(self, poll: Callable[[], Awaitable[bool]]) -> None:
        """Poll until it returns true.

        Raises:
            _OutOfTimeError: the deadline has come; an answer that comes after it is cut off.
            ArtifactsError: whatever ``poll`` raises.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(self.deadline):
                while True:
                    began = loop.time()
                    if await poll():
                        return
                    self._longest = max(self._longest, loop.time() - began)
                    await asyncio.sleep(self._pause(loop.time()))
        except TimeoutError as error:
            if type(error) is not TimeoutError:  # a request's
                raise
        raise _OutOfTimeError

    def _pause(self, moment: float) -> float:
        """Return the seconds to the next poll; the last one begins just in time for its answer."""
        left = self.deadline - moment
        last = left - min(max(2 * self._longest, _LEAST_MARGIN), _MOST_MARGIN)
        if last <= 0:
            return left
        return min(self.interval, last)


@attrs.define
class _NamesWait:
    """A wait for artifacts of any run.

    Attributes:
        github: to ask with.
        repo: whose artifacts.
        names: which.
        found: those that are there.
    """

    github: GitHubSession
    repo: RepositoryName
    names: tuple[str, ...]
    found: dict[str, Artifact] = attrs.field(factory=dict)
    _seen: dict[str, set[int]] = attrs.field(factory=dict)

    async def poll(self) -> bool:
        """Ask for what is missing, a request a name; return whether all are there."""
        for name in self.names:
            if name not in self.found:
                artifact = await self._newest(name)
                if artifact is not None:
                    self.found[name] = artifact
        return len(self.found) == len(self.names)

    async def _newest(self, name: str) -> Artifact | None:
        """Return the newest artifact of a name.

        One page shows it on GitHub. A server that ignores the name, or has many expired ones, is asked for more pages,
        until one brings nothing that an earlier poll has not seen.
        """
        seen, number = self._seen.setdefault(name, set()), 1
        while True:
            page = await endpoints.list_artifacts_for_repo(
                self.github, self.repo, name=name, per_page=_PAGE, page=number
            )
            artifact = newest(page.artifacts, name)
            ids = {item.id for item in page.artifacts}
            if artifact is not None or page.next_page is None or ids <= seen:
                seen |= ids
                return artifact
            seen |= ids
            number += 1

    def timed_out(self, timeout: float) -> WaitTimeoutError:
        """Return the error of a wait that has come to its deadline."""
        missing = [name for name in self.names if name not in self.found]
        msg = f"no {_named(missing)} in {self.repo} after {timeout:g} s; pass a larger timeout to wait longer"
        return WaitTimeoutError(msg, missing=missing)


@attrs.define
class _RunWait:
    """A wait for artifacts of one run.

    Attributes:
        github: to ask with.
        repo: whose run.
        names: which artifacts.
        run_id: the run.
        fail_fast: a run that ends without success ends the wait.
        pace: when to poll.
        found: the artifacts that are there.
        run: as last seen.
    """

    github: GitHubSession
    repo: RepositoryName
    names: tuple[str, ...]
    run_id: int
    fail_fast: bool = attrs.field(kw_only=True)
    pace: _Pace = attrs.field(kw_only=True)
    found: dict[str, Artifact] = attrs.field(factory=dict)
    run: WorkflowRun | None = None

    async def poll(self) -> bool:
        """Look for the artifacts, then at the run; return whether all are there.

        Raises:
            RunFailedError: the run has ended without success, and the wait is to fail fast.
            WaitTimeoutError: it has ended successfully, and some have not come within the grace period.
        """
        if await self._all_listed():
            return True
        before, self.run = self.run, await endpoints.get_workflow_run(self.github, self.repo, self.run_id)
        if self.run.status != COMPLETED:
            return False
        if self.run.conclusion == SUCCESS:
            return await self._all_listed_in_time(first_seen=before is None)
        if not self.fail_fast:
            return False
        if await self._all_listed():  # what came between the two requests wins
            return True
        raise self._failed(self.run)

    async def _all_listed(self) -> bool:
        """Ask for the run's artifacts: one listing, of one name where only one is wanted."""
        only = self.names[0] if len(self.names) == 1 else None
        async with aclosing(listing.artifacts(self.github, self.repo, run_id=self.run_id, name=only)) as listed:
            artifacts = [artifact async for artifact in listed]
        fresh = {name: newest(artifacts, name) for name in self.names}
        self.found = {name: artifact for name, artifact in fresh.items() if artifact is not None}
        return len(self.found) == len(self.names)

    async def _all_listed_in_time(self, *, first_seen: bool) -> bool:
        """Look for the artifacts of a run that has ended, for as long as they may still appear.

        Raises:
            WaitTimeoutError: some have not.
        """
        loop = asyncio.get_running_loop()
        ended = None if self.run is None else self.run.updated_at
        if first_seen and ended is not None and now.utcnow() - ended > _LONG_AGO:
            until = loop.time()
        else:
            until = loop.time() + GRACE
        while True:
            if await self._all_listed():
                return True
            left = until - loop.time()
            if left <= 0:
                raise self.timed_out(self.pace.timeout)
            await asyncio.sleep(min(_GRACE_INTERVAL, self.pace.interval, left))

    def _missing(self) -> list[str]:
        return [name for name in self.names if name not in self.found]

    def _failed(self, run: WorkflowRun) -> RunFailedError:
        page = f"see {run.html_url}, or " if run.html_url else ""
        msg = (
            f"{_state(self.repo, self.run_id, run)} and has no {_named(self._missing())}; "
            f"{page}pass fail_fast=False to wait for a re-run"
        )
        return RunFailedError(msg, run=run)

    def timed_out(self, timeout: float) -> WaitTimeoutError:
        """Return the error of a wait that has come to its deadline, or has nothing more to wait for."""
        missing = self._missing()
        said = f"{_state(self.repo, self.run_id, self.run)} and has no {_named(missing)}"
        if self.run is not None and self.run.status == COMPLETED and self.run.conclusion == SUCCESS:
            said = f"{said}; check the name against the run's artifacts"
        else:
            said = f"{said} after {timeout:g} s; pass a larger timeout to wait longer"
        return WaitTimeoutError(said, missing=missing, run=self.run)


def newest(artifacts: Iterable[Artifact], name: str) -> Artifact | None:
    """Return the newest artifact of a name that has not expired, by (created_at, id); None if there is none."""
    fitting = [artifact for artifact in artifacts if artifact.name == name and not artifact.expired]
    return max(fitting, key=matching.age, default=None)


def _state(repo: RepositoryName, run_id: int, run: WorkflowRun | None) -> str:
    """Return a run and its state, the start of a sentence."""
    if run is None:
        return f"run {run_id} of {repo} has not been seen"
    if run.status == COMPLETED:
        return f"run {run_id} of {repo} has ended ({run.conclusion or 'no conclusion'})"
    return f"run {run_id} of {repo} is {run.status or 'in an unknown state'}"


def _named(missing: Sequence[str]) -> str:
    """Return the names of what is missing, the first few of many."""
    shown = ", ".join(map(repr, missing[:_SHOWN]))
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    return f"artifact{'' if len(missing) == 1 else 's'} named {shown}{more}"
