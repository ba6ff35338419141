"""A member of an archive: its name, size, time, mode and place."""

from __future__ import annotations

from datetime import UTC, datetime

from gh_artifacts_async.archive import audit
from tests.kits.archives import Entry, build

A = Entry("a.txt", b"alpha")
B = Entry("b/c.txt", b"beta" * 100, method=8, flags=8, attributes=0o100755 << 16)


def test_a_member_tells_all_about_itself(tmp_path):
    """Size, method, time, mode, path, and where its bytes are."""
    path = tmp_path / "a.zip"
    path.write_bytes(build(A, B))
    archive = audit(path)
    first, second = archive.members
    assert (second.size, second.method, second.is_dir, second.executable) == (400, 8, False, True)
    assert second.mtime == datetime(2024, 1, 1, tzinfo=UTC)
    assert (second.path, second.base_name) == ("b/c.txt", "c.txt")
    assert first.span_end == second.header_offset
    assert second.span_end == archive.directory_offset
