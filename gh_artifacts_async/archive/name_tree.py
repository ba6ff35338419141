"""All names of an archive: the folders they need, and the conflicts between them."""

from __future__ import annotations

from array import array
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from gh_artifacts_async.archive import rules
from gh_artifacts_async.archive.members import Folder
from gh_artifacts_async.archive.names import canonical
from gh_artifacts_async.archive.rules import over_limit, refusal
from gh_artifacts_async.protocol.filenames import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gh_artifacts_async.settings import ExtractPolicy

FOLDERS_FLOOR: Final = 65_536
"""Folders that every archive may have, however few members the policy allows."""


class PlacedFile(NamedTuple):
    """A file as :meth:`NameTree.resolve` sees it.

    Attributes:
        member: its index.
        folder: index of its folder.
        name: of the member.
        empty: it has no bytes, so it may be a folder as the official uploader writes it.
    """

    member: int
    folder: int
    name: str
    empty: bool


class NameTree:
    """The members' names as a tree. Of files only hashes are kept; conflicts are found when all are known.

    Args:
        policy: its ``names`` and ``max_members`` are used.
    """

    def __init__(self, policy: ExtractPolicy) -> None:
        """Start with the destination only."""
        self.twins: tuple[str, str] | None = None
        self.promoted: dict[int, int] = {}
        """Empty files that stand for folders: index of the member -> index of the folder."""
        self._portable = policy.names == "portable"
        self._max_folders = None if policy.max_members is None else max(policy.max_members, FOLDERS_FLOOR)
        root = Folder(-1, "")
        self._folders: dict[Folder, int] = {root: 0}
        self._named = bytearray(1)  # for each folder, whether it has a member of its own
        self._hashes = array("q", [_hash(root)])  # of all folders and files
        self._last = ("", 0)

    @property
    def folders(self) -> tuple[Folder, ...]:
        """All folders, parents first."""
        return tuple(self._folders)

    def add_file(self, name: str) -> int:
        """Add a file, whose name was checked.

        Returns:
            The index of its folder.

        Raises:
            ArchiveLimitError: there are too many folders.
        """
        path, slash, base = canonical(name).rpartition("/")
        folder = self._folder(path, name) if slash else 0
        self._hashes.append(hash((folder, fold(base))))
        return folder

    def add_folder(self, name: str) -> int:
        """Add a folder; adding one twice is allowed, and so is the destination itself (``./``).

        Returns:
            Its index.

        Raises:
            ArchiveLimitError: there are too many folders.
        """
        path = canonical(name).removesuffix("/")
        here = self._folder(path, name) if path else 0
        self._named[here] = True
        return here

    def _folder(self, path: str, name: str) -> int:
        """Return the folder ``path``, created if needed; the last one is cached, as neighbours mostly share it."""
        if path == self._last[0]:
            return self._last[1]
        here = 0
        for component in path.split("/"):
            known = self._folders.get(Folder(here, component))
            here = self._new_folder(Folder(here, component), name) if known is None else known
        self._last = (path, here)
        return here

    def _new_folder(self, folder: Folder, name: str) -> int:
        here = len(self._folders)
        if self._max_folders is not None and here > self._max_folders:
            raise over_limit(here, self._max_folders, limit="max_members", member=name)
        self._folders[folder] = here
        self._named.append(False)
        self._hashes.append(_hash(folder))
        return here

    def resolve(self, files: Callable[[], Iterable[PlacedFile]]) -> None:
        """Find all conflicts; set :attr:`promoted` and :attr:`twins`.

        Equal names have equal hashes, and so have names that differ only in case or normalisation. Mostly there are no
        equal ones, and no name is looked at again.

        Args:
            files: returns all files that were added.

        Raises:
            UnsafeMemberError: a name is taken twice, or a folder is a file; or there are twins, and the policy says
                ``"portable"``.
        """
        repeated = {one for one, other in pairwise(sorted(self._hashes)) if one == other}
        self._hashes = array("q")
        if repeated:
            self._find_equal(files, repeated)
            self._find_twins(files, repeated)

    def _find_equal(self, files: Callable[[], Iterable[PlacedFile]], repeated: set[int]) -> None:
        """Reject what has the place of another; an empty file of the official uploader may be a folder."""
        exact = array("q", (hash(node) for node, _ in self._nodes(files(), repeated)))
        again = {one for one, other in pairwise(sorted(exact)) if one == other}
        taken: set[Folder] = set()
        for node, file in self._nodes(files(), repeated):
            if file is None or hash(node) not in again:
                continue
            if node in taken:
                raise refusal(rules.DUPLICATE, "another member has the same name", file.name)
            taken.add(node)
            folder = self._folders.get(node)
            if folder is not None:
                self._promote(file, folder)

    def _promote(self, file: PlacedFile, folder: int) -> None:
        """Turn an empty file of the official uploader into the folder it stands for."""
        if self._named[folder]:
            raise refusal(rules.DUPLICATE, "it is both a folder and a file", file.name)
        if not file.empty:
            raise refusal(rules.FILE_AS_FOLDER, "it is a file, but other members are inside it", file.name)
        self.promoted[file.member] = folder

    def _find_twins(self, files: Callable[[], Iterable[PlacedFile]], repeated: set[int]) -> None:
        """Set :attr:`twins` to the first two names that are the same after folding."""
        first: dict[int, Folder] = {}
        for node, _ in self._nodes(files(), repeated):
            twin = first.setdefault(_hash(node), node)
            if twin == node or (twin.parent, fold(twin.name)) != (node.parent, fold(node.name)):
                continue  # a folder and the file that stands for it, or a hash collision
            self.twins = (self._path(twin), self._path(node))
            break
        if self.twins is not None and self._portable:
            text = f'it and "{rules.printable(self.twins[0])}" differ only in case or Unicode normalisation'
            raise refusal(rules.TWIN, text, self.twins[1])

    def _nodes(self, files: Iterable[PlacedFile], repeated: set[int]) -> Iterator[tuple[Folder, PlacedFile | None]]:
        """Yield folders (parents first), then files, each as its place in the tree, with one of these hashes."""
        placed = ((Folder(file.folder, canonical(file.name).rpartition("/")[2]), file) for file in files)
        folders: Iterable[tuple[Folder, PlacedFile | None]] = ((folder, None) for folder in self._folders)
        return (node for node in chain(folders, placed) if _hash(node[0]) in repeated)

    def _path(self, node: Folder) -> str:
        folders = self.folders
        parent, component = node
        parts = [component]
        while parent > 0:
            parent, component = folders[parent]
            parts.append(component)
        return "/".join(reversed(parts))


def _hash(node: Folder) -> int:
    return hash((node.parent, fold(node.name)))
