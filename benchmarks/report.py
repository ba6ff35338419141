"""Tables for people, and the record for machines: RESULTS.md is written from results.json."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.goals import GOALS, ONE_CORE, Goal, Verdict, answer, goals_of, judge
from benchmarks.tools import HERE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

RESULTS = HERE / "RESULTS.md"
RECORD = HERE / "results.json"
_METRICS = ("wall", "cpu", "peak")
_TRANSFER = "transfer"
_DIGITS = {"wall": 3, "cpu": 3, "peak": 1, "decode_ms": 1, "start": 3, _TRANSFER: 3}
_DEFAULT_DIGITS = 0
_INNERMOST = re.compile(r"[\[{][^\[\]{}]*[\]}]")  # objects and lists that hold no others: a line each

Samples = dict[str, list[dict[str, float]]]


@dataclass(frozen=True)
class Result:
    """One case as it was measured.

    Attributes:
        key: "G1".
        title: what was measured.
        date: UTC, to the minute.
        subject: whose figures stand above the ratios.
        rounds: how many.
        load: the machine's load average before and after.
        machine: what it ran on.
        versions: of everything that took part.
        sizes: how big everything was.
        samples: rival -> its rounds.
        skipped: rival -> why it is missing.
    """

    key: str
    title: str
    date: str
    subject: str
    rounds: int
    load: tuple[float, float]
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    sizes: Mapping[str, Any]
    samples: Samples
    skipped: Mapping[str, str] = field(default_factory=dict)

    def verdicts(self) -> list[Verdict]:
        """Hold the case's goals against its rounds."""
        found = [judge(goal, self.samples) for goal in goals_of(self.key)]
        return [verdict for verdict in found if verdict is not None]

    def unmeasured(self) -> list[str]:
        """Return the case's goals for which a side is missing."""
        return [str(goal) for goal in goals_of(self.key) if judge(goal, self.samples) is None]


@dataclass(frozen=True)
class Spread:
    """Median of per-round ratios, and the rounds farthest from it."""

    middle: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return "0.85 (0.80..0.91)"."""
        return f"{self.middle:.2f} ({self.low:.2f}..{self.high:.2f})"


def spread(mine: Sequence[Mapping[str, float]], other: Sequence[Mapping[str, float]], metric: str) -> Spread | None:
    """Return the ratios mine / other, round by round."""
    pairs = zip(mine, other, strict=False)
    ratios = [a[metric] / b[metric] for a, b in pairs if metric in a and b.get(metric, 0) > 0]
    return Spread(median(ratios), min(ratios), max(ratios)) if ratios else None


def rows(result: Result) -> list[list[str]]:
    """Return the case's table, its head first."""
    extras = sorted({key for samples in result.samples.values() for key in samples[0]} - set(_METRICS))
    head = ["", "wall s", "cpu s", "peak MB", *extras]
    ratios = (*_METRICS, _TRANSFER) if _TRANSFER in extras else _METRICS
    head += [f"{metric}: {result.subject} / it" for metric in ratios]
    return [head] + [_row(result, rival, extras, ratios) for rival in result.samples]


def _row(result: Result, rival: str, extras: Sequence[str], ratios: Sequence[str]) -> list[str]:
    cells, samples = [rival], result.samples[rival]
    for metric in (*_METRICS, *extras):
        values = [sample[metric] for sample in samples if metric in sample]
        cells.append(f"{median(values):,.{_DIGITS.get(metric, _DEFAULT_DIGITS)}f}" if values else "")
    mine = result.samples.get(result.subject, [])
    for metric in ratios:
        ratio = None if rival == result.subject else spread(mine, samples, metric)
        cells.append("" if ratio is None else str(ratio))
    return cells


def goal_rows(result: Result) -> list[list[str]]:
    """Return the case's goals and what became of them, the head first."""
    table = [["goal", "measured", "rounds", "met"]]
    for verdict in result.verdicts():
        low, high = _figure(verdict.low), _figure(verdict.high)
        reported = "" if verdict.goal.accept else " (besides)"
        met = ("yes" if verdict.met else "no") if result.key in ONE_CORE else answer(verdict)
        table.append([f"{verdict.goal}{reported}", _figure(verdict.value), f"{low}..{high}", met])
    return table + [[text, "not measured", "", "-"] for text in result.unmeasured()]


def _figure(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 1000 else f"{value:,.0f}"  # noqa: PLR2004 - ratios have decimals, bytes none


def text_table(table: list[list[str]]) -> str:
    """Lay a table out for a terminal."""
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = []
    for row in table:
        others = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        lines.append("  " + "  ".join([row[0].ljust(widths[0]), *others]).rstrip())
    return "\n".join(lines)


def markdown_table(table: list[list[str]]) -> str:
    """Lay a table out for Markdown."""
    head, *body = [[cell.replace("|", "\\|") for cell in row] for row in table]
    numbers = {column for row in body for column, cell in enumerate(row) if cell[:1].isdigit()}
    rule = ["---", *("---:" if column in numbers else "---" for column in range(1, len(head)))]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *body])


# --- the record -------------------------------------------------------------------------------------------------------


def load_record(path: Path = RECORD) -> dict[str, dict[str, Result]]:
    """Return what has been recorded: "full" and "quick", each case -> result."""
    if not path.exists():
        return {"full": {}, "quick": {}}
    document = json.loads(path.read_text("utf-8"))
    return {
        kind: {key: Result(**entry | {"load": tuple(entry["load"])}) for key, entry in document.get(kind, {}).items()}
        for kind in ("full", "quick")
    }


def save_record(record: Mapping[str, Mapping[str, Result]], path: Path = RECORD) -> None:
    """Write results.json."""
    document = {
        kind: {key: _rounded(asdict(results[key])) for key in sorted(results)} for kind, results in record.items()
    }
    soak = load_soak(path)
    _save(document if soak is None else document | {"soak": soak}, path)


def load_soak(path: Path = RECORD) -> dict[str, Any] | None:
    """Return the soak that has been recorded; None if there is none."""
    if not path.exists():
        return None
    soak: dict[str, Any] | None = json.loads(path.read_text("utf-8")).get("soak")
    return soak


def record_soak(soak: Mapping[str, Any], path: Path = RECORD, results: Path = RESULTS) -> None:
    """Write a soak to results.json and to the end of RESULTS.md; what else they hold stays as it is."""
    document = json.loads(path.read_text("utf-8")) if path.exists() else {"full": {}, "quick": {}}
    _save(document | {"soak": _rounded(soak)}, path)
    if not results.exists():
        write_results(load_record(path)["full"], None, results)
    others = results.read_text("utf-8").partition("\n## Soak:")[0]
    results.write_text(f"{others.rstrip()}\n{_soak_section(soak).rstrip()}\n", "utf-8")


def _save(document: Mapping[str, Any], path: Path) -> None:
    text = json.dumps(document, indent=1)
    path.write_text(_INNERMOST.sub(lambda match: " ".join(match[0].split()), text) + "\n", "utf-8")


def _rounded(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value


_INTRODUCTION = """# Measured

Written by `python -m benchmarks` from `results.json`; how it is measured is told in `README.md`. Whole processes,
imports included, in turn (A B C A B C). Ratios are medians of per-round ratios, with the lowest and the highest round;
seconds differ from machine to machine, ratios less so. MB are 2^20 bytes; peak memory is that of the biggest process.
A goal marked "besides" is not one that was agreed to. "transfer" is wall time less that of the same command for next to
nothing, in the same round. "On one core": all of a rival on one core, nginx on another; for the record, not for "met".
"""


def write_results(results: Mapping[str, Result], soak: Mapping[str, Any] | None, path: Path = RESULTS) -> None:
    """Write RESULTS.md."""
    parts = [_INTRODUCTION, "## Goals\n", markdown_table(_summary(results))]
    parts += [_section(results[key]) for key in sorted(results)]
    parts += ["\n## Versions\n", *_versions(results)]
    parts += [] if soak is None else [_soak_section(soak)]
    path.write_text("\n".join(parts).rstrip() + "\n", "utf-8")


def _summary(results: Mapping[str, Result]) -> list[list[str]]:
    table = [["case", "goal", "measured", "on one core", "met"]]
    for goal in GOALS:
        verdict, pinned = _verdict(results, goal.case, goal), None
        for key, base in ONE_CORE.items():
            pinned = _verdict(results, key, goal) if base == goal.case else pinned
        text = f"{goal}{'' if goal.accept else ' (besides)'}"
        one_core = "" if pinned is None else _figure(pinned.value)
        if verdict is None:
            table.append([goal.case, text, "not measured", one_core, "-"])
        else:
            table.append([goal.case, text, _figure(verdict.value), one_core, answer(verdict)])
    return table


def _verdict(results: Mapping[str, Result], case: str, goal: Goal) -> Verdict | None:
    return judge(goal, results[case].samples) if case in results else None


def _section(result: Result) -> str:
    load = f"load {result.load[0]:.1f} before and {result.load[1]:.1f} after"
    where = f"{result.date} UTC, {result.rounds} rounds, {load}; {_described(result.machine)}."
    parts = [f"\n## {result.key}: {result.title}\n", where + "\n", markdown_table(rows(result)), ""]
    table = goal_rows(result)
    parts += [markdown_table(table), ""] if table[1:] else []
    parts += [f"Left out: {name}: {why}\n" for name, why in result.skipped.items()]
    return "\n".join(parts)


def _described(machine: Mapping[str, Any]) -> str:
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory']} GiB, Linux {machine['kernel']}, "
        f"Python {machine['python']}, disk {machine['disk']}"
    )


def _versions(results: Mapping[str, Result]) -> list[str]:
    """Return a paragraph for each set of versions, with the cases that were measured with it."""
    sets: dict[str, list[str]] = {}
    for key in sorted(results):
        text = ", ".join(f"{name} {version}" for name, version in results[key].versions.items())
        sets.setdefault(text, []).append(key)
    return [f"{', '.join(keys)}: {text}.\n" for text, keys in sets.items()]


def comparison(result: Result, recorded: Result | None) -> list[list[str]]:
    """Return the goals' figures now beside the recorded ones, the head first."""
    before = {} if recorded is None else {str(verdict.goal): verdict for verdict in recorded.verdicts()}
    table = [["", "now", "recorded", "better by"]]
    for verdict in result.verdicts():
        old = before.get(str(verdict.goal))
        then = ["-", "-"] if old is None else [_figure(old.value), _gain(verdict, old)]
        table.append([_compared(verdict.goal), _figure(verdict.value), *then])
    return table


def _compared(goal: Goal) -> str:
    if goal.rival is None:
        return f"{goal.metric} of {goal.subject}"
    sides = (goal.subject, goal.rival) if goal.relation == "<=" else (goal.rival, goal.subject)
    return f"{goal.metric}: {' / '.join(sides)}"


def _gain(now: Verdict, old: Verdict) -> str:
    """Return by how much a figure is better than it was; below zero it is worse."""
    gain = now.value / old.value if now.goal.relation == ">=" else old.value / now.value
    return f"{gain - 1:+.0%}"


# --- the soak ---------------------------------------------------------------------------------------------------------


def _soak_rows(soak: Mapping[str, Any]) -> list[list[str]]:
    rows = [[name, figure, "yes" if met else "NO"] for name, figure, met in soak["criteria"]]
    return [["", "measured", "met"], *rows]


def _soak_paragraphs(soak: Mapping[str, Any]) -> list[str]:
    """Return what happened besides the criteria."""
    surplus = sum(count for name, count in soak["faults"].items() if ": surplus" in name)
    faults = {name: count for name, count in soak["faults"].items() if count}
    done, failed = sum(soak["done"].values()), sum(soak["failed"].values())
    return [
        f"{done:,} done ({_listed(soak['done'])}); {soak['bytes'] / 2**30:.1f} GiB compared.",
        f"Ways of the files that were downloaded: {_listed(soak.get('ways', {}))}.",
        f"{soak['cancelled']:,} cancelled on purpose.",
        f"{failed:,} failed with an error that says so ({_listed(soak['failed']) or 'none'}).",
        f"{sum(faults.values()):,} faults, {surplus:,} surplus answers among them ({_listed(faults)}).",
        f"The event loop was at most {soak['latest'] * 1000:.0f} ms late.",
    ]


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _soak_title(soak: Mapping[str, Any]) -> str:
    return f"Soak: {soak['transfers']} transfers at once for {soak['minutes']:g} minutes, with faults"


def soak_text(soak: Mapping[str, Any]) -> str:
    """Lay a soak out for a terminal."""
    return "\n".join(["", _soak_title(soak), text_table(_soak_rows(soak)), *_soak_paragraphs(soak)])


def _soak_section(soak: Mapping[str, Any]) -> str:
    load = f"load {soak['load'][0]:.1f} before and {soak['load'][1]:.1f} after"
    versions = ", ".join(f"{name} {version}" for name, version in soak["versions"].items())
    where = f"{soak['date']} UTC, seed {soak['seed']}, {load}; {_described(soak['machine'])}; {versions}.\n"
    table = markdown_table(_soak_rows(soak)) + "\n"
    return "\n".join([f"\n## {_soak_title(soak)}\n", where, table, *(f"{text}\n" for text in _soak_paragraphs(soak))])
