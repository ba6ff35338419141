"""HAProxy and Caddy as reverse proxies on loopback: they end TLS before a fake GitHub's two hosts."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from tests.kits.interop import Certificate, free_port, listening, program, running

if TYPE_CHECKING:
    from collections.abc import Generator

HOSTS = ("api", "storage")
SHORT = 1.0
"""Seconds after which the mode ``short`` loses its patience."""

_HAPROXY = """
global
    maxconn 512
    nbthread 1
defaults
    mode http
    retries 0
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    option forwardfor
"""
_HAPROXY_PAIR = """
listen {mode}-{host}
    bind 127.0.0.1:{port} ssl crt both.pem alpn h2,http/1.1
    server one 127.0.0.1:{backend}
"""
_HAPROXY_MODES = {
    "plain": ["option http-keep-alive"],
    "closing": ["option httpclose", "option http-buffer-request"],
    "gzip": [
        "compression algo gzip",
        "compression type application/json application/zip application/octet-stream",
        "compression offload",  # the backend is not asked for gzip
    ],
    "short": [f"timeout server {SHORT * 1000:.0f}ms", f"timeout client {SHORT * 1000:.0f}ms"],
    "weak": ["http-response replace-header ETag ^(?:W/)?(.*)$ W/\\1"],
    "suffix": ['http-response replace-header ETag ^(.*)\\"$ \\1-gzip\\"'],
}
_CADDY = """
{{
    admin off
    auto_https off
    skip_install_trust
    storage file_system {folder}
    {servers}
}}
"""
_CADDY_SERVERS = """
    servers 127.0.0.1:{port} {{
        timeouts {{
            write {short}ms
        }}
    }}
"""
_CADDY_PAIR = """
https://127.0.0.1:{port} {{
    bind 127.0.0.1
    tls cert.pem key.pem
    {more}
    reverse_proxy 127.0.0.1:{backend} {{
        {options}
    }}
}}
"""
_CADDY_GZIP = """encode {
        gzip
        zstd
        minimum_length 1
        match {
            header Content-Type application/*
        }
    }"""
_CADDY_MODES = {
    "plain": ("", ""),
    "closing": ("header Connection close", "flush_interval -1\ntransport http {\nkeepalive off\n}"),
    "gzip": (_CADDY_GZIP, "header_up -Accept-Encoding"),
    "short": ("", f"transport http {{\nresponse_header_timeout {SHORT * 1000:.0f}ms\n}}"),
    "weak": ("", 'header_down ETag "^(?:W/)?(.*)$" "W/$1"'),
    "suffix": ("", 'header_down ETag "\\"$" "-gzip\\""'),
}
MODES = tuple(_HAPROXY_MODES)


@attrs.frozen
class Balancer:
    """A reverse proxy that runs.

    Attributes:
        authority: the certificate of who signed its own.
        backends: the ports where it expects the two hosts.
        ports: (mode, host) -> where it listens.
    """

    authority: Path
    backends: dict[str, int]
    ports: dict[tuple[str, str], int]

    def url(self, mode: str, host: str) -> str:
        """Return the origin of a host behind it."""
        return f"https://127.0.0.1:{self.ports[mode, host]}"


@contextlib.contextmanager
def balancer(name: str, folder: Path) -> Generator[Balancer]:
    """Run ``haproxy`` or ``caddy`` for the length of the block, each mode before each host at a port of its own."""
    command = program(name)
    found = Balancer(
        Certificate.write(folder, "127.0.0.1", "localhost").authority,
        {host: free_port() for host in HOSTS},
        {(mode, host): free_port() for mode in MODES for host in HOSTS},
    )
    configuration, arguments = (_haproxy if name == "haproxy" else _caddy)(found, folder)
    (folder / "configuration").write_text(configuration)
    with running(
        [command, *arguments], folder, folder / "output", lambda: all(listening(port) for port in found.ports.values())
    ):
        yield found


def _haproxy(found: Balancer, folder: Path) -> tuple[str, list[str]]:
    """Return HAProxy's configuration, and its arguments."""
    parts = [_HAPROXY]
    for (mode, host), port in found.ports.items():
        parts.append(_HAPROXY_PAIR.format(mode=mode, host=host, port=port, backend=found.backends[host]))
        parts += [f"    {line}\n" for line in _HAPROXY_MODES[mode]]
    return "".join(parts), ["-db", "-f", str(folder / "configuration")]


def _caddy(found: Balancer, folder: Path) -> tuple[str, list[str]]:
    """Return Caddy's configuration, and its arguments."""
    short = [_CADDY_SERVERS.format(port=found.ports["short", host], short=int(SHORT * 1000)) for host in HOSTS]
    parts = [_CADDY.format(folder=folder, servers="".join(short))]
    for (mode, host), port in found.ports.items():
        more, options = _CADDY_MODES[mode]
        parts.append(_CADDY_PAIR.format(port=port, more=more, options=options, backend=found.backends[host]))
    return "".join(parts), ["run", "--adapter", "caddyfile", "--config", str(folder / "configuration")]
