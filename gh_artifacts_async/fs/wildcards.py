"""Globs and searches, level by level: only into folders that can match, and many of them at once.

fsspec's own ways list one folder after the other, and all below the first wildcard, whatever the rest of the pattern
says; here a folder may cost requests.
"""

from __future__ import annotations

import re
from glob import has_magic
from typing import TYPE_CHECKING, Any, TypeVar

from gh_artifacts_async.fs.engine import glob_translate, run_at_once
from gh_artifacts_async.fs.paths import is_view, joined

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from gh_artifacts_async.fs.opened import Info

T = TypeVar("T")

AT_ONCE = 32
"""Folders that are listed at once, unless ``batch_size`` says otherwise; requests to GitHub's API have their own bound
in ``Limits``."""


Tree = Any
"""A file system of fsspec."""


async def matches(tree: Tree, pattern: str) -> dict[str, Info]:
    """Return what matches a pattern without ``**``, by its path.

    A wildcard in the place of an artifact's id stands for ids only: ``runs`` and ``latest`` show the same once more.
    """
    parts = pattern.split("/")
    first = next(at for at, part in enumerate(parts) if has_magic(part))
    folders = ["/".join(parts[:first])]
    found: list[Info] = []
    for at, part in enumerate(parts[first:], first + 1):
        last = at == len(parts)
        if has_magic(part):
            fits = re.compile(glob_translate(part))
            found = [info for info in await _listed(tree, folders) if fits.match(_name(info))]
            folders = [info["name"] for info in found if _goes_on(info)]
        else:
            folders = [joined(folder, part) for folder in folders]
            found = await _looked_up(tree, folders) if last else []
    return {info["name"]: info for info in found}


async def below(tree: Tree, root: str, depth: int | None) -> dict[str, Info]:
    """Return all that is below a folder, by its path; the file itself if the path is one."""
    found = {info["name"]: info for info in await _looked_up(tree, [root]) if info["type"] == "file"}
    folders = [] if found else [root]
    while folders and (depth is None or depth > 0):
        listed = await _listed(tree, folders)
        found |= {info["name"]: info for info in listed}
        folders = [info["name"] for info in listed if _goes_on(info)]
        depth = None if depth is None else depth - 1
    return found


def _goes_on(info: Info) -> bool:
    """Whether a search goes into it."""
    return info["type"] == "directory" and not is_view(info["name"])


def _name(info: Info) -> str:
    return str(info["name"]).rpartition("/")[2]


async def _listed(tree: Tree, folders: Iterable[str]) -> list[Info]:
    """Return what is in some folders; a file among them, or what is gone, has nothing in it."""

    async def entries(folder: str) -> list[Info]:
        try:
            found = await tree._ls(folder)
        except FileNotFoundError:
            return []
        return [info for info in found if info["name"] != folder]

    return [info for found in await _at_once(tree, [entries(folder) for folder in folders]) for info in found]


async def _looked_up(tree: Tree, paths: Iterable[str]) -> list[Info]:
    async def details(path: str) -> Info | None:
        try:
            found: Info = await tree._info(path)
        except FileNotFoundError:
            return None
        return found

    return [info for info in await _at_once(tree, [details(path) for path in paths]) if info is not None]


async def _at_once(tree: Tree, work: list[Coroutine[Any, Any, T]]) -> list[T]:
    found: list[T] = await run_at_once(work, batch_size=tree.batch_size or AT_ONCE)
    return found
