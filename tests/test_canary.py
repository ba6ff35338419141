"""A canary token and canary signatures go through every path and every fault, and are looked for everywhere else."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import re
import traceback
import warnings
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import aiohttp
import pytest

from gh_artifacts_async import (
    AppInstallationToken,
    ArtifactRef,
    ArtifactsClient,
    ArtifactsError,
    RequestAnswered,
    RetryPolicy,
    SignedURL,
    StoragePolicy,
)
from gh_artifacts_async.testing import FakeGitHub
from gh_artifacts_async.testing.server.signing import Signer
from tests.kits.apptoken import ACCESS_TOKENS, keys, of_apps
from tests.kits.sampling import crossed, mostly_slow
from tests.kits.transfer import INLINE_SIZE, RECEIVER_SIZE, REPO, WORKER_SIZE, Seen, add, client_for, names
from tests.transfer.test_faults import AT_ONCE, LOST, MENDED

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator
    from pathlib import Path

TOKEN = "ghs_canary0123456789.canary.token-that-must-not-sing"
QUICK = RetryPolicy(attempts=3)
_SIGNATURE = re.compile(r"(?:^|[?&])(?:sig|urlSignature|X-Amz-Signature)=([^&#\s]+)")


class Canaries:
    """Everything secret that there is, and the search for it.

    Attributes:
        signatures: of every signed URL that was ever made.
        others: secrets of one test.
        records: what was logged.
        texts: (where, text) pairs in which nothing may be found.
    """

    def __init__(self) -> None:
        self.signatures: set[str] = set()
        self.others: set[str] = set()
        self.records: list[logging.LogRecord] = []
        self.texts: list[tuple[str, str]] = []

    def secrets(self) -> set[str]:
        """Return what nothing may show."""
        return {TOKEN, *self.signatures, *map(unquote, self.signatures), *self.others}

    def see(self, where: str, thing: object) -> None:
        """Take down everything that a thing can be printed as."""
        self.texts += [(f"{where} repr", repr(thing)), (f"{where} str", str(thing)), (f"{where} format", f"{thing}")]
        if hasattr(thing, "__dict__"):
            self.texts.append((f"{where} dict", repr(vars(thing))))

    def see_error(self, error: BaseException, seen: set[int] | None = None) -> None:
        """Take down an error, all that hangs on it, and the tracebacks with the locals of every frame."""
        seen = set() if seen is None else seen
        if id(error) in seen:
            return
        seen.add(id(error))
        self.see("error", error)
        self.texts.append(("error args", repr(error.args)))
        assert not type(error).__module__.startswith("aiohttp"), f"aiohttp's own error is in the chain: {type(error)}"
        captured = traceback.TracebackException.from_exception(error, capture_locals=True)
        self.texts.append(("traceback", "".join(captured.format(chain=False))))
        if isinstance(error, ArtifactsError):
            self.texts.append(("pickle", repr(pickle.dumps(error))))
        for other in (error.__cause__, error.__context__, *getattr(error, "exceptions", ())):
            if other is not None:
                self.see_error(other, seen)

    def see_folder(self, folder: Path) -> None:
        """Take down every name and every file, but for the artifacts' own bytes."""
        for name in names(folder):
            self.texts.append(("file name", name))
            self.texts.append((f"file {name}", (folder / name).read_bytes().decode("latin-1")))

    def see_requests(self, github: FakeGitHub) -> None:
        """Take down what went over the wire, but for the token to the API and the signature to its storage."""
        for record in github.requests:
            headers = {name: value for name, value in record.headers.items() if name.lower() != "authorization"}
            if record.host == "storage":
                headers = dict(record.headers)
                self.texts.append(("storage path", _SIGNATURE.sub("", record.raw_path)))
            else:
                self.texts.append(("API path", record.raw_path))
            self.texts.append((f"{record.host} headers", repr(headers)))

    def silence(self) -> None:
        """Fail if any of the secrets is in anything."""
        assert self.secrets() > {TOKEN}, "no canary was ever let out"
        for record in self.records:
            self.see("log record", record.getMessage())
            self.texts.append(("log record's dict", repr(vars(record))))
            if record.exc_info and record.exc_info[1] is not None:
                self.see_error(record.exc_info[1])
        secrets = self.secrets()
        for where, text in self.texts:
            for secret in secrets:
                assert secret not in text, f"a canary sings in {where}"


@pytest.fixture
def canaries(monkeypatch: pytest.MonkeyPatch) -> Iterator[Canaries]:
    """Note every signature that is created and everything that is logged, at the lowest level."""
    found = Canaries()
    mint = Signer.mint

    def noted(self: Signer, *args: Any, **kwargs: Any) -> str:
        url = mint(self, *args, **kwargs)
        found.signatures.update(_SIGNATURE.findall(url))
        return url

    monkeypatch.setattr(Signer, "mint", noted)
    handler = logging.Handler(logging.DEBUG)
    handler.emit = found.records.append  # type: ignore[method-assign, assignment]
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    loggers = [logging.getLogger(name) for name in ("asyncio", "aiohttp", "gh_artifacts_async")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield found
    root.removeHandler(handler)
    root.setLevel(level)
    for logger, its in zip(loggers, levels, strict=True):
        logger.setLevel(its)


@pytest.fixture
async def github() -> AsyncGenerator[FakeGitHub]:
    """Run a fake GitHub."""
    async with FakeGitHub() as fake:
        yield fake


async def _try(
    canaries: Canaries, github: FakeGitHub, client: ArtifactsClient, artifact_id: int, folder: Path, **options: Any
) -> None:
    """Download one, and take down everything it leaves."""
    events = Seen()
    canaries.see("client", client)
    try:
        result = await client.download(ArtifactRef(REPO, artifact_id), folder, observer=events, **options)
    except ArtifactsError as error:
        canaries.see_error(error)
    else:
        canaries.see("result", result)
    for event in events:
        canaries.see("event", event)
        if isinstance(getattr(event, "error", None), BaseException):
            canaries.see_error(event.error)  # type: ignore[attr-defined]
    canaries.see_folder(folder)
    canaries.see_requests(github)


@pytest.mark.parametrize("fault", MENDED)
async def test_what_is_mended(canaries: Canaries, github: FakeGitHub, tmp_path: Path, fault: str) -> None:
    """Nothing shows while a fault is overcome."""
    artifact_id = add(github)
    MENDED[fault](github.faults, artifact_id, WORKER_SIZE)
    async with client_for(github, TOKEN) as client:
        await _try(canaries, github, client, artifact_id, tmp_path)
    canaries.silence()


@pytest.mark.parametrize(("fault", "size"), crossed(LOST, (INLINE_SIZE, RECEIVER_SIZE), alike=AT_ONCE))
async def test_what_is_lost(canaries: Canaries, github: FakeGitHub, tmp_path: Path, fault: str, size: int) -> None:
    """Nothing shows in the error that ends a download, its whole chain, the part file, the sidecar."""
    artifact_id = add(github, size=size)
    LOST[fault][0](github.faults, artifact_id, size)
    async with client_for(github, TOKEN, retry=QUICK) as client:
        await client.get_download_url(REPO, add(github, "other"))
        await _try(canaries, github, client, artifact_id, tmp_path)
        await _try(canaries, github, client, artifact_id, tmp_path)
    canaries.silence()


@pytest.mark.parametrize("fault", mostly_slow(LOST, quick=3))
async def test_streams(canaries: Canaries, github: FakeGitHub, fault: str) -> None:
    """Nothing shows in a stream, and in the error that ends it."""
    artifact_id = add(github)
    LOST[fault][0](github.faults, artifact_id, WORKER_SIZE)
    events = Seen()
    async with client_for(github, TOKEN, retry=QUICK) as client:
        await client.get_download_url(REPO, add(github, "other"))
        try:
            async with client.open_stream(ArtifactRef(REPO, artifact_id), observer=events) as stream:
                canaries.see("stream", stream)
                async for _ in stream:
                    canaries.see("stream", stream)
        except ArtifactsError as error:
            canaries.see_error(error)
    for event in events:
        canaries.see("event", event)
    canaries.silence()


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("fault", mostly_slow(LOST, quick=2))
async def test_several_connections(canaries: Canaries, github: FakeGitHub, tmp_path: Path, fault: str) -> None:
    """Nothing shows where the ranges of several connections go wrong, and the first response breaks too."""
    size = 9 * 2**20
    artifact_id = add(github, size=size)
    LOST[fault][0](github.faults, artifact_id, size)
    for scripted in github.faults.script:
        scripted.needs_range = scripted.host == "storage"
    github.faults.reset(artifact_id, at=2**20)
    github.faults.drip(artifact_id, chunk=2**18, interval=0.01, times=None)
    async with client_for(github, TOKEN, retry=QUICK) as client:
        await _try(canaries, github, client, artifact_id, tmp_path, connections=3)
    assert len(github.requests_to("storage")) > 1 or not any(it.needs_range for it in github.faults.script)
    canaries.silence()


API_FAULTS = ("no_reply", "garbage", "slow_headers", "cut", "reset", "html")


@pytest.mark.parametrize("fault", API_FAULTS)
async def test_api_calls(canaries: Canaries, github: FakeGitHub, fault: str) -> None:
    """Nothing shows in the errors of the other calls."""
    artifact_id = add(github)
    async with client_for(github, TOKEN, retry=QUICK) as client:
        canaries.see("URL", await client.get_download_url(REPO, artifact_id))
        getattr(github.faults, fault)(artifact_id, times=None, where="api")
        for call in (client.get_artifact, client.delete_artifact, client.get_download_url):
            try:
                await call(REPO, artifact_id)
            except ArtifactsError as error:
                canaries.see_error(error)
        github.faults.clear()
        github.tokens = {"another"}
        with pytest.raises(ArtifactsError) as caught:
            await client.count_artifacts(REPO)
        canaries.see_error(caught.value)
    canaries.see_requests(github)
    canaries.silence()


@pytest.mark.parametrize(
    "location", ["http://elsewhere.invalid/x?{}", "ftp://127.0.0.1/x?{}", "http://u:p@127.0.0.1:9/?{}"]
)
@pytest.mark.parametrize("where", ["api", "storage"])
async def test_redirects(canaries: Canaries, github: FakeGitHub, tmp_path: Path, location: str, where: Any) -> None:
    """Nothing shows of a Location that is rejected, or that leads nowhere."""
    artifact_id = add(github)
    canaries.signatures.add("canarySignature%2B%3D")
    github.faults.redirect(artifact_id, location.format("sig=canarySignature%2B%3D"), times=None, where=where)
    policy = StoragePolicy(max_redirects=2, allowed_hosts=("127.0.0.1",))
    async with client_for(github, TOKEN, retry=QUICK, storage=policy) as client:
        await _try(canaries, github, client, artifact_id, tmp_path)
    canaries.silence()


@pytest.mark.parametrize("kind", ["azure", "azure-raw", "v3", "s3"])
async def test_signed_urls(canaries: Canaries, github: FakeGitHub, kind: Any) -> None:
    """A signed URL shows its secret only through ``url``."""
    artifact_id = add(github, kind=kind)
    async with client_for(github, TOKEN) as client:
        signed = await client.get_download_url(REPO, artifact_id)
    canaries.see("signed", signed)
    canaries.see("in a list", [signed, {signed: signed}])
    with pytest.raises(TypeError):
        pickle.dumps(signed)
    assert any(signature in signed.url for signature in canaries.signatures)
    assert isinstance(signed, SignedURL)
    canaries.silence()


@pytest.mark.parametrize("size", mostly_slow([INLINE_SIZE, WORKER_SIZE, RECEIVER_SIZE], quick=2))
async def test_cancelled(canaries: Canaries, github: FakeGitHub, tmp_path: Path, size: int) -> None:
    """Nothing shows in the traceback of a CancelledError, wherever the download was."""
    artifact_id = add(github, size=size)
    github.faults.stall(artifact_id, at=size // 2, times=None)
    async with client_for(github, TOKEN) as client:
        for steps in range(1, 60):
            task = asyncio.create_task(client.download(ArtifactRef(REPO, artifact_id), tmp_path))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            canaries.see_error(caught.value)
    canaries.see_folder(tmp_path)
    canaries.see_requests(github)
    canaries.silence()


async def test_bulk(canaries: Canaries, github: FakeGitHub, tmp_path: Path) -> None:
    """Nothing shows in the outcomes and events of a bulk download."""
    for name in LOST:
        artifact_id = add(github, re.sub(r"\W", "-", name), size=INLINE_SIZE)
        if "limit" not in name and "silence" not in name:
            LOST[name][0](github.faults, artifact_id, INLINE_SIZE)
    events = Seen()
    async with (
        client_for(github, TOKEN, retry=RetryPolicy(attempts=1), observer=events) as client,
        client.download_many(client.list_artifacts(REPO), tmp_path) as outcomes,
    ):
        async for outcome in outcomes:
            canaries.see("outcome", outcome)
            if outcome.error is not None:
                canaries.see_error(outcome.error)
    for event in events:
        canaries.see("event", event)
    canaries.see_folder(tmp_path)
    canaries.see_requests(github)
    canaries.silence()


async def test_unpacked(canaries: Canaries, github: FakeGitHub, tmp_path: Path) -> None:
    """Nothing shows when an archive is extracted while it arrives, fails, and is downloaded again."""
    artifact_id = add(github, size=2 * RECEIVER_SIZE)
    artifact_ref = ArtifactRef(REPO, artifact_id)
    async with client_for(github, TOKEN, retry=QUICK) as client:
        for script in (
            LOST["a byte turned over"][0],
            LOST["cut"][0],
            lambda faults, it, n: faults.reset(it, at=n // 2),
        ):
            github.faults.clear()
            script(github.faults, artifact_id, 2 * RECEIVER_SIZE)
            events = Seen()
            try:
                canaries.see("result", await client.download(artifact_ref, tmp_path, extract=True, observer=events))
            except ArtifactsError as error:
                canaries.see_error(error)
            for event in events:
                canaries.see("event", event)
            canaries.see_folder(tmp_path)
    canaries.see_requests(github)
    canaries.silence()


async def test_borrowed_session(canaries: Canaries, github: FakeGitHub, tmp_path: Path) -> None:
    """What a borrowed session carries besides, its headers and its cookies, never gets to storage."""
    artifact_id = add(github)
    headers = {"X-Api-Key": "key-canary", "Private-Token": "private-canary", "Cookie": "biscuit=cookie-canary"}
    jar = aiohttp.CookieJar(unsafe=True)
    jar.update_cookies({"crumb": "crumb-canary"})
    async with aiohttp.ClientSession(headers=headers, cookie_jar=jar) as session:
        async with ArtifactsClient(TOKEN, base_url=github.base_url, session=session) as client:
            await _try(canaries, github, client, artifact_id, tmp_path)
        assert not session.closed
        assert session.headers["X-Api-Key"] == "key-canary"
    assert {record.host for record in github.requests} == {"api", "storage"}
    for record in github.requests_to("storage"):
        assert "canary" not in repr(dict(record.headers))
        assert {name.lower() for name in record.headers} <= {"host", "user-agent", "accept", "accept-encoding"}
    canaries.silence()


async def test_the_log(canaries: Canaries, github: FakeGitHub, tmp_path: Path) -> None:
    """Each request has a line at DEBUG, and its fields; a token that the server echoes is hidden there too."""
    artifact_id = add(github)
    github.faults.status(artifact_id, 502, where="api")
    github.faults.expire_url(artifact_id)
    github.faults.cut(artifact_id, at=1000)
    github.faults.headers(None, {"X-GitHub-Request-Id": f"C0DE:{TOKEN}"}, times=1, where="api")
    events = Seen()
    async with client_for(github, TOKEN, retry=QUICK, observer=events) as client:
        await _try(canaries, github, client, artifact_id, tmp_path)
        canaries.see("statistics", client.statistics)
    for event in events:
        canaries.see("event", event)
    requests = [record for record in canaries.records if getattr(record, "gh_event", "") == "request"]
    assert len(requests) == len(events.of(RequestAnswered)) == len(github.requests)
    assert {record.name for record in requests} == {"gh_artifacts_async.api", "gh_artifacts_async.transfer"}
    assert any(record.gh_request_id == "C0DE:***" for record in requests)  # type: ignore[attr-defined]
    canaries.silence()


async def test_a_proxy_in_the_log(canaries: Canaries, github: FakeGitHub, tmp_path: Path) -> None:
    """Neither the password of a proxy that refuses nor that of one that is gone is logged, or told to observers."""
    artifact_id, events = add(github), Seen()
    canaries.signatures.add("proxy-canary")
    proxy = "http://user:proxy-canary@127.0.0.1:9"
    async with client_for(github, TOKEN, retry=QUICK, proxy=proxy, observer=events) as client:
        await _try(canaries, github, client, artifact_id, tmp_path)
        canaries.see("statistics", client.statistics)
    assert events.of(RequestAnswered)
    for event in events:
        canaries.see("event", event)
        if isinstance(event, RequestAnswered) and event.error is not None:
            canaries.see_error(event.error)
    canaries.silence()


async def test_observer_and_debug_mode(canaries: Canaries, github: FakeGitHub, tmp_path: Path) -> None:
    """Nothing shows with asyncio's debug mode on and an observer that fails."""
    artifact_id = add(github)
    github.faults.reset(artifact_id, at=WORKER_SIZE // 2)

    def failing(event: object) -> None:
        msg = f"no good: {event}"
        raise RuntimeError(msg)

    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        async with client_for(github, TOKEN, observer=failing) as client:
            await _try(canaries, github, client, artifact_id, tmp_path)
    loop.set_debug(False)
    assert any("an observer failed" in record.getMessage() for record in canaries.records)
    canaries.silence()


# --- GitHub Apps


def _bound(github: FakeGitHub, canaries: Canaries) -> AppInstallationToken:
    """Return the source of an App that is installed, whose tokens are stateless; its key is a canary."""
    github.add_installation(7, [REPO], stateless=True)
    github.set_app_keys(7, keys().public)
    github.tokens = set()
    canaries.others.update(keys().private.splitlines()[1:-1])
    return AppInstallationToken(7, keys().private, repo=REPO)


def _collect(github: FakeGitHub, canaries: Canaries) -> None:
    """Add every JSON Web Token and every token that was sent, in whole, and the parts that make them up."""
    for record in github.requests_to("api"):
        token = record.headers["Authorization"].removeprefix("Bearer ")
        canaries.others |= {token, *(part for part in token.split(".") if len(part) > 40)}


APP_FAULTS: dict[str, Any] = {
    "none": lambda _github: None,
    "revoked key": lambda github: github.set_app_keys(7),
    "revoked token": lambda github: github.revoke_installation_tokens(),
    "not installed": lambda github: github.scenario.installations.clear(),
    "403": lambda github: github.faults.status(None, 403, times=None, where="api", endpoint=ACCESS_TOKENS),
    "422": lambda github: github.faults.status(None, 422, times=None, where="api", endpoint=ACCESS_TOKENS),
    "502": lambda github: github.faults.status(None, 502, times=None, where="api", endpoint=ACCESS_TOKENS),
    "no end": lambda github: github.faults.status(
        None, 201, times=None, where="api", endpoint=ACCESS_TOKENS, body='{"token": "ghs_7_canary.without.an-end"}'
    ),
    "html": lambda github: github.faults.html(None, times=None, endpoint=ACCESS_TOKENS),
    "cut": lambda github: github.faults.cut(None, times=None, where="api"),
    "no reply": lambda github: github.faults.no_reply(None, times=None, where="api"),
    "garbage": lambda github: github.faults.garbage(None, times=None, where="api"),
}


@pytest.mark.parametrize("later", [False, True], ids=["first", "renewal"])
@pytest.mark.parametrize("fault", APP_FAULTS)
async def test_apps(canaries: Canaries, github: FakeGitHub, tmp_path: Path, fault: str, later: Any) -> None:
    """Nothing shows of an App's key, its JSON Web Tokens and its tokens, whatever becomes of a request for one."""
    artifact_id = add(github, size=INLINE_SIZE)
    source = _bound(github, canaries)
    canaries.others.add("ghs_7_canary.without.an-end")
    async with client_for(github, source, retry=QUICK) as client:  # type: ignore[arg-type]
        if later:
            await client.count_artifacts(REPO)
            _collect(github, canaries)
            APP_FAULTS[fault](github)
            await asyncio.sleep(3400)
            await _try(canaries, github, client, artifact_id, tmp_path)
            await asyncio.sleep(3400)
        else:
            APP_FAULTS[fault](github)
        await _try(canaries, github, client, artifact_id, tmp_path)
        canaries.see("source", source)
        canaries.see("session", client._github)
    _collect(github, canaries)
    assert of_apps(github)
    canaries.silence()


async def test_an_app_token_that_is_echoed(canaries: Canaries, github: FakeGitHub) -> None:
    """520 characters with dots, in an error of a server that repeats what it got."""
    artifact_id = add(github)
    source = _bound(github, canaries)
    async with client_for(github, source, retry=QUICK) as client:  # type: ignore[arg-type]
        await client.get_artifact(REPO, artifact_id)
        token = github.requests[-1].headers["Authorization"].removeprefix("Bearer ")
        canaries.others |= {token, token.upper()}
        for said in (token, token.upper()):
            body = json.dumps({"message": f"what is {said}?", "documentation_url": f"https://docs.example/{said}"})
            github.faults.status(None, 403, where="api", body=body, headers={"X-GitHub-Request-Id": said})
            with pytest.raises(ArtifactsError, match=r"what is \*\*\*\?") as caught:
                await client.get_artifact(REPO, artifact_id)
            del said, body
            canaries.see_error(caught.value.with_traceback(None))
    canaries.silence()


async def test_an_app_is_cancelled(canaries: Canaries, github: FakeGitHub) -> None:
    """Nothing shows in the traceback of a CancelledError, wherever the request for a token was."""
    artifact_id = add(github)
    source = _bound(github, canaries)
    async with client_for(github, source) as client:  # type: ignore[arg-type]
        for steps in range(1, 120, 3):
            source._grant = None
            task = asyncio.create_task(client.get_artifact(REPO, artifact_id))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError as error:
                canaries.see_error(error)
    _collect(github, canaries)
    canaries.silence()
