"""The fuzz targets hold for their seeds and for some mutations; the engine finds what is wrong, and counts right."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.fuzz import __main__, engine, scratch, tally
from tests.fuzz.mutator import mutated

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

FEWER = {"zip_extract": 40, "names": 100, "zip_audit": 120, "lane_pieces": 120, "state": 80}
"""Mutations of targets that take long; 250 of the others."""


@pytest.fixture(autouse=True)
def _nothing_left():
    yield
    scratch.clear()


@pytest.mark.parametrize("name", engine.names())
def test_seeds_and_some_mutations(name: str) -> None:
    """Each target holds for its seeds, and for the same mutations each time."""
    target = engine.load(name)
    assert target.seeds
    rng = random.Random(name)  # noqa: S311 - the same each time
    tally.COUNTS.clear()
    cases = [rng.choice(target.seeds)[: target.longest] for _ in range(60)]
    cases += [engine.mutate(target, rng, target.seeds) for _ in range(FEWER.get(name, 250))]
    for data in cases:
        target.fuzz(data)
    assert len(tally.COUNTS) > 1  # some are accepted, some are not


@pytest.mark.slow
@pytest.mark.parametrize("name", engine.names())
def test_many_mutations(name: str, tmp_path: Path) -> None:
    """The same, longer, with every seed."""
    plan = engine.Plan(len(engine.load(name).seeds) + 3000, None, seed=7, findings=tmp_path)
    assert not engine.run_with_mutator(engine.load(name), plan).found


# --- the engine


def _wrong(data: bytes) -> None:
    tally.note("long" if len(data) > 8 else "short")
    if b"BAD" in data:
        raise ValueError(len(data))


def _target(**values: object) -> engine.Target:
    return engine.Target(
        **{"name": "wrong", "fuzz": _wrong, "seeds": [b"good", b"better"], "words": (b"BAD",), **values}
    )


def test_a_fault_is_found_and_kept(tmp_path: Path) -> None:
    """A run ends with the first finding, whose input is in a file."""
    run = engine.run_with_mutator(_target(), engine.Plan(10_000, None, 1, tmp_path / "found"))
    ((kind, data),) = run.found.items()
    assert kind.startswith("ValueError at test_fuzz._wrong:")
    assert run.cases < 1000
    assert [path.read_bytes() for path in (tmp_path / "found").iterdir()] == [data]
    assert b"BAD" in data
    assert f"wrong: {run.cases} cases by the mutator" in run.summary()
    assert ", 1 findings; " in run.summary()


def test_the_smallest_of_each_kind_is_kept(tmp_path: Path) -> None:
    """A run that keeps going counts every case, and forgets the longer input for a shorter one."""
    run = engine.run_with_mutator(_target(), engine.Plan(2000, None, 1, tmp_path, keep_going=True))
    assert run.cases == 2000
    (data,) = run.found.values()
    assert len(data) <= 4
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [data]


def test_the_same_seed_gives_the_same_cases(tmp_path: Path) -> None:
    """A finding of the mutator can be had again."""
    seen: list[list[bytes]] = []
    for _ in range(2):
        cases: list[bytes] = []
        engine.run_with_mutator(_target(fuzz=cases.append), engine.Plan(200, None, 5, tmp_path))
        seen.append(cases)
    assert seen[0] == seen[1]
    assert len(set(seen[0])) > 100


def test_a_run_ends_in_time(tmp_path: Path) -> None:
    """With a limit on time alone."""
    run = engine.run_with_mutator(_target(words=()), engine.Plan(None, 0.05, 1, tmp_path))
    assert run.cases > 10
    assert 0.05 <= run.seconds < 5


@pytest.mark.parametrize("limit", ["LONGEST_CASE", "MOST_MEMORY"])
def test_what_costs_too_much_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], limit: str
) -> None:
    """Time and memory are bounded; the limits are lowered here, instead of a case that reaches them."""
    monkeypatch.setattr(engine, limit, -1)
    run = engine.run_with_mutator(_target(fuzz=lambda _: None), engine.Plan(10, None, 1, tmp_path))
    assert run.cases == 1
    (kind,) = run.found
    assert kind.startswith("AssertionError at engine._check_cost")
    assert ("s of processor time" if limit == "LONGEST_CASE" else "the process grew by") in capsys.readouterr().err


def test_new_outcomes_are_mutated_further(tmp_path: Path) -> None:
    """What came out differently than all before is taken into the pool."""
    lengths: set[int] = set()

    def longer(data: bytes) -> None:
        lengths.add(len(data))
        tally.note(f"{len(data) // 40}")

    engine.run_with_mutator(_target(fuzz=longer, longest=10_000), engine.Plan(3000, None, 1, tmp_path))
    assert max(lengths) > 1000


def test_structured_mutations_are_mixed_in() -> None:
    """A target's own changes are made as often as it says."""
    rng = random.Random(1)  # noqa: S311 - the same each time
    target = _target(mutate=lambda _, data: data + b"!" * 9, structured=0.9, longest=12)
    made = [engine.mutate(target, rng, target.seeds) for _ in range(200)]
    assert 150 < sum(b"!!" in data for data in made) < 200
    assert max(map(len, made)) <= 12


def test_mutations_of_nothing() -> None:
    """There is always something to insert, and no mutation fails on an empty input."""
    rng = random.Random(1)  # noqa: S311 - the same each time
    assert len({mutated(rng, b"", [b""], ()) for _ in range(200)}) > 20


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """``python -m tests.fuzz TARGET`` says what it did; an input can be given again."""
    arguments = ["ranges", "--engine", "mutator", "--findings", str(tmp_path / "found")]
    assert __main__.main([*arguments, "--runs", "40"]) == 0
    assert capsys.readouterr().out.startswith("ranges: 40 cases by the mutator in ")
    (tmp_path / "one").write_bytes(b"\x01bytes 0-1/2")
    assert __main__.main([*arguments, "--replay", str(tmp_path / "one"), str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("ranges: 2 cases by replay in ")


@pytest.mark.slow
@pytest.mark.realtime
def test_all_targets_in_processes_of_their_own(tmp_path: Path) -> None:
    """``python -m tests.fuzz all`` has a line for each target."""
    command = [sys.executable, "-m", "tests.fuzz", "all", "--engine", "mutator", "--runs", "30"]
    done = subprocess.run(  # noqa: S603 - this repository's own program
        [*command, "--findings", str(tmp_path)], check=True, capture_output=True, text=True, timeout=50
    )
    assert [line.partition(": 30 cases")[0] for line in done.stdout.splitlines()] == engine.names()
