"""All names of an archive: the folders they need, and the conflicts between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gh_artifacts_async.archive import rules
from gh_artifacts_async.archive.members import Folder
from gh_artifacts_async.archive.names import fold
from gh_artifacts_async.archive.rules import over_limit, refusal

if TYPE_CHECKING:
    from gh_artifacts_async.settings import ExtractPolicy

FOLDERS_FLOOR: Final = 65_536
"""Folders that every archive may have, however few members the policy allows."""


class NameTree:
    """The members' names as a tree; every component is kept once, so deep names cost no more than their length.

    Args:
        policy: its ``names`` and ``max_members`` are used.
    """

    def __init__(self, policy: ExtractPolicy) -> None:
        """Start with the destination only."""
        self.folders = [Folder(-1, "")]
        self.twins: tuple[str, str] | None = None
        self.promoted: dict[int, int] = {}
        """Empty files that stand for folders: index of the member -> index of the folder."""
        self._portable = policy.names == "portable"
        self._max_folders = None if policy.max_members is None else max(policy.max_members, FOLDERS_FLOOR)
        self._nodes: dict[tuple[int, str], int] = {}  # index of a folder, or ~index of a member that is a file
        self._named: set[int] = set()  # folders with a member of their own
        self._from_files: set[int] = set()  # folders written as an empty file
        self._empty: set[int] = set()  # members that may turn out to be folders
        self._last = ("", 0)

    def add_file(self, index: int, name: str, *, empty: bool) -> int:
        """Add a file.

        Args:
            index: of the member.
            name: of the member, checked.
            empty: it has no bytes, so it may be a folder as the official uploader writes it.

        Returns:
            The index of its folder.

        Raises:
            UnsafeMemberError: the name is taken, or one of its folders is a file.
        """
        parent_path, slash, base = name.rpartition("/")
        parent = self._folder(parent_path, name) if slash else 0
        known = self._nodes.get((parent, base))
        if known is not None:
            self._add_to_known(index, known, name, empty=empty)
            return parent
        self._nodes[parent, base] = ~index
        if empty:
            self._empty.add(index)
        return parent

    def add_folder(self, name: str) -> int:
        """Add a folder; adding one twice is allowed, and so is the destination itself (an empty name).

        Returns:
            Its index.

        Raises:
            UnsafeMemberError: it, or one of its parents, is a file.
        """
        path = name.removesuffix("/")
        if not path:
            return 0
        parent_path, slash, base = path.rpartition("/")
        parent = self._folder(parent_path, name) if slash else 0
        known = self._nodes.get((parent, base))
        if known is not None and (known < 0 or known in self._from_files):
            raise refusal(rules.DUPLICATE, "it is both a folder and a file", name)
        here = self._new_folder(parent, base, name) if known is None else known
        self._named.add(here)
        return here

    def _add_to_known(self, index: int, known: int, name: str, *, empty: bool) -> None:
        """Add a file whose name is taken by a folder without a member of its own; reject it otherwise."""
        if known < 0 or known in self._named:
            raise refusal(rules.DUPLICATE, "another member has the same name", name)
        if not empty:
            raise refusal(rules.FILE_AS_FOLDER, "it is a file, but other members are inside it", name)
        self._note_promoted(index, known)

    def _folder(self, path: str, name: str) -> int:
        """Return the folder ``path``, created if needed; the last one is cached, as neighbours mostly share it."""
        if path == self._last[0]:
            return self._last[1]
        here = 0
        for component in path.split("/"):
            known = self._nodes.get((here, component))
            if known is None:
                here = self._new_folder(here, component, name)
            elif known >= 0:
                here = known
            else:
                here = self._promote(~known, here, component, name)
        self._last = (path, here)
        return here

    def _promote(self, index: int, parent: int, component: str, name: str) -> int:
        """Turn an empty file of the official uploader into the folder it stands for."""
        if index not in self._empty:
            raise refusal(rules.FILE_AS_FOLDER, "it is inside another member that is a file", name)
        here = len(self.folders)
        self.folders.append(Folder(parent, component))
        self._nodes[parent, component] = here
        self._note_promoted(index, here)
        return here

    def _note_promoted(self, index: int, folder: int) -> None:
        self.promoted[index] = folder
        self._named.add(folder)
        self._from_files.add(folder)

    def _new_folder(self, parent: int, component: str, name: str) -> int:
        here = len(self.folders)
        if self._max_folders is not None and here > self._max_folders:
            raise over_limit(here, self._max_folders, limit="max_members", member=name)
        self.folders.append(Folder(parent, component))
        self._nodes[parent, component] = here
        return here

    def find_twins(self) -> None:
        """Look for names that differ only in case or normalisation; set :attr:`twins` to the first two. Called last.

        Raises:
            UnsafeMemberError: there are some, and the policy says ``"portable"``.
        """
        if len({hash((parent, fold(component))) for parent, component in self._nodes}) == len(self._nodes):
            self._nodes.clear()
            return
        seen: dict[tuple[int, str], tuple[int, str]] = {}
        # Parents come before their contents, so the first twins are in the same folder.
        pairs = ((seen.setdefault((node[0], fold(node[1])), node), node) for node in self._nodes)
        first, second = next((pair for pair in pairs if pair[0] is not pair[1]), (None, None))
        if first is None or second is None:
            return  # a hash collision
        self.twins = (self._path(first), self._path(second))
        if self._portable:
            text = f'it and "{rules.printable(self.twins[0])}" differ only in case or Unicode normalisation'
            raise refusal(rules.TWIN, text, self.twins[1])

    def _path(self, node: tuple[int, str]) -> str:
        parent, component = node
        parts = [component]
        while parent > 0:
            parent, component = self.folders[parent]
            parts.append(component)
        return "/".join(reversed(parts))
