"""What a download says: a line an artifact, and one for the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from gh_artifacts_async.cli.render import tables, text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from gh_artifacts_async.cli.render.progress import Tally
    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.results import DownloadResult

_VERIFIED = {"digest": "sha256 ok", "size": "size ok", "none": "unverified"}
_SHOWN = 3


def line(result: DownloadResult) -> str:
    """Return what one download left on disk, as a line."""
    how = "there already" if result.skipped else _VERIFIED[result.verified]
    resumed = f"  (resumed from {text.size(result.resumed_from)})" if result.resumed_from else ""
    unpacked = "" if result.members is None else f"  ({text.count(len(result.members), 'file')})"
    return f"{text.size(result.size):>9}  {how:<13}  {text.escaped(str(result.path))}{unpacked}{resumed}\n"


def transferred(results: Sequence[DownloadResult]) -> int:
    """Return the bytes that came over the network and were kept."""
    return sum(result.size - result.resumed_from for result in results if not result.skipped)


def total(results: Sequence[DownloadResult], failed: int, elapsed: float, tally: Tally, directory: str) -> str:
    """Return one line about a whole download."""
    fetched = [result for result in results if not result.skipped]
    there = len(results) - len(fetched)
    parts = []
    if fetched:
        count = transferred(results)
        speed = f", {text.size(count / elapsed)}/s" if elapsed else ""
        parts.append(
            f"{text.count(len(fetched), 'artifact')} downloaded to {directory} "
            f"({text.size(count)} in {text.duration(elapsed)}{speed})"
        )
    unpacked = [len(result.members) for result in fetched if result.members is not None]
    if unpacked:
        parts.append(f"{text.count(len(unpacked), 'zip')} unpacked to {text.count(sum(unpacked), 'file')}")
    parts += [f"{there:,} there already"] if there else []
    parts += [f"{failed:,} failed"] if failed else []
    parts += [f"{text.count(tally.resumed, 'break')} survived"] if tally.resumed else []
    parts += [f"{text.count(tally.resigned, 'expired URL')} renewed"] if tally.resigned else []
    return "; ".join(parts) or "nothing to download"


def left_out(expired: Sequence[Artifact]) -> str:
    """Return one line about what has expired."""
    names = ", ".join(artifact.name for artifact in expired[:_SHOWN])
    more = f" and {len(expired) - _SHOWN:,} more" if len(expired) > _SHOWN else ""
    return f"left out, since expired: {names}{more}"


def rehearsal(artifacts: Sequence[Artifact], there: Collection[int]) -> Table:
    """Return a table of what a download would do."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("ID", justify="right", no_wrap=True)
    table.add_column("NAME", no_wrap=True, overflow="ellipsis", style="cyan")
    table.add_column("SIZE", justify="right", no_wrap=True)
    table.add_column("WOULD", no_wrap=True)
    for artifact in artifacts:
        does = "stay (there already)" if artifact.id in there else "be downloaded"
        table.add_row(str(artifact.id), tables.plain(artifact.name), text.size(artifact.size_in_bytes), does)
    return table


def rehearsed(missing: Sequence[Artifact], there: int, directory: str, *, extract: bool) -> str:
    """Return one line about what a download would do."""
    size = text.size(sum(artifact.size_in_bytes for artifact in missing))
    kept = f"; {there:,} there already" if there else ""
    unpacked = ", and unpack the zips among them" if extract and missing else ""
    return f"would download {text.count(len(missing), 'artifact')} ({size}) to {directory}{unpacked}{kept}"
