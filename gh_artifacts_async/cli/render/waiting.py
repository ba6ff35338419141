"""What is waited for, and what has come: a line an artifact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async.cli.render import artifacts, tables, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gh_artifacts_async import Artifact, RepositoryName


COLUMNS = tuple(
    column._replace(name="")
    for column in (artifacts.ID, artifacts.NAME, artifacts.SIZE, artifacts.RUN, artifacts.BRANCH)
)
"""Without a heading: each line says what it shows."""


def row(artifact: Artifact) -> tables.Row:
    """Return an artifact's id, name and size, its run and branch where they are known, as a row of ``COLUMNS``."""
    run = artifact.workflow_run
    of_run = "" if artifact.run_id is None else f"run {artifact.run_id}"
    branch = "" if run is None or run.head_branch is None else run.head_branch
    return tables.Row((str(artifact.id), artifact.name, text.size(artifact.size_in_bytes), of_run, branch))


def waiting(names: Sequence[str], seconds: float) -> str:
    """Return what is waited for, and for how long."""
    what = repr(names[0]) if len(names) == 1 else text.count(len(names), "artifact")
    return f"waiting for {what}, for up to {text.span(seconds)}"


def watching(repo: RepositoryName, interval: float) -> str:
    """Return what is watched, how often, and how it ends."""
    return f"watching {repo} every {interval:g} s; Ctrl-C ends it"
