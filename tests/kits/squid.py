"""squid as a forward proxy on loopback, and a relay before it that remembers every byte."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import Collection, Generator
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlsplit

import attrs

from tests.kits.interop import Certificate, free_port, listening, program, running

USER, PASSWORD = "us\u00e9r", "p:a/s@s %w\u00f6rd?#"  # all that a URL makes something else of
_PORTS = ("plain", "password", "tls", "closed")
_CONFIGURATION = """
http_port 127.0.0.1:{plain} name=plain
http_port 127.0.0.1:{password} name=password
http_port 127.0.0.1:{closed} name=closed
https_port 127.0.0.1:{tls} name=tls tls-cert={folder}/both.pem
auth_param basic program /bin/sh {folder}/password.sh
auth_param basic children 1 startup=1
auth_param basic realm tests
acl password myportname password tls
acl closed myportname closed
acl known proxy_auth REQUIRED
acl tunnel method CONNECT
http_access deny closed
http_access deny password !known
http_access allow all
cache deny all
cache_mem 8 MB
cache_log {folder}/cache.log
cache_store_log none
coredump_dir {folder}
netdb_filename none
pid_filename none
pinger_enable off
max_filedescriptors 1024
dns_nameservers 127.0.0.1
visible_hostname squid.example
connect_timeout 2 seconds
forward_max_tries 1
shutdown_lifetime 0 seconds
strip_query_terms off
buffered_logs off
logformat asked %>lp %rm %ru %>Hs %Ss %un
access_log stdio:{folder}/access.log logformat=asked
"""
_ASKS = """
while read -r line; do
    if [ "$line" = "{user} {password}" ]; then echo OK; else echo ERR; fi
done
"""


def place(line: str) -> str:
    """Return host and port that a line of squid's log is about."""
    _, method, url, *_ = line.split()
    return url if method == "CONNECT" else urlsplit(url).netloc


@attrs.frozen
class Squid:
    """A squid that runs.

    Attributes:
        folder: what it writes is in there.
        authority: the certificate of who signed that of its port for TLS.
        ports: by what they are for: ``plain``, ``password``, ``tls`` (with the password, over TLS), and ``closed``,
            where nothing is allowed.
    """

    folder: Path
    authority: Path
    ports: dict[str, int]

    def url(self, name: str, *, user: str = USER, password: str = PASSWORD, at: int | None = None) -> str:
        """Return the proxy's URL, with the password where it wants one; ``at`` another port that leads there."""
        host = f"127.0.0.1:{at or self.ports[name]}"
        if name not in {"password", "tls"}:
            return f"http://{host}"
        return f"{'https' if name == 'tls' else 'http'}://{quote(user, safe='')}:{quote(password, safe='')}@{host}"

    async def asked(self, places: Collection[str], count: int = 1) -> list[str]:
        """Return what its log has about some hosts with their ports, once that is ``count`` lines; it begins anew.

        A line has the port's name, the method, the URL and the status. It is written when the answer, or the tunnel,
        has ended; that of an earlier test's may come late.
        """
        names = {str(port): name for name, port in self.ports.items()}
        async with asyncio.timeout(15):
            while len(lines := [line for line in self._lines() if place(line) in places]) < count:
                await asyncio.sleep(0.01)
        self.forget()
        return [" ".join([names[line.split()[0]], *line.split()[1:4]]) for line in lines]

    def _lines(self) -> list[str]:
        return (self.folder / "access.log").read_text().splitlines()

    def forget(self) -> None:
        """Empty its log."""
        os.truncate(self.folder / "access.log", 0)


@contextlib.contextmanager
def squid() -> Generator[Squid]:
    """Run squid for the length of the block.

    It gives up root's rights, if it has them, for those of a user who cannot enter pytest's own folders.
    """
    command = program("squid")
    with tempfile.TemporaryDirectory(prefix="squid-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        certificate = Certificate.write(folder, "127.0.0.1")
        (folder / "both.pem").chmod(0o644)
        ports = {each: free_port() for each in _PORTS}
        (folder / "squid.conf").write_text(_CONFIGURATION.format(folder=folder, **ports))
        # squid writes them as they come in a URL; what it was sent is UTF-8.
        (folder / "password.sh").write_text(_ASKS.format(user=quote(USER), password=quote(PASSWORD, safe="/:@?")))
        with running(
            [command, "-N", "-f", str(folder / "squid.conf")],
            folder,
            folder / "output",
            lambda: all(listening(port) for port in ports.values()),
        ):
            found = Squid(folder, certificate.authority, ports)
            yield found


class Recorder:
    """A relay on loopback that remembers what passes, either way.

    Attributes:
        seen: all bytes, of all connections.
    """

    def __init__(self, port: int) -> None:
        """Prepare one before a port of 127.0.0.1."""
        self.seen = bytearray()
        self._target = port
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> Self:
        """Start listening."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        """End all connections."""
        assert self._server is not None
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
        except OSError:
            pass
        finally:
            self._serving.discard(task)
            for each in (writer, far_writer):
                each.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            self.seen += data
            writer.write(data)
            await writer.drain()
        writer.write_eof()
