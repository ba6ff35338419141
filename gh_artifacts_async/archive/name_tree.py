"""All names of an archive together: which folders they need, and which names are in each other's way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gh_artifacts_async.archive import rules
from gh_artifacts_async.archive.members import Folder
from gh_artifacts_async.archive.names import fold
from gh_artifacts_async.archive.rules import over_limit, refusal

if TYPE_CHECKING:
    from gh_artifacts_async.settings import ExtractPolicy

FOLDERS_FLOOR: Final = 65_536
"""Folders that any archive may have, however few members the policy allows."""


class NameTree:
    """The members' names as a tree; every component is kept once, so that deep names cost no more than they are long.

    Args:
        policy: ``names`` and ``max_members`` count here.
    """

    def __init__(self, policy: ExtractPolicy) -> None:
        """Begin with the destination alone."""
        self.folders = [Folder(-1, "")]
        self.twins: tuple[str, str] | None = None
        self.promoted: dict[int, int] = {}
        """Empty files that are folders: the member's index -> the folder's."""
        self._portable = policy.names == "portable"
        self._max_folders = None if policy.max_members is None else max(policy.max_members, FOLDERS_FLOOR)
        self._nodes: dict[tuple[int, str], int] = {}  # a folder's index; of a file, ~ the member's index
        self._named: set[int] = set()  # folders that have an entry of their own
        self._from_files: set[int] = set()  # folders that an empty file stands for
        self._empty: set[int] = set()  # members that may turn out to be folders
        self._last = ("", 0)

    def add_file(self, index: int, name: str, *, empty: bool) -> int:
        """Place a file.

        Args:
            index: the member's.
            name: the member's, checked.
            empty: it has no bytes, and so may be the official uploader's way to write a folder.

        Returns:
            The index of its folder.

        Raises:
            UnsafeMemberError: something else has the name, or a file is in the way.
        """
        parent_path, slash, base = name.rpartition("/")
        parent = self._folder(parent_path, name) if slash else 0
        known = self._nodes.get((parent, base))
        if known is not None:
            self._stand_beside(index, known, name, empty=empty)
            return parent
        self._nodes[parent, base] = ~index
        if empty:
            self._empty.add(index)
        return parent

    def add_folder(self, name: str) -> int:
        """Place a folder; the same one twice is harmless, and so is the destination itself (an empty name).

        Returns:
            Its index.

        Raises:
            UnsafeMemberError: a file has the name, or is in the way.
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

    def _stand_beside(self, index: int, known: int, name: str, *, empty: bool) -> None:
        """Judge a file whose name is taken."""
        if known < 0 or known in self._named:
            raise refusal(rules.DUPLICATE, "another member has the same name", name)
        if not empty:
            raise refusal(rules.FILE_AS_FOLDER, "it is a file, and other members lie in it", name)
        self._note_promoted(index, known)

    def _folder(self, path: str, name: str) -> int:
        """Find or make the folder ``path``; members of one folder mostly follow each other."""
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
        """Take the official uploader's empty file for the folder that it stands for."""
        if index not in self._empty:
            raise refusal(rules.FILE_AS_FOLDER, "it lies in what is a file", name)
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
        """Look for names that fold to the same; set :attr:`twins` to the first two. Nothing can be added afterwards.

        Raises:
            UnsafeMemberError: there are some, and the policy is ``"portable"``.
        """
        if len({hash((parent, fold(component))) for parent, component in self._nodes}) == len(self._nodes):
            self._nodes.clear()
            return
        seen: dict[tuple[int, str], tuple[int, str]] = {}
        # Parents come before what is in them, so that the first twins lie in the very same folder.
        pairs = ((seen.setdefault((node[0], fold(node[1])), node), node) for node in self._nodes)
        first, second = next((pair for pair in pairs if pair[0] is not pair[1]), (None, None))
        if first is None or second is None:
            return  # two hashes were the same by chance
        self.twins = (self._path(first), self._path(second))
        if self._portable:
            text = f'"{rules.printable(self.twins[0])}" is the same name where case or normalisation does not count'
            raise refusal(rules.TWIN, text, self.twins[1])

    def _path(self, node: tuple[int, str]) -> str:
        parent, component = node
        parts = [component]
        while parent > 0:
            parent, component = self.folders[parent]
            parts.append(component)
        return "/".join(reversed(parts))
