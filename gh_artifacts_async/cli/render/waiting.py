"""What is waited for, and what has come: a line an artifact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async.cli.render import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gh_artifacts_async import Artifact, RepositoryName


def line(artifact: Artifact) -> str:
    """Return an artifact's id, name, size, and its run and branch where GitHub says them."""
    run = artifact.workflow_run
    branch = "" if run is None or run.head_branch is None else f", branch {run.head_branch}"
    of_run = "" if artifact.run_id is None else f", run {artifact.run_id}"
    return f"{artifact.id}  {text.escaped(f'{artifact.name}  {text.size(artifact.size_in_bytes)}{of_run}{branch}')}\n"


def waiting(names: Sequence[str], seconds: float) -> str:
    """Return what is waited for, and for how long."""
    what = repr(names[0]) if len(names) == 1 else text.count(len(names), "artifact")
    return f"waiting for {what}, for up to {text.span(seconds)}"


def watching(repo: RepositoryName, interval: float) -> str:
    """Return what is watched, how often, and how it ends."""
    return f"watching {repo} every {interval:g} s; Ctrl-C ends it"
