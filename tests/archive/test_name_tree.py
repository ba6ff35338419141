from __future__ import annotations

import pytest

from gh_artifacts_async.archive import audit_reader, name_tree
from gh_artifacts_async.archive.readers import BytesReader
from gh_artifacts_async.settings import ExtractPolicy
from tests.kits.archives import FOLDER, Entry, build

PORTABLE = ExtractPolicy(names="portable")


@pytest.mark.parametrize(
    ("entries", "rule"),
    [
        ([Entry("a", b"1"), Entry("a", b"1")], "duplicate"),
        ([Entry("a"), Entry("a")], "duplicate"),
        ([Entry("a", b"1"), Entry("a/b")], "file-as-folder"),
        ([Entry("a/b"), Entry("a", b"1")], "file-as-folder"),
        ([Entry("a/b/c"), Entry("a/b", b"1")], "file-as-folder"),
        ([Entry("a", b"1"), Entry("a/", attributes=FOLDER)], "duplicate"),
        ([Entry("a/", attributes=FOLDER), Entry("a", b"1")], "duplicate"),
        ([Entry("a/", attributes=FOLDER), Entry("a")], "duplicate"),
        ([Entry("a"), Entry("a/b"), Entry("a/", attributes=FOLDER)], "duplicate"),
        ([Entry("a"), Entry("a/b"), Entry("a")], "duplicate"),
        ([Entry("a/b"), Entry("a"), Entry("a")], "duplicate"),
        ([Entry("a", b"1"), Entry("a/b/", attributes=FOLDER)], "file-as-folder"),
    ],
)
def test_two_members_are_never_in_one_place(entries, rule, refuse):
    """The same name twice, or a file where a folder is needed, in any order."""
    refuse(build(*entries), rule)


def test_names_may_begin_with_the_current_folder(unpack, refuse):
    """Some archivers write ``./`` before every name, and as a name; it is the destination, and hides no second name."""
    data = build(
        Entry("./", attributes=FOLDER), Entry("./a", b"1"), Entry("./d/", attributes=FOLDER), Entry("./d/f", b"2")
    )
    assert unpack(data, PORTABLE) == {"a": b"1", "d/": b"", "d/f": b"2"}
    assert audit_reader(BytesReader(data))["./d/f"].path == "d/f"
    refuse(build(Entry("./a", b"1"), Entry("a", b"2")), "duplicate")
    refuse(build(Entry("./a", b"1"), Entry("a/b", b"2")), "file-as-folder")
    refuse(build(Entry("./aux", b"1")), "device-name", PORTABLE)


def test_folders_may_be_named_twice_or_not_at_all(unpack):
    """Both are harmless, and archivers do both."""
    data = build(Entry("d/", attributes=FOLDER), Entry("d/", attributes=FOLDER), Entry("x/y/z", b"z"))
    assert unpack(data) == {"d/": b"", "x/": b"", "x/y/": b"", "x/y/z": b"z"}


@pytest.mark.parametrize("order", [["d", "d/b.json"], ["d/b.json", "d"], ["d/e/f", "d/b.json", "d/e", "d"]])
def test_the_official_uploaders_folders_are_folders(order, unpack):
    """It writes a folder as an empty file without a slash, before or after what lies in it."""
    entries = [Entry(name, b"{}" if name.endswith(("json", "f")) else b"", flags=8) for name in order]
    data = build(*entries)
    archive = audit_reader(BytesReader(data))
    assert archive["d"].is_dir
    assert not archive["d/b.json"].is_dir
    assert archive.folder_path(archive["d"].folder) == "d"
    assert unpack(data)["d/b.json"] == b"{}"


def test_an_empty_file_alone_stays_a_file(unpack):
    """Only what lies in it makes it a folder."""
    assert unpack(build(Entry("d"), Entry("e", b"1"))) == {"d": b"", "e": b"1"}


@pytest.mark.parametrize(
    ("names", "twins"),
    [
        (["a.txt", "A.txt"], ("a.txt", "A.txt")),
        (["d/x", "D/y"], ("d", "D")),
        (["q", "d/e/x", "d/E/x/z"], ("d/e", "d/E")),
        (["caf\u00e9", "cafe\u0301"], ("caf\u00e9", "cafe\u0301")),
        (["d/x", "e/X"], None),
    ],
)
def test_twins_are_found_and_rejected_where_they_matter(names, twins, refuse):
    """Folders count as well as files; which file system folds them is for the destination to say."""
    data = build(*(Entry(name) for name in names))
    assert audit_reader(BytesReader(data)).twins == twins
    if twins:
        refuse(data, "twin", PORTABLE)
    else:
        assert audit_reader(BytesReader(data), PORTABLE).twins is None


def test_hashes_that_are_the_same_by_chance_are_no_twins(monkeypatch):
    """The quick look compares hashes only; the second look compares names."""
    monkeypatch.setattr(name_tree, "hash", lambda _: 0, raising=False)
    assert audit_reader(BytesReader(build(Entry("a"), Entry("b"))), PORTABLE).twins is None
