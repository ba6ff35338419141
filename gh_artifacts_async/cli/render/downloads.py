"""Downloads: a line an artifact, one for the whole, and the table of a dry run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async.cli.render import artifacts, tables, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gh_artifacts_async import Artifact, DownloadResult, MergeResult, PlannedDownload
    from gh_artifacts_async.cli.render import screen
    from gh_artifacts_async.cli.render.events import Tally

_VERIFIED = {"digest": "sha256 ok", "size": "size ok", "none": "unverified"}
_NAMES_SHOWN = 3
_ROWS = 20
"""Of a table; a longer one would push what was on the screen off it."""


def line(result: DownloadResult) -> str:
    """Return what one download left on disk, as a line."""
    how = "already there" if result.skipped else _VERIFIED[result.verified]
    resumed = f"  (resumed at {text.size(result.resumed_from)})" if result.resumed_from else ""
    unpacked = "" if result.members is None else f"  ({text.count(len(result.members), 'file')})"
    return f"{text.size(result.size):>9}  {how:<13}  {text.escaped(str(result.path))}{unpacked}{resumed}\n"


_COLUMNS = (
    artifacts.NAME,
    artifacts.SIZE,
    tables.Column("VERIFIED", drop=3, late=True),
    tables.Column("DETAILS", drop=1, optional=True),
    tables.Column("PATH", easy=12, middle=True, drop=2),
)


def table(results: Sequence[DownloadResult], view: screen.View) -> str:
    """Return a table of what was downloaded; nothing if that is a long list, which the total has the number of.

    Args:
        results: of the downloads; what was there already is left out.
        view: of the terminal.
    """
    fetched = [result for result in results if not result.skipped]
    return tables.Table(_COLUMNS, view).page(map(_row, fetched)) if 0 < len(fetched) <= _ROWS else ""


def _row(result: DownloadResult) -> tables.Row:
    details = [] if result.members is None else [text.count(len(result.members), "file")]
    details += [f"resumed at {text.size(result.resumed_from)}"] if result.resumed_from else []
    verified, path = _VERIFIED[result.verified], str(result.path)
    return tables.Row((result.artifact.name, text.size(result.size), verified, ", ".join(details), path))


def transferred(results: Sequence[DownloadResult]) -> int:
    """Return the bytes that came over the network and were kept."""
    return sum(result.size - result.resumed_from for result in results if not result.skipped)


def total(results: Sequence[DownloadResult], failed: int, elapsed: float, tally: Tally, directory: str) -> str:
    """Return one line about a whole download."""
    fetched = [result for result in results if not result.skipped]
    skipped = len(results) - len(fetched)
    parts = []
    if fetched:
        count = transferred(results)
        speed = f", {text.size(count / elapsed)}/s" if elapsed else ""
        parts.append(
            f"{text.count(len(fetched), 'artifact')} downloaded to {directory} "
            f"({text.size(count)} in {text.duration(elapsed)}{speed})"
        )
    unpacked = [result for result in fetched if result.members is not None]
    if unpacked:
        parts[-1] += f", {text.count(len(unpacked), 'zip')} unpacked"
    parts += [f"{_already(skipped)} in {directory}"] if skipped and not fetched else []
    parts += [f"{skipped:,} already there"] if skipped and fetched else []
    parts += [f"{failed:,} failed"] if failed else []
    parts += [f"{text.count(tally.resumed, 'broken transfer')} resumed"] if tally.resumed else []
    parts += [f"{text.count(tally.restarted, 'transfer')} restarted"] if tally.restarted else []
    parts += [f"{text.count(tally.renewed, 'expired URL')} renewed"] if tally.renewed else []
    parts += [f"waited {text.duration(tally.paused)} for GitHub's rate limit"] if tally.paused else []
    return "; ".join(parts) or "nothing to download"


def _already(skipped: int) -> str:
    return f"{text.count(skipped, 'artifact')} already"


def expired(found: Sequence[Artifact]) -> str:
    """Return one line about the artifacts that are skipped because they have expired."""
    names = ", ".join(artifact.name for artifact in found[:_NAMES_SHOWN])
    more = f" and {len(found) - _NAMES_SHOWN:,} more" if len(found) > _NAMES_SHOWN else ""
    return f"skipped (expired): {names}{more}"


PLAN_COLUMNS = (
    artifacts.ID,
    artifacts.NAME,
    artifacts.SIZE,
    tables.Column("ACTION", easy=16),
    tables.Column("PATH", easy=16, middle=True, drop=1),
)


def plan_row(plan: PlannedDownload) -> tables.Row:
    """Return what a download would do, as a row of ``PLAN_COLUMNS``."""
    artifact = plan.artifact
    size = text.size(artifact.size_in_bytes)
    return tables.Row((str(artifact.id), artifact.name, size, _action(plan), str(plan.path)))


def _action(plan: PlannedDownload) -> str:
    match plan.action:
        case "resume":
            return f"resume ({text.size(plan.bytes)} left)"
        case "skip":
            return "skip (already there)"
        case "conflict":
            return "conflict (path taken)"
        case "download":
            return "download"


def plan_total(plans: Sequence[PlannedDownload], directory: str, *, extract: bool) -> str:
    """Return one line about what a download would do."""
    downloads = sum(plan.action in {"download", "resume"} for plan in plans)
    size = text.size(sum(plan.bytes for plan in plans))
    skipped = sum(plan.action == "skip" for plan in plans)
    conflicts = sum(plan.action == "conflict" for plan in plans)
    unpacked = " and unpack the zips" if extract else ""
    parts = [] if skipped else ["nothing to download"]
    if downloads:
        parts = [f"would download {text.count(downloads, 'artifact')} ({size}) to {directory}{unpacked}"]
    parts += [f"{skipped:,} already there" if downloads else f"{_already(skipped)} in {directory}"] if skipped else []
    parts += [f"{text.count(conflicts, 'conflict')}"] if conflicts else []
    return "; ".join(parts)


def merged(result: MergeResult) -> str:
    """Return what a merge left on disk, as a line."""
    size = text.size(sum(member.size for member in result.members))
    how = "already there" if result.skipped else "merged"
    return f"{size:>9}  {how:<13}  {text.escaped(str(result.path))}  ({text.count(len(result.members), 'file')})\n"


def merge_total(result: MergeResult | None, failed: int, elapsed: float, directory: str) -> str:
    """Return one line about a whole merge."""
    if result is None:
        return "nothing was merged" if failed else "nothing to merge"
    count = text.count(len(result.artifacts), "artifact")
    if result.skipped:
        return f"{count} already in {directory}"
    return f"{count} merged ({text.size(result.bytes_fetched)} fetched in {text.duration(elapsed)})"


def merge_plan(plans: Sequence[PlannedDownload], directory: str) -> str:
    """Return one line about what a merge would do."""
    if not plans:
        return "nothing to merge"
    size = text.size(sum(plan.bytes for plan in plans))
    return f"would merge {text.count(len(plans), 'artifact')} ({size}) into {directory}"
