"""Runs a target on many inputs, with atheris (guided by coverage) or without, and keeps what it finds."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import io
import os
import random
import resource
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from tests.fuzz import scratch, tally
from tests.fuzz.mutator import mutated

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = "gh_artifacts_async"
LONGEST_CASE = 2.0
"""Seconds of processor time that a case may take: a hostile input must not cost more than an honest one."""

MOST_MEMORY = 256 * 2**20
"""Bytes by which the process may grow at once during a case."""

_MOST_KEPT = 4000
_REPORTED = 100_000
_NOTHING = b""


class Target(NamedTuple):
    """What is fuzzed.

    Attributes:
        name: of its module in ``tests/fuzz/targets``.
        fuzz: runs one case; any exception is a finding.
        seeds: inputs to begin with.
        words: what its language consists of.
        longest: bytes of an input.
        mutate: changes an input in a way that bytes alone would not; None if there is none.
        structured: how often that is done.
    """

    name: str
    fuzz: Callable[[bytes], None]
    seeds: list[bytes]
    words: tuple[bytes, ...] = ()
    longest: int = 4096
    mutate: Callable[[random.Random, bytes], bytes] | None = None
    structured: float = 0.5


class Plan(NamedTuple):
    """How long a run lasts, and where it leaves what it finds.

    Attributes:
        runs: cases; None for any number.
        seconds: from the first case on; None for any time.
        seed: of chance.
        findings: a folder for inputs that show a fault.
        keep_going: go on after a finding; of each kind the smallest input is kept.
    """

    runs: int | None
    seconds: float | None
    seed: int
    findings: Path
    keep_going: bool = False


def names() -> list[str]:
    """Return the names of all targets."""
    return sorted(path.stem for path in (Path(__file__).parent / "targets").glob("*.py"))


def load(name: str) -> Target:
    """Import a target."""
    module: Any = importlib.import_module(f"tests.fuzz.targets.{name}")
    return Target(
        name,
        module.fuzz,
        module.seeds(),
        getattr(module, "WORDS", ()),
        getattr(module, "LONGEST", 4096),
        getattr(module, "mutate", None),
        getattr(module, "STRUCTURED", 0.5),
    )


def instrumented(name: str, atheris: Any) -> Target:
    """Import a target, and with it the package, so that atheris sees which branches are taken."""
    # It names each module on the standard error stream.
    with contextlib.redirect_stderr(io.StringIO()), atheris.instrument_imports(include=[PACKAGE]):
        return load(name)


class Run:
    """One run: counts the cases, notices what goes wrong, and knows when it is over.

    Attributes:
        cases: that were run.
        found: by kind of fault, the smallest input.
    """

    def __init__(self, target: Target, plan: Plan, engine: str) -> None:
        """Begin."""
        self.target = target
        self.plan = plan
        self.engine = engine
        self.cases = 0
        self.found: dict[str, bytes] = {}
        self._began = time.monotonic()
        self._peak = _peak()
        tally.COUNTS.clear()

    @property
    def is_over(self) -> bool:
        """Whether there were enough cases, or the time is over, or there was a finding."""
        if self.found and not self.plan.keep_going:
            return True
        if self.plan.runs is not None and self.cases >= self.plan.runs:
            return True
        # The clock is asked rarely: a case may take some microseconds.
        asked = self.plan.seconds is not None and (self.cases % 64 == 0 or self.cases < 64)
        return asked and self.seconds >= (self.plan.seconds or 0.0)

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return time.monotonic() - self._began

    def case(self, data: bytes) -> None:
        """Run one case."""
        self.cases += 1
        began = time.process_time()
        try:
            self.target.fuzz(data)
            self._check_cost(began)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            self._note(error, data)
        if self.cases % _REPORTED == 0:
            print(self.summary(), flush=True)  # noqa: T201

    def _check_cost(self, began: float) -> None:
        took = time.process_time() - began
        grown, self._peak = _peak() - self._peak, _peak()
        assert took <= LONGEST_CASE, f"it took {took:.1f} s of processor time"
        assert grown <= MOST_MEMORY, f"the process grew by {grown} bytes"

    def _note(self, error: Exception, data: bytes) -> None:
        kind = kind_of(error)
        before = self.found.get(kind)
        if before is not None and len(before) <= len(data):
            return
        self.found[kind] = data
        self.plan.findings.mkdir(parents=True, exist_ok=True)
        mark = hashlib.sha256(kind.encode()).hexdigest()[:8]
        path = self.plan.findings / f"{self.target.name}-{mark}"
        path.write_bytes(data)
        if before is None:
            traceback.print_exception(error)
            print(f"finding: {kind}\n  {data[:200]!r}\n  in {path}", flush=True)  # noqa: T201

    def summary(self) -> str:
        """Return what came of it in a line or two."""
        seconds = max(self.seconds, 0.001)
        common = ", ".join(f"{name} {count}" for name, count in tally.COUNTS.most_common(25))
        return (
            f"{self.target.name}: {self.cases} cases by {self.engine} in {seconds:.1f} s "
            f"({self.cases / seconds:.0f}/s), {len(self.found)} findings; {common}"
        )


def kind_of(error: BaseException) -> str:
    """Return what makes two findings the same: the class of the error, and the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if PACKAGE in frame.filename or "fuzz" in frame.filename] or frames
    last = ours[-1]
    return f"{type(error).__name__} at {Path(last.filename).stem}.{last.name}:{last.lineno}"


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def mutate(target: Target, rng: random.Random, pool: list[bytes]) -> bytes:
    """Return the next input."""
    data = rng.choice(pool)
    if target.mutate is not None and rng.random() < target.structured:
        data = target.mutate(rng, data)
    else:
        data = mutated(rng, data, pool, target.words)
    return data[: target.longest]


def run_with_mutator(target: Target, plan: Plan) -> Run:
    """Run a target on its seeds and on mutations of them; an input with a new outcome is mutated further."""
    run = Run(target, plan, "the mutator")
    rng = random.Random(plan.seed)  # noqa: S311 - a seed that can be given again
    pool = list(target.seeds) or [_NOTHING]
    for data in target.seeds:
        if run.is_over:
            return run
        run.case(data)
    while not run.is_over:
        data = mutate(target, rng, pool)
        outcomes = len(tally.COUNTS)
        run.case(data)
        if len(tally.COUNTS) > outcomes and len(pool) < _MOST_KEPT:
            pool.append(data)
    return run


def run_with_atheris(atheris: Any, target: Target, plan: Plan, corpus: Path | None, version: str) -> NoReturn:
    """Run a target with atheris, which does not return: the process ends with 0, or with 1 if there were findings.

    Args:
        atheris: the module.
        target: imported while atheris was watching.
        plan: how long.
        corpus: a folder whose inputs are used too, and to which those are added that take new branches.
        version: of atheris.
    """
    folder = corpus or Path(tempfile.mkdtemp(prefix="fuzz-"))
    folder.mkdir(parents=True, exist_ok=True)
    for data in target.seeds:
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data[: target.longest])
    words = folder.with_name(f"{folder.name}.words")
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words))
    run = Run(target, plan, f"atheris {version}")

    def case(data: bytes) -> None:
        run.case(data)
        if run.is_over:
            finish(run)

    def change(data: bytes, longest: int, seed: int) -> bytes:
        rng = random.Random(seed)  # noqa: S311 - as above
        if target.mutate is not None and rng.random() < target.structured:
            return target.mutate(rng, bytes(data))[:longest]
        return atheris.Mutate(data, longest)  # type: ignore[no-any-return]

    options = [
        f"-max_len={target.longest}",
        f"-seed={plan.seed}",
        f"-dict={words}",
        "-timeout=60",
        "-rss_limit_mb=2048",
        "-len_control=0",
    ]
    options += ["-mutate_depth=2"] if target.mutate is not None else []
    extra = {} if target.mutate is None else {"custom_mutator": change}
    atheris.Setup([sys.argv[0], *options, str(folder)], case, **extra)
    atheris.Fuzz()
    raise AssertionError("the run ended before its time")


def finish(run: Run) -> NoReturn:
    """Say what came of a run, and end the process: libFuzzer would go on."""
    print(run.summary(), flush=True)  # noqa: T201
    scratch.clear()
    os._exit(1 if run.found else 0)


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)
