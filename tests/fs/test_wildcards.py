"""Globs and searches: what they list, and how much of it at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gh_artifacts_async.fs.wildcards import below, matches

TREE = {
    "o": ["o/r", "o/s"],
    "o/r": ["o/r/latest", "o/r/runs", "o/r/1", "o/r/2"],
    "o/s": [],
    "o/r/1": ["o/r/1/a", "o/r/1/b.csv"],
    "o/r/2": ["o/r/2/a", "o/r/2/c.csv"],
    "o/r/1/a": ["o/r/1/a/x.xml"],
    "o/r/2/a": ["o/r/2/a/x.xml", "o/r/2/a/y.xml"],
    "o/r/runs": ["o/r/runs/7"],
    "o/r/runs/7": [],
    "o/r/latest": [],
}


class Tree:
    """A file system in memory, which counts what is asked."""

    def __init__(self, batch_size: int | None = None) -> None:
        self.batch_size = batch_size
        self.listed: list[str] = []
        self.now = 0
        self.most = 0

    def info(self, path: str) -> dict[str, Any]:
        return {"name": path, "type": "directory" if path in TREE else "file"}

    async def _info(self, path: str) -> dict[str, Any]:
        if path in TREE or any(path in names for names in TREE.values()):
            return self.info(path)
        raise FileNotFoundError(path)

    async def _ls(self, path: str) -> list[dict[str, Any]]:
        self.listed.append(path)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(1)
        self.now -= 1
        if path not in TREE:
            return [await self._info(path)]
        return [self.info(name) for name in TREE[path]]


@pytest.mark.parametrize(
    ("pattern", "found", "listed"),
    [
        ("o/r/*/a/*.xml", ["o/r/1/a/x.xml", "o/r/2/a/x.xml", "o/r/2/a/y.xml"], ["o/r", "o/r/1/a", "o/r/2/a"]),
        ("o/r/[2]/a/[xy].xml", ["o/r/2/a/x.xml", "o/r/2/a/y.xml"], ["o/r", "o/r/2/a"]),
        ("o/?/1/b.csv", ["o/r/1/b.csv"], ["o"]),
        ("o/r/*", ["o/r/1", "o/r/2", "o/r/latest", "o/r/runs"], ["o/r"]),
        ("o/r/*/*", ["o/r/1/a", "o/r/1/b.csv", "o/r/2/a", "o/r/2/c.csv"], ["o/r", "o/r/1", "o/r/2"]),
        ("o/r/runs/*", ["o/r/runs/7"], ["o/r/runs"]),
        ("o/r/1/b.csv/*", [], ["o/r/1/b.csv"]),
        ("nobody/*", [], ["nobody"]),
    ],
)
async def test_matches(pattern: str, found: list[str], listed: list[str]):
    """What matches, from no more folders than can have it."""
    tree = Tree()
    assert sorted(await matches(tree, pattern)) == found
    assert tree.listed == listed


async def test_below():
    """All that is below, without what is shown twice; a depth ends it; a file is itself."""
    assert len(await below(Tree(), "o/r", None)) == 11
    assert sorted(await below(Tree(), "o/r", 1)) == sorted(TREE["o/r"])
    assert await below(Tree(), "o/r/1/b.csv", None) == {"o/r/1/b.csv": {"name": "o/r/1/b.csv", "type": "file"}}
    assert await below(Tree(), "nobody", None) == {}
    assert sorted(await below(Tree(), "o/r/runs", None)) == ["o/r/runs/7"]


async def test_at_once():
    """Folders are listed at once, as many as ``batch_size`` says."""
    tree = Tree()
    await below(tree, "o/r", None)
    assert tree.most == 2
    tree = Tree(batch_size=1)
    await below(tree, "o/r", None)
    assert tree.most == 1


async def test_what_fails():
    """Another failure than that something is not there ends it."""

    class Broken(Tree):
        async def _ls(self, path: str) -> list[dict[str, Any]]:
            raise PermissionError(path)

    with pytest.raises(PermissionError):
        await matches(Broken(), "o/*")
    with pytest.raises(PermissionError):
        await below(Broken(), "o", None)
