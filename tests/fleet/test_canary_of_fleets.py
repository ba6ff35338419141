"""A canary token and all signatures of URLs are looked for in whatever Dask keeps, logs, sends and spills."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import re
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from distributed import Client
from distributed.protocol.pickle import dumps

from gh_artifacts_async import ClientOptions
from gh_artifacts_async.fleet import RepositoryReport, mirror_repositories
from gh_artifacts_async.testing import FakeGitHub
from gh_artifacts_async.testing.server.signing import Signer
from tests.kits.api import TOKEN
from tests.kits.dask import dask_cluster, scheduler_of, workers_of
from tests.kits.fleet import bucket, organization

pytestmark = pytest.mark.realtime

_SIGNATURE = re.compile(r"[?&](?:sig|urlSignature|X-Amz-Signature)=([^&#\s]+)")
_SIMPLE = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, logging.Logger, type(os.environ))
_WIRE = ("aiohttp", "asyncio", "_asyncio", "gh_artifacts_async.transport")
"""What sends requests has them while it does."""
_DEEPEST = 60


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The token, and every signature that is ever made."""
    found = {TOKEN}
    mint = Signer.mint

    def noted(self: Signer, *args: Any, **kwargs: Any) -> Any:
        signed = mint(self, *args, **kwargs)
        found.update(it for raw in _SIGNATURE.findall(str(signed)) for it in (raw, unquote(raw)))
        return signed

    monkeypatch.setattr(Signer, "mint", noted)
    return found


def texts(thing: object, seen: set[int], depth: int = 0) -> Iterator[str]:
    """Yield all text in an object, its attributes and what it contains; not what modules and connections hold."""
    if isinstance(thing, str):
        yield thing
    elif isinstance(thing, bytes | bytearray):
        yield bytes(thing).decode("latin-1")
    wire = type(thing).__module__.startswith(_WIRE)
    if isinstance(thing, (str, bytes, bytearray, *_SIMPLE)) or wire or id(thing) in seen or depth > _DEEPEST:
        return
    seen.add(id(thing))
    inner: list[object] = []
    if isinstance(thing, Mapping):
        inner += [*thing.keys(), *thing.values()]
    elif isinstance(thing, list | tuple | set | frozenset) or type(thing).__name__ == "deque":
        inner += list(thing)
    inner += list(getattr(thing, "__dict__", {}).values())
    for name in {slot for kind in type(thing).__mro__ for slot in getattr(kind, "__slots__", ())}:
        inner.append(getattr(thing, name, None))
    for one in inner:
        yield from texts(one, seen, depth + 1)


def shown(client: Client) -> dict[str, str]:
    """Return all that a scheduler in this process shows, by where it is."""
    scheduler = scheduler_of(client)
    found = {
        "worker plugins": repr(scheduler.worker_plugins),
        "events": repr(dict(scheduler._broker._topics) if hasattr(scheduler, "_broker") else scheduler.events),
        "transitions": repr(list(scheduler.transition_log)),
        "identity": repr(scheduler.identity()),
    }
    for key, task in scheduler.tasks.items():
        found[f"task {key}"] = f"{key} {task!r} {task.run_spec!r} {dumps(task.run_spec)!r} {task.exception!r}"
    return found


async def test_nothing_shows_them(
    cluster: Client,
    github: FakeGitHub,
    options: ClientOptions,
    tmp_path: Path,
    secrets: set[str],
    caplog: pytest.LogCaptureFixture,
):
    """Neither what the scheduler and the workers hold while a fleet is at work, nor what they log, nor a report."""
    made = organization(github, 4, 3)
    github.faults.status(made.ids[0], 410, times=None, where="api")
    github.faults.cut(made.ids[3], at=10, times=1)
    found: dict[str, str] = {}
    (tmp_path / "octo-org").mkdir()
    (tmp_path / "octo-org" / "repo-3").write_text("in the way")

    def look(report: RepositoryReport) -> None:
        found.update({f"{where} at {report.repository}": text for where, text in shown(cluster).items()})
        found[f"report of {report.repository}"] = f"{report!r} {pickle.dumps(report)!r} {report.error!r}"
        found[f"objects at {report.repository}"] = "\n".join(
            text
            for worker in workers_of(cluster)
            for plugin in worker.plugins.values()
            for text in texts(vars(plugin), {id(worker)})
        )

    with caplog.at_level(logging.DEBUG):
        report = await mirror_repositories(
            cluster, [*made.names, "octo-org/none"], tmp_path, options=options, on_report=look
        )
        found["scheduler"] = "\n".join(texts(scheduler_of(cluster), set()))
    assert (report.fetched, report.failed, len(report.unfinished)) == (8, 1, 2)
    found["report"] = f"{report!r} {pickle.dumps(report)!r}"
    found["log"] = caplog.text
    assert len(secrets) > 8
    assert "gh-artifacts-mirror" in found["scheduler"]
    assert len(found["objects at octo-org/repo-1"]) > 1000
    assert [(where, secret) for where, text in found.items() for secret in secrets if secret in text] == []


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_nothing_of_processes_shows_them(
    github: FakeGitHub, options: ClientOptions, tmp_path: Path, secrets: set[str]
):
    """Neither their logs, nor a file in their folders; nor does a store's own secret get into keys, tasks or logs."""
    made = organization(github, 3, 2)
    folder = tmp_path / "local"
    found: dict[str, str] = {}

    def look(_: RepositoryReport) -> None:
        found.update({where: text for where, text in shown(client).items() if where != "worker plugins"})
        files = (path for path in folder.rglob("*") if path.is_file())
        found["files"] = found.get("files", "") + "\n".join(path.read_bytes().decode("latin-1") for path in files)

    with bucket() as s3:
        secret = s3.store().config["secret_access_key"]
        async with dask_cluster(processes=True, local_directory=str(folder)) as client:
            report = await mirror_repositories(
                client, [*made.names, "octo-org/none"], s3.store(), options=options, on_report=look
            )
            logs = await asyncio.gather(client.get_worker_logs(n=10_000), client.get_scheduler_logs(n=10_000))
            found["logs"] = repr(logs)
            found["plugins left"] = repr(scheduler_of(client).worker_plugins)
        assert s3.contents() == made.files
    assert len(report.unfinished) == 1
    assert "gh-artifacts-mirror" in found["logs"]
    hidden = {*secrets, secret}
    assert [(where, it) for where, text in found.items() for it in hidden if it in text] == []
