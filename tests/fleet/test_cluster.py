"""Which clusters a fleet works on: those where nobody can listen."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from distributed import Client

from gh_artifacts_async import ConfigurationError
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
