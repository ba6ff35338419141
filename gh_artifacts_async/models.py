"""GitHub's nouns as frozen values; which fields may be None follows GitHub's OpenAPI description.

https://docs.github.com/en/rest/actions/artifacts
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal, Self

import attrs

from gh_artifacts_async.errors import ConfigurationError

_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?", re.ASCII)
_REPO = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


def check_id(value: int, what: str) -> int:
    """Return ``value`` if it can be one of GitHub's ids.

    Raises:
        ConfigurationError: it is no whole number of 1 or more.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        msg = f"{what} must be a whole number of 1 or more, not {value!r}"
        raise ConfigurationError(msg)
    return value


@attrs.frozen
class RepositoryName:
    """``owner/name``, checked once.

    Attributes:
        owner: the account.
        name: the repository.
    """

    owner: str
    name: str

    def __attrs_post_init__(self) -> None:
        """Check both parts.

        Raises:
            ConfigurationError: they cannot be part of a repository's name on GitHub.
        """
        owner_ok = isinstance(self.owner, str) and _OWNER.fullmatch(self.owner)
        name_ok = isinstance(self.name, str) and _REPO.fullmatch(self.name) and self.name not in {".", ".."}
        if not (owner_ok and name_ok):
            msg = f"a repository is named OWNER/NAME, like 'octo-org/octo-docs'; {self.owner!r}/{self.name!r} is not"
            raise ConfigurationError(msg)

    def __str__(self) -> str:
        """Return ``owner/name``."""
        return f"{self.owner}/{self.name}"

    @classmethod
    def parse(cls, value: str | RepositoryName) -> RepositoryName:
        """Take ``"owner/name"`` or a RepositoryName.

        Raises:
            ConfigurationError: it is neither.
        """
        if isinstance(value, RepositoryName):
            return value
        owner, slash, name = value.partition("/") if isinstance(value, str) else ("", "", "")
        if not slash:
            msg = f"a repository is named OWNER/NAME, like 'octo-org/octo-docs', not {value!r}"
            raise ConfigurationError(msg)
        return cls(owner, name)


@attrs.frozen
class Digest:
    """GitHub's digest of an artifact's stored bytes, e.g. ``sha256:9f86…``.

    Attributes:
        algorithm: lower-case name; only ``"sha256"`` is known to be sent.
        hex: lower-case hexadecimal.
    """

    algorithm: str
    hex: str

    @property
    def verifiable(self) -> bool:
        """Whether this package can check it: an unknown algorithm is unverifiable, not wrong."""
        return self.algorithm == "sha256"

    def __str__(self) -> str:
        """Return ``algorithm:hex``, as GitHub writes it."""
        return f"{self.algorithm}:{self.hex}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take GitHub's ``algorithm:hex``.

        Raises:
            ValueError: there is no algorithm, or a sha256 that is not 64 hexadecimal digits.
        """
        algorithm, colon, digits = text.partition(":")
        algorithm = algorithm.lower()
        if not colon or not algorithm or not digits:
            msg = "a digest is written algorithm:hex"
            raise ValueError(msg)
        if algorithm == "sha256" and not _SHA256.fullmatch(digits):
            msg = "a sha256 digest has 64 hexadecimal digits"
            raise ValueError(msg)
        return cls(algorithm, digits.lower())


@attrs.frozen(kw_only=True)
class ArtifactRun:
    """The workflow run an artifact belongs to, as the artifact itself tells it; GitHub promises none of the fields.

    Attributes:
        id: the run.
        repository_id: the repository the run ran in.
        head_repository_id: the repository its commit came from; another than ``repository_id`` for a fork.
        head_branch: the branch.
        head_sha: the commit.
    """

    id: int | None = None
    repository_id: int | None = None
    head_repository_id: int | None = None
    head_branch: str | None = None
    head_sha: str | None = None


@attrs.frozen(kw_only=True)
class Artifact:
    """One artifact.

    Attributes:
        id: GitHub's number; not monotonic in time.
        node_id: its GraphQL id.
        name: as uploaded; two live artifacts of one run may share it (re-runs).
        size_in_bytes: of the stored zip; old GHES counts the raw files instead.
        url: its API address.
        archive_download_url: the API address that answers with the 302.
        expired: its bytes are gone.
        created_at: aware UTC.
        expires_at: aware UTC.
        updated_at: aware UTC.
        digest: of the stored bytes; None from GHES and for uploads older than upload-artifact v4.
        workflow_run: the run it belongs to.
        repository: set from the call that fetched it.
    """

    id: int
    node_id: str
    name: str
    size_in_bytes: int
    url: str
    archive_download_url: str
    expired: bool
    created_at: datetime | None = None
    expires_at: datetime | None = None
    updated_at: datetime | None = None
    digest: Digest | None = None
    workflow_run: ArtifactRun | None = None
    repository: RepositoryName | None = None

    @property
    def run_id(self) -> int | None:
        """The workflow run's id, where GitHub sent it."""
        return None if self.workflow_run is None else self.workflow_run.id


def _repository(value: str | RepositoryName) -> RepositoryName:
    return RepositoryName.parse(value)


@attrs.frozen
class ArtifactRef:
    """An artifact known by repository and id only, e.g. from a webhook or a command line.

    Attributes:
        repository: where it is; ``"owner/name"`` is taken too.
        id: GitHub's number.
        name: if known.
    """

    repository: RepositoryName = attrs.field(converter=_repository, alias="repo")
    id: int
    name: str | None = None

    def __attrs_post_init__(self) -> None:
        """Check the id.

        Raises:
            ConfigurationError: it is no whole number of 1 or more.
        """
        check_id(self.id, "artifact_id")


@attrs.frozen(kw_only=True)
class ArtifactPage:
    """One page of a listing.

    Attributes:
        total_count: artifacts in the whole listing, as GitHub counted them for this page.
        artifacts: this page's.
        next_page: number of the next page; None on the last.
    """

    total_count: int
    artifacts: tuple[Artifact, ...]
    next_page: int | None = None


@attrs.frozen(kw_only=True)
class WorkflowRun:
    """One run of a workflow; only what helps to choose artifacts. Old GHES sends fewer fields.

    Attributes:
        id: the run.
        name: the workflow's name at that time.
        workflow_id: the workflow.
        path: the workflow's file.
        event: what started it, e.g. ``"push"``.
        status: e.g. ``"completed"``.
        conclusion: e.g. ``"success"``; None while it runs.
        head_branch: the branch.
        head_sha: the commit.
        run_number: counts the workflow's runs.
        run_attempt: counts the re-runs.
        created_at: aware UTC.
        updated_at: aware UTC.
        run_started_at: of the latest attempt, aware UTC.
        html_url: its page.
        repository: set from the call that fetched it.
    """

    id: int
    name: str | None = None
    workflow_id: int | None = None
    path: str | None = None
    event: str | None = None
    status: str | None = None
    conclusion: str | None = None
    head_branch: str | None = None
    head_sha: str | None = None
    run_number: int | None = None
    run_attempt: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    run_started_at: datetime | None = None
    html_url: str | None = None
    repository: RepositoryName | None = None


@attrs.frozen(kw_only=True)
class RunPage:
    """One page of a listing of runs.

    Attributes:
        total_count: runs in the whole listing; GitHub returns at most 1,000 of a filtered one.
        runs: this page's.
        next_page: number of the next page; None on the last.
    """

    total_count: int
    runs: tuple[WorkflowRun, ...]
    next_page: int | None = None


@attrs.frozen(kw_only=True)
class RateLimit:
    """GitHub's primary rate limit as of one answer.

    Attributes:
        limit: requests an hour.
        remaining: requests left in this window.
        used: requests spent in this window.
        reset_at: when the window ends (aware, UTC).
        resource: which budget, e.g. ``"core"``.
    """

    limit: int
    remaining: int
    used: int | None = None
    reset_at: datetime | None = None
    resource: str | None = None


Direction = Literal["asc", "desc"]
"""Order of a run's artifacts; GitHub does not say by what they are sorted."""
