"""Several audited archives laid over each other in one folder: what is written, and every clash, before any is read.

The rules are those of a single archive (:mod:`~gh_artifacts_async.archive.name_tree`): no path twice, no file where
there is a folder, and with ``names="portable"`` no two names that are one on some file system. Folders are shared.
"""

from __future__ import annotations

from array import array
from datetime import UTC, datetime
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Final, NoReturn

import attrs

from gh_artifacts_async.archive import rules
from gh_artifacts_async.archive.audited import ArchiveDirectory
from gh_artifacts_async.archive.directory import RATIO_FLOOR
from gh_artifacts_async.archive.member_table import MemberStore, MemberTable
from gh_artifacts_async.archive.members import Folder
from gh_artifacts_async.archive.name_tree import FOLDERS_FLOOR
from gh_artifacts_async.archive.names import canonical, check_name
from gh_artifacts_async.archive.records import STORED, CentralEntry
from gh_artifacts_async.archive.rules import over_limit
from gh_artifacts_async.errors import MergeConflictError
from gh_artifacts_async.models import Artifact
from gh_artifacts_async.protocol.filenames import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gh_artifacts_async.settings import Conflicts, ExtractPolicy

DIFFERENT: Final = ', with different contents; conflicts="newest" (--conflicts newest) takes the newest artifact\'s'
_TWICE: Final = (
    '; conflicts="identical" (--conflicts identical) allows equal files, '
    'and conflicts="newest" (--conflicts newest) takes the newest artifact\'s'
)
_FOLDER: Final = ", as a file in the one and a folder in the other; do not merge them into one folder"
ROOT: Final = Folder(-1, "")
_WHOLE: Final = "the merged folder"
_OLDEST: Final = datetime.min.replace(tzinfo=UTC)


@attrs.frozen(eq=False)
class Layer:
    """What one artifact brings.

    Attributes:
        owner: the artifact.
        directory: of its archive; or of a single file, see :func:`single_file`.
        raw: it is a single file, whose CRC is not known.
    """

    owner: Artifact
    directory: ArchiveDirectory
    raw: bool = False

    @property
    def age(self) -> tuple[datetime, int]:
        """What the newest artifact has most of."""
        return self.owner.created_at or _OLDEST, self.owner.id


@attrs.frozen
class Copy:
    """A file that another artifact brings too.

    Attributes:
        position: in the members of its own archive.
        place: where the file is in the merged folder.
    """

    position: int
    place: Folder


@attrs.frozen(eq=False)
class Share:
    """One artifact's part of the merged folder.

    Attributes:
        written: the positions of its members in the merged directory.
        compared: what is not written, but must have the same bytes as what is.
    """

    written: range
    compared: tuple[Copy, ...] = ()

    def __bool__(self) -> bool:
        """Whether any of its bytes are needed."""
        return bool(self.written or self.compared)


@attrs.frozen(eq=False)
class Overlay:
    """The merged folder, planned.

    Attributes:
        directory: all members that are written; their offsets are those of their own archives.
        shares: what each layer brings, in the order of the layers.
        watched: the places of files that several artifacts bring, and whose bytes must be the same.
        clashes: how many paths more than one artifact has.
        twins: the two artifacts of ``directory.twins``.
    """

    directory: ArchiveDirectory
    shares: tuple[Share, ...]
    watched: frozenset[Folder]
    clashes: int
    twins: tuple[Artifact, Artifact] | None

    def path(self, place: Folder) -> str:
        """Return the relative path of a file, with slashes."""
        folder = self.directory.folder_path(place.parent)
        return f"{folder}/{place.name}" if folder else place.name


def single_file(name: str, size: int, policy: ExtractPolicy) -> ArchiveDirectory:
    """Return a directory of one file that is in no archive.

    Raises:
        ArchiveError: the policy rejects the name.
    """
    check_name(name, policy)
    store = MemberStore(1)
    entry = CentralEntry(name, name.encode(), 0, STORED, 0, False, 0, size, size, 0, False, 0)  # noqa: FBT003
    store.append(entry, 0, is_dir=False, executable=False)
    nothing = MemberTable(store, range(0))
    return ArchiveDirectory(size, size, MemberTable(store, range(1)), nothing, (ROOT,), size, size)


def overlay(layers: Sequence[Layer], policy: ExtractPolicy, conflicts: Conflicts) -> Overlay:
    """Plan the folder that holds the members of all layers.

    Args:
        layers: of different artifacts.
        policy: its limits hold for all layers together.
        conflicts: ``"error"``; ``"identical"`` allows files of one size and CRC at one path (whoever extracts them has
            to compare their bytes); ``"newest"`` takes that of the newest artifact, by time and id.

    Raises:
        MergeConflictError: two layers cannot be in one folder.
        ArchiveLimitError: together they exceed a limit.
    """
    _check_limits(layers, policy)
    planner = _Planner(layers, policy, conflicts)
    planner.resolve()
    return planner.result()


def conflict(path: str, one: Artifact, other: Artifact, what: str = DIFFERENT) -> MergeConflictError:
    """Build the error for two artifacts that cannot be merged.

    Args:
        path: in the merged folder.
        one: an artifact that has it.
        other: another one.
        what: what is wrong with that, and what to do; by default, the two files are different.
    """
    shown = rules.printable(path)
    msg = f'"{shown}" is in artifact {named(one)} and in artifact {named(other)}{what}'
    return MergeConflictError(msg, path=path, artifacts=(one, other), member=shown)


def twins_conflict(names: tuple[str, str], owners: tuple[Artifact, Artifact]) -> MergeConflictError:
    """Build the error for two names that are one at the destination, or on another system."""
    what = f', where its name is "{rules.printable(names[1])}"; they differ only in case or Unicode normalisation'
    return conflict(names[0], *owners, what)


def named(artifact: Artifact) -> str:
    """Return an artifact's name and id."""
    return f'"{rules.printable(artifact.name)}" ({artifact.id})'


def _check_limits(layers: Sequence[Layer], policy: ExtractPolicy) -> None:
    """Compare the sums with the policy; each archive alone has passed it.

    Raises:
        ArchiveLimitError: together they exceed a limit.
    """
    directories = [layer.directory for layer in layers]
    members = sum(len(directory.members) + len(directory.skipped) for directory in directories)
    size = sum(directory.total_size for directory in directories)
    packed = sum(directory.total_compressed_size for directory in directories)
    if policy.max_members is not None and members > policy.max_members:
        raise over_limit(members, policy.max_members, limit="max_members", whole=_WHOLE)
    if policy.max_total_bytes is not None and size > policy.max_total_bytes:
        raise over_limit(size, policy.max_total_bytes, limit="max_total_bytes", whole=_WHOLE)
    if policy.max_ratio is not None and size > RATIO_FLOOR and size > policy.max_ratio * packed:
        raise over_limit(size / max(packed, 1), policy.max_ratio, limit="max_ratio", whole=_WHOLE)


class _Planner:
    """Lays one archive after another into a tree of folders; of files only hashes are kept, as in one archive."""

    def __init__(self, layers: Sequence[Layer], policy: ExtractPolicy, conflicts: Conflicts) -> None:
        self._layers = layers
        self._policy = policy
        self._conflicts = conflicts
        self._folders: dict[Folder, int] = {ROOT: 0}
        self._founders = array("I", [0])  # for each folder, the first layer that has it
        self._maps: list[array[int]] = []  # for each layer, the number here of each of its folders
        self._places: dict[Folder, list[tuple[int, int]]] = {}  # that are not the only ones with their hash
        self._left_out: list[set[int]] = [set() for _ in layers]
        self._compared: list[list[Copy]] = [[] for _ in layers]
        self._watched: set[Folder] = set()
        self._twins: tuple[tuple[str, str], tuple[Artifact, Artifact]] | None = None
        for number, layer in enumerate(layers):
            self._add_folders(number, layer.directory)

    def _add_folders(self, number: int, directory: ArchiveDirectory) -> None:
        most = self._policy.max_members
        here = array("I", [0])
        for parent, name in directory.folders[1:]:
            folder = Folder(here[parent], name)
            index = self._folders.setdefault(folder, len(self._folders))
            if index == len(self._founders):
                self._founders.append(number)
            here.append(index)
        if most is not None and len(self._folders) - 1 > max(most, FOLDERS_FLOOR):
            raise over_limit(len(self._folders) - 1, max(most, FOLDERS_FLOOR), limit="max_members", whole=_WHOLE)
        self._maps.append(here)

    def _files(self) -> Iterator[tuple[Folder, int, int]]:
        """Yield the place of each file, its layer, and its position there."""
        for number, (layer, here) in enumerate(zip(self._layers, self._maps, strict=True)):
            members = layer.directory.members
            for position, index in enumerate(members.indices):
                if not members.store.is_dir(index):
                    name, folder = members.store.placed(index)
                    yield Folder(here[folder], canonical(name).rpartition("/")[2]), number, position

    # --- clashes

    def resolve(self) -> None:
        """Find every place that is taken twice, and decide on each.

        Raises:
            MergeConflictError: one of them cannot be decided.
        """
        hashes = array("q", (_hash(place) for place in chain(self._folders, (file[0] for file in self._files()))))
        repeated = {one for one, other in pairwise(sorted(hashes)) if one == other}
        if not repeated:
            return
        for place, number, position in self._files():
            if _hash(place) in repeated:
                self._places.setdefault(place, []).append((number, position))
        for place, owners in self._places.items():
            if place in self._folders:
                self._refuse(place, owners[0][0], self._founders[self._folders[place]], _FOLDER)
            if len(owners) > 1:
                self._settle(place, owners)
        self._find_twins(repeated)

    def _settle(self, place: Folder, owners: list[tuple[int, int]]) -> None:
        """Decide which of several files at one place is written."""
        winner = owners[0]
        if self._conflicts == "error":
            more = sum(len(others) > 1 for others in self._places.values()) - 1
            also = f" (and {more} more such path{'s' * (more > 1)})" if more else ""
            self._refuse(place, owners[0][0], owners[1][0], also + _TWICE)
        if self._conflicts == "newest":
            winner = max(owners, key=lambda owner: self._layers[owner[0]].age)
        else:
            self._watched.add(place)
        for number, position in owners:
            if (number, position) == winner:
                continue
            self._left_out[number].add(position)
            if self._conflicts == "identical":
                self._check_alike(place, winner, (number, position))
                self._compared[number].append(Copy(position, place))

    def _check_alike(self, place: Folder, one: tuple[int, int], other: tuple[int, int]) -> None:
        """Compare what the directories say."""
        (size, crc32), (its_size, its_crc32) = map(self._fingerprint, (one, other))
        if size != its_size or (None not in {crc32, its_crc32} and crc32 != its_crc32):
            self._refuse(place, one[0], other[0], DIFFERENT)

    def _fingerprint(self, owner: tuple[int, int]) -> tuple[int, int | None]:
        layer = self._layers[owner[0]]
        member = layer.directory.members[owner[1]]
        return member.size, None if layer.raw else member.crc32

    def _find_twins(self, repeated: set[int]) -> None:
        """Find two names that are one on some file systems; the destination is asked whether it tells them apart."""
        first: dict[tuple[int, str], tuple[Folder, int]] = {}
        folders = (
            (folder, self._founders[index]) for folder, index in self._folders.items() if _hash(folder) in repeated
        )
        for place, number in chain(folders, ((place, owners[0][0]) for place, owners in self._places.items())):
            twin, its_number = first.setdefault((place.parent, fold(place.name)), (place, number))
            if twin == place:
                continue
            names, owners = (self._path(twin), self._path(place)), (self._owner(its_number), self._owner(number))
            self._twins = names, owners
            if self._policy.names == "portable":
                raise twins_conflict(names, owners)
            return

    def _refuse(self, place: Folder, one: int, other: int, what: str) -> NoReturn:
        raise conflict(self._path(place), self._owner(one), self._owner(other), what)

    def _owner(self, number: int) -> Artifact:
        return self._layers[number].owner

    def _path(self, place: Folder) -> str:
        folders = tuple(self._folders)
        parts = [place.name]
        while place.parent > 0:
            place = folders[place.parent]
            parts.append(place.name)
        return "/".join(reversed(parts))

    # --- the plan

    def result(self) -> Overlay:
        """Copy the members that are written into one table."""
        layers = self._layers
        left = [self._left(number) for number in range(len(layers))]
        store = MemberStore(sum(len(layer.directory.members) for layer in layers) - sum(map(len, left)))
        shares = []
        for number, layer in enumerate(layers):
            begin, members, here = len(store), layer.directory.members, self._maps[number]
            for position, index in enumerate(members.indices):
                if position not in left[number]:
                    store.adopt(members.store, index, here)
            shares.append(Share(range(begin, len(store)), tuple(self._compared[number])))
        size = sum(layer.directory.size for layer in layers)
        directory = ArchiveDirectory(
            size=size,
            directory_offset=size,
            members=MemberTable(store, range(len(store))),
            skipped=MemberTable(store, range(0)),
            folders=tuple(self._folders),
            total_size=sum(size for size, _ in map(store.extent, range(len(store)))),
            total_compressed_size=sum(layer.directory.total_compressed_size for layer in layers),
            twins=None if self._twins is None else self._twins[0],
        )
        clashes = sum(len(owners) > 1 for owners in self._places.values())
        owners = None if self._twins is None else self._twins[1]
        return Overlay(directory, tuple(shares), frozenset(self._watched), clashes, owners)

    def _left(self, number: int) -> set[int] | range:
        """Return the positions of what is not written; all, if no file is: then its archive need not be fetched."""
        members, left = self._layers[number].directory.members, self._left_out[number]
        if left and len(left) == sum(not members.store.is_dir(index) for index in members.indices):
            return range(len(members))
        return left


def _hash(place: Folder) -> int:
    return hash((place.parent, fold(place.name)))
