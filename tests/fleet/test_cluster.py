"""Which clusters a fleet works on: those where nobody can listen."""

from __future__ import annotations

import asyncio
import gc
from types import SimpleNamespace

import pytest
from distributed import Client
from distributed.comm.core import CommClosedError

from gh_artifacts_async import ConfigurationError, ConnectionFailedError
from gh_artifacts_async.fleet import cluster as module
from tests.kits.dask import dask_cluster


@pytest.mark.parametrize(
    "address",
    [
        "tls://scheduler.example.com:8786",
        "tls://10.0.0.5:8786",
        "wss://10.0.0.5:443",
        "inproc://10.0.0.5/7/1",
        "tcp://127.0.0.1:8786",
        "tcp://127.8.9.1:8786",
        "tcp://[::1]:8786",
        "tcp://localhost:8786",
        "ws://127.0.0.1:8786",
    ],
)
def test_private(address: str):
    """Encrypted, or within this machine."""
    module.check_private(address)


@pytest.mark.parametrize(
    "address",
    [
        "tcp://10.0.0.5:8786",
        "tcp://scheduler:8786",
        "tcp://localhost.example.com:8786",
        "tcp://[2001:db8::1]:8786",
        "tcp://0.0.0.0:8786",
        "ws://10.0.0.5:8786",
        "ucx://10.0.0.5:8786",
        "10.0.0.5:8786",
        "tcp://[::1",
        "",
    ],
)
def test_not_private(address: str):
    """Plain text over a network, or what is not known."""
    with pytest.raises(ConfigurationError, match="in plain text over a network"):
        module.check_private(address)


async def test_what_is_no_connected_client():
    """The error says what to do, before anything is sent."""
    for given, match in (
        ("tcp://127.0.0.1:8786", "cluster must be a distributed.Client, not str"),
        (Client.__new__(Client), "not connected"),
    ):
        if isinstance(given, Client):
            given.status = "newly-created"
        with pytest.raises(ConfigurationError, match=match):
            async with module.connected(given):
                pass


async def test_a_scheduler_in_plain_text_over_a_network():
    """It is refused although there is a connection already."""
    client = Client.__new__(Client)
    client.status, client.scheduler = "running", SimpleNamespace(address="tcp://10.0.0.5:8786")
    with pytest.raises(ConfigurationError, match=r"tcp://10\.0\.0\.5:8786 of the Dask cluster"):
        async with module.connected(client):
            pass


@pytest.mark.realtime
async def test_a_client_of_this_loop_is_used_itself():
    """One of another loop is not, and neither is closed at the end."""
    async with dask_cluster() as given:
        async with module.connected(given) as client:
            assert client is given
            assert await module.check_addresses(client) == 2

        async def elsewhere() -> None:
            async with module.connected(given) as other:
                assert other is not given
                assert await module.check_addresses(other) == 2

        await asyncio.to_thread(lambda: asyncio.run(elsewhere()))
        assert await given.submit(sum, (1, 2)) == 3


@pytest.mark.realtime
async def test_what_answers_is_no_scheduler():
    """It is one clear error, and nothing is left of the attempt."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        address = "tcp://{}:{}".format(*server.sockets[0].getsockname())
        with pytest.raises(
            ConnectionFailedError, match=f"no Dask scheduler at {address}: what answers there is something"
        ):
            async with module.connect(address, timeout=5):
                pass
    gc.collect()  # Dask closes the socket of what it could not read when nothing refers to it any more
    await asyncio.sleep(0.01)
    assert not [task for task in asyncio.all_tasks() if "distributed" in str(task)]


@pytest.mark.parametrize("address", ["", "scheduler", "http://127.0.0.1:80", "tcp://[::1]:1x", "127.0.0.1:99999"])
async def test_what_is_no_address(address: str):
    """It says what one looks like."""
    with pytest.raises(ConfigurationError, match="is not the address of a Dask scheduler, such as tls://"):
        async with module.connect(address, timeout=1):
            pass


async def test_a_scheduler_that_was_lost_before_the_start():
    """The client does not know it yet."""

    async def nthreads() -> None:
        raise CommClosedError("in <TCP>: Stream is closed")

    client = SimpleNamespace(nthreads=nthreads, scheduler=SimpleNamespace(address="tcp://127.0.0.1:1"))
    with pytest.raises(ConnectionFailedError, match=r"no Dask scheduler at tcp://127\.0\.0\.1:1: in <TCP>"):
        await module.check_addresses(client)
