"""A response that nobody asked for, on a connection that is kept alive, must not be taken for the next one."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import json
import re
import socket
import ssl
import threading
import time
import zipfile
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import trustme

from gh_artifacts_async import ArtifactsClient, UnexpectedResponseError
from tests.kits.raw import REPO, KeepAliveServer, RawServer, answer, artifact, in_order, kept_alive

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator
    from pathlib import Path

HOW = ["same segment", "with the last bytes", "a turn later", "later"]
NUMBER = re.compile(r"/(?:artifacts|blob)/(\d+)")


def number_of(head: str) -> int:
    """Return the artifact that a request is about."""
    found = NUMBER.search(head)
    assert found is not None
    return int(found[1])


def archive(number: int) -> bytes:
    """Return an artifact's bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(zipfile.ZipInfo("number.txt"), str(number) * 50)  # without the time of day
    return buffer.getvalue()


def document(number: int, *, digest: bool = True) -> str:
    """Return an artifact's JSON."""
    data = archive(number)
    sha256 = f"sha256:{hashlib.sha256(data).hexdigest()}" if digest else None
    return json.dumps(artifact(number, name=f"a{number}", size_in_bytes=len(data), digest=sha256))


def of_api(number: int, *, digest: bool = True) -> bytes:
    """Return the API's response about an artifact."""
    return kept_alive("200 OK", document(number, digest=digest), Content_Type="application/json")


def of_storage(number: int) -> bytes:
    """Return storage's response for an artifact."""
    return kept_alive("200 OK", archive(number), Content_Type="application/zip", ETag=f'"{number}"')


async def write(writer: asyncio.StreamWriter, right: bytes, surplus: bytes, how: str) -> None:
    """Send a response and one more."""
    if how == "same segment":
        writer.write(right + surplus)
    elif how == "with the last bytes":
        writer.write(right[:-10])
        await asyncio.sleep(0.01)
        writer.write(right[-10:] + surplus)
    else:
        writer.write(right)
        await writer.drain()
        await asyncio.sleep(0 if how == "a turn later" else 0.01)
        writer.write(surplus)
    await writer.drain()


@pytest.fixture(params=["plain", "TLS"])
def contexts(request: pytest.FixtureRequest) -> tuple[ssl.SSLContext | None, ssl.SSLContext | None]:
    """Return the server's TLS context and the client's; None for plain HTTP."""
    if request.param == "plain":
        return None, None
    authority = trustme.CA()
    server, client = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    return server, client


class Hosts:
    """An API and a storage host that send one response too many after each.

    Attributes:
        api: the API.
        storage: storage.
    """

    def __init__(self, how: str, context: ssl.SSLContext | None, *, digest: bool = True) -> None:
        self.how = how
        self.digest = digest
        self.api_is_calm = self.storage_is_calm = False
        self.api = KeepAliveServer(self._api, context)
        self.storage = KeepAliveServer(self._storage, context)

    async def _api(self, head: str, writer: asyncio.StreamWriter) -> None:
        number = number_of(head)
        if "/zip " in head.splitlines()[0]:
            right, wrong = (self._signed(one) for one in (number, number + 500))
        else:
            right, wrong = (of_api(one, digest=self.digest) for one in (number, number + 500))
        await write(writer, right, b"" if self.api_is_calm else wrong, self.how)

    def _signed(self, number: int) -> bytes:
        return kept_alive("302 Found", Location=f"{self.storage.url}/blob/{number}?sig=x")

    async def _storage(self, head: str, writer: asyncio.StreamWriter) -> None:
        number = number_of(head)
        await write(writer, of_storage(number), b"" if self.storage_is_calm else of_storage(number + 500), self.how)


@contextlib.asynccontextmanager
async def hosts(
    how: str, contexts: tuple[ssl.SSLContext | None, ssl.SSLContext | None], *, digest: bool = True, **options: Any
) -> AsyncGenerator[tuple[Hosts, ArtifactsClient]]:
    """Start both hosts, and a client of them."""
    here = Hosts(how, contexts[0], digest=digest)
    async with here.api, here.storage:
        network = {} if "session" in options else {"ssl_context": contexts[1]}
        async with ArtifactsClient("token", base_url=here.api.url, **network, **options) as client:
            yield here, client


@pytest.mark.parametrize("how", HOW)
async def test_row_01_surplus_document(how: str, contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    """Every document is the one that was asked for, and its connection serves no other request."""
    async with hosts(how, contexts) as (here, client):
        for number in range(1, 6):
            assert (await client.get_artifact(REPO, number)).id == number
            await asyncio.sleep(0.05)
        assert here.api.connections == 5


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("digest", [True, False])
async def test_row_01_surplus_body(
    how: str, contexts: tuple[ssl.SSLContext, ssl.SSLContext], tmp_path: Path, *, digest: bool
) -> None:
    """Every file has its own artifact's bytes, fetched once, whether a digest would tell or not."""
    async with hosts(how, contexts, digest=digest) as (here, client):
        for number in range(1, 5):
            found = await client.get_artifact(REPO, number)
            await asyncio.sleep(0.05)  # a surplus that comes after the next request was sent cannot be seen
            result = await client.download(found, tmp_path)
            assert result.path.read_bytes() == archive(number)
            await asyncio.sleep(0.05)
        assert len(here.storage.heads) == 4


@pytest.mark.parametrize("digest", [True, False])
async def test_row_01_many_at_once(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], tmp_path: Path, *, digest: bool
) -> None:
    """A bulk download ends, and each file is right; wrong bytes by a late surplus are fetched again."""
    async with hosts("later", contexts, digest=digest) as (here, client):
        here.api_is_calm = True
        artifacts = [await client.get_artifact(REPO, number) for number in range(1, 20)]
        async with client.download_many(artifacts, tmp_path) as outcomes:
            results = [outcome.unwrap() async for outcome in outcomes]
        assert len(results) == 19
        assert all(result.path.read_bytes() == archive(result.artifact.id) for result in results)


async def test_row_01_a_fresh_connection_without_a_digest(tmp_path: Path) -> None:
    """Nothing else would show another artifact's bytes: redirect and body each come over a new connection."""
    async with hosts("none", (None, None), digest=False) as (here, client):
        here.api_is_calm = here.storage_is_calm = True
        artifacts = [await client.get_artifact(REPO, number) for number in (1, 2, 3)]
        assert here.api.connections == 1
        for one in artifacts:
            await client.download(one, tmp_path)
        assert here.api.connections == 4
        assert here.storage.connections == 3
        async with client.open_archive(artifacts[0]) as remote:
            assert remote.members
        assert here.storage.connections == len(here.storage.heads) == 5  # this storage serves no ranges


@pytest.mark.parametrize("how", HOW)
async def test_row_01_borrowed_session(how: str, tmp_path: Path) -> None:
    """Storage has the same guard over a borrowed session's connections, and the session keeps its own pool."""
    async with aiohttp.ClientSession() as session, hosts(how, (None, None), session=session) as (here, client):
        connector = session.connector
        here.api_is_calm = True
        for number in range(1, 5):
            result = await client.download(await client.get_artifact(REPO, number), tmp_path)
            assert result.path.read_bytes() == archive(number)
            await asyncio.sleep(0.05)
        assert len(here.storage.heads) == 4
        assert here.api.connections == 1
        assert session.connector is connector


async def test_row_01_another_ones_document() -> None:
    """A response about another artifact or run is an error, also where no connection shows that it was not ours."""

    async def script(head: str, writer: asyncio.StreamWriter) -> None:
        writer.write(of_api(8) if "/artifacts/" in head else kept_alive("200 OK", json.dumps({"id": 8})))

    async with KeepAliveServer(script) as server, ArtifactsClient("token", base_url=server.url) as client:
        with pytest.raises(UnexpectedResponseError, match="artifacts/7 returned 8 instead"):
            await client.get_artifact(REPO, 7)
        with pytest.raises(UnexpectedResponseError, match="runs/7 returned 8 instead"):
            await client.get_workflow_run(REPO, 7)


@pytest.mark.parametrize("asked", [1, 2])
async def test_row_01_another_page(asked: int) -> None:
    """A page whose own links say that it is another one is not taken for the one that was asked for."""

    def page(number: int, *, links: str) -> bytes:
        items = [artifact(number * 10 + one) for one in range(5)]
        body = json.dumps({"total_count": 15, "artifacts": items})
        return answer("200 OK", body, Link=links.replace("BASE", "<https://api.example/x?per_page=5&page="))

    first = page(1, links='BASE2>; rel="next", BASE3>; rel="last"')
    second = page(2, links='BASE1>; rel="prev", BASE3>; rel="next", BASE3>; rel="last", BASE1>; rel="first"')
    third = page(3, links='BASE2>; rel="prev", BASE1>; rel="first"')
    answers = [first, second, third]
    answers[asked - 1] = third
    local = [one.replace(b"https://api.example", b"{url}") for one in answers]
    async with RawServer() as server, ArtifactsClient("token", base_url=server.url) as client:
        server.reply = in_order(*(one.replace(b"{url}", server.url.encode()) for one in local))
        with pytest.raises(UnexpectedResponseError, match=f"page {asked} of a listing came as another one"):
            [one.id async for one in client.list_artifacts(REPO, per_page=5)]
        server.reply = in_order(
            *(one.replace(b"https://api.example", server.url.encode()) for one in [first, second, third])
        )
        assert len([one.id async for one in client.list_artifacts(REPO, per_page=5)]) == 15


async def test_row_01_another_runs_listing() -> None:
    """A page of a run's artifacts has that run's only; an artifact that names no run may be one of them."""

    def page(*runs: int | None) -> bytes:
        items = [artifact(number, workflow_run=run and {"id": run}) for number, run in enumerate(runs, 1)]
        return answer("200 OK", json.dumps({"total_count": len(items), "artifacts": items}))

    async with (
        RawServer(in_order(page(7, None), page(7, 8))) as server,
        ArtifactsClient("token", base_url=server.url) as client,
    ):
        assert [one.id async for one in client.list_run_artifacts(REPO, 7)] == [1, 2]
        with pytest.raises(UnexpectedResponseError, match="runs/7/artifacts returned artifacts of run 8"):
            async for _ in client.list_run_artifacts(REPO, 7):
                pass


@pytest.fixture
def blocking_server() -> Iterator[tuple[str, threading.Event, list[int]]]:
    """Run a server on a thread that sends one more response when it is told to."""
    told, connections = threading.Event(), []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while head := connection.recv(65536).decode():
                connection.sendall(of_api(number_of(head)))
                if told.wait(2):
                    connection.sendall(of_api(500))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connections.append(1)
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", told, connections
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(2)


@pytest.mark.realtime
async def test_row_01_surplus_while_the_loop_is_busy(
    blocking_server: tuple[str, threading.Event, list[int]],
) -> None:
    """It lies in the socket, unread, when the next request takes the connection."""
    url, told, connections = blocking_server
    async with ArtifactsClient("token", base_url=url) as client:
        assert (await client.get_artifact(REPO, 1)).id == 1
        told.set()
        time.sleep(0.1)  # noqa: ASYNC251 - the loop is meant to be busy
        assert (await client.get_artifact(REPO, 2)).id == 2
    assert len(connections) == 2
