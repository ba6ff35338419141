"""The goals as data: what is compared, by what measure, and the bound."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Goal:
    """One bound.

    Attributes:
        case: the benchmark's key.
        metric: "wall", "cpu" (seconds), "peak" (MB of 2**20 bytes), or a figure of the case's own.
        relation: "<=" bounds subject / rival from above, ">=" bounds rival / subject ("so many times better") from
            below. Without a rival, "<=" bounds the worst round of the subject itself.
        bound: the number.
        rival: against whom; None for an absolute bound.
        subject: whose figure.
        accept: part of what was agreed to; the others are goals of the reference, reported besides.
    """

    case: str
    metric: str
    relation: Literal["<=", ">="]
    bound: float
    rival: str | None = None
    subject: str = "ours"
    accept: bool = True

    def __str__(self) -> str:
        """Return it as a person would write it."""
        who = "" if self.subject == "ours" else f"{self.subject}: "
        if self.rival is None:
            return f"{who}{self.metric} {self.relation} {self.bound:,g}{' MB' if self.metric == 'peak' else ''}"
        better = " better" if self.relation == ">=" else ""
        return f"{who}{self.metric} {self.relation} {self.bound:g}x{better} {'than ' if better else ''}{self.rival}"


@dataclass(frozen=True)
class Verdict:
    """A goal and what was measured.

    Attributes:
        goal: the bound.
        value: median of the per-round figures; the worst round for an absolute bound.
        low: the lowest round.
        high: the highest round.
        met: whether the value keeps the bound.
    """

    goal: Goal
    value: float
    low: float
    high: float
    met: bool


def figures(goal: Goal, samples: Mapping[str, Sequence[Mapping[str, float]]]) -> list[float]:
    """Return the goal's figure of each round; empty where one side was not measured."""
    mine = samples.get(goal.subject, ())
    if goal.rival is None:
        return [sample[goal.metric] for sample in mine if goal.metric in sample]
    pairs = zip(mine, samples.get(goal.rival, ()), strict=False)
    both = [(a[goal.metric], b[goal.metric]) for a, b in pairs if goal.metric in a and goal.metric in b]
    return [a / b if goal.relation == "<=" else b / a for a, b in both if a > 0 and b > 0]


def judge(goal: Goal, samples: Mapping[str, Sequence[Mapping[str, float]]]) -> Verdict | None:
    """Hold a goal against what was measured; None where it was not."""
    rounds = figures(goal, samples)
    if not rounds:
        return None
    value = median(rounds) if goal.rival is not None else max(rounds)
    met = value <= goal.bound if goal.relation == "<=" else value >= goal.bound
    return Verdict(goal, value, min(rounds), max(rounds), met)


CURL, TEE, NAIVE_SHA, NAIVE = "curl (no hash)", "curl | tee | openssl sha256", "aiohttp naive + sha256", "aiohttp naive"
URLLIB3 = "urllib3 1 MiB + sha256"

GOALS = (
    Goal("G1", "wall", "<=", 1.05, CURL),
    Goal("G1", "wall", "<=", 0.5, NAIVE_SHA),
    Goal("G1", "peak", "<=", 48),
    Goal("G1", "cpu", "<=", 1.4, CURL, accept=False),
    Goal("G1", "wall", "<=", 0.55, TEE, accept=False),
    Goal("G1M", "peak", "<=", 48, subject="ours, 100 MB"),
    Goal("G1M", "peak", "<=", 48, subject="ours, 4 GiB"),
    Goal("G1M", "peak", "<=", 1.1, "ours, 100 MB", subject="ours, 4 GiB", accept=False),
    Goal("G2", "wall", "<=", 1.55, CURL),
    Goal("G2", "wall", "<=", 0.58, NAIVE_SHA),
    Goal("G2", "wall", "<=", 0.68, TEE, accept=False),
    Goal("G2", "wall", "<=", 1.1, URLLIB3, accept=False),
    Goal("G3", "wall", ">=", 6, "githubkit"),
    Goal("G3", "wall", ">=", 5, "PyGithub, 16 threads"),
    Goal("G3", "wall", "<=", 1.05, NAIVE),
    Goal("G3", "wall", ">=", 4.5, "requests, 16 threads", accept=False),
    Goal("G3", "wall", ">=", 11, "httpx", accept=False),
    Goal("G4", "wall", "<=", 1.1, NAIVE),
    Goal("G4", "wall", ">=", 2.6, "githubkit"),
    Goal("G4", "peak", "<=", 64),
    Goal("G4", "wall", ">=", 2.8, "httpx", accept=False),
    Goal("G5", "wall", "<=", 0.6, "githubkit"),
    Goal("G5", "wall", "<=", 0.55, "PyGithub", accept=False),
    Goal("G5", "peak", "<=", 0.7, "githubkit", accept=False),
    Goal("G5L", "wall", ">=", 7, "ours, sequential", subject="ours, 10 workers"),
    Goal("G5L", "wall", ">=", 12, "ours, sequential", subject="ours, 32 workers", accept=False),
    Goal("G5D", "decode_ms", ">=", 1.0, "json + cattrs default"),
    Goal("G5D", "decode_ms", ">=", 4, "PyGithub construct", accept=False),
    Goal("G7", "wall", "<=", 0.45, "curl + unzip"),
    Goal("G7", "wall", "<=", 0.9, "curl | bsdtar"),
    Goal("G7S", "wall", "<=", 1.10, "curl, bare transfer"),
    Goal("G8", "requests", "<=", 2),
    Goal("G8", "bytes_over", "<=", 67_000),
    Goal("G8", "wall", ">=", 4, "curl + unzip -p"),
    Goal("G8S", "wall", ">=", 60, "curl + unzip -p"),
    Goal("G9", "wall", "<=", 1.15, "import aiohttp"),
    Goal("G9", "wall", "<=", 1.0, "import aiohttp", subject="gh-artifacts --help"),
    Goal("G9", "wall", "<=", 0.9, "import githubkit", accept=False),
    Goal("G9", "wall", "<=", 0.9, "import PyGithub", accept=False),
)
