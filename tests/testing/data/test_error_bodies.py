"""Bodies of errors."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from gh_artifacts_async.testing.data.error_bodies import api_error, azure_error, plain_error, s3_error


def test_the_apis_errors_are_json() -> None:
    """An error of the API has a message, a link and whatever else is given."""
    document = json.loads(api_error("Nope", status="403"))
    assert document == {"message": "Nope", "documentation_url": "https://docs.github.com/rest", "status": "403"}


def test_azures_errors_are_xml() -> None:
    """An error of Azure has its code in a header and in XML, and a detail if there is one."""
    headers, body = azure_error("ServerBusy", "Busy.", "because")
    document = ET.fromstring(body)  # noqa: S314
    assert headers["x-ms-error-code"] == document.findtext("Code") == "ServerBusy"
    assert (document.findtext("Message") or "").startswith("Busy.\nRequestId:")
    assert document.findtext("AuthenticationErrorDetail") == "because"


def test_s3s_errors_are_xml() -> None:
    """An error of S3 has code and message in XML."""
    document = ET.fromstring(s3_error("AccessDenied", "Request has expired")[1])  # noqa: S314
    assert (document.findtext("Code"), document.findtext("Message")) == ("AccessDenied", "Request has expired")


@pytest.mark.parametrize(("status", "code"), [(404, "BlobNotFound"), (503, "ServerBusy"), (418, "OperationFailed")])
def test_each_host_writes_its_own(status: int, code: str) -> None:
    """The same status is JSON from the API, and XML from storage."""
    assert json.loads(plain_error(status, "api")[1])["status"] == str(status)
    assert plain_error(status, "storage")[0]["x-ms-error-code"] == code
