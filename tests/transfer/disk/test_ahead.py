"""Bytes of a part file that are written out of order, and hashed in order."""

from __future__ import annotations

import hashlib
import itertools
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gh_artifacts_async.transfer.disk import ahead as module
from gh_artifacts_async.transfer.disk.ahead import Ahead
from gh_artifacts_async.transfer.disk.partfile import PartFile
from gh_artifacts_async.transfer.disk.partstate import PartState, load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DATA = random.Random(1).randbytes(20_000)  # noqa: S311 - not a secret
STATE = PartState(
    artifact_id=7, repository="octo-org/octo-docs", size_in_bytes=20_000, digest=f"sha256:{'0' * 64}", etag='"x"'
)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[], PartFile]]:
    """Make open parts; they are discarded at the end."""
    made: list[PartFile] = []

    def one() -> PartFile:
        part = PartFile(tmp_path, "docs", STATE)
        part.start(etag='"x"', total=len(DATA))
        part.save_state()
        made.append(part)
        return part

    yield one
    for part in made:
        part.discard()


def test_in_order_nothing_is_ahead(make: Callable[[], PartFile]) -> None:
    """Bytes that come to the frontier are hashed from memory, and the state is not written again."""
    part = make()
    ahead = Ahead(part)
    write = ahead.sink(0)
    for start in range(0, len(DATA), 3_000):
        write([DATA[start : start + 1_000], DATA[start + 1_000 : start + 3_000]])
        assert not ahead
    assert (part.offset, part.hexdigest) == (len(DATA), hashlib.sha256(DATA).hexdigest())
    assert part.state.frontier is None
    ahead.catch_up()
    part.drop_ahead()
    assert part.state.frontier is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(seed=st.integers(0, 2**32), turn=st.sampled_from([100, 5_000, 10**9]))
def test_any_order(make: Callable[[], PartFile], seed: int, turn: int) -> None:
    """In whatever order pieces come, the frontier is what is contiguous, and the digest is right at the end."""
    dice = random.Random(seed)  # noqa: S311
    cuts = sorted({0, len(DATA), *(dice.randrange(len(DATA)) for _ in range(6))})
    pieces = list(itertools.pairwise(cuts))
    part = make()
    ahead = Ahead(part)
    writers = {start: ahead.sink(start) for start, _ in pieces}
    at = {start: start for start, _ in pieces}
    before, module._TURN = module._TURN, turn
    try:
        while open_pieces := [(start, end) for start, end in pieces if at[start] < end]:
            start, end = dice.choice(open_pieces)
            size = min(end - at[start], dice.randint(1, 3_000))
            writers[start]([DATA[at[start] : at[start] + size]])
            at[start] += size
            assert part.offset <= next((at[start] for start, end in pieces if at[start] < end), len(DATA))
    finally:
        module._TURN = before
    ahead.catch_up()
    assert not ahead
    assert (part.offset, part.hexdigest) == (len(DATA), hashlib.sha256(DATA).hexdigest())
    assert part.path.read_bytes() == DATA
    part.discard()


def test_the_frontier_is_saved_before_there_is_a_hole(make: Callable[[], PartFile]) -> None:
    """Another process that reads the state knows how many of the bytes are there."""
    part = make()
    ahead = Ahead(part)
    ahead.sink(0)([DATA[:500]])
    ahead.sink(9_000)([DATA[9_000:9_100]])
    state = load(part.path.with_name(part.path.name + ".json"))
    assert state is not None
    assert (state.frontier, part.path.stat().st_size) == (500, 9_100)


def test_runs(make: Callable[[], PartFile]) -> None:
    """What is beyond the frontier can be told, clipped, forgotten, and removed from the file."""
    part = make()
    ahead = Ahead(part)
    later = ahead.sink(9_000)
    later([DATA[9_000:9_100]])
    later([DATA[9_100:9_500]])
    ahead.sink(5_000)([DATA[5_000:5_200]])
    assert ahead.runs(0) == [(5_000, 5_200), (9_000, 9_500)]
    assert ahead.runs(9_050) == [(9_050, 9_500)]
    assert ahead
    ahead.forget()
    assert not ahead
    part.drop_ahead()
    assert (part.path.stat().st_size, part.state.frontier) == (0, None)


def test_belongs_to_one_file(make: Callable[[], PartFile]) -> None:
    """A part that was started again has none of the bytes."""
    part = make()
    ahead = Ahead(part)
    assert ahead.is_of(part)
    part.start()
    assert not ahead.is_of(part)
    assert not Ahead(part).is_of(make())


def test_a_file_that_shrank(make: Callable[[], PartFile]) -> None:
    """Bytes that were taken away behind our back end the reading; they are not there then."""
    part = make()
    ahead = Ahead(part)
    ahead.sink(100)([DATA[100:300]])
    with part.path.open("r+b") as file:
        file.truncate(50)
    ahead.sink(0)([DATA[:100]])
    with part.path.open("r+b") as file:
        file.truncate(100)
    ahead.catch_up()
    assert part.offset == 100
