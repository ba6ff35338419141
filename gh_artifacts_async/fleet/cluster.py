"""The cluster: a connection of this event loop's own, and only where nobody can listen."""

from __future__ import annotations

import asyncio
import ipaddress
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from distributed import Client
from distributed.comm.registry import backends
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
    async with _opened(_checked(address), timeout=timeout) as client:
        yield client


@asynccontextmanager
async def _opened(address: str, **arguments: Any) -> AsyncGenerator[Client]:  # noqa: ANN401 - Dask's
    make: Any = Client
    async with AsyncExitStack() as stack:
        client = make(address, asynchronous=True, set_as_default=False, **arguments)
        try:
            await stack.enter_async_context(client)
        except OSError as error:  # TimeoutError included
            said = str(error) or type(error).__name__
        except Exception as error:  # noqa: BLE001 - what another program answers may be anything, as Dask reads it
            said = f"what answers there is something else ({type(error).__name__})"
            await client.close()
        else:
            yield client
            return
    raise unreachable(address, said)


def unreachable(address: str, said: str) -> ConnectionFailedError:
    """Return the error for a scheduler that cannot be reached."""
    msg = f"no Dask scheduler at {address}: {said}; check the address, and that it runs"
    return ConnectionFailedError(msg, host=address)


def _checked(address: str) -> str:
    """Return the whole address of a scheduler.

    Raises:
        ConfigurationError: it is none, or is reached in plain text over a network, or TLS is not set up.
    """
    full = address if "://" in address else f"tcp://{address}"
    try:
        parts = urlsplit(full)
        port = parts.port if parts.scheme in backends else None
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
        ConnectionFailedError: the scheduler cannot be reached.
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
    async with _opened(address, security=client.security) as own:
        yield own


async def check_addresses(client: Client) -> int:
    """Return how many workers there are.

    Raises:
        ConfigurationError: one of them is reached in plain text over a network.
        ConnectionFailedError: the scheduler cannot be reached.
    """
    asked: Any = client
    failed: str | None = None
    workers: dict[str, int] = {}
    try:
        workers = await asked.nthreads()
    except OSError as error:  # Dask's CommClosedError included
        failed = str(error) or type(error).__name__
    if failed is not None:
        raise unreachable(asked.scheduler.address, failed)
    for address in workers:
        check_private(address)
    return len(workers)
