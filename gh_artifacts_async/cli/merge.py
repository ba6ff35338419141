"""``gh-artifacts download --merge``: all selected artifacts into one folder, or none of them."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from gh_artifacts_async import Conflicts, IfExists, PlannedDownload
from gh_artifacts_async.cli import reports
from gh_artifacts_async.cli.context import Context
from gh_artifacts_async.cli.exits import combined
from gh_artifacts_async.cli.output import Printer
from gh_artifacts_async.cli.render import documents, screen, tables
from gh_artifacts_async.cli.render import downloads as lines
from gh_artifacts_async.cli.render.sentences import named
from gh_artifacts_async.cli.selection import Failure, Selected
from gh_artifacts_async.errors import ArtifactsError, ConfigurationError

if TYPE_CHECKING:
    from gh_artifacts_async import ArtifactsClient, ExtractPolicy, MergeResult


def check(directory: str, layout: str | None, conflicts: Conflicts | None, *, merges: bool) -> None:
    """Check the options that belong to ``--merge``, and those that do not.

    Raises:
        ConfigurationError: they do not fit together.
    """
    if not merges:
        if conflicts is not None:
            msg = "--conflicts says how to merge: add --merge"
            raise ConfigurationError(msg)
        return
    if layout is not None:
        msg = "--layout has no use with --merge, which puts the contents of all artifacts in one folder"
        raise ConfigurationError(msg)
    if Path(directory) == Path():
        msg = "--merge needs --dir, the folder that is to hold the contents of all artifacts"
        raise ConfigurationError(msg)


@attrs.define
class Merging:
    """One merge, and what is said of it.

    Attributes:
        context: of the command.
        selected: the artifacts, and which could not be found.
        head: what the JSON document begins with.
        directory: the folder.
        conflicts: what to do about two files at one path.
        if_exists: what to do if the folder is there.
        printer: prints the outcome for a program; None for a person.
    """

    context: Context
    selected: Selected
    head: dict[str, Any]
    directory: str
    conflicts: Conflicts = attrs.field(kw_only=True)
    if_exists: IfExists = attrs.field(kw_only=True)
    printer: Printer | None = attrs.field(kw_only=True)

    # --- the merge

    async def run(self, client: ArtifactsClient, policy: ExtractPolicy, *, concurrency: int) -> int:
        """Merge, say what came of it, and return the exit code."""
        started = asyncio.get_running_loop().time()
        result: MergeResult | None = None
        failures = list(self.selected.failures)
        if self.selected.artifacts and not failures:
            try:
                result = await self._merged(client, policy, concurrency)
            except (ArtifactsError, OSError) as error:
                failures.append(Failure(None, None, error))
                self.context.error(self._sentence(error))
        elapsed = asyncio.get_running_loop().time() - started
        if self.printer is not None:
            self.printer.document(self._document(result, failures, elapsed))
        elif result is not None:
            screen.write(sys.stdout, lines.merged(result))
        said = lines.merge_total(result, len(failures), elapsed, self.directory)
        if self.selected.artifacts or not failures:  # else nothing was tried, and the errors say why
            self.context.note(said)
        title = f"Download from {self.head['repository']}"
        failed = [(one.id, one.name, self._sentence(one.error)) for one in failures]
        self.context.report = reports.merge(title, self.directory, result, failed, said)
        return combined([failure.error for failure in failures], done=0)

    async def _merged(self, client: ArtifactsClient, policy: ExtractPolicy, concurrency: int) -> MergeResult:
        return await client.download_merged(
            self.selected.artifacts,
            self.directory,
            conflicts=self.conflicts,
            if_exists=self.if_exists,
            policy=policy,
            concurrency=concurrency,
        )

    @property
    def _bytes(self) -> int:
        return sum(artifact.size_in_bytes for artifact in self.selected.artifacts)

    def _sentence(self, error: Exception) -> str:
        can_replace = self.if_exists != "replace" and Path(self.directory).is_dir()
        said = self.context.sentence(error, resumes=True, can_replace=can_replace)
        about = (it for it in self.selected.artifacts if re.match(rf"artifact {it.id}\b", said))
        return next((named(artifact, said) for artifact in about), said)

    def _document(self, result: MergeResult | None, failures: list[Failure], elapsed: float) -> dict[str, Any]:
        return {
            **self._head(),
            "merged": None if result is None else documents.merged(result),
            "failed": [documents.failed(one.id, one.name, one.error, self._sentence(one.error)) for one in failures],
            "bytes": 0 if result is None else result.bytes_fetched,
            "elapsed": round(elapsed, 3),
        }

    def _head(self) -> dict[str, Any]:
        return {**self.head, "merge": True, "conflicts": self.conflicts}

    # --- the dry run

    def plan(self) -> int:
        """Say which artifacts would be merged, and how many bytes they have; nothing is asked of storage."""
        path = Path(self.directory)
        plans = [
            PlannedDownload(artifact=it, path=path, action="download", bytes=it.size_in_bytes)
            for it in self.selected.artifacts
        ]
        failures = self.selected.failures
        if self.printer is not None:
            document = {
                **self._head(),
                "would_merge": [documents.planned(plan) for plan in plans],
                "failed": [
                    documents.failed(one.id, one.name, one.error, self._sentence(one.error)) for one in failures
                ],
                "bytes": self._bytes,
            }
            self.printer.document(document)
        elif plans:
            tables.show(lines.PLAN_COLUMNS, map(lines.plan_row, plans))
        self.context.note(lines.merge_plan(plans, self.directory))
        return combined([failure.error for failure in failures], done=len(plans))
