"""The client's methods that ask, read and wait: what they have in common; the rest is tested beside what they call."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import ArtifactQuery, ArtifactsClient, ClientClosedError, ConfigurationError, RepositoryName
from tests.kits.transfer import REPO, client_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gh_artifacts_async.testing import FakeGitHub, FakeRun

QUERY = ArtifactQuery(names="docs", conclusion=None)
CALLS: dict[str, Callable[[ArtifactsClient, Any, int], Awaitable[Any]]] = {
    "find_artifacts": lambda client, repo, _: anext(client.find_artifacts(repo, QUERY)),
    "explain": lambda client, repo, _: client.explain(repo, QUERY),
    "read_latest": lambda client, repo, _: client.read_latest(repo, QUERY, "log.txt"),
    "wait_for_artifact": lambda client, repo, _: client.wait_for_artifact(repo, "docs", timeout=5),
    "wait_for_artifacts": lambda client, repo, _: client.wait_for_artifacts(repo, ["docs"], timeout=5),
    "wait_for_run": lambda client, repo, run: client.wait_for_run(repo, run, timeout=5),
    "watch": lambda client, repo, _: anext(client.watch(repo, since=datetime(2020, 1, 1, tzinfo=UTC))),
}


@pytest.mark.parametrize("name", CALLS)
async def test_a_repository_is_a_string_or_a_name(github: FakeGitHub, run: FakeRun, name: str) -> None:
    """Both mean the same."""
    github.add_artifact(run, "docs", files={"log.txt": b"all is well"})
    async with client_for(github) as client:
        for repo in (REPO, RepositoryName("octo-org", "octo-docs")):
            assert await CALLS[name](client, repo, run.id)


@pytest.mark.parametrize("name", CALLS)
async def test_what_is_no_repository_is_refused_before_any_request(github: FakeGitHub, name: str) -> None:
    """As everywhere."""
    async with client_for(github) as client:
        with pytest.raises(ConfigurationError, match="is not a repository name"):
            await CALLS[name](client, "octo-docs", 7)
    assert github.requests == []


@pytest.mark.parametrize("name", CALLS)
async def test_a_closed_client_asks_nothing(github: FakeGitHub, run: FakeRun, name: str) -> None:
    """It says so."""
    async with client_for(github) as client:
        pass
    with pytest.raises(ClientClosedError):
        await CALLS[name](client, REPO, run.id)
    assert github.requests == []


@pytest.mark.realtime
def test_their_modules_are_imported_by_the_first_call() -> None:
    """Who only downloads does not load what bots need."""
    program = (
        "import sys\n"
        "from gh_artifacts_async import ArtifactsClient\n"
        "ArtifactsClient('t')\n"
        "print(sorted(name for name in sys.modules if name.startswith('gh_artifacts_async.automation')))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "[]\n"
