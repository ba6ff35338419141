"""What the workers are told, and what is refused before anything is sent."""

from __future__ import annotations

import pickle
import ssl
import threading
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from distributed.protocol.pickle import dumps

from gh_artifacts_async import (
    AppInstallationToken,
    ArtifactQuery,
    ConfigurationError,
    EnvironmentToken,
    GitHubCLIToken,
    Limits,
    RepositoryName,
    StaticToken,
    StoragePolicy,
)
from gh_artifacts_async.budgets import LocalBudget
from gh_artifacts_async.fleet import mirror_repositories, orders
from gh_artifacts_async.fleet.worker import FleetPlugin
from tests.kits.api import TOKEN
from tests.kits.apptoken import keys

PASSWORD = "canary-Passw0rd"


class Pickled:
    """A source of tokens that is pickled with its token, as a plain class is."""

    def __init__(self, token: str) -> None:
        self.given = token

    async def token(self) -> str:
        return self.given


class Asked:
    """A source of tokens that has none in this process."""

    async def token(self) -> str:
        raise OSError("only on the workers")


async def order(destination: Any = "/srv/artifacts", **arguments: Any) -> orders.Order:
    """Check arguments, all others being right."""
    given = {"query": None, "layout": "id", "concurrency": 8, "budget": None, **arguments}
    options = orders.without_secrets(given.pop("options", None))
    return await orders.checked(destination, **given, options=options)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"options": {"token": TOKEN}}, "GH_TOKEN in the environment of the workers"),
        ({"options": {"token": StaticToken(TOKEN)}}, r"StaticToken cannot be pickled.*GH_TOKEN in the environment"),
        ({"options": {"token": Pickled(TOKEN)}}, "pickled with its token"),
        ({"options": {"token": EnvironmentToken("X", environ={"X": TOKEN})}}, "EnvironmentToken cannot be pickled"),
        ({"options": {"token": 7}}, "token must be"),
        ({"options": {"session": object()}}, r"options\['session'\] belongs to this process"),
        ({"options": {"ssl_context": ssl.create_default_context()}}, r"options\['ssl_context'\] belongs to this"),
        ({"options": {"observer": print}}, r"options\['observer'\] belongs to this process"),
        ({"options": {"proxy": f"http://user:{PASSWORD}@proxy:3128"}}, r"options\['proxy'\] has a password.*trust_env"),
        ({"options": {"proxy": "proxy"}}, "proxy"),
        ({"options": {"colour": "red"}}, "options has an argument that ArtifactsClient does not take: .*colour"),
        ({"options": {"base_url": "ftp://x"}}, "base_url|https"),
        ({"options": {"limits": Limits(budget=LocalBudget())}}, "LocalBudget is shared within one process only"),
        ({"budget": LocalBudget()}, "LocalBudget is shared within one process only"),
        ({"options": {"base_url": "http://ghes.example.com/api/v3"}}, "a token would cross the network unencrypted"),
        ({"options": 3}, "options must be a mapping of ArtifactsClient's arguments, not int"),
        ({"options": {"limits": 3}}, r"options\['limits'\] must be Limits, not int"),
        ({"budget": 3}, "budget must have the coroutines lease, pause and paused"),
        (
            {"budget": SimpleNamespace(lease=print, pause=print, paused=print, lock=threading.Lock())},
            "budget cannot be sent to the workers",
        ),
        ({"budget": LocalBudget(), "options": {"limits": Limits(budget=LocalBudget())}}, "give one budget"),
        ({"query": "main"}, "query must be an ArtifactQuery"),
        ({"layout": "{nothing}"}, "layout must be"),
        ({"layout": threading.Lock().acquire}, "layout cannot be sent to the workers.*use a template"),
        ({"concurrency": 0}, "concurrency must be"),
        ({"concurrency": "8"}, "concurrency must be"),
        ({"concurrency": True}, "concurrency must be"),
        ({"destination": "s3://bucket/artifacts"}, r"obstore\.store\.from_url"),
        ({"destination": b"folder"}, "destination must be a folder or an object store"),
        ({"destination": ""}, "destination must be a folder or an object store"),
        ({"destination": 7}, "destination must be a folder or an object store of obstore, not int"),
    ],
)
async def test_what_cannot_be_sent(arguments: dict[str, Any], match: str, caplog: pytest.LogCaptureFixture):
    """One clear error each, which shows no secret; Dask's log has nothing of it."""
    with pytest.raises(ConfigurationError, match=match) as caught:
        await order(**arguments)
    assert TOKEN not in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert caplog.text == ""


@pytest.mark.parametrize(
    "options",
    [{"token": TOKEN}, {"proxy": f"http://user:{PASSWORD}@proxy:3128"}, {"token": Pickled(TOKEN)}],
    ids=["token", "proxy", "source"],
)
async def test_no_frame_shows_a_secret(options: Any):
    """Of those that the package adds to the caller's own: what shows tracebacks may show their variables."""
    cluster: Any = SimpleNamespace()
    with pytest.raises(ConfigurationError) as caught:
        await mirror_repositories(cluster, [], "/srv/artifacts", options=options)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    for frame in shown.stack[1:]:
        assert PASSWORD not in str(frame.locals)
        assert TOKEN not in str(frame.locals)


async def test_who_is_told_of_reports_is_a_function():
    """It would be known only after hours otherwise."""
    given, cluster = 3, SimpleNamespace()
    with pytest.raises(ConfigurationError, match="on_report must be a function that takes a report, not int"):
        await mirror_repositories(cluster, [], "/srv/artifacts", on_report=given)


async def test_an_app_s_key_is_not_sent():
    """It could make any number of tokens."""
    source = AppInstallationToken(7, keys().private, 8)
    with pytest.raises(ConfigurationError, match="AppInstallationToken cannot be pickled"):
        await order(options={"token": source})


async def test_a_store_in_memory_is_refused():
    """Each worker would have another one."""
    store = pytest.importorskip("obstore.store")
    with pytest.raises(ConfigurationError, match=r"MemoryStore cannot be pickled.*seen by one process only"):
        await order(store.MemoryStore())
    bucket = store.S3Store("bucket", region="x", access_key_id="key", secret_access_key=PASSWORD)
    accepted = await order(bucket)
    assert PASSWORD not in repr(accepted)
    assert pickle.loads(dumps(accepted)).destination == bucket  # noqa: S301  ours


async def test_a_store_of_a_derived_class():
    """It is a store like that from which it is derived."""
    store = pytest.importorskip("obstore.store")
    derived = type("Ours", (store.S3Store,), {})
    assert (await order(derived("bucket", region="x"))).destination.config["bucket"] == "bucket"


async def test_what_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Everything else is, a folder by its absolute path."""
    monkeypatch.chdir(tmp_path)
    query = ArtifactQuery(names="docs")
    options = {
        "base_url": "https://ghes.example.com/api/v3",
        "ca_file": None,
        "proxy": "http://proxy:3128",
        "storage": StoragePolicy(allow_http=False),
        "session": None,
        "token": None,
        "limits": Limits(api_concurrency=3),
    }
    made = await order("artifacts", query=query, layout=lambda artifact: artifact.name, options=options)
    sent = pickle.loads(dumps(FleetPlugin("fleet", made)))._order  # noqa: S301  ours
    assert sent.destination == str(tmp_path / "artifacts")
    assert sent.query == query
    assert sent.limits == Limits(api_concurrency=3)
    assert sent.options == {name: options[name] for name in ("base_url", "ca_file", "proxy", "storage")}


@pytest.mark.parametrize("source", [EnvironmentToken("MY_TOKEN"), GitHubCLIToken(), GitHubCLIToken(None), Asked()])
async def test_sources_of_tokens_that_have_none_in_them(source: Any, monkeypatch: pytest.MonkeyPatch):
    """They are sent, and asked on the workers."""
    monkeypatch.setenv("MY_TOKEN", TOKEN)
    made = await order(options={"token": source})
    sent = dumps(made)
    assert TOKEN.encode() not in sent
    arrived = pickle.loads(sent).options["token"]  # noqa: S301  ours
    assert type(arrived) is type(source)
    if isinstance(source, EnvironmentToken):
        assert await arrived.token() == TOKEN
    if not isinstance(source, Asked):
        assert repr(arrived) == repr(source)


@pytest.mark.parametrize("given", ["octo-org/octo-docs", 7, None])
def test_what_are_no_repositories(given: Any):
    """One name is not a list of names."""
    with pytest.raises(ConfigurationError, match="repositories must be names"):
        orders.Names(given)
    with pytest.raises(ConfigurationError, match="OWNER/NAME"):
        orders.Names(["octo-docs"])


async def test_each_repository_once():
    """However it is spelled, and wherever the names come from; only of a collection all are known."""
    names = ["octo-org/b", "Octo-Org/B", RepositoryName("octo-org", "a"), "octo-org/b"]

    async def some() -> Any:
        for name in names:
            yield name

    for given, known in ((names, True), (iter(names), False), (some(), False), (tuple(names), True)):
        found = orders.Names(given)
        assert found.is_known is known
        assert [str(name) async for name in found.each()] == ["octo-org/b", "octo-org/a"]
