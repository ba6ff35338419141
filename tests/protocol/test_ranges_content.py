"""Whether the bytes that arrived are the artifact's."""

from __future__ import annotations

import hashlib
from typing import Any

import attrs
import pytest

from gh_artifacts_async import Artifact, Digest, DigestMismatchError, IncompleteDownloadError
from gh_artifacts_async.protocol.ranges import judge_content

DATA = b"0123456789"
SHA = hashlib.sha256(DATA).hexdigest()
WITH = Artifact(
    id=7,
    node_id="n",
    name="docs",
    size_in_bytes=10,
    url="u",
    archive_download_url="d",
    expired=False,
    digest=Digest("sha256", SHA),
)
WITHOUT = attrs.evolve(WITH, digest=None)
UNKNOWN = attrs.evolve(WITH, digest=Digest("blake3", "00"))


def judge(artifact: Artifact, **values: Any) -> str:
    """Judge what arrived; by default the right bytes of a zip with its end."""
    given = {"received": 10, "content_length": 10, "sha256": SHA, "kind": "zip", "ends_as_zip": True, **values}
    return judge_content(artifact, **given)


@pytest.mark.parametrize(
    ("artifact", "values", "expected"),
    [
        (WITH, {}, "digest"),
        (WITH, {"content_length": None, "ends_as_zip": False}, "digest"),
        (WITHOUT, {}, "size"),
        (UNKNOWN, {}, "size"),
        (WITHOUT, {"kind": "raw", "ends_as_zip": False}, "size"),
        (WITHOUT, {"content_length": None}, "none"),
        (WITHOUT, {"content_length": 9, "received": 9}, "none"),
        (WITHOUT, {"content_length": None, "kind": "raw", "ends_as_zip": False}, "none"),
    ],
)
def test_accepted(artifact: Artifact, values: Any, expected: str) -> None:
    """The digest decides; without one the length, where it is the artifact's; without that a zip's end record."""
    assert judge(artifact, **values) == expected


@pytest.mark.parametrize(
    ("artifact", "values", "error"),
    [
        (WITH, {"sha256": "0" * 64}, DigestMismatchError),
        (WITH, {"sha256": "0" * 64, "received": 11}, DigestMismatchError),
        (WITH, {"sha256": "0" * 64, "received": 9}, IncompleteDownloadError),
        (WITHOUT, {"content_length": None, "ends_as_zip": False}, IncompleteDownloadError),
        (WITHOUT, {"content_length": 9, "received": 9, "ends_as_zip": False}, IncompleteDownloadError),
        (UNKNOWN, {"content_length": None, "ends_as_zip": False}, IncompleteDownloadError),
    ],
)
def test_refused(artifact: Artifact, values: Any, error: type[Exception]) -> None:
    """Other bytes are a mismatch, fewer are incomplete, and so is a zip without its end."""
    with pytest.raises(error):
        judge(artifact, **values)
