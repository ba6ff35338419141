"""What a body is checked against: GitHub's digest, the validator that storage sends, and the length that it states.

RFC 9110 sections 8.6 (Content-Length) and 8.8.3 (ETag).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async.protocol.throttling import whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.protocol.responses import Response

IDENTITY = {"Accept-Encoding": "identity"}
"""Sent with every request for a body: digest, length and offsets are of the stored bytes."""


def strong_etag(headers: Mapping[str, str]) -> str | None:
    """Return the ETag if If-Match may carry it; a weak one never matches (RFC 9110 section 13.1.1)."""
    etag = headers.get("etag", "").strip()
    quoted = len(etag) > 2 and etag[0] == etag[-1] == '"'  # noqa: PLR2004 - the two quotes
    return etag if quoted and etag.isprintable() and etag.isascii() else None


def content_length(response: Response) -> int | None:
    """Return Content-Length; None if absent, invalid or overridden by Transfer-Encoding (RFC 9112 section 6.3)."""
    return None if "transfer-encoding" in response.headers else whole(response.headers.get("content-length"))


def expected_sha256(artifact: Artifact) -> str | None:
    """Return GitHub's digest if this package can check it; an unknown algorithm is unverifiable, not wrong."""
    digest = artifact.digest
    return digest.hex if digest is not None and digest.algorithm == "sha256" else None
