"""One big blob: on the fastest link there is, on links that limit a connection, at the end of a long one."""

from __future__ import annotations

import shlex
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from benchmarks import goals
from benchmarks.cases.base import MIB, Case, nginx, require, shell
from benchmarks.cases.checks import check_blobs
from benchmarks.runner import Plan
from benchmarks.server import Link, Storage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from benchmarks.cases.base import Bench, Sizes
    from benchmarks.runner import Rival
    from benchmarks.server import Nginx

SLOW = Link(rate=40 * MIB)
FAR = Link(rate=20_000_000, round_trip=0.050)
_ALMOST_NOTHING = 1024  # bytes: what is left of a download is its start-up


@contextmanager
def _servers(bench: Bench, size: int, storage: Storage) -> Iterator[tuple[Nginx, Nginx]]:
    """Yield a server with the blob, and one of the same kind with next to nothing."""
    whole, nothing = (bench.datasets.noise_blobs(1, count) for count in (size, _ALMOST_NOTHING))
    with nginx(bench, whole, storage) as server, nginx(bench, nothing, storage, name="nginx-start") as start:
        yield server, start


def _url(server: Nginx) -> str:
    return shlex.quote(f"{server.storage}/1.zip")


def _curl(server: Nginx, file: Path) -> str:
    cacert = f"--cacert {server.ca_file} " if server.storage.startswith("https") else ""
    return f"curl -sSf {cacert}{_url(server)} -o {file}"


def _aria2(server: Nginx, file: Path, connections: int) -> str:
    options = f"-x{connections} -s{connections} -k1M --file-allocation=none -d {file.parent} -o {file.name}"
    cacert = f"--ca-certificate={server.ca_file} " if server.storage.startswith("https") else ""
    return f"aria2c -q {options} {cacert}{_url(server)}"


@contextmanager
def _one_blob(bench: Bench, case: str, *, tls: bool, out: Path) -> Iterator[Plan]:
    dataset = bench.datasets.noise_blobs(1, bench.sizes.big)
    with _servers(bench, bench.sizes.big, Storage(tls=tls)) as (server, start):
        blob, url = dataset.blobs[0], f"{server.storage}/1.zip"
        check, file = check_blobs(out, dataset.blobs), out / blob.filename
        ca = server.ca_file if tls else None
        curl, cacert = _curl(server, file), f"--cacert {ca}" if tls else ""
        ours, naive = {"api": server.api, "out": out, "ca": ca}, {"url": url, "out": out, "ca": ca}
        hashing = naive | {"sha256": blob.sha256}
        beginning = {"api": start.api, "ca": start.ca_file if tls else None}
        tee = f"curl -sSf {cacert} {url} | tee {file} | openssl dgst -sha256"
        rivals = [
            bench.ours("ours", "ours_download.py", ours, check, start=beginning),
            shell(goals.CURL, curl, ("curl",), check, start=_curl(start, file)),
            shell(goals.TEE, tee, ("curl", "openssl"), check),
            shell("aria2c -x4 -s4 (no hash)", _aria2(server, file, 4), ("aria2c",), check),
            bench.theirs(goals.URLLIB3, "urllib3_download.py", hashing, check),
            bench.theirs(goals.NAIVE, "aiohttp_download.py", naive, check),
            bench.theirs(goals.NAIVE_SHA, "aiohttp_download.py", hashing, check),
        ]
        yield bench.plan(case, Plan(rivals, out, settle=out == bench.disk))


def g1(bench: Bench) -> AbstractContextManager[Plan]:
    """Prepare one big blob over plain HTTP, to a file on disk."""
    return _one_blob(bench, "G1", tls=False, out=bench.disk)


def g2(bench: Bench) -> AbstractContextManager[Plan]:
    """Prepare the same over TLS 1.3, to a file in memory."""
    require("openssl")
    return _one_blob(bench, "G2", tls=True, out=bench.memory)


@contextmanager
def g1m(bench: Bench) -> Iterator[Plan]:
    """Prepare a smaller and a bigger blob: memory must not grow."""
    out = bench.disk
    with ExitStack() as servers:
        rivals = []
        for number, (name, size) in enumerate(zip(("100 MB", "4 GiB"), bench.sizes.flat, strict=True)):
            dataset = bench.datasets.noise_blobs(1, size)
            server = servers.enter_context(nginx(bench, dataset, name=f"nginx-{number}"))
            check = check_blobs(out, dataset.blobs)
            given = {"api": server.api, "out": out}
            rivals.append(bench.ours(f"ours, {name}", "ours_download.py", given, check))
        yield Plan(rivals, out, subject="ours, 4 GiB", limit=120, settle=True)


@contextmanager
def _connections(bench: Bench, case: str, size: int, link: Link | None) -> Iterator[Plan]:
    """Prepare one blob, for one connection, several, and as many as help."""
    dataset, out = bench.datasets.noise_blobs(1, size), bench.memory
    with _servers(bench, size, Storage(link=link)) as (server, start):
        check, file = check_blobs(out, dataset.blobs), out / dataset.blobs[0].filename
        given, beginning = {"api": server.api, "out": out}, {"api": start.api}

        def ours(name: str, connections: int | None) -> Rival:
            options = given | {"connections": connections}
            return bench.ours(name, "ours_download.py", options, check, start=beginning)

        aria2, aria2_start = (_aria2(of, file, 8) for of in (server, start))
        rivals = [
            ours("ours", None),
            ours(goals.OURS_8, 8),
            ours(goals.OURS_1, 1),
            shell(goals.CURL, _curl(server, file), ("curl",), check, start=_curl(start, file)),
            shell(goals.ARIA2_8, aria2, ("aria2c",), check, start=aria2_start),
        ]
        yield bench.plan(case, Plan(rivals, out, limit=120))


def g6(bench: Bench) -> AbstractContextManager[Plan]:
    """Prepare one blob on a link that limits each connection."""
    return _connections(bench, "G6", bench.sizes.slow[0], SLOW)


def g6l(bench: Bench) -> AbstractContextManager[Plan]:
    """Prepare a larger one."""
    return _connections(bench, "G6L", bench.sizes.slow[1], SLOW)


def g6u(bench: Bench) -> AbstractContextManager[Plan]:
    """Prepare one blob where one connection fills the link."""
    return _connections(bench, "G6U", bench.sizes.big, None)


def g10(bench: Bench) -> AbstractContextManager[Plan]:
    """Prepare one blob at the end of a long link."""
    return _connections(bench, "G10", bench.sizes.far, FAR)


def _two_blobs(sizes: Sizes) -> int:
    return 2 * sizes.big


_PROGRAMS = ("nginx", "curl", "aria2c")
G1 = Case("G1", "one big blob, plain HTTP, to a file on disk", g1, (*_PROGRAMS, "openssl"), _two_blobs)
G1M = Case(
    "G1M",
    "memory: a 100 MB blob, a 4 GiB blob",
    g1m,
    ("nginx",),
    lambda sizes: sizes.flat[0] + 2 * sizes.flat[1],
    warm_up=False,
)
G2 = Case("G2", "one big blob, TLS 1.3, to a file in memory", g2, (*_PROGRAMS, "openssl"), _two_blobs)
G6 = Case(
    "G6",
    "one blob, 256 MiB, on a link of 40 MiB/s a connection",
    g6,
    _PROGRAMS,
    lambda sizes: 2 * sizes.slow[0],
    warm_up=False,
)
G6L = Case(
    "G6L",
    "one blob, 1 GiB, on a link of 40 MiB/s a connection",
    g6l,
    _PROGRAMS,
    lambda sizes: 2 * sizes.slow[1],
    warm_up=False,
    quick=False,
)
G6U = Case("G6U", "one blob, 1 GiB, on a link that one connection fills", g6u, _PROGRAMS, _two_blobs)
G10 = Case(
    "G10",
    "one blob, 60 MB, a round trip of 50 ms, 20 MB/s a connection",
    g10,
    _PROGRAMS,
    lambda sizes: 2 * sizes.far,
    warm_up=False,
    quick=False,
)
