"""Bodies of errors as GitHub's API and its storage hosts write them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gh_artifacts_async.testing.data.profiles import Host

DOCS = "https://docs.github.com/rest"
S3_REQUEST_ID = "4442587FB7D0A2F9"
AZURE_REQUEST_ID = "5c2f1d0e-001e-0043-7a11-fa4e00000000"
SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. "
    "For more on scraping GitHub and how it may affect your rights, please review our Terms of Service."
)
LIMIT_DOCS = f"{DOCS}/using-the-rest-api/rate-limits-for-the-rest-api"


def api_error(message: str, documentation_url: str = DOCS, **more: str) -> bytes:
    """Return the body of an error of the API."""
    return json.dumps({"message": message, "documentation_url": documentation_url, **more}).encode()


JSON = {"Content-Type": "application/json; charset=utf-8"}


def azure_error(code: str, message: str, detail: str = "") -> tuple[dict[str, str], bytes]:
    """Return headers and body of an Azure error.

    https://learn.microsoft.com/en-us/rest/api/storageservices/status-and-error-codes2
    """
    if detail:
        detail = f"<AuthenticationErrorDetail>{detail}</AuthenticationErrorDetail>"
    text = f"{message}\nRequestId:{AZURE_REQUEST_ID}"
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{text}</Message>{detail}</Error>'
    return {"Content-Type": "application/xml", "x-ms-error-code": code}, body.encode()


def s3_error(code: str, message: str, **more: str) -> tuple[dict[str, str], bytes]:
    """Return headers and body of an S3 error; ``more`` are elements of its own.

    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    """
    fields = {"Code": code, "Message": message, **more, "RequestId": S3_REQUEST_ID}
    text = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{text}</Error>'
    return {"Content-Type": "application/xml"}, body.encode()


def plain_error(code: int, where: Host) -> tuple[dict[str, str], bytes]:
    """Return headers and body of an error as GitHub or Azure writes it."""
    if where == "api":
        return JSON, api_error("Server Error" if code >= 500 else f"Error {code}", status=str(code))  # noqa: PLR2004
    name = {404: "BlobNotFound", 500: "InternalError", 503: "ServerBusy"}.get(code, "OperationFailed")
    return azure_error(name, "The server is unable to complete the request.")
