"""Archives laid over each other: which file wins, what clashes, and what the plan says of each."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async import ArchiveLimitError, Artifact, ExtractPolicy, MergeConflictError, UnsafeMemberError
from gh_artifacts_async.archive import BytesReader, audit_reader
from gh_artifacts_async.archive import overlay as module
from gh_artifacts_async.archive.overlay import Layer, Overlay, conflict, named, overlay, single_file, twins_conflict
from tests.kits.archives import FOLDER, Entry, build
from tests.kits.zips import make

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gh_artifacts_async import Conflicts

NATIVE = ExtractPolicy()
PORTABLE = ExtractPolicy(names="portable")
NFC, NFD = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))


def artifact(number: int, created_at: datetime | None = None) -> Artifact:
    """Describe an artifact."""
    url = f"https://api.example/{number}"
    return Artifact(
        id=number,
        name=f"art-{number}",
        size_in_bytes=1,
        url=url,
        archive_download_url=url,
        expired=False,
        created_at=created_at,
    )


def layer(number: int, files: dict[str, bytes], **more: Any) -> Layer:
    """Return what an artifact with these files brings."""
    return Layer(artifact(number, **more), audit_reader(BytesReader(make(files))))


def layers(*files: dict[str, bytes]) -> list[Layer]:
    """Return such layers, numbered from 1."""
    return [layer(number, its) for number, its in enumerate(files, 1)]


def written(plan: Overlay) -> list[list[str]]:
    """Return the paths that each layer writes."""
    table = plan.directory.members
    return [
        [_path(plan, position) for position in share.written if not table[position].is_dir] for share in plan.shares
    ]


def _path(plan: Overlay, position: int) -> str:
    member = plan.directory.members[position]
    folder = plan.directory.folder_path(member.folder)
    return f"{folder}/{member.base_name}" if folder else member.base_name


def test_folders_are_shared() -> None:
    """Each folder is there once, and every file is in its own; members are copied as they are."""
    its = layers({"a/b/one": b"1", "top": b"t"}, {"a/b/two": b"2", "a/c/": b""}, {"./a/three": b"3"})
    plan = overlay(its, NATIVE, "error")
    assert written(plan) == [["a/b/one", "top"], ["a/b/two"], ["a/three"]]
    assert {plan.directory.folder_path(index) for index in range(len(plan.directory.folders))} == {
        "",
        "a",
        "a/b",
        "a/c",
    }
    assert (plan.directory.total_size, plan.clashes, plan.twins) == (4, 0, None)
    copied, own = plan.directory.members[0], its[0].directory.members[0]
    for field in ("name", "size", "crc32", "header_offset", "span_end", "data_offset", "mtime", "raw_name"):
        assert getattr(copied, field) == getattr(own, field)


def test_nothing() -> None:
    """No layers, or empty ones, make an empty folder."""
    assert not overlay([], NATIVE, "error").directory.members
    plan = overlay(layers({}, {}), NATIVE, "error")
    assert not any(plan.shares)


def test_error() -> None:
    """Two files at one path are an error that says how many more there are, and what can be done."""
    with pytest.raises(
        MergeConflictError, match=r'"x" is in artifact "art-1" \(1\) and in artifact "art-3" \(3\)'
    ) as one:
        overlay(layers({"x": b"1"}, {"y": b"1"}, {"x": b"1"}), NATIVE, "error")
    assert "more such" not in str(one.value)
    with pytest.raises(MergeConflictError, match="and 1 more such path\\)"):
        overlay(layers({"x": b"1", "y": b""}, {"y": b"1"}, {"x": b"1"}), NATIVE, "error")
    with pytest.raises(MergeConflictError, match="and 2 more such paths\\)"):
        overlay(layers({"x": b"1", "y": b"", "z": b""}, {"y": b"1", "z": b""}, {"./x": b"1"}), NATIVE, "error")


def test_identical() -> None:
    """Alike files are written by the first and compared by the others; folders of the loser stay."""
    plan = overlay(layers({"d/x": b"same"}, {"d/x": b"same", "e/": b""}), NATIVE, "identical")
    assert written(plan) == [["d/x"], []]
    (copy,) = plan.shares[1].compared
    assert plan.watched == {copy.place}
    assert plan.path(copy.place) == "d/x"
    assert plan.shares[1]
    assert plan.clashes == 1


@pytest.mark.parametrize("other", [b"SAME", b"longer"])
def test_not_identical(other: bytes) -> None:
    """Another CRC or another size is an error; what the first two of three agree on does not matter."""
    with pytest.raises(MergeConflictError, match="different contents") as caught:
        overlay(layers({"x": b"same"}, {"x": b"same"}, {"x": other}), NATIVE, "identical")
    assert [it.id for it in caught.value.artifacts] == [1, 3]


def test_single_files() -> None:
    """A file that is in no archive has a size, and no CRC that could be compared."""
    raw = Layer(artifact(2), single_file("x", 4, NATIVE), raw=True)
    assert overlay([*layers({"x": b"same"}), raw], NATIVE, "identical").shares[1].compared
    with pytest.raises(MergeConflictError):
        overlay([*layers({"x": b"longer"}), raw], NATIVE, "identical")
    member = raw.directory.members[0]
    assert (member.name, member.size, member.mtime, member.executable) == ("x", 4, None, False)
    with pytest.raises(UnsafeMemberError):
        single_file("aux.txt", 4, PORTABLE)


def test_newest() -> None:
    """Time decides, then the id; without a time an artifact is the oldest; who has lost everything writes nothing."""
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    its = [
        layer(9, {"x": b"1", "d/": b"", "y": b""}, created_at=early),
        layer(3, {"x": b"2"}, created_at=late),
        layer(2, {"x": b"3", "z": b""}, created_at=late),
        layer(99, {"y": b"4", "e/": b""}),
    ]
    plan = overlay(its, NATIVE, "newest")
    assert written(plan) == [["y"], ["x"], ["z"], []]
    assert [bool(share) for share in plan.shares] == [True, True, True, False]
    assert not plan.watched
    assert plan.clashes == 2


@pytest.mark.parametrize("conflicts", ["error", "identical", "newest"])
def test_file_and_folder(conflicts: Conflicts) -> None:
    """A file in the place of a folder is an error, also an empty one, and one of a folder without a member."""
    for files in ([{"a": b""}, {"a/b": b""}], [{"a/b/c": b""}, {"a/b": b"1"}], [{"a/": b""}, {"a": b""}]):
        for one, other in (files, files[::-1]):
            with pytest.raises(MergeConflictError, match="as a file in the one and a folder in the other"):
                overlay(layers(one, other), NATIVE, conflicts)


def test_empty_file_that_is_a_folder() -> None:
    """What the official uploader writes for a folder, an empty file beside what is in it, is a folder here too."""
    uploaded = Layer(artifact(1), audit_reader(BytesReader(build(Entry("d"), Entry("d/b.json", b"1")))))
    plan = overlay([uploaded, *layers({"d/c.json": b"2"})[0:1]], NATIVE, "error")
    assert written(plan) == [["d/b.json"], ["d/c.json"]]


@pytest.mark.parametrize(("one", "other"), [("x/a", "x/A"), ("x/a", "X/b"), (NFC, NFD), ("a", "A/b"), ("s", "\u017f")])
def test_twins(one: str, other: str) -> None:
    """Names that are one elsewhere are told to the extraction, and are an error where the folder is to be portable."""
    plan = overlay(layers({one: b"1"}, {other: b"2"}), NATIVE, "error")
    assert plan.directory.twins is not None
    assert plan.twins is not None
    assert sorted(it.id for it in plan.twins) == [1, 2]
    for conflicts in ("error", "identical", "newest"):
        with pytest.raises(MergeConflictError, match="differ only in case or Unicode") as caught:
            overlay(layers({one: b"1"}, {other: b"2"}), PORTABLE, conflicts)  # type: ignore[arg-type]
        assert sorted(it.id for it in caught.value.artifacts) == [1, 2]


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The policy's limits hold for the sums; skipped links count as members, and folders have a limit too."""
    its = layers({"a": b"12"}, {"b": b"34"})
    for policy in (ExtractPolicy(max_members=1), ExtractPolicy(max_total_bytes=3)):
        with pytest.raises(ArchiveLimitError, match="the merged folder has"):
            overlay(its, policy, "error")
    monkeypatch.setattr(module, "RATIO_FLOOR", 3)
    with pytest.raises(ArchiveLimitError, match="max_ratio"):
        overlay(its, ExtractPolicy(max_ratio=0.5), "error")
    overlay(its, ExtractPolicy(max_ratio=None, max_members=None, max_total_bytes=None), "error")
    monkeypatch.setattr(module, "FOLDERS_FLOOR", 2)
    with pytest.raises(ArchiveLimitError, match="members 3"):
        overlay(layers({"a/b": b""}, {"c/d/e": b""}), ExtractPolicy(max_members=2), "error")


def test_messages() -> None:
    """What must not reach a terminal is escaped; the error keeps the path and both artifacts."""
    error = conflict("a\x1b[0m", artifact(1), artifact(2))
    assert "\x1b" not in str(error)
    assert error.path == "a\x1b[0m"
    assert error.member == "a\\x1b[0m"
    assert [it.id for it in error.artifacts] == [1, 2]
    assert named(artifact(7)) == '"art-7" (7)'
    assert '"b/C"' in str(twins_conflict(("b/c", "b/C"), (artifact(1), artifact(2))))


NAMES = st.lists(st.sampled_from(["a", "b", "A", "d/a", "d/b", "D/a", "d", "e/f/g", "e/f"]), unique=True, max_size=4)


def _consistent(names: Sequence[str]) -> bool:
    return not any(one.startswith(f"{other}/") for one in names for other in names)


@given(st.lists(NAMES.filter(_consistent), max_size=4), st.sampled_from(["error", "identical", "newest"]))
def test_against_a_dictionary(names: list[list[str]], conflicts: Conflicts) -> None:
    """The plan is what laying the files into a dictionary, the oldest first, comes to; or it is refused as that is."""
    its = layers(*(dict.fromkeys(one, b"x") for one in names))
    owners: dict[str, list[int]] = {}
    for number, one in enumerate(names):
        for name in one:
            owners.setdefault(name, []).append(number)
    refused = not _consistent(list(owners)) or (
        conflicts == "error" and any(len(those) > 1 for those in owners.values())
    )
    if refused:
        with pytest.raises(MergeConflictError) as caught:
            overlay(its, NATIVE, conflicts)
        assert len({it.id for it in caught.value.artifacts}) == 2
        return
    plan = overlay(its, NATIVE, conflicts)
    best = max if conflicts == "newest" else min
    expected: list[list[str]] = [[] for _ in names]
    for name, those in owners.items():
        expected[best(those)].append(name)
    assert [sorted(one) for one in written(plan)] == [sorted(one) for one in expected]
    folded = [name.lower() for name in {*owners, *(name.rpartition("/")[0] for name in owners)}]
    assert (plan.twins is not None) == (len(set(folded)) < len(folded))


def test_folder_member_of_every_artifact() -> None:
    """A folder that several artifacts have as a member is a member of each."""
    entries = [Entry("d/", attributes=FOLDER)]
    both = [Layer(artifact(it), audit_reader(BytesReader(build(*entries)))) for it in (1, 2)]
    plan = overlay(both, NATIVE, "error")
    assert [len(share.written) for share in plan.shares] == [1, 1]
    assert len(plan.directory.folders) == 2
