"""ArtifactsFileSystem: the operations that fsspec, and all that reads through it, uses."""

from __future__ import annotations

import contextlib
import hashlib
from functools import partial
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gh_artifacts_async.fs import levels
from gh_artifacts_async.fs.base import Instance
from gh_artifacts_async.fs.engine import NO_CALLBACK, isfilelike, sync, sync_wrapper
from gh_artifacts_async.fs.failures import refuse, translated
from gh_artifacts_async.fs.handles import ArtifactFile, AsyncArtifactFile, file_details
from gh_artifacts_async.fs.opened import check_same, found_at
from gh_artifacts_async.fs.paths import PROTOCOL, is_view, joined, names_itself, parse
from gh_artifacts_async.fs.wildcards import below, matches
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.storage.range_reader import ChangedError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from datetime import datetime

    from gh_artifacts_async.fs.loops import LoopState
    from gh_artifacts_async.fs.opened import Entry, Info, Opened
    from gh_artifacts_async.fs.paths import Place

_COPIED_AT_ONCE = 8 * 2**20


class ArtifactsFileSystem(Instance):
    """GitHub Actions artifacts as a read-only file system of fsspec, protocol ``ghartifacts`` (extra ``fs``).

    =================================================  ================================================================
    Path                                               What it is
    =================================================  ================================================================
    ``OWNER``                                          a folder of repositories
    ``OWNER/REPO``                                     a folder of artifacts by their ids, and ``runs`` and ``latest``
    ``OWNER/REPO/ID/MEMBER``                           a file or folder of an artifact
    ``OWNER/REPO/runs/RUN/NAME/MEMBER``                the same, by the run and the artifact's name
    ``OWNER/REPO/latest/NAME/MEMBER?branch=main``      the same, of the newest run that has it
    =================================================  ================================================================

    The query of ``latest`` may have ``branch``, ``workflow``, ``event``, ``conclusion``, ``head_sha``, ``actor`` and
    ``pull_request``, as :class:`~gh_artifacts_async.ArtifactQuery` has them; ``conclusion=any`` for any, where
    ``success`` is the default. Paths that are returned have it at the third part, ``latest;branch=main``, which is
    accepted, too. An artifact that was uploaded without zipping is a folder with that one file. Artifacts that have
    expired are not there.

    Missing files and artifacts are FileNotFoundErrors, a missing or rejected token or permission is a PermissionError,
    and whatever would write is a NotImplementedError; the other errors are those of
    :mod:`gh_artifacts_async.errors`.
    """

    # --- folders

    async def _ls(self, path: str, detail: bool = True, *, refresh: bool = False, **_: Any) -> list[Any]:
        path = self._strip_protocol(path)
        with translated(path):
            found = await self._listing(parse(path), refresh=refresh)
        return found if detail else [info["name"] for info in found]

    async def _listing(self, place: Place, *, refresh: bool) -> list[Info]:
        if place.kind == "artifact":
            return await self._in_artifact(place)
        if refresh:
            self.invalidate_cache(place.path)
        try:
            kept: list[Info] = self.dircache[place.path]
        except KeyError:
            state = await self._states.current()
            kept = await state.listings.get(place.path, lambda: levels.listing(state, place))
            self.dircache[place.path] = kept
        return [dict(info) for info in kept]

    async def _in_artifact(self, place: Place) -> list[Info]:
        state = await self._states.current()
        async with self._opened(state, place) as opened:
            found = await opened.listing(place.member)
            if found is None:
                found = [found_at(place.path, await opened.find(place.member))]
            infos = [entry.info(place.base, opened.artifact) for entry in found]
            return [info for info in infos if names_itself(info["name"])]

    async def _info(self, path: str, **_: Any) -> Info:
        path = self._strip_protocol(path)
        with translated(path):
            place = parse(path)
            state = await self._states.current()
            if place.kind != "artifact":
                return await levels.info(state, place)
            if not place.member:
                return levels.about(path, await levels.resolve(state, place))
            async with self._opened(state, place) as opened:
                return found_at(path, await opened.find(place.member)).info(place.base, opened.artifact)

    async def _isfile(self, path: str) -> bool:
        return await self._kind(path) == "file"

    async def _isdir(self, path: str) -> bool:
        return await self._kind(path) == "directory"

    async def _kind(self, path: str) -> str | None:
        """Return what is at a path; a failure to find out is an error, which fsspec would take for no."""
        try:
            kind: str = (await self._info(path))["type"]
        except FileNotFoundError:
            return None
        return kind

    @contextlib.asynccontextmanager
    async def _opened(self, state: LoopState, place: Place) -> AsyncGenerator[Opened]:
        """Provide the artifact of a path; one that is named by its id is not looked up first."""
        number = place.artifact_id or (await levels.resolve(state, place)).id
        try:
            async with state.opened(place.repository, number) as opened:
                yield opened
        except ChangedError:
            state.let_go(place.repository, number)
            raise

    async def _walk(
        self, path: str, maxdepth: int | None = None, topdown: bool = True, on_error: Any = "omit", **options: Any
    ) -> AsyncGenerator[tuple[str, Any, Any]]:
        """Walk as fsspec does, but do not go from a repository, or above, into ``runs`` and ``latest``."""
        if options.get("inner") and is_view(path):
            return
        options["inner"] = True
        async for found in super()._walk(path, maxdepth=maxdepth, topdown=topdown, on_error=on_error, **options):
            yield found

    async def _find(
        self, path: str, maxdepth: int | None = None, withdirs: bool = False, *, detail: bool = False, **_: Any
    ) -> Any:
        if maxdepth is not None and maxdepth < 1:
            msg = "maxdepth must be at least 1"
            raise ValueError(msg)
        path = self._strip_protocol(path)
        found = await below(self, path, maxdepth)
        if withdirs and path and path not in found and await self._isdir(path):
            found[path] = await self._info(path)
        found = {name: info for name, info in sorted(found.items()) if withdirs or info["type"] == "file"}
        return found if detail else list(found)

    async def _glob(self, path: str, maxdepth: int | None = None, *, detail: bool = False, **options: Any) -> Any:
        pattern, folders_only = self._strip_protocol(path), path.endswith("/")
        if "**" in pattern or maxdepth is not None:
            pattern += "/" if folders_only else ""
            return await super()._glob(pattern, maxdepth=maxdepth, detail=detail, **options)
        if has_magic(pattern):
            found = await matches(self, pattern)
        else:
            found = {pattern: await self._info(pattern)} if await self._exists(pattern) else {}
        found = {name: found[name] for name in sorted(found) if not folders_only or found[name]["type"] == "directory"}
        return found if detail else list(found)

    def invalidate_cache(self, path: str | None = None) -> None:
        """Forget listings, and which artifacts ``latest`` and names of runs mean.

        Args:
            path: only of this path, of what is below it, and of the folder it is in; of a file, of the artifact that
                it is in. None for all; then open artifacts and the contents of files are forgotten, too.
        """
        if path is None:
            self.dircache.clear()
            self._states.forget()
            return
        place: str = self._strip_protocol(path)
        with contextlib.suppress(FileNotFoundError):
            place = parse(place).base or place
        for key in list(self.dircache):
            if _is_within(key, place) or key == self._parent(place):
                self.dircache.pop(key, None)
        self._states.forget(lambda key: _is_within(str(key), place))

    # --- files

    async def _cat_file(
        self, path: str, start: int | None = None, end: int | None = None, *, opened_as: Info | None = None, **_: Any
    ) -> bytes:
        path = self._strip_protocol(path)
        with translated(path):
            place = parse(path)
            state = await self._states.current()
            async with self._file(state, place) as (opened, entry):
                check_same(place.path, opened_as, entry)
                first, last = _span(start, end, entry.size)
                key = (place.repository, opened.artifact.id, entry.path)
                whole = state.contents.peek(key)
                if whole is None and entry.compression is None and (first, last) != (0, entry.size):
                    return await opened.read_range(entry, first, last)
                if whole is None:
                    whole = await state.contents.get(key, lambda: opened.read(entry, self.max_bytes))
                return whole if (first, last) == (0, entry.size) else whole[first:last]

    @contextlib.asynccontextmanager
    async def _file(self, state: LoopState, place: Place) -> AsyncGenerator[tuple[Opened, Entry]]:
        if place.kind != "artifact":
            file_details(await levels.info(state, place), place.path)
        async with self._opened(state, place) as opened:
            entry = found_at(place.path, await opened.find(place.member))
            file_details(entry.info(place.base, opened.artifact), place.path)
            yield opened, entry

    async def _get_file(self, rpath: str, lpath: Any, callback: Any = NO_CALLBACK, **_: Any) -> None:
        """Copy a file of any size to disk: it appears there once it is verified."""
        path = self._strip_protocol(rpath)
        info = await self._info(path)
        if isfilelike(lpath):
            await self._pour(path, info["size"], lpath, callback)
            return
        if info["type"] == "directory":
            await in_thread(lambda: Path(lpath).mkdir(parents=True, exist_ok=True))
            return
        place = Path(lpath)
        await in_thread(lambda: place.parent.mkdir(parents=True, exist_ok=True))
        callback.set_size(info["size"])
        with translated(path):
            state = await self._states.current()
            async with self._file(state, parse(path)) as (opened, entry):
                await opened.copy(state.client, entry, place)
        callback.absolute_update(info["size"])

    async def _pour(self, path: str, size: int, target: Any, callback: Any) -> None:
        """Write a file into an open one."""
        callback.set_size(size)
        for start in range(0, size, _COPIED_AT_ONCE):
            data = await self._cat_file(path, start, min(size, start + _COPIED_AT_ONCE))
            await in_thread(partial(target.write, data))
            callback.relative_update(len(data))

    def _open(self, path: str, mode: str = "rb", block_size: Any = None, **options: Any) -> ArtifactFile:
        if mode != "rb":
            refuse()
        return ArtifactFile(self, path, mode, block_size, **options)

    async def open_async(self, path: str, mode: str = "rb", **options: Any) -> AsyncArtifactFile:
        """Open a file for reading with ``await``, for an instance with ``asynchronous=True``.

        Raises:
            FileNotFoundError: there is none.
            IsADirectoryError: it is a folder.
            NotImplementedError: it is not to be read, or not as bytes.
        """
        if mode != "rb":
            refuse()
        path = self._strip_protocol(path)
        details = file_details(await self._info(path), path)
        return AsyncArtifactFile(self, path, mode, details=details, **options)

    # --- what a path means

    async def _resolve(self, path: str) -> str:
        path = self._strip_protocol(path)
        with translated(path):
            place = parse(path)
            if place.kind != "artifact":
                return path
            artifact = await levels.resolve(await self._states.current(), place)
        return joined(str(place.repository), str(artifact.id), place.member)

    resolve: Callable[[str], str] = sync_wrapper(_resolve)
    """Return a path by the artifact's id, which always means the same, for one below ``runs`` or ``latest``."""

    def ukey(self, path: str) -> str:
        """Return a hash that changes with the content: an artifact never changes, so its id tells, without a request.

        Raises:
            FileNotFoundError: the name of an artifact is not found.
        """
        path = self._strip_protocol(path)
        place = parse(path)
        if place.kind == "artifact" and place.artifact_id is None:
            path = sync(self.loop, self._resolve, path)
        return hashlib.sha256(f"{self.fsid}/{path}".encode()).hexdigest()

    def created(self, path: str) -> datetime | None:
        """Return when the artifact was uploaded, or the run was created; None if GitHub does not say."""
        found: datetime | None = self.info(path).get("created")
        return found

    def modified(self, path: str) -> datetime | None:
        """Return when a file was last changed, as its archive has it, else when the artifact was uploaded."""
        info = self.info(path)
        found: datetime | None = info.get("mtime") or info.get("created")
        return found


def _is_within(key: str, path: str) -> bool:
    return key == path or key.startswith(f"{path}/")


def _span(start: int | None, end: int | None, size: int) -> tuple[int, int]:
    """Return the offsets that fsspec's limits mean, which may be negative, as those of a slice."""
    first, last, _ = slice(start, end).indices(size)
    return first, max(first, last)


__all__ = ["PROTOCOL", "ArtifactsFileSystem"]
