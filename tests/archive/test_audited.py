"""What an audit returns: an archive's directory, or how much more of it is needed."""

from __future__ import annotations

import pytest

from gh_artifacts_async.archive import NeedMore, audit, parse_tail
from gh_artifacts_async.settings import ExtractPolicy
from tests.kits.archives import Entry, build

A = Entry("a.txt", b"alpha")
B = Entry("b/c.txt", b"beta" * 100, method=8, flags=8, attributes=0o100755 << 16)


def test_the_directory_is_a_mapping_of_names(tmp_path):
    """Members come in the order of the central directory, and are found by their exact names."""
    path = tmp_path / "a.zip"
    path.write_bytes(build(A, B, comment=b"made by hand"))
    archive = audit(path)
    assert [member.name for member in archive] == ["a.txt", "b/c.txt"]
    assert (len(archive), "a.txt" in archive, "c" in archive, 7 in archive) == (2, True, False, False)
    assert archive.get("b/c.txt") == archive["b/c.txt"]
    assert archive.get("nothing") is None
    with pytest.raises(KeyError, match="nothing"):
        archive["nothing"]
    assert archive.files == archive.members
    assert archive.comment == b"made by hand"


def test_the_directory_adds_up(tmp_path):
    """Sizes of all members together, and the folders that they need."""
    path = tmp_path / "a.zip"
    path.write_bytes(build(A, B))
    archive = audit(path)
    second = archive["b/c.txt"]
    assert (archive.total_size, archive.total_compressed_size) == (405, 5 + second.compressed_size)
    assert (archive.folder_path(0), archive.folder_path(second.folder)) == ("", "b")


def test_a_tail_that_is_too_short_says_where_to_begin():
    """NeedMore names the first byte of the directory, from which on the tail is enough."""
    data = build(A, B)
    found = parse_tail(data[-22:], len(data), ExtractPolicy())
    assert isinstance(found, NeedMore)
    enough = parse_tail(data[found.start :], len(data), ExtractPolicy())
    assert not isinstance(enough, NeedMore)
    assert found.start <= enough.directory_offset
