"""Signed URLs as GitHub hands them out: minted for an artifact, and checked when they are used.

The signature covers the path and the decoded fields of the query, as with Azure, so that a URL whose query was
re-ordered or escaped differently still works; ``byte_exact`` makes it hold for the bytes of the URL alone.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, quote, quote_plus, unquote

import attrs

from gh_artifacts_async.testing.clock import Clock, ceil_second, iso
from gh_artifacts_async.testing.data.profiles import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gh_artifacts_async.testing.data.models import FakeArtifact

Verdict = Literal["good", "expired", "forged", "unknown"]
"""``unknown``: nothing was ever signed at that path."""

LIFETIMES: dict[Kind, float] = {"azure": 600.0, "azure-raw": 600.0, "v3": 60.0, "s3": 600.0}
"""Seconds a URL lives: ten minutes as seen on real ones, one minute for the v3 form."""

_BACKDATED = timedelta(seconds=5)
_SIGNATURE = {"azure": "sig", "azure-raw": "sig", "v3": "urlSignature", "s3": "X-Amz-Signature"}
_SALT = {"azure": "skoid", "azure-raw": "skoid", "v3": "urlSalt", "s3": "X-Amz-Security-Token"}
_AZURE_FIELDS = frozenset(
    {"rscd", "rsct", "se", "ske", "skoid", "sks", "skt", "sktid", "skv", "sp", "spr", "sr", "st", "sv"}
)
_SIGNED: dict[Kind, frozenset[str]] = {
    "azure": _AZURE_FIELDS,
    "azure-raw": _AZURE_FIELDS,
    "v3": frozenset({"artifactName", "urlExpires", "urlSalt", "urlSigningMethod"}),
}
"""The fields that a signature covers, others are ignored; S3's covers all."""

_PIPELINES = "/_services/pipelines"
_SAS_VERSION = "2025-11-05"


@attrs.frozen
class Checked:
    """What the check of a signed URL found.

    Attributes:
        verdict: whether storage accepts it.
        kind: its form.
        artifact_id: the artifact's id; None when unknown.
        starts: when its validity starts.
        expires: when its validity ends.
    """

    verdict: Verdict
    kind: Kind = "azure"
    artifact_id: int | None = None
    starts: datetime | None = None
    expires: datetime | None = None


@attrs.define
class Signer:
    """Mints and checks signed URLs.

    Attributes:
        clock: the fake's clock.
        lifetime: seconds a URL lives; None: what is known of its kind (``LIFETIMES``).
        byte_exact: refuse a URL that is not byte for byte as it was minted.
    """

    clock: Clock
    lifetime: float | None = None
    byte_exact: bool = False
    _key: bytes = b"a fake's key"
    _paths: dict[str, tuple[int, Kind]] = attrs.field(factory=dict)
    _minted: set[str] = attrs.field(factory=set)
    _revoked: set[str] = attrs.field(factory=set)

    def mint(self, artifact: FakeArtifact, *, same_host: bool = False) -> str:
        """Return path and query of a fresh URL for ``artifact``.

        Args:
            artifact: whose bytes it is for.
            same_host: use the path that the v3 form has on an appliance, ``/_services/pipelines/…``.
        """
        now = self.clock.now()
        lifetime = LIFETIMES[artifact.kind] if self.lifetime is None else self.lifetime
        path, fields = _FORMS[artifact.kind](artifact, now, lifetime)
        # Two URLs minted in one second must differ: one of them may be revoked.
        fields[_SALT[artifact.kind]] = _guid(len(self._minted) + 1)
        path = _PIPELINES + path if same_host else path
        self._paths[path] = (artifact.id, artifact.kind)
        query = "&".join(f"{name}={value}" for name, value in sorted(fields.items()))
        signature = quote(self._signature(artifact.kind, path, _parse(query)), safe="")
        # In its place by name, as GitHub's URLs have it.
        fields[_SIGNATURE[artifact.kind]] = signature
        url = f"{path}?{'&'.join(f'{name}={value}' for name, value in sorted(fields.items()))}"
        self._minted.add(url)
        return url

    def _signature(self, kind: Kind, path: str, fields: Mapping[str, str]) -> str:
        """Return the signature of a path and the decoded fields of its query."""
        signed = sorted(item for item in fields.items() if kind == "s3" or item[0] in _SIGNED[kind])
        mac = hmac.new(self._key, json.dumps([path, signed]).encode(), hashlib.sha256).digest()
        return mac.hex() if kind == "s3" else base64.b64encode(mac).decode()

    def check(self, raw_path: str) -> Checked:
        """Check path and query as they stood on the request line."""
        raw, _, query = raw_path.partition("?")
        path = unquote(raw)
        known = self._paths.get(path)
        if known is None:
            return Checked("unknown")
        artifact_id, kind = known
        fields = _parse(query)
        given = fields.pop(_SIGNATURE[kind], "")
        if not hmac.compare_digest(_bytes(given), self._signature(kind, path, fields).encode()):
            return Checked("forged", kind, artifact_id)
        if self.byte_exact and raw_path not in self._minted:
            return Checked("forged", kind, artifact_id)
        starts, expires = _period(kind, fields)
        late = given in self._revoked or self.clock.now() >= expires
        return Checked("expired" if late else "good", kind, artifact_id, starts, expires)

    def revoke(self, raw_path: str) -> None:
        """Make a URL count as expired from now on, whatever its expiry, and however its query is written."""
        path, _, query = raw_path.partition("?")
        _, kind = self._paths[unquote(path)]
        self._revoked.add(_parse(query)[_SIGNATURE[kind]])


def _parse(query: str) -> dict[str, str]:
    """Return the decoded fields of a query; none of them if one is there twice, which no signature covers."""
    pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else {}


def _azure(artifact: FakeArtifact, now: datetime, lifetime: float) -> tuple[str, dict[str, str]]:
    fields = {
        "se": quote(iso(ceil_second(now + timedelta(seconds=lifetime))), safe=""),
        "ske": quote(iso(now + timedelta(days=1)), safe=""),
        "sks": "b",
        "skt": quote(iso(now), safe=""),
        "sktid": "398a6654-997b-47e9-b12b-9515b896b4de",
        "skv": _SAS_VERSION,
        "sp": "r",
        "spr": "https",
        "sr": "b",
        "st": quote(iso(now - _BACKDATED), safe=""),
        "sv": _SAS_VERSION,
    }
    if artifact.filename is not None:
        fields["rscd"] = quote_plus(disposition(artifact.filename))
    if artifact.content_type is not None:
        fields["rsct"] = quote_plus(artifact.content_type)
    suffix = ".zip" if artifact.kind == "azure" else ""
    return f"/actions-results/{_guid(artifact.id)}/{_job(artifact)}/artifacts/{_hex(artifact.id)}{suffix}", fields


def _job(artifact: FakeArtifact) -> str:
    return f"workflow-job-run-{_guid(artifact.run.id if artifact.run else 0)}"


def _v3(artifact: FakeArtifact, now: datetime, lifetime: float) -> tuple[str, dict[str, str]]:
    expires = (now + timedelta(seconds=lifetime)).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
    number = artifact.run.run_number if artifact.run else 0
    path = f"/{_hex(artifact.id)[:50]}/_apis/pipelines/1/runs/{number}/signedartifactscontent"
    fields = {
        "artifactName": quote_plus(artifact.name),
        "urlExpires": quote(expires, safe=""),
        "urlSigningMethod": "HMACV2",
    }
    return path, fields


def _s3(artifact: FakeArtifact, now: datetime, lifetime: float) -> tuple[str, dict[str, str]]:
    day = now.strftime("%Y%m%d")
    fields = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": quote(f"AKIAFAKEFAKEFAKEFAKE/{day}/us-east-1/s3/aws4_request", safe=""),
        "X-Amz-Date": now.strftime("%Y%m%dT%H%M%SZ"),
        "X-Amz-Expires": str(math.ceil(lifetime + now.microsecond / 1e6)),
        "X-Amz-SignedHeaders": "host",
        "x-id": "GetObject",
    }
    if artifact.filename is not None:
        fields["response-content-disposition"] = quote(disposition(artifact.filename), safe="")
    return f"/actions-artifacts/{_hex(artifact.id)}", fields


_FORMS = {"azure": _azure, "azure-raw": _azure, "v3": _v3, "s3": _s3}


def _period(kind: Kind, query: dict[str, str]) -> tuple[datetime, datetime]:
    """Return start and end of a URL whose signature is valid."""
    if kind == "v3":
        expires = datetime.fromisoformat(query["urlExpires"].replace("0Z", "+00:00"))
        return expires - timedelta(seconds=LIFETIMES["v3"]), expires
    if kind == "s3":
        starts = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return starts, starts + timedelta(seconds=int(query["X-Amz-Expires"]))
    return datetime.fromisoformat(query["st"]), datetime.fromisoformat(query["se"])


def disposition(filename: str) -> str:
    """Return a download's Content-Disposition: ``filename=`` for old readers, and ``filename*=`` (RFC 5987)."""
    plain = "".join(char if char.isascii() and char.isprintable() and char not in '\\"' else "_" for char in filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='', errors='replace')}"


def _bytes(text: str) -> bytes:
    """Return the bytes of the request line."""
    return text.encode("utf-8", "surrogateescape")


def _hex(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def _guid(number: int) -> str:
    digits = _hex(number)
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"
