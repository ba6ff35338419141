"""Listings: fast ones, late ones, and decoding them in process."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.cases.base import Case, nginx
from benchmarks.runner import Plan
from benchmarks.server import SlowAPI

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.cases.base import Bench


@contextmanager
def g5(bench: Bench) -> Iterator[Plan]:
    """Prepare a listing on loopback."""
    dataset = bench.datasets.listing(bench.sizes.pages)
    with nginx(bench, dataset) as server:
        given = {"api": server.api, "count": len(dataset.blobs)}
        rivals = [
            bench.ours("ours", "ours_list.py", given | {"at_once": 8}),
            bench.ours("ours, sequential", "ours_list.py", given | {"at_once": 1}),
            bench.theirs("githubkit", "githubkit_list.py", given),
            bench.theirs("PyGithub", "pygithub_list.py", given),
        ]
        yield bench.plan("G5", Plan(rivals))


@contextmanager
def g5l(bench: Bench) -> Iterator[Plan]:
    """Prepare a listing whose every page comes 150 ms late."""
    dataset = bench.datasets.listing(bench.sizes.slow_pages)
    with SlowAPI(dataset, 0.150) as server:
        given = {"api": server.api, "count": len(dataset.blobs)}
        rivals = [
            bench.ours("ours, 10 workers", "ours_list.py", given | {"at_once": 10}),
            bench.ours("ours, 32 workers", "ours_list.py", given | {"at_once": 32}),
            bench.ours("ours, sequential", "ours_list.py", given | {"at_once": 1}),
        ]
        yield bench.plan("G5L", Plan(rivals, subject="ours, 10 workers"))


@contextmanager
def g5d(bench: Bench) -> Iterator[Plan]:
    """Prepare pages to be decoded in process."""
    dataset = bench.datasets.listing(bench.sizes.pages)
    given = {"pages": dataset.folder / "api" / "pages", "count": len(dataset.blobs)}
    rivals = [
        bench.ours("ours", "decode_ours.py", given),
        bench.theirs("json + cattrs default", "decode_cattrs.py", given),
        bench.theirs("json + cattrs default, frozen", "decode_cattrs.py", given | {"frozen": 1}),
        bench.theirs("PyGithub construct", "decode_pygithub.py", given),
    ]
    yield bench.plan("G5D", Plan(rivals))


G5 = Case("G5", "a listing, 100 artifacts a page", g5, ("nginx",), lambda sizes: 600_000 * sizes.pages)
G5L = Case(
    "G5L",
    "a listing whose pages come 150 ms late",
    g5l,
    (),
    lambda sizes: 600_000 * sizes.slow_pages,
    warm_up=False,
)
G5D = Case("G5D", "decoding a listing in process", g5d, (), lambda sizes: 600_000 * sizes.pages)
