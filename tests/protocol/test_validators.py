"""What a body is checked against: the digest, the strong ETag, the stated length."""

import pytest

from gh_artifacts_async import Artifact, Digest
from gh_artifacts_async.protocol.responses import Response
from gh_artifacts_async.protocol.validators import IDENTITY, content_length, expected_sha256, strong_etag

ETAG = '"0x8DD"'


def _artifact(digest: Digest | None) -> Artifact:
    return Artifact(
        id=7, node_id="", name="docs", size_in_bytes=1, url="", archive_download_url="", expired=False, digest=digest
    )


@pytest.mark.parametrize(
    ("etag", "strong"),
    [
        (ETAG, ETAG),
        (f" {ETAG} ", ETAG),
        ('W/"x"', None),
        ("x", None),
        ('"', None),
        ('""', None),
        ('"é"', None),
        ('"a\x00b"', None),
        ("", None),
        (None, None),
    ],
)
def test_strong_validators(etag, strong):
    """If-Match compares strongly: a weak ETag would never match, and one that no header carries is none."""
    assert strong_etag({} if etag is None else {"etag": etag}) == strong


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ({"content-length": "10"}, 10),
        ({"content-length": "0"}, 0),
        ({}, None),
        ({"content-length": "-1"}, None),
        ({"content-length": "5, 5"}, None),
        ({"content-length": "ten"}, None),
        ({"content-length": "10", "transfer-encoding": "chunked"}, None),
    ],
)
def test_lengths(headers, length):
    """Content-Length counts if it is one number, and Transfer-Encoding does not override it (RFC 9112 section 6.3)."""
    assert content_length(Response(status=200, headers=headers)) == length


@pytest.mark.parametrize(
    ("digest", "expected"),
    [(Digest("sha256", "0" * 64), "0" * 64), (Digest("sha512", "0" * 128), None), (None, None)],
)
def test_digests(digest, expected):
    """A digest of an algorithm that nobody knows is unverifiable, not wrong."""
    assert expected_sha256(_artifact(digest)) == expected


def test_stored_bytes_are_asked_for():
    """Digest and offsets are of the stored bytes, so no coding is accepted."""
    assert IDENTITY == {"Accept-Encoding": "identity"}
