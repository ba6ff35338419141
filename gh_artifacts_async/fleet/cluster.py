"""The cluster: a connection of this event loop's own, and only where nobody can listen."""

from __future__ import annotations

import asyncio
import ipaddress
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from distributed import Client
from distributed.security import Security

from gh_artifacts_async.errors import ConfigurationError, ConnectionFailedError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

_PRIVATE = ("tls", "wss", "inproc")
"""Ways of Dask that are encrypted, or stay within a process."""
_ENCRYPTED = ("tls://", "wss://")
_LOCAL = ("tcp", "ws")
"""Ways in plain text."""


def is_private(address: str) -> bool:
    """Whether nobody else can listen to what is sent to an address of Dask's, such as ``tcp://127.0.0.1:8786``."""
    try:
        parts = urlsplit(address)
        if parts.scheme in _PRIVATE:
            return True
        host = parts.hostname or ""
        return parts.scheme in _LOCAL and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return False


def check_private(address: str) -> None:
    """Check that nobody else can listen to what is sent to an address.

    Raises:
        ConfigurationError: it is reached in plain text over a network.
    """
    if is_private(address):
        return
    msg = (
        f"{address} of the Dask cluster is reached in plain text over a network, where others can read what is sent; "
        "give the cluster TLS (https://distributed.dask.org/en/stable/tls.html), or let it listen on 127.0.0.1 only"
    )
    raise ConfigurationError(msg)


@asynccontextmanager
async def connect(address: str, *, timeout: float) -> AsyncGenerator[Client]:  # noqa: ASYNC109 - Dask bounds it
    """Yield a client of the scheduler at an address.

    Raises:
        ConfigurationError: it is no address, or is reached in plain text over a network, or TLS is not set up.
        ConnectionFailedError: no scheduler answers in time.
    """
    full = _checked(address)
    make: Any = Client
    async with AsyncExitStack() as stack:
        try:
            client = make(full, asynchronous=True, timeout=timeout, set_as_default=False)
            await stack.enter_async_context(client)
        except OSError as error:  # TimeoutError included
            said = str(error) or type(error).__name__
        else:
            yield client
            return
    msg = f"no Dask scheduler at {full}: {said}; check the address, and that it runs"
    raise ConnectionFailedError(msg, host=full)


def _checked(address: str) -> str:
    """Return the whole address of a scheduler.

    Raises:
        ConfigurationError: it is none, or is reached in plain text over a network, or TLS is not set up.
    """
    full = address if "://" in address else f"tcp://{address}"
    try:
        port = urlsplit(full).port
    except ValueError:
        port = None
    if port is None:
        msg = f"{address!r} is not the address of a Dask scheduler, such as tls://scheduler:8786"
        raise ConfigurationError(msg)
    check_private(full)
    make: Any = Security
    if full.startswith(_ENCRYPTED) and make().get_connection_args("client").get("ssl_context") is None:
        msg = (
            f"{full} needs TLS certificates, and Dask's configuration names none; set distributed.comm.tls, see "
            "https://distributed.dask.org/en/stable/tls.html"
        )
        raise ConfigurationError(msg)
    return full


@asynccontextmanager
async def connected(cluster: Client) -> AsyncGenerator[Client]:
    """Yield a client that works on the running event loop: the given one, or else another one to its scheduler.

    Raises:
        ConfigurationError: it is no client, or not connected, or in plain text over a network.
    """
    given: Any = cluster
    if not isinstance(given, Client):
        msg = f"cluster must be a distributed.Client, not {type(given).__name__}"
        raise ConfigurationError(msg)
    if given.status != "running" or given.scheduler is None:
        msg = "the Dask client is not connected; await it, or enter it with 'async with'"
        raise ConfigurationError(msg)
    client: Any = given
    address: str = client.scheduler.address
    check_private(address)
    if client.asynchronous and client.loop.asyncio_loop is asyncio.get_running_loop():
        yield client
        return
    make: Any = Client
    async with make(address, asynchronous=True, security=client.security, set_as_default=False) as own:
        yield own


async def check_addresses(client: Client) -> int:
    """Return how many workers there are.

    Raises:
        ConfigurationError: one of them is reached in plain text over a network.
    """
    asked: Any = client
    workers: dict[str, int] = await asked.nthreads()
    for address in workers:
        check_private(address)
    return len(workers)
