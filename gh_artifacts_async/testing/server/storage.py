"""The storage host that signed URLs point to. It takes no token, and refuses one as Azure does."""

from __future__ import annotations

import re
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

import attrs
from multidict import CIMultiDict

from gh_artifacts_async.testing.clock import http_date
from gh_artifacts_async.testing.data.blobs import BytesBlob, md5
from gh_artifacts_async.testing.data.error_bodies import AZURE_REQUEST_ID, S3_REQUEST_ID, azure_error, s3_error
from gh_artifacts_async.testing.data.scenario import Scenario
from gh_artifacts_async.testing.data.zips import make_zip
from gh_artifacts_async.testing.faults.effects import Effects
from gh_artifacts_async.testing.faults.fault import Occasion
from gh_artifacts_async.testing.faults.script import Faults
from gh_artifacts_async.testing.server.conditions import unmet_condition
from gh_artifacts_async.testing.server.journal import Journal
from gh_artifacts_async.testing.server.responses import Response, json_response
from gh_artifacts_async.testing.server.signing import Signer, disposition
from gh_artifacts_async.testing.server.wire import deliver

if TYPE_CHECKING:
    from datetime import datetime

    from aiohttp import web

    from gh_artifacts_async.testing.data.models import FakeArtifact
    from gh_artifacts_async.testing.data.profiles import Kind
    from gh_artifacts_async.testing.server.signing import Checked

_RANGE = re.compile(r"bytes=(\d{1,19})-(\d{0,19})", re.ASCII)
_SUFFIX = re.compile(r"bytes=-(\d{1,19})", re.ASCII)
_LARGEST_MD5_RANGE = 4 * 1024 * 1024


@attrs.define
class Storage:
    """Handles requests for stored bytes.

    Attributes:
        scenario: the data.
        signer: checks signed URLs.
        faults: what should go wrong.
        journal: records every request.
    """

    scenario: Scenario
    signer: Signer
    faults: Faults
    journal: Journal
    _zips: int = 0

    async def handle(self, request: web.Request, number: int) -> web.StreamResponse:
        """Handle ``request``, which has ``number`` in the journal."""
        checked = self.signer.check(request.raw_path)
        artifact = self.scenario.artifacts.get(checked.artifact_id or 0)
        effects = Effects()
        response = self._refusal(request, checked, artifact)
        if response is None and artifact is not None:
            honest = self._blob(request, artifact)
            effects = self.faults.meet(self._occasion(request, artifact, honest))
            response = self._faulty(request, checked, artifact, honest, effects)
        response = self._finished(request, response or Response(404), checked.kind)
        self.journal.note(number, status=0 if effects.raw is not None else response.status)
        return await deliver(request, response, effects, lambda sent: self.journal.note(number, sent=sent))

    def _occasion(self, request: web.Request, artifact: FakeArtifact, honest: Response) -> Occasion:
        good = honest.status in {200, 206}
        return Occasion(
            "storage",
            artifact.id,
            ranged=_asked_range(request, artifact) is not None,
            bodiless=request.method == "HEAD",
            start=honest.start if good else 0,
            stop=honest.end if good else 0,
        )

    def _change(self, artifact: FakeArtifact, effects: Effects) -> FakeArtifact:
        """Change the blob's ETag permanently."""
        blob = effects.change[0] if effects.change else None
        changed = attrs.evolve(artifact, generation=artifact.generation + 1)
        if blob is not None:
            changed = attrs.evolve(changed, blob=blob, files=None)
        self.scenario.artifacts[artifact.id] = changed
        return changed

    # -- refusals --------------------------------------------------------------------------------------------------

    def _refusal(self, request: web.Request, checked: Checked, artifact: FakeArtifact | None) -> Response | None:
        """Return the error for a request that may not read the stored bytes, or None."""
        if "Authorization" in request.headers:
            return _token_refused(checked)
        if request.method not in ({"GET", "HEAD"} if checked.kind in {"azure", "azure-raw"} else {"GET"}):
            return _method_refused(request, checked)
        if checked.verdict in {"forged", "expired"}:
            return self._forged(checked) if checked.verdict == "forged" else self._expired(checked)
        if artifact is None:
            return _missing(checked)
        # The v3 form has no ETag and ignores conditions.
        return None if artifact.kind == "v3" else self._unmet(request, artifact)

    def _unmet(self, request: web.Request, artifact: FakeArtifact) -> Response | None:
        """Return the 304 or 412 for a condition that is not met, or None."""
        azure = artifact.kind != "s3"
        status = unmet_condition(request.headers, artifact.etag, self._modified(artifact), azure=azure)
        if status is None:
            return None
        if status == HTTPStatus.NOT_MODIFIED:  # Azurite's has no validators
            validators = {"ETag": artifact.etag, "Last-Modified": http_date(self._modified(artifact))}
            return Response(304, {"x-ms-error-code": "ConditionNotMet"} if azure else validators)
        if not azure:
            message = "At least one of the pre-conditions you specified did not hold"
            return _s3_refusal(status, "PreconditionFailed", message)
        if status == HTTPStatus.BAD_REQUEST:
            message = "The request includes an unsatisfiable condition for this operation."
            return _azure_refusal(status, "UnsatisfiableCondition", message)
        message = "The condition specified using HTTP conditional header(s) is not met."
        return _azure_refusal(status, "ConditionNotMet", message)

    def _forged(self, checked: Checked) -> Response:
        if checked.kind == "v3":
            return json_response({"count": 1, "value": "Uri signature is invalid"}, 401)
        if checked.kind == "s3":
            return _s3_forged()
        return _azure_refusal(403, "AuthenticationFailed", _AUTHENTICATE, "Signature did not match.")

    def _expired(self, checked: Checked) -> Response:
        if checked.kind == "v3":
            return json_response({"count": 11, "value": "Uri expired"}, 403)
        if checked.kind == "s3":
            return _s3_refusal(403, "AccessDenied", "Request has expired")
        period = (checked.starts or self.scenario.clock.now(), checked.expires or self.scenario.clock.now())
        now = max(self.scenario.clock.now(), period[1] + timedelta(seconds=1))
        spans = " - ".join(
            f"{word} [{http_date(moment)}]"
            for word, moment in zip(("Start", "Expiry", "Current"), (*period, now), strict=True)
        )
        detail = f"Signature not valid in the specified time frame: {spans}"
        return _azure_refusal(403, "AuthenticationFailed", _AUTHENTICATE, detail)

    # -- responses -------------------------------------------------------------------------------------------------

    def _blob(self, request: web.Request, artifact: FakeArtifact) -> Response:
        """Return the honest response to a request with a valid URL."""
        head_only = request.method == "HEAD"
        headers = self._headers(artifact)
        if artifact.kind == "v3":
            body = artifact.blob if artifact.files is None else BytesBlob(self._zip_now(artifact))
            return Response(200, headers, body, framing="chunked", head_only=head_only)
        asked = _asked_range(request, artifact)
        if asked is None or head_only:
            return self._whole(artifact, headers, head_only=head_only)
        return self._ranged(request, asked, artifact, headers)

    def _whole(self, artifact: FakeArtifact, headers: dict[str, str], *, head_only: bool = False) -> Response:
        digest = _stored_md5(artifact)
        if digest is not None:  # of its two headers, HEAD has the one
            headers = {**headers, "Content-MD5": digest} | ({} if head_only else {_STORED_MD5: digest})
        return Response(200, headers, artifact.blob, head_only=head_only)

    def _ranged(self, request: web.Request, asked: str, artifact: FakeArtifact, headers: dict[str, str]) -> Response:
        """Serve a range as Azure documents it: ``bytes=a-`` and ``bytes=a-b`` only; any other form gets the whole blob.

        https://learn.microsoft.com/en-us/rest/api/storageservices/specifying-the-range-header-for-blob-service-operations
        """
        size = artifact.blob.size
        span = _span(asked, artifact)
        if span is None:
            return self._whole(artifact, headers)
        first, last = span
        if first >= size and artifact.kind == "s3":  # S3 sends no Content-Range, as seen
            message = "The requested range is not satisfiable"
            return _s3_refusal(416, "InvalidRange", message, RangeRequested=asked, ActualObjectSize=str(size))
        if first >= size:
            refusal = _azure_refusal(
                416, "InvalidRange", "The range specified is invalid for the current size of the resource."
            )
            return attrs.evolve(refusal, headers={**refusal.headers, "Content-Range": f"bytes */{size}"})
        headers = {**headers, "Content-Range": f"bytes {first}-{last}/{size}"}
        digest = _stored_md5(artifact)
        if digest is not None:
            headers[_STORED_MD5] = digest
        if artifact.kind != "s3" and request.headers.get("x-ms-range-get-content-md5", "").lower() == "true":
            if last + 1 - first > _LARGEST_MD5_RANGE:
                return _azure_refusal(400, "OutOfRangeQueryParameterValue", "The range is larger than 4 MiB.")
            headers["Content-MD5"] = md5(artifact.blob, first, last + 1)
        return Response(206, headers, artifact.blob, first, last + 1)

    def _zip_now(self, artifact: FakeArtifact) -> bytes:
        """Return a zip built for this one response: its bytes differ from the last one's, as with v3."""
        self._zips += 1
        now = self.scenario.clock.now() + timedelta(seconds=2 * self._zips)
        moment = (now.year, now.month, now.day, now.hour, now.minute, now.second)
        return make_zip(artifact.files or {}, moment=moment)

    def _headers(self, artifact: FakeArtifact) -> dict[str, str]:
        headers = {"Content-Type": artifact.content_type} if artifact.content_type is not None else {}
        if artifact.filename is not None:
            headers["Content-Disposition"] = disposition(artifact.filename)
        if artifact.kind == "v3":
            return headers
        headers |= {
            "ETag": artifact.etag,
            "Accept-Ranges": "bytes",
            "Last-Modified": http_date(self._modified(artifact)),
        }
        if artifact.kind != "s3":
            created = artifact.created_at or self.scenario.clock.start
            headers |= {"x-ms-creation-time": http_date(created), "x-ms-blob-type": "BlockBlob"}
            headers |= {"x-ms-lease-status": "unlocked", "x-ms-lease-state": "available"}
            headers["x-ms-server-encrypted"] = "true"
        return headers

    def _modified(self, artifact: FakeArtifact) -> datetime:
        return (artifact.created_at or self.scenario.clock.start) + timedelta(seconds=artifact.generation)

    def _faulty(
        self, request: web.Request, checked: Checked, artifact: FakeArtifact, honest: Response, effects: Effects
    ) -> Response:
        """Return the response after the faults that change its status or headers."""
        if effects.response is not None:
            return Response(effects.response.status, effects.response.headers, BytesBlob(effects.response.body))
        if effects.expire:
            self.signer.revoke(request.raw_path)
            return self._expired(checked)
        if effects.change is not None:
            artifact = self._change(artifact, effects)
            honest = self._refusal(request, checked, artifact) or self._blob(request, artifact)
        if effects.ignore_range:
            return self._whole(artifact, self._headers(artifact))
        if effects.content_range is not None and honest.status == HTTPStatus.PARTIAL_CONTENT:
            return attrs.evolve(honest, headers={**honest.headers, "Content-Range": effects.content_range})
        return honest

    def _finished(self, request: web.Request, response: Response, kind: Kind) -> Response:
        """Add the headers of every response of this host."""
        own = _S3_HEADERS if kind == "s3" else _AZURE_HEADERS
        headers = CIMultiDict({**own, "Date": self.scenario.clock.http_date()})
        headers.update(response.headers)
        return attrs.evolve(response, headers=headers, head_only=request.method == "HEAD")


_AZURE_HEADERS = {
    "Server": "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0",
    "x-ms-request-id": AZURE_REQUEST_ID,
    "x-ms-version": "2025-11-05",
}
_S3_HEADERS = {"Server": "AmazonS3", "x-amz-request-id": S3_REQUEST_ID, "x-amz-id-2": "ZmFrZSBHaXRIdWI="}
_STORED_MD5 = "x-ms-blob-content-md5"
_AUTHENTICATE = (
    "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly "
    "including the signature."
)


def _asked_range(request: web.Request, artifact: FakeArtifact) -> str | None:
    """Return the range a request asks for; Azure's own header goes before HTTP's."""
    own = None if artifact.kind == "s3" else request.headers.get("x-ms-range")
    return own or request.headers.get("Range")


def _span(asked: str, artifact: FakeArtifact) -> tuple[int, int] | None:
    """Return the first and last byte of a range, or None if it has none of the forms that this storage serves."""
    size = artifact.blob.size
    match = _RANGE.fullmatch(asked)
    suffix = _SUFFIX.fullmatch(asked) if artifact.kind == "s3" else None
    if suffix:
        return max(0, size - int(suffix[1])), size - 1
    if match and not (match[2] and int(match[2]) < int(match[1])):
        return int(match[1]), min(int(match[2] or size - 1), size - 1)
    return None


def _token_refused(checked: Checked) -> Response:
    """Refuse an Authorization header: the signed URL is the only credential that storage takes."""
    if checked.kind == "s3":
        return _s3_refusal(400, "InvalidArgument", "Only one auth mechanism allowed")
    if checked.kind == "v3":
        return json_response({"message": "TF400813: The user is not authorized to access this resource."}, 401)
    return _azure_refusal(
        400, "InvalidAuthenticationInfo", "Authentication information is not given in the correct format."
    )


def _method_refused(request: web.Request, checked: Checked) -> Response:
    if checked.kind == "s3":
        return _s3_forged()  # the signature is also over the method
    if checked.kind == "v3":
        message = f"The requested resource does not support http method '{request.method}'."
        return json_response({"message": message}, 405, {"Allow": "GET"})
    if request.method in {"PUT", "DELETE"}:
        message = "This request is not authorized to perform this operation using this permission."
        return _azure_refusal(403, "AuthorizationPermissionMismatch", message)
    return _azure_refusal(405, "UnsupportedHttpVerb", "The resource doesn't support specified Http Verb.")


def _missing(checked: Checked) -> Response:
    if checked.kind == "s3":
        return _s3_refusal(404, "NoSuchKey", "The specified key does not exist.")
    return _azure_refusal(404, "BlobNotFound", "The specified blob does not exist.")


def _stored_md5(artifact: FakeArtifact) -> str | None:
    """Return the MD5 that Azure keeps of some blobs; S3 sends none."""
    return md5(artifact.blob, 0, artifact.blob.size) if artifact.content_md5 and artifact.kind != "s3" else None


def _azure_refusal(status: int, code: str, message: str, detail: str = "") -> Response:
    headers, body = azure_error(code, message, detail)
    return Response(status, headers, BytesBlob(body))


def _s3_forged() -> Response:
    return _s3_refusal(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.")


def _s3_refusal(status: int, code: str, message: str, **more: str) -> Response:
    headers, body = s3_error(code, message, **more)
    return Response(status, headers, BytesBlob(body))
