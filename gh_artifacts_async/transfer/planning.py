"""What a bulk download would do; nothing is written or removed, and storage is sent no request."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterable
from typing import TYPE_CHECKING

from gh_artifacts_async.api.emitter import Emitter
from gh_artifacts_async.errors import DestinationExistsError
from gh_artifacts_async.protocol.filenames import folded
from gh_artifacts_async.results import PlannedDownload
from gh_artifacts_async.transfer.bulk import Runs
from gh_artifacts_async.transfer.disk import filesystem
from gh_artifacts_async.transfer.disk.layouts import by_layout, check_layout
from gh_artifacts_async.transfer.disk.leftovers import scan
from gh_artifacts_async.transfer.disk.partfile import PartFile
from gh_artifacts_async.transfer.disk.partstate import resumable
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.download import Download
from gh_artifacts_async.transfer.storage.targets import check_artifacts, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gh_artifacts_async.models import Artifact, ArtifactRef
    from gh_artifacts_async.protocol.filenames import Destination
    from gh_artifacts_async.settings import Layout, StrPath
    from gh_artifacts_async.transfer.download import DownloadOptions
    from gh_artifacts_async.transfer.storage.context import TransferContext


async def plan_downloads(
    context: TransferContext,
    artifacts: Iterable[Artifact | ArtifactRef] | AsyncIterable[Artifact | ArtifactRef],
    directory: StrPath,
    options: DownloadOptions,
    *,
    layout: Layout,
) -> tuple[PlannedDownload, ...]:
    """Plan downloads, see :meth:`gh_artifacts_async.ArtifactsClient.plan_downloads`."""
    context.github.transport.check_usable()
    check_artifacts(artifacts)
    check_layout(layout)
    folder = filesystem.checked_directory(directory)
    runs = Runs(context.github, layout)
    found: dict[int, tuple[Artifact, Destination]] = {}
    for subject in [one async for one in artifacts] if isinstance(artifacts, AsyncIterable) else artifacts:
        artifact = await resolve(context.github, subject)
        found[artifact.id] = artifact, by_layout(artifact, folder, layout, await runs.of(artifact))
    return await _Planner(context, options, list(found.values())).plan()


class _Planner:
    """Compares artifacts whose destinations are known with what is on the disk."""

    def __init__(
        self, context: TransferContext, options: DownloadOptions, found: list[tuple[Artifact, Destination]]
    ) -> None:
        self._context = context
        self._options = options
        self._found = found
        self._uses = Counter(os.path.normcase(self._path(destination)) for _, destination in found)
        self._twins = Counter(folded(place) for place in self._uses)
        self._leftovers: dict[Path, dict[str, list[Path]]] = {}

    async def plan(self) -> tuple[PlannedDownload, ...]:
        return tuple([await self._planned(artifact, destination) for artifact, destination in self._found])

    def _path(self, destination: Destination) -> Path:
        return destination.path(extract=self._options.extract is not None)

    async def _planned(self, artifact: Artifact, destination: Destination) -> PlannedDownload:
        path = self._path(destination)
        if await self._is_taken_twice(path):
            return PlannedDownload(artifact=artifact, path=path, action="conflict", bytes=0)
        try:
            present = await Download(self._context, artifact, destination, self._options, Emitter()).present()
        except DestinationExistsError:
            return PlannedDownload(artifact=artifact, path=path, action="conflict", bytes=0)
        if present is not None:
            return PlannedDownload(artifact=artifact, path=present.path, action="skip", bytes=0)
        missing = await in_thread(lambda: self._missing(artifact, destination.folder))
        if missing is not None:
            return PlannedDownload(artifact=artifact, path=path, action="resume", bytes=missing)
        return PlannedDownload(artifact=artifact, path=path, action="download", bytes=artifact.size_in_bytes)

    async def _is_taken_twice(self, path: Path) -> bool:
        place = os.path.normcase(path)
        if self._uses[place] > 1:
            return True
        return self._twins[folded(place)] > 1 and await in_thread(lambda: filesystem.folds_names(path.parent))

    def _missing(self, artifact: Artifact, folder: Path) -> int | None:
        """Return how many bytes an earlier run did not fetch; None if it left nothing usable. Blocks."""
        if folder not in self._leftovers:
            self._leftovers[folder] = scan(folder, sweeps=False)
        part = PartFile.for_artifact(artifact, folder)
        found = [resumable(path, part.state) for path in self._leftovers[folder].get(part.prefix, [])]
        return min((missing for missing in found if missing is not None), default=None)
