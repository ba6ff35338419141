"""nginx as GitHub's API and storage: one worker, its own folder, ports and pid, never left running."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from benchmarks.data import Dataset

_CONF = """
daemon off;
{user}
worker_processes 1;
error_log {prefix}/error.log warn;
pid {prefix}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
  types {{ application/zip zip; application/json json; }}
  default_type application/octet-stream;
  charset utf-8;
  charset_types application/json;
  client_body_temp_path {prefix}/body;
  proxy_temp_path {prefix}/proxy;
  fastcgi_temp_path {prefix}/fastcgi;
  uwsgi_temp_path {prefix}/uwsgi;
  scgi_temp_path {prefix}/scgi;
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  keepalive_timeout 120s;
  server_tokens off;
  log_format sent '$status $body_bytes_sent';
  map $arg_page $page {{ default 1; "~^(?<number>[0-9]+)$" $number; }}
  map $page $link {{
    default "";
{links}
  }}
  server {{
    listen 127.0.0.1:{api_port}{api_ssl};
    root {folder}/api;
{api_options}
    rewrite ^/api/v3(/.*)$ $1 last;
    location ~ ^/repos/bench/data/actions/runs/[0-9]+/artifacts$ {{
      root {prefix};
      try_files /run.json =404;
    }}
    location = /repos/bench/data/actions/artifacts {{
      add_header Link $link;
      add_header x-ratelimit-limit 5000;
      add_header x-ratelimit-remaining 4999;
      try_files /pages/$page.json =404;
    }}
    location ~ ^/repos/bench/data/actions/artifacts/(\\d+)/zip$ {{
      return 302 "{storage}/$1.zip?sv=2025-01-05&se={expires}&sr=b&sp=r&sig=bm90IGEgc2VjcmV0LCBidXQgYXMgbG9uZw%3D%3D";
    }}
    location ~ ^/repos/bench/data/actions/artifacts/(\\d+)$ {{ try_files /artifacts/$1.json =404; }}
  }}
  server {{
    listen 127.0.0.1:{storage_port}{ssl};
    root {folder}/blobs;
{storage_options}
  }}
}}
"""

_TLS = """    ssl_certificate {prefix}/cert.pem;
    ssl_certificate_key {prefix}/key.pem;
    ssl_protocols TLSv1.3;"""

_START_SECONDS = 10.0


@dataclass(frozen=True)
class Link:
    """What lies between the rivals and the servers; see ``relay.py``.

    Attributes:
        rate: bytes a second and connection, towards the client; 0 for no limit.
        round_trip: seconds.
    """

    rate: float = 0.0
    round_trip: float = 0.0


@dataclass(frozen=True)
class Storage:
    """How storage behaves.

    Attributes:
        tls: over TLS 1.3 with a certificate of its own.
        api_tls: the API too.
        rate: bytes a second and request, as nginx writes it ("40m"); "" for no limit.
        log: write status and bytes of each answer.
        link: what lies before both; None for nothing.
        core: the core that nginx runs on; None for any.
    """

    tls: bool = False
    api_tls: bool = False
    rate: str = ""
    log: bool = False
    link: Link | None = None
    core: int | None = None


def free_port() -> int:
    """Return a port that nothing listens on, below those that connections get: none can take it before it is used."""
    while True:
        port = random.randrange(16_000, 32_000)  # noqa: S311 - no secret
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until something listens there.

    Raises:
        RuntimeError: the process ended, or did not listen in time.
    """
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    msg = f"the server did not start (exit code {process.poll()})"
    raise RuntimeError(msg)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end_leftover(prefix: Path) -> None:
    """Stop the server of an earlier run that was killed: the one whose command line names this very folder."""
    try:
        pid = int((prefix / "nginx.pid").read_text("ascii"))
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if str(prefix).encode() in command:
            os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError):
        return


def certificate(folder: Path) -> None:
    """Make a key and a certificate for 127.0.0.1 that signs itself."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"), "-days", "30"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-addext", "keyUsage=critical,digitalSignature,keyCertSign"),
        ],
        check=True,
        capture_output=True,
    )


class Relay:
    """A link before some ports; a context manager.

    Attributes:
        ports: where to connect to, one for each target.
    """

    def __init__(self, link: Link, targets: tuple[int, ...]) -> None:
        """Choose ports; nothing is started yet."""
        self.ports = tuple(free_port() for _ in targets)
        pairs = [f"{port}:{target}" for port, target in zip(self.ports, targets, strict=True)]
        self._arguments = [f"rate={link.rate}", f"delay={link.round_trip / 2}", *pairs]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start."""
        command = [sys.executable, "-I", str(Path(__file__).with_name("relay.py")), *self._arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE)  # which ends with this process
        try:
            for port in self.ports:
                await_port(port, self._process)
        except BaseException:
            self._end(self._process)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop."""
        if self._process is not None:
            self._end(self._process)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        _stop(process)
        if process.stdin is not None:
            process.stdin.close()


class Nginx:
    """An API and a storage in front of one data set; a context manager.

    Attributes:
        api: the API's base URL.
        storage: the storage's base URL.
    """

    def __init__(self, program: str, prefix: Path, dataset: Dataset, options: Storage) -> None:
        """Choose ports; nothing is started yet."""
        self._program = program
        self._prefix = prefix
        self._dataset = dataset
        self._options = options
        self._api_port, self._storage_port = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._relay = Relay(options.link, (self._api_port, self._storage_port)) if options.link else None
        api_port, storage_port = self._relay.ports if self._relay else (self._api_port, self._storage_port)
        self.api = f"{'https' if options.api_tls else 'http'}://127.0.0.1:{api_port}"
        self.storage = f"{'https' if options.tls else 'http'}://127.0.0.1:{storage_port}"

    @property
    def ca_file(self) -> Path:
        """The certificate to trust, with TLS."""
        return self._prefix / "cert.pem"

    @property
    def log(self) -> Path:
        """What storage has sent, where that is logged."""
        return self._prefix / "sent.log"

    def __enter__(self) -> Self:
        """Start."""
        self._prefix.mkdir(parents=True, exist_ok=True)
        end_leftover(self._prefix)
        if self._options.tls or self._options.api_tls:
            certificate(self._prefix)
        self.log.write_bytes(b"")
        conf = self._prefix / "nginx.conf"
        # gh asks the URLs in a listing, not those it would make itself.
        page = (self._dataset.folder / "api" / "pages" / "1.json").read_text("utf-8")
        (self._prefix / "run.json").write_text(page.replace("https://api.github.com", f"{self.api}/api/v3"), "utf-8")
        conf.write_text(self._configuration(), "utf-8")
        core = () if self._options.core is None else ("taskset", "-c", str(self._options.core))
        command = [*core, self._program, "-p", str(self._prefix), "-c", str(conf)]
        command += ["-e", str(self._prefix / "error.log")]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            await_port(self._api_port, self._process)
            if self._relay is not None:
                self._relay.__enter__()
        except BaseException:
            _stop(self._process)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop."""
        if self._relay is not None:
            self._relay.__exit__(kind, error, traceback)
        if self._process is not None:
            _stop(self._process)

    def _configuration(self) -> str:
        tls = _TLS.format(prefix=self._prefix)
        options = [tls] if self._options.tls else []
        options += [f"    limit_rate {self._options.rate};"] if self._options.rate else []
        options += [f"    access_log {self.log} sent;"] if self._options.log else []
        return _CONF.format(
            user="user root;" if os.geteuid() == 0 else "",
            prefix=self._prefix,
            folder=self._dataset.folder,
            links="\n".join(self._links()),
            api_port=self._api_port,
            storage_port=self._storage_port,
            storage=self.storage,
            expires=f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H%%3A%M%%3A%SZ}",
            api_ssl=" ssl" if self._options.api_tls else "",
            api_options=tls if self._options.api_tls else "",
            ssl=" ssl" if self._options.tls else "",
            storage_options="\n".join(options),
        )

    def _links(self) -> list[str]:
        """Return the Link header of every page but the last (which page 1 of one page is too)."""
        last = self._dataset.pages
        url = f"{self.api}/repos/bench/data/actions/artifacts?per_page=100&page="
        return [
            f"""    {page} '<{url}{page + 1}>; rel="next", <{url}{last}>; rel="last"';""" for page in range(1, last)
        ]


class SlowAPI:
    """The API alone, each answer a fixed time late; a context manager.

    Attributes:
        api: the API's base URL.
    """

    def __init__(self, dataset: Dataset, latency: float) -> None:
        """Choose a port; nothing is started yet."""
        self._port = free_port()
        self._arguments = [f"port={self._port}", f"pages={dataset.folder}/api/pages", f"latency={latency}"]
        self._process: subprocess.Popen[bytes] | None = None
        self.api = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        """Start."""
        script = Path(__file__).with_name("slow_api.py")
        self._process = subprocess.Popen([sys.executable, str(script), *self._arguments], stdin=subprocess.DEVNULL)
        try:
            await_port(self._port, self._process)
        except BaseException:
            _stop(self._process)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop."""
        if self._process is not None:
            _stop(self._process)
