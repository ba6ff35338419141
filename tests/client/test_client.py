"""ArtifactsClient: what a user holds, by name and signature, from the constructor to close."""

from __future__ import annotations

import asyncio
import gc
import inspect
import ssl
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from gh_artifacts_async import (
    ArtifactRef,
    ArtifactsClient,
    AuthenticationError,
    ClientClosedError,
    ConfigurationError,
    EnvironmentToken,
    Limits,
    ListingProgress,
    RetryPolicy,
    StaticToken,
    StoragePolicy,
    Timeouts,
)
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.clock import JumpLoop
from tests.kits.transfer import INLINE_SIZE, REPO, Seen, add, client_for

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

TOKEN = "ghs_secret-of-this-test"


@pytest.fixture
async def client(github: FakeGitHub) -> AsyncGenerator[ArtifactsClient]:
    """Run a client of it, without GitHub's second between two deletions."""
    async with client_for(github, limits=Limits(mutation_interval=None)) as its_client:
        yield its_client


# --- signatures -----------------------------------------------------------------------------------------------------

POSITIONAL = {
    "__init__": ["self", "token"],
    "from_env": ["environ"],
    "list_artifacts": ["self", "repo"],
    "list_run_artifacts": ["self", "repo", "run_id"],
    "get_artifact": ["self", "repo", "artifact_id"],
    "delete_artifact": ["self", "repo", "artifact_id"],
    "get_download_url": ["self", "repo", "artifact_id"],
    "count_artifacts": ["self", "repo"],
    "list_workflow_runs": ["self", "repo"],
    "get_workflow_run": ["self", "repo", "run_id"],
    "download": ["self", "artifact", "directory"],
    "download_many": ["self", "artifacts", "directory"],
    "plan_downloads": ["self", "artifacts", "directory"],
    "verify": ["self", "artifact", "path"],
    "aclose": ["self"],
}
KEYWORDS = {
    "__init__": {
        "base_url": "https://api.github.com",
        "session": None,
        "allow_http": False,
        "ca_file": None,
        "ssl_context": None,
        "proxy": None,
        "trust_env": False,
        "timeouts": None,
        "retry": None,
        "limits": None,
        "storage": None,
        "api_version": "2022-11-28",
        "user_agent": None,
        "observer": None,
    },
    "list_artifacts": {"name": None, "per_page": 100, "limit": None, "concurrency": 1},
    "list_run_artifacts": {"name": None, "direction": None, "per_page": 100, "limit": None, "concurrency": 1},
    "delete_artifact": {"missing_ok": False},
    "count_artifacts": {"name": None},
    "list_workflow_runs": dict.fromkeys(
        ("workflow", "branch", "event", "status", "head_sha", "actor", "created", "limit"), None
    ),
    "download": {"filename": None, "if_exists": "error", "durable": False, "observer": None},
    "plan_downloads": {"layout": "id", "extract": False, "if_exists": "skip"},
    "download_many": {"concurrency": 8, "if_exists": "skip", "layout": "id", "durable": False, "observer": None},
}


@pytest.mark.parametrize("name", POSITIONAL)
def test_signature(name: str) -> None:
    """The subject comes first, everything else is a keyword, with these defaults."""
    parameters = inspect.signature(getattr(ArtifactsClient, name)).parameters.values()
    positional = [it.name for it in parameters if it.kind is it.POSITIONAL_OR_KEYWORD]
    assert positional == POSITIONAL[name]
    keywords = {it.name: it.default for it in parameters if it.kind is it.KEYWORD_ONLY}
    expected = KEYWORDS.get(name, {})
    assert {key: keywords[key] for key in expected} == expected


def test_defaults() -> None:
    """The settings' defaults are the promised ones."""
    assert Timeouts() == Timeouts(connect=10.0, read=30.0, min_rate=1024, min_rate_window=30.0)
    assert RetryPolicy() == RetryPolicy(attempts=6, wait_initial=0.5, wait_max=20.0)
    assert Limits() == Limits(api_concurrency=8, points_per_minute=840, mutation_interval=1.0, max_pause=900.0)
    assert StoragePolicy() == StoragePolicy(allow_http=None, allowed_hosts=None, max_redirects=0)


# --- constructor ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "ftp://api.github.com"},
        {"base_url": "http://github.example/api/v3"},
        {"base_url": "https://user:pw@github.example"},
        {"base_url": ""},
        {"token": "line\nbreak"},
        {"token": ""},
        {"token": 7},
        {"ca_file": "/absent.pem"},
        {"ca_file": "x.pem", "ssl_context": ssl.create_default_context()},
        {"proxy": "socks5://127.0.0.1:1"},
        {"user_agent": "line\nbreak"},
        {"api_version": ""},
    ],
)
def test_refused(settings: dict[str, Any]) -> None:
    """An invalid argument is a ConfigurationError of the constructor, which is a ValueError."""
    with pytest.raises(ConfigurationError) as caught:
        ArtifactsClient(**{"token": TOKEN, **settings})
    assert isinstance(caught.value, ValueError)
    assert TOKEN not in str(caught.value)


async def test_borrowed_session_settings() -> None:
    """Network settings belong to an owned session, and one with auth is not borrowed."""
    async with aiohttp.ClientSession() as session:
        for settings in (
            {"ca_file": "x"},
            {"ssl_context": ssl.create_default_context()},
            {"proxy": "http://127.0.0.1:1"},
            {"trust_env": True},
        ):
            with pytest.raises(ConfigurationError, match="session="):
                ArtifactsClient(TOKEN, session=session, **settings)  # type: ignore[arg-type]


def test_makes_nothing_by_itself() -> None:
    """A client that is never used holds nothing that must be closed, and needs no loop."""
    made = ArtifactsClient(TOKEN)
    del made
    gc.collect()


def test_repr() -> None:
    """The repr shows the base URL and no token."""
    made = ArtifactsClient(TOKEN, base_url="https://github.example/api/v3/")
    assert repr(made) == "ArtifactsClient(base_url='https://github.example/api/v3')"
    assert TOKEN not in repr(vars(made))


@pytest.mark.parametrize(
    ("environ", "base_url", "has_token"),
    [
        ({}, "https://api.github.com", False),
        ({"GH_TOKEN": TOKEN}, "https://api.github.com", True),
        ({"GITHUB_TOKEN": TOKEN}, "https://api.github.com", True),
        ({"GH_HOST": "github.example", "GH_TOKEN": TOKEN}, "https://github.example/api/v3", False),
        ({"GH_HOST": "github.example", "GH_ENTERPRISE_TOKEN": TOKEN}, "https://github.example/api/v3", True),
        ({"GH_HOST": "octo.ghe.com", "GITHUB_TOKEN": TOKEN}, "https://api.octo.ghe.com", True),
        (
            {"GITHUB_API_URL": "https://github.example/api/v3", "GITHUB_TOKEN": TOKEN},
            "https://github.example/api/v3",
            True,
        ),
    ],
)
def test_from_env(environ: dict[str, str], base_url: str, *, has_token: bool) -> None:
    """The environment gives address and token, as GitHub's own tools read it."""
    made = ArtifactsClient.from_env(environ)
    assert repr(made) == f"ArtifactsClient(base_url={base_url!r})"
    assert made._github.has_token is has_token


async def test_from_env_overrides(github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments win over the environment; without a mapping it is the process's own."""
    add(github)
    monkeypatch.setenv("GITHUB_API_URL", github.base_url)
    monkeypatch.setenv("GH_TOKEN", TOKEN)
    monkeypatch.delenv("GH_HOST", raising=False)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    async with ArtifactsClient.from_env(user_agent="mine/1") as client:
        assert await client.count_artifacts(REPO) == 1
    async with ArtifactsClient.from_env(token="another", base_url=github.base_url) as client:
        await client.count_artifacts(REPO)
    first, second = github.requests
    assert (first.headers["User-Agent"], second.headers["Authorization"]) == ("mine/1", "Bearer another")
    assert first.headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("source", [StaticToken(TOKEN), EnvironmentToken("MINE", environ={"MINE": TOKEN}), TOKEN])
async def test_token_sources(github: FakeGitHub, source: Any) -> None:
    """A token may be text or a source of tokens."""
    add(github)
    async with client_for(github, source) as client:
        await client.count_artifacts(REPO)
    assert github.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"


# --- requests -------------------------------------------------------------------------------------------------------


async def test_observer(github: FakeGitHub) -> None:
    """The client's observer is called for listings too."""
    add(github)
    seen = Seen()
    async with client_for(github, observer=seen) as client:
        assert [it async for it in client.list_artifacts(REPO)]
    assert [event.items for event in seen.of(ListingProgress)] == [1]


async def test_anonymous(github: FakeGitHub) -> None:
    """Without a token listings work and no Authorization is sent."""
    add(github)
    async with client_for(github, None) as client:
        assert await client.count_artifacts(REPO) == 1
    assert "Authorization" not in github.requests[0].headers


async def test_wrong_token(github: FakeGitHub) -> None:
    """A token that GitHub does not take is AuthenticationError."""
    add(github)
    github.tokens = {"right"}
    async with client_for(github, "wrong") as client:
        with pytest.raises(AuthenticationError):
            await client.count_artifacts(REPO)


# --- end ------------------------------------------------------------------------------------------------------------


async def test_close(github: FakeGitHub, tmp_path: Path) -> None:
    """Close is idempotent; every call after it is ClientClosedError, which is a RuntimeError."""
    artifact_id = add(github)
    client = ArtifactsClient("token", base_url=github.base_url)
    await client.aclose()
    await client.aclose()
    client = ArtifactsClient("token", base_url=github.base_url)
    async with client:
        result = await client.download(ArtifactRef(REPO, artifact_id), tmp_path)
    await client.aclose()
    artifact = result.artifact
    calls: list[Any] = [
        lambda: client.get_artifact(REPO, artifact_id),
        lambda: client.delete_artifact(REPO, artifact_id),
        lambda: client.get_download_url(REPO, artifact_id),
        lambda: client.count_artifacts(REPO),
        lambda: client.get_workflow_run(REPO, 7),
        lambda: client.download(artifact, tmp_path, if_exists="replace"),
        lambda: anext(client.list_artifacts(REPO)),
        lambda: anext(client.list_workflow_runs(REPO)),
        client.__aenter__,
    ]
    for call in calls:
        with pytest.raises(ClientClosedError) as caught:
            await call()
        assert isinstance(caught.value, RuntimeError)
    with pytest.raises(ClientClosedError):
        async with client.download_many([artifact], tmp_path) as outcomes:
            pytest.fail(repr(outcomes))


async def test_closed_by_an_error(github: FakeGitHub) -> None:
    """The block closes also when it is left by an error."""
    client = ArtifactsClient("token", base_url=github.base_url)
    add(github)

    async def fail() -> None:
        async with client:
            await client.count_artifacts(REPO)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    with pytest.raises(ClientClosedError):
        await client.count_artifacts(REPO)


async def test_borrowed_session_is_not_closed(github: FakeGitHub, tmp_path: Path) -> None:
    """A borrowed session stays open, with its connector, for the next client."""
    artifact_id = add(github)
    async with aiohttp.ClientSession() as session:
        for number in range(2):
            async with ArtifactsClient("token", base_url=github.base_url, session=session) as client:
                await client.download(ArtifactRef(REPO, artifact_id), tmp_path / str(number))
            assert not session.closed
            assert session.connector is not None
            assert not session.connector.closed


def test_another_loop() -> None:
    """A client belongs to the loop that used it first."""
    client = ArtifactsClient("token")

    def run(work: Any) -> None:
        with asyncio.Runner(loop_factory=JumpLoop) as runner:
            runner.run(work)

    async def use() -> None:
        await client.count_artifacts(REPO)

    run(client.__aenter__())
    with pytest.raises(ClientClosedError, match="another event loop"):
        run(use())


async def test_shared_between_tasks(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Many tasks of one loop may use a client at once."""
    ids = [add(github, f"docs-{number}", size=INLINE_SIZE) for number in range(20)]
    results = await asyncio.gather(*(client.download(ArtifactRef(REPO, it), tmp_path) for it in ids))
    assert [result.path.read_bytes() for result in results] == [github.content(it) for it in ids]
    assert github.max_concurrency <= 8
