"""Where the artifacts of a collection go: layouts, and which artifact has which path."""

from __future__ import annotations

import os
import string
from pathlib import PurePath
from typing import TYPE_CHECKING

from gh_artifacts_async.errors import ConfigurationError, DestinationExistsError
from gh_artifacts_async.protocol.filenames import Destination, folded, safe_component, tagged
from gh_artifacts_async.transfer.disk.filesystem import folds_names

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gh_artifacts_async.models import Artifact, ArtifactRef, WorkflowRun
    from gh_artifacts_async.settings import Layout, StrPath


class Claims:
    """Which artifact of a collection has which path.

    Attributes:
        folders: those that are known to exist, and to be writable.
    """

    def __init__(self, *, are_files: bool = True) -> None:
        """Start with none; the keys of an object store, which are no files, are all different."""
        self._are_files = are_files
        self._owners: dict[str, int] = {}
        self._twins: dict[str, tuple[str, int]] = {}
        self._folds: dict[str, bool] = {}
        self.folders: set[Path] = set()

    def take(self, path: StrPath, artifact: Artifact | ArtifactRef) -> None:
        """Take a path for an artifact.

        Raises:
            DestinationExistsError: another artifact of the collection has it.
        """
        text = str(path)
        place = os.path.normcase(text) if self._are_files else text
        owner = self._owners.setdefault(place, artifact.id)
        if owner == artifact.id and self._are_files:
            twin, its_owner = self._twins.setdefault(folded(place), (place, artifact.id))
            if twin != place and its_owner != artifact.id and self._folds_names(os.path.dirname(text)):  # noqa: PTH120
                owner = its_owner
        if owner != artifact.id:
            msg = f"artifacts {owner} and {artifact.id} would both be {path}; use layout='id' to keep them apart"
            raise DestinationExistsError(msg, filename=str(path))

    def _folds_names(self, folder: str) -> bool:
        """Whether the file system takes names that differ in case for one, as macOS' and Windows' do."""
        if folder not in self._folds:
            self._folds[folder] = folds_names(folder)
        return self._folds[folder]


ATTEMPT_FIELD = "attempt"
"""Needs the run, and of a run that was re-run the times of its attempts: one more GET for some of them."""

RUN_FIELDS = ("workflow", "event", "run_number", ATTEMPT_FIELD)
"""Template fields that need the workflow run: one GET per run."""

FIELDS = ("name", "id", "run_id", "branch", "sha", "owner", "repo", "date", *RUN_FIELDS)
"""All template fields."""


def _values(artifact: Artifact, asked: WorkflowRun | None) -> dict[str, str]:
    run, repo = artifact.workflow_run, artifact.repository
    return {
        "workflow": (asked and (asked.name or (asked.path or "").rpartition("/")[2])) or "no-workflow",
        "event": (asked and asked.event) or "no-event",
        "run_number": str((asked and asked.run_number) or "no-run-number"),
        "attempt": str((asked and asked.run_attempt) or "no-attempt"),
        "name": artifact.name,
        "id": str(artifact.id),
        "run_id": str(artifact.run_id or "no-run"),
        "branch": (run and run.head_branch) or "no-branch",
        "sha": (run and run.head_sha) or "no-sha",
        "owner": repo.owner if repo else "no-owner",
        "repo": repo.name if repo else "no-repo",
        "date": f"{artifact.created_at:%Y-%m-%d}" if artifact.created_at else "no-date",
    }


def check_layout(layout: Layout) -> None:
    """Check a layout before anything is fetched.

    Raises:
        ConfigurationError: it is neither ``"name"``, ``"id"``, a template of known fields nor a callable.
    """
    if callable(layout) or layout in {"name", "id"}:
        return
    fields = _fields(layout) if isinstance(layout, str) else None
    if not fields or not set(fields) <= set(FIELDS):
        known = ", ".join(f"{{{name}}}" for name in FIELDS)
        msg = f"layout must be 'name', 'id', a callable, or a template of {known}, not {layout!r}"
        raise ConfigurationError(msg)


def _fields(template: str) -> list[str]:
    try:
        return [
            field
            for _, field, spec, conversion in string.Formatter().parse(template)
            if field is not None and not spec and not conversion
        ]
    except ValueError:
        return []


def needs_run(layout: Layout) -> bool:
    """Whether a layout needs the workflow run of each artifact."""
    return isinstance(layout, str) and not set(_fields(layout)).isdisjoint(RUN_FIELDS)


def needs_attempt(layout: Layout) -> bool:
    """Whether a layout needs the attempt that each artifact belongs to."""
    return isinstance(layout, str) and ATTEMPT_FIELD in _fields(layout)


def by_layout(artifact: Artifact, directory: Path, layout: Layout, run: WorkflowRun | None = None) -> Destination:
    """Return an artifact's destination in a collection; each part of a template or of a callable's result is made safe.

    Args:
        artifact: the artifact.
        directory: of the collection.
        layout: of the collection.
        run: the artifact's workflow run, if the layout needs it, with the attempt that the artifact belongs to.

    Raises:
        ConfigurationError: a callable did not return a relative path.
    """
    if layout == "name":
        return Destination(folder=directory, stem=artifact.name)
    if layout == "id":
        stem = tagged(artifact.name, str(artifact.id))
        return Destination(folder=directory, stem=stem, raw_name=_raw_with_id(artifact))
    if callable(layout):
        parts = _called(layout, artifact).replace("\\", "/").split("/")
    else:
        values = _values(artifact, run)
        parts = [safe_component(part.format(**values)) for part in layout.split("/")]
    if any(part in {"", ".", ".."} for part in parts):
        given = "/".join(parts)
        msg = f"layout returned {given!r} for artifact {artifact.id}, which is not a relative path inside the directory"
        raise ConfigurationError(msg)
    safe = [safe_component(part) for part in parts]
    return Destination(folder=directory.joinpath(*safe[:-1]), stem=safe[-1], raw_name=safe[-1])


def _called(layout: Callable[[Artifact], object], artifact: Artifact) -> str:
    """Return the path that a callable makes of an artifact.

    Raises:
        ConfigurationError: it has forgotten to return one.
    """
    given = layout(artifact)
    if not isinstance(given, str | PurePath):
        msg = f"layout returned {given!r} for artifact {artifact.id}, which is no path"
        raise ConfigurationError(msg)
    return str(given)


def _raw_with_id(artifact: Artifact) -> str:
    """``<stem>-<id>.<extension>``: a raw file keeps its type."""
    stem, dot, extension = safe_component(artifact.name).rpartition(".")
    if not (stem and dot and extension.isalnum()):
        return tagged(artifact.name, str(artifact.id))
    return f"{tagged(stem, str(artifact.id))}.{extension}"
