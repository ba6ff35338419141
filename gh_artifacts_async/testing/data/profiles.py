"""Which GitHub to imitate: what api.github.com and the versions of GitHub Enterprise Server do differently."""

from __future__ import annotations

import re
from typing import Literal

import attrs

Host = Literal["api", "storage"]
"""The API's host, or the storage host that signed URLs point to."""

Kind = Literal["azure", "azure-raw", "v3", "s3"]
"""The form of a signed URL, and how the storage behind it behaves."""

_NAME_FILTER_IN_RUNS = 8
_API_VERSIONS_SINCE = 9
_DIRECTION_SINCE = 17
_RETENTION_SINCE = 19
_SECOND_API_VERSION_SINCE = 21
_LAST_GHES = 22


@attrs.frozen
class Profile:
    """What one GitHub does.

    Attributes:
        name: e.g. ``"github.com"`` or ``"ghes-3.8"``.
        prefix: what the API's paths begin with: nothing, or ``/api/v3``.
        digest: artifacts carry a digest.
        name_filter: the repository's listing filters by ``name``.
        run_name_filter: a run's listing filters by ``name``.
        direction: a run's listing sorts by ``direction``.
        rate_limits: responses have ``x-ratelimit-*`` headers (on Enterprise Server only once enabled).
        retention: a repository's retention of artifacts and logs can be read and set.
        kind: the default form of its signed URLs.
        api_versions: the known values of ``X-GitHub-Api-Version``; empty: the header is ignored.
    """

    name: str
    prefix: str
    digest: bool
    name_filter: bool
    run_name_filter: bool
    direction: bool
    rate_limits: bool
    retention: bool
    kind: Kind
    api_versions: tuple[str, ...]

    @property
    def installed_version(self) -> str | None:
        """The version of an Enterprise Server, e.g. ``3.8.0``; None for github.com."""
        _, _, version = self.name.partition("ghes-")
        return f"{version}.0" if version else None


GITHUB_COM = Profile(
    name="github.com",
    prefix="",
    digest=True,
    name_filter=True,
    run_name_filter=True,
    direction=True,
    rate_limits=True,
    retention=True,
    kind="azure",
    api_versions=("2022-11-28", "2026-03-10"),
)


def profile(name: str) -> Profile:
    """Return the profile called ``github.com`` or ``ghes-3.4`` … ``ghes-3.22``, after GitHub's OpenAPI descriptions.

    Raises:
        ValueError: there is no such GitHub.
    """
    if name == "github.com":
        return GITHUB_COM
    match = re.fullmatch(r"ghes-3\.(\d+)", name)
    minor = int(match[1]) if match else 0
    if not 4 <= minor <= _LAST_GHES:  # noqa: PLR2004 - GitHub's artifact listing by name began with 3.4
        msg = f"no such profile: {name!r}; use 'github.com' or 'ghes-3.4' to 'ghes-3.{_LAST_GHES}'"
        raise ValueError(msg)
    versions = GITHUB_COM.api_versions[: (minor >= _API_VERSIONS_SINCE) + (minor >= _SECOND_API_VERSION_SINCE)]
    return Profile(
        name=name,
        prefix="/api/v3",
        digest=False,
        name_filter=minor not in {6, 7},
        run_name_filter=minor >= _NAME_FILTER_IN_RUNS,
        direction=minor >= _DIRECTION_SINCE,
        rate_limits=False,
        retention=minor >= _RETENTION_SINCE,
        kind="v3",
        api_versions=versions,
    )
