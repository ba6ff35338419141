"""What each command reports inside GitHub Actions: outputs for the steps after it, and a table in the job's summary.

Outputs have the names that GitHub's own actions use: ``artifact-id``, ``artifact-ids`` and ``download-path``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gh_artifacts_async.cli.actions import Report
from gh_artifacts_async.cli.render import text
from gh_artifacts_async.cli.render.markdown import code, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gh_artifacts_async import (
        Artifact,
        DownloadResult,
        MergeResult,
        MirroredArtifact,
        MirrorReport,
        PlannedArtifact,
        StorageUsage,
    )
    from gh_artifacts_async.fleet import FleetReport

Failed = tuple[int | None, str | None, str]
"""An item that failed: its ID, its name, and a sentence."""

_COLUMNS = ("Artifact", "ID", "Size", "Result")
_VERIFIED = {"digest": "verified by digest", "size": "verified by size", "none": "not verified"}


def found(artifacts: Sequence[Artifact]) -> Report:
    """Return what was listed, or waited for; it has outputs only."""
    return Report(outputs=_ids([artifact.id for artifact in artifacts]))


def downloads(
    title: str, directory: str, results: Sequence[DownloadResult], failures: Sequence[Failed], said: str
) -> Report:
    """Return what was downloaded, and what was not."""
    fetched = sum(result.size - result.resumed_from for result in results if not result.skipped)
    return Report(
        outputs={
            **_ids([result.artifact.id for result in results]),
            "download-path": os.path.abspath(directory),  # noqa: PTH100 - a name
            "paths": _paths(result.path for result in results),
            "bytes": str(fetched),
            "failed": str(len(failures)),
        },
        title=title,
        head=_COLUMNS,
        rows=[*map(_downloaded, results), *map(_failed, failures)],
        said=said,
    )


def merge(title: str, directory: str, result: MergeResult | None, failures: Sequence[Failed], said: str) -> Report:
    """Return what was merged into one folder, if anything was."""
    merged = () if result is None else result.artifacts
    how = "already there" if result is not None and result.skipped else "merged"
    return Report(
        outputs={
            **_ids([artifact.id for artifact in merged]),
            "download-path": os.path.abspath(directory),  # noqa: PTH100 - a name
            "paths": _paths([] if result is None else [result.path]),
            "bytes": str(0 if result is None else result.bytes_fetched),
            "failed": str(len(failures)),
        },
        title=title,
        head=_COLUMNS,
        rows=[*(_artifact(one, how) for one in merged), *map(_failed, failures)],
        said=said,
    )


def mirror(title: str, directory: str, done: MirrorReport, failures: Sequence[Failed], said: str) -> Report:
    """Return what is new in a mirror, and what was removed."""
    rows = [*(_mirrored(one, "new") for one in done.fetched), *(_mirrored(one, "removed") for one in done.removed)]
    return Report(
        outputs={
            **_ids([entry.id for entry in done.fetched]),
            "download-path": os.path.abspath(directory),  # noqa: PTH100 - a name
            "paths": _paths(os.path.join(directory, entry.path) for entry in done.fetched),  # noqa: PTH118
            "bytes": str(done.bytes_fetched),
            "kept": str(len(done.kept)),
            "removed": str(len(done.removed)),
            "failed": str(len(done.failed)),
        },
        title=title,
        head=_COLUMNS,
        rows=[*rows, *map(_failed, failures)],
        said=said,
    )


def fleet(title: str, destination: str, done: FleetReport, failures: Sequence[str], said: str) -> Report:
    """Return what is new in the mirrors of many repositories, a row for each that has anything new or has failed."""
    rows = [
        (code(str(one.repository)), str(one.fetched), text.size(one.bytes_fetched), "" if one.ok else "failed")
        for one in done.repositories
        if one.fetched or not one.ok
    ]
    return Report(
        outputs={
            "download-path": destination if "://" in destination else _paths([destination]),
            "count": str(done.fetched),
            "bytes": str(done.bytes_fetched),
            "kept": str(done.kept),
            "failed": str(len(failures)),
        },
        title=title,
        head=("Repository", "New", "Size", "Result"),
        rows=rows,
        said=said,
    )


def deletions(title: str, deleted: Sequence[Artifact], failures: Sequence[Failed], said: str) -> Report:
    """Return what was deleted, and what could not be."""
    return Report(
        outputs={
            **_ids([artifact.id for artifact in deleted]),
            "bytes": str(sum(artifact.size_in_bytes for artifact in deleted if not artifact.expired)),
            "failed": str(len(failures)),
        },
        title=title,
        head=_COLUMNS,
        rows=[*(_artifact(one, "deleted") for one in deleted), *map(_failed, failures)],
        said=said,
    )


def plan(title: str, planned: Sequence[PlannedArtifact], freed: int, said: str) -> Report:
    """Return what would be deleted, and why."""
    rows = [
        (code(one.artifact.name or ""), str(one.artifact.id), _size(one.artifact), f"would delete: {plain(one.reason)}")
        for one in planned
    ]
    return Report(
        outputs={**_ids([one.artifact.id for one in planned]), "bytes": str(freed), "failed": "0"},
        title=title,
        head=_COLUMNS,
        rows=rows,
        said=said,
    )


def usage(title: str, done: StorageUsage, said: str) -> Report:
    """Return what takes up storage, by name."""
    rows = [(code(entry.label or "-"), f"{entry.count:,}", text.size(entry.bytes)) for entry in done.by_name]
    return Report(
        outputs={"count": str(done.count), "bytes": str(done.bytes), "expired": str(done.expired)},
        title=title,
        head=("Name", "Artifacts", "Size"),
        rows=rows,
        said=said,
    )


def _ids(ids: Sequence[int]) -> dict[str, str]:
    """Return the outputs that say which artifacts; the list is as actions/download-artifact takes it."""
    return {
        "artifact-id": str(ids[0]) if ids else "",
        "artifact-ids": ",".join(map(str, ids)),
        "count": str(len(ids)),
    }


def _paths(paths: Iterable[os.PathLike[str] | str]) -> str:
    """Return absolute paths, since a later step may have another working directory."""
    return "\n".join(os.path.abspath(path) for path in paths)  # noqa: PTH100 - names


def _downloaded(result: DownloadResult) -> tuple[str, ...]:
    how = "already there" if result.skipped else _VERIFIED[result.verified]
    return code(result.artifact.name), str(result.artifact.id), text.size(result.size), how


def _mirrored(entry: MirroredArtifact, how: str) -> tuple[str, ...]:
    return code(entry.name), str(entry.id), text.size(entry.size), how


def _artifact(artifact: Artifact, how: str) -> tuple[str, ...]:
    return code(artifact.name), str(artifact.id), text.size(artifact.size_in_bytes), how


def _size(artifact: object) -> str:
    size = getattr(artifact, "size_in_bytes", None)
    return "-" if size is None else text.size(size)


def _failed(failure: Failed) -> tuple[str, ...]:
    number, name, said = failure
    return code(name) if name else "-", str(number or "-"), "", f"failed: {plain(said)}"
