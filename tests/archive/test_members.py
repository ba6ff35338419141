from __future__ import annotations

from datetime import UTC, datetime

from gh_artifacts_async.archive import audit
from tests.kits.archives import Entry, build

A = Entry("a.txt", b"alpha")
B = Entry("b/c.txt", b"beta" * 100, method=8, flags=8, attributes=0o100755 << 16)


def test_an_audit_tells_all_about_the_members(tmp_path):
    """Names, sizes, times, modes and places, in the order of the central directory."""
    path = tmp_path / "a.zip"
    path.write_bytes(build(A, B, comment=b"made by hand"))
    archive = audit(path)
    assert [member.name for member in archive] == ["a.txt", "b/c.txt"]
    assert (len(archive), "a.txt" in archive, "c" in archive) == (2, True, False)
    second = archive["b/c.txt"]
    assert archive.get("b/c.txt") == second
    assert archive.get("nothing") is None
    assert (second.size, second.method, second.is_dir, second.executable) == (400, 8, False, True)
    assert second.mtime == datetime(2024, 1, 1, tzinfo=UTC)
    assert (second.path, second.base_name) == ("b/c.txt", "c.txt")
    assert (archive.total_size, archive.total_compressed_size) == (405, 5 + second.compressed_size)
    assert archive.files == archive.members
    assert archive.folder_path(second.folder) == "b"
    assert archive.comment == b"made by hand"
    assert archive.members[0].span_end == second.header_offset
    assert second.span_end == archive.directory_offset
