"""Which version of the REST API to ask for, and what it means if a server refuses it.

https://docs.github.com/en/rest/about-the-rest-api/api-versions
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gh_artifacts_async.protocol.denials import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT = "2022-11-28"
"""The oldest version that is still served, and the only one that every supported server knows."""

_BAD_REQUEST, _GONE = 400, 410


def version_hint(status: int, headers: Mapping[str, str], message: str, asked: str) -> str:
    """Return what to do about a refused version of the API; empty if the error is not about its version.

    Args:
        status: 400 for a version that the server does not know; 410 for one that is no longer served.
        headers: names in lower case.
        message: GitHub's, which names the versions it supports.
        asked: ``X-GitHub-Api-Version`` of the request.
    """
    if status == _GONE:
        return f"API version {asked} may have been retired; set another api_version"
    if status != _BAD_REQUEST or not re.search(r"api.version", message, re.IGNORECASE):
        return ""
    release = printable(headers.get("x-github-enterprise-version", ""))
    server = f"GitHub Enterprise Server {release}" if release else "the server"
    selected = printable(headers.get("x-github-api-version-selected", ""))
    instead = f" and offers {selected}" if selected not in {"", asked} else ""
    advice = f"leave it at its default, {DEFAULT}" if asked != DEFAULT else "set api_version to one that it supports"
    return f"{server} does not know api_version {asked!r}{instead}; {advice}"


def is_retired_version(message: str) -> bool:
    """Whether a 410 is about a retired version, which its message then names, and not about an expired artifact."""
    said = message.lower()
    return "version" in said and "expired" not in said
