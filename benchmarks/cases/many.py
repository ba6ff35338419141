"""Many artifacts by the API's redirect: small, middling and tiny ones, over TLS, at the end of a long link."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import data, goals
from benchmarks.cases.base import Case, nginx, require, shell
from benchmarks.cases.blobs import FAR
from benchmarks.cases.checks import check_blobs
from benchmarks.runner import Plan, Rival
from benchmarks.server import Link, Storage
from benchmarks.tools import WORK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from benchmarks.cases.base import Bench
    from benchmarks.data import Blob, Dataset
    from benchmarks.server import Nginx

AT_ONCE = 16
DEFAULT_AT_ONCE = 8  # of download_many, and of Limits
_SMALL, _MEDIUM, _LEAST = 20_000, 1_000_000, 2000
_EIGHTH = 8


def _url(api: str, blob: Blob) -> str:
    return f"{api}/repos/{data.REPOSITORY}/actions/artifacts/{blob.id}/zip"


@dataclass(frozen=True)
class _Work:
    """Artifacts that are to be fetched, as the rivals are told.

    Attributes:
        server: where from.
        dataset: what.
        out: where to.
        at_once: how many at a time.
    """

    server: Nginx
    dataset: Dataset
    out: Path
    at_once: int = AT_ONCE

    @property
    def options(self) -> dict[str, object]:
        """For a script."""
        ca = self.server.ca_file if self.server.api.startswith("https") else None
        server, manifest = self.server.api, self.dataset.manifest
        return {"api": server, "manifest": manifest, "out": self.out, "at_once": self.at_once, "ca": ca}

    def curl(self) -> Rival:
        """curl, which takes a file of URLs."""
        lines = []
        for blob in self.dataset.blobs:
            lines += [f'url = "{_url(self.server.api, blob)}"', f'output = "{self.out / blob.filename}"']
        path = WORK / "curl.conf"
        path.write_text("\n".join(lines), "utf-8")
        ca = f" --cacert {self.options['ca']}" if self.options["ca"] else ""
        line = f"curl -sSfL -Z --parallel-max {self.at_once}{ca} -H 'Authorization: Bearer token' -K {path} 2>&1"
        return shell(f"curl -Z, {self.at_once} (no hash)", line, ("curl",), check_blobs(self.out, self.dataset.blobs))

    def aria2(self) -> Rival:
        """aria2c, which does so too."""
        lines = []
        for blob in self.dataset.blobs:
            lines += [_url(self.server.api, blob), f"  dir={self.out}", f"  out={blob.filename}"]
        path = WORK / "aria.txt"
        path.write_text("\n".join(lines), "utf-8")
        ca = f" --ca-certificate={self.options['ca']}" if self.options["ca"] else ""
        line = f"aria2c -q -j{self.at_once}{ca} --file-allocation=none -i {path}"
        return shell(f"aria2c -j{self.at_once} (no hash)", line, ("aria2c",), check_blobs(self.out, self.dataset.blobs))


@contextmanager
def _work(
    bench: Bench, count: int, size: int, storage: Storage | None = None, at_once: int = AT_ONCE
) -> Iterator[_Work]:
    dataset = bench.datasets.noise_blobs(count, size)
    with nginx(bench, dataset, storage) as server:
        yield _Work(server, dataset, bench.memory, at_once)


@contextmanager
def _many(bench: Bench, case: str, count: int, size: int) -> Iterator[Plan]:
    with _work(bench, count, size) as work:
        check, given = check_blobs(work.out, work.dataset.blobs), work.options
        rivals = [
            bench.ours("ours", "ours_many.py", given, check),
            bench.theirs(goals.NAIVE, "aiohttp_many.py", given, check),
            bench.theirs(goals.NAIVE_SHA, "aiohttp_many.py", given | {"sha256": 1}, check),
            bench.theirs("githubkit", "githubkit_many.py", given, check),
            bench.theirs("githubkit, no cache", "githubkit_many.py", given | {"no_cache": 1}, check),
            bench.theirs(f"PyGithub, {AT_ONCE} threads", "pygithub_many.py", given, check),
            bench.theirs(f"requests, {AT_ONCE} threads", "requests_many.py", given, check),
            bench.theirs("httpx", "httpx_many.py", given, check),
            work.curl(),
            work.aria2(),
        ]
        yield bench.plan(case, Plan(rivals, work.out))


@contextmanager
def _many_tls(bench: Bench, case: str, count: int, size: int) -> Iterator[Plan]:
    require("openssl")
    with _work(bench, count, size, Storage(tls=True, api_tls=True)) as work:
        check, given = check_blobs(work.out, work.dataset.blobs), work.options
        rivals = [
            bench.ours("ours", "ours_many.py", given, check),
            bench.theirs(goals.NAIVE, "aiohttp_many.py", given, check),
            bench.theirs(goals.NAIVE_SHA, "aiohttp_many.py", given | {"sha256": 1}, check),
            bench.theirs("githubkit, no cache", "githubkit_many.py", given | {"no_cache": 1}, check),
            bench.theirs("httpx", "httpx_many.py", given, check),
            work.curl(),
            work.aria2(),
        ]
        yield bench.plan(case, Plan(rivals, work.out))


@contextmanager
def _far(bench: Bench, case: str, count: int, at_once: int, *, link: Link, defaults: bool) -> Iterator[Plan]:
    """Prepare small artifacts at the end of a long link; the API is there too."""
    with _work(bench, count, _SMALL, Storage(link=link), at_once) as work:
        check, given = check_blobs(work.out, work.dataset.blobs), work.options
        ours = given | {"defaults": 1} if defaults else given
        rivals = [
            bench.ours("ours", "ours_many.py", ours, check),
            bench.theirs(goals.NAIVE, "aiohttp_many.py", given, check),
            work.curl(),
            work.aria2(),
        ]
        yield bench.plan(case, Plan(rivals, work.out, limit=120))


def _manifest(name: str, blobs: Sequence[Blob]) -> dict[str, object]:
    """Write a manifest, and one with an artifact on each line, for those who read it as they go."""
    entries = [json.dumps(blob.__dict__) for blob in blobs]
    path, lines = WORK / f"{name}.json", WORK / f"{name}.jsonl"
    path.write_text(f"[{','.join(entries)}]", "utf-8")
    lines.write_text("".join(f"{entry}\n" for entry in entries), "utf-8")
    return {"manifest": path, "lines": lines}


@contextmanager
def g3m(bench: Bench) -> Iterator[Plan]:
    """Prepare very many tiny ones: what one more costs, in time and in memory."""
    with _work(bench, bench.sizes.least, _LEAST) as work:
        blobs, given = work.dataset.blobs, work.options
        few = blobs[: len(blobs) // _EIGHTH]
        whole, eighth = given | _manifest("all", blobs), given | _manifest("eighth", few)
        check, check_few = check_blobs(work.out, blobs), check_blobs(work.out, few)
        rivals = [
            bench.ours("ours", "ours_many.py", whole, check, start=eighth),
            bench.ours(goals.OURS_EIGHTH, "ours_many.py", eighth, check_few),
            bench.theirs(goals.NAIVE, "aiohttp_many.py", whole, check, start=eighth),
        ]
        yield bench.plan("G3M", Plan(rivals, work.out, limit=120))


def g3(bench: Bench) -> AbstractContextManager[Plan]:
    """Prepare many small artifacts."""
    return _many(bench, "G3", bench.sizes.small, _SMALL)


def g3t(bench: Bench) -> AbstractContextManager[Plan]:
    """Prepare the same over TLS."""
    return _many_tls(bench, "G3T", bench.sizes.small, _SMALL)


def g3d(bench: Bench) -> AbstractContextManager[Plan]:
    """Prepare small artifacts for a client with its default limits; the round trip is what costs."""
    link = Link(round_trip=FAR.round_trip)
    return _far(bench, "G3D", bench.sizes.paced[0], DEFAULT_AT_ONCE, link=link, defaults=True)


def g3e(bench: Bench) -> AbstractContextManager[Plan]:
    """Prepare more of them."""
    link = Link(round_trip=FAR.round_trip)
    return _far(bench, "G3E", bench.sizes.paced[1], DEFAULT_AT_ONCE, link=link, defaults=True)


def g4(bench: Bench) -> AbstractContextManager[Plan]:
    """Prepare many middling artifacts."""
    return _many(bench, "G4", bench.sizes.medium, _MEDIUM)


def g4t(bench: Bench) -> AbstractContextManager[Plan]:
    """Prepare the same over TLS."""
    return _many_tls(bench, "G4T", bench.sizes.medium, _MEDIUM)


def g10s(bench: Bench) -> AbstractContextManager[Plan]:
    """Prepare small artifacts at the end of a long link."""
    return _far(bench, "G10S", bench.sizes.far_small, AT_ONCE, link=FAR, defaults=False)


_PROGRAMS = ("nginx", "curl", "aria2c")
G3 = Case(
    "G3",
    "small artifacts (20 KB), the API's redirect included, 16 at once",
    g3,
    _PROGRAMS,
    lambda sizes: 2 * 30_000 * sizes.small,
)
G3T = Case(
    "G3T",
    "the same over TLS 1.3, API and storage",
    g3t,
    (*_PROGRAMS, "openssl"),
    lambda sizes: 2 * 30_000 * sizes.small,
)
G3D = Case(
    "G3D",
    "300 small artifacts (20 KB) with the default limits, 8 at once, a round trip of 50 ms",
    g3d,
    _PROGRAMS,
    lambda sizes: 2 * 30_000 * sizes.paced[0],
    warm_up=False,
)
G3E = Case(
    "G3E",
    "800 of them",
    g3e,
    _PROGRAMS,
    lambda sizes: 2 * 30_000 * sizes.paced[1],
    warm_up=False,
    quick=False,
)
G3M = Case(
    "G3M",
    "16,000 artifacts of 2 KB, 16 at once; `start` are the first 2,000, `transfer` is what the others cost",
    g3m,
    ("nginx",),
    lambda sizes: 2 * 8192 * sizes.least,
    warm_up=False,
)
G4 = Case(
    "G4",
    "middling artifacts (1 MB), the API's redirect included, 16 at once",
    g4,
    _PROGRAMS,
    lambda sizes: 2_000_000 * sizes.medium,
)
G4T = Case(
    "G4T",
    "the same over TLS 1.3, API and storage",
    g4t,
    (*_PROGRAMS, "openssl"),
    lambda sizes: 2_000_000 * sizes.medium,
    quick=False,
)
G10S = Case(
    "G10S",
    "200 small artifacts (20 KB), a round trip of 50 ms, 20 MB/s a connection, 16 at once",
    g10s,
    _PROGRAMS,
    lambda sizes: 2 * 30_000 * sizes.far_small,
    warm_up=False,
    quick=False,
)
