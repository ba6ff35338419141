"""GitHub's objects as frozen values; which fields may be None follows GitHub's OpenAPI description.

https://docs.github.com/en/rest/actions/artifacts
"""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime
from typing import Literal, Self

import attrs

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.models.values import Value

_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?", re.ASCII)
_REPO = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


def check_id(value: int, what: str) -> int:
    """Return ``value`` if it is a positive integer, as ids and counts are.

    Raises:
        ConfigurationError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        msg = f"{what} must be an integer of 1 or more, not {value!r}"
        raise ConfigurationError(msg)
    return value


def check_owner(value: str) -> str:
    """Return ``value`` if a user or organization can have that name.

    Raises:
        ConfigurationError: GitHub does not allow it.
    """
    if not isinstance(value, str) or not _OWNER.fullmatch(value):
        msg = f"owner must be the name of a user or organization, like 'octo-org', not {value!r}"
        raise ConfigurationError(msg)
    return value


def parse_timestamp(text: str) -> datetime:
    """Read an ISO 8601 time as aware UTC.

    Raises:
        ValueError: it is not such a time, or has no zone.
        OverflowError: in UTC it is outside the years that datetime can hold.
    """
    found = datetime.fromisoformat(text)
    if found.tzinfo is UTC:
        return found
    if found.tzinfo is None:
        msg = "a time needs a zone"
        raise ValueError(msg)
    return found.astimezone(UTC)


@attrs.frozen
class RepositoryName(Value):
    """A repository's full name, ``owner/name``, checked when it is created.

    Attributes:
        owner: the user or organization.
        name: the repository's own name.
    """

    owner: str
    name: str

    def __attrs_post_init__(self) -> None:
        """Check both parts.

        Raises:
            ConfigurationError: GitHub does not allow such a name.
        """
        owner_ok = isinstance(self.owner, str) and _OWNER.fullmatch(self.owner)
        name_ok = isinstance(self.name, str) and _REPO.fullmatch(self.name) and self.name not in {".", ".."}
        if not (owner_ok and name_ok):
            msg = f"{self.owner!r}/{self.name!r} is not a repository name; expected OWNER/NAME, like octo-org/octo-docs"
            raise ConfigurationError(msg)

    def __str__(self) -> str:
        """Return ``owner/name``."""
        return f"{self.owner}/{self.name}"

    @classmethod
    def parse(cls, value: str | RepositoryName) -> RepositoryName:
        """Return ``"owner/name"`` as a RepositoryName; a RepositoryName is returned as it is.

        Raises:
            ConfigurationError: it is neither.
        """
        if isinstance(value, RepositoryName):
            return value
        if isinstance(value, str) and "/" in value:
            return _parsed(value)
        msg = f"{value!r} is not a repository name; expected OWNER/NAME, like octo-org/octo-docs"
        raise ConfigurationError(msg)

    @classmethod
    def received(cls, text: str) -> RepositoryName | None:
        """Return the name that an API response gives; None for one that GitHub does not allow."""
        try:
            return cls.parse(text)
        except ConfigurationError:
            return None


@functools.lru_cache(maxsize=64)
def _parsed(text: str) -> RepositoryName:
    owner, _, name = text.partition("/")
    return RepositoryName(owner, name)


@attrs.frozen
class Digest(Value):
    """GitHub's digest of an artifact's stored bytes, e.g. ``sha256:9f86…``.

    Attributes:
        algorithm: lower-case name; GitHub sends ``"sha256"``. Empty if the text was not ``algorithm:hex``.
        hex: lower-case hexadecimal; if there is no algorithm, the text as it came.
    """

    algorithm: str
    hex: str

    @property
    def verifiable(self) -> bool:
        """Whether this package can verify it; an unknown algorithm is no error, but cannot be verified."""
        return self.algorithm == "sha256"

    def __str__(self) -> str:
        """Return ``algorithm:hex``, as GitHub writes it."""
        return f"{self.algorithm}:{self.hex}" if self.algorithm else self.hex

    @classmethod
    def received(cls, text: str) -> Self:
        """Return the digest of an API response; one that :meth:`parse` refuses is kept, and is not verifiable."""
        try:
            return cls.parse(text)
        except ValueError:
            return cls("", text)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse GitHub's ``algorithm:hex``.

        Raises:
            ValueError: it has another form, or a sha256 without exactly 64 hexadecimal digits.
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
class ArtifactRun(Value):
    """The workflow run of an artifact, as the artifact itself describes it; GitHub guarantees none of the fields.

    Attributes:
        id: the run's id.
        repository_id: id of the repository that the run belongs to.
        head_repository_id: id of the repository that the commit came from; for a fork, not ``repository_id``.
        head_branch: the branch.
        head_sha: the commit.
    """

    id: int | None = None
    repository_id: int | None = None
    head_repository_id: int | None = None
    head_branch: str | None = None
    head_sha: str | None = None


@attrs.frozen(kw_only=True)
class Artifact(Value):
    """One artifact.

    Attributes:
        id: GitHub's id; a newer artifact does not always have a higher one.
        node_id: GraphQL id; None where the server sends none.
        name: as uploaded; artifacts of one run may share a name (re-runs).
        size_in_bytes: size of the stored zip; old GHES reports that of the raw files instead.
        url: API URL of the artifact.
        archive_download_url: API URL that redirects to storage.
        expired: it can no longer be downloaded.
        created_at: time of upload (aware, UTC).
        expires_at: end of retention (aware, UTC).
        updated_at: time of the last change (aware, UTC).
        digest: digest of the stored bytes; None from GHES and for uploads older than upload-artifact v4. One that is
            malformed, or of an unknown algorithm, is not ``verifiable``.
        workflow_run: the run it belongs to.
        repository: the repository it was requested from.
    """

    id: int
    node_id: str | None = None
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
class ArtifactRef(Value):
    """An artifact of which only repository and id are known, e.g. from a webhook or a command line.

    Attributes:
        repository: its repository; ``"owner/name"`` is accepted too.
        id: GitHub's id.
        name: its name, if known.
    """

    repository: RepositoryName = attrs.field(converter=_repository, alias="repo")
    id: int
    name: str | None = None

    def __attrs_post_init__(self) -> None:
        """Check the id.

        Raises:
            ConfigurationError: it is not a positive integer.
        """
        check_id(self.id, "artifact_id")


@attrs.frozen(kw_only=True)
class ArtifactPage(Value):
    """One page of a listing.

    Attributes:
        total_count: artifacts in the whole listing, as of this response.
        artifacts: the artifacts of this page.
        next_page: number of the next page; None on the last.
    """

    total_count: int
    artifacts: tuple[Artifact, ...]
    next_page: int | None = None


@attrs.frozen(kw_only=True)
class WorkflowRun(Value):
    """One run of a workflow, with the fields that help to select artifacts; old GHES sends fewer of them.

    Attributes:
        id: the run's id.
        name: the workflow's name at the time of the run.
        workflow_id: the workflow's id.
        path: the workflow's file.
        event: what triggered it, e.g. ``"push"``.
        status: e.g. ``"completed"``.
        conclusion: e.g. ``"success"``; None while it is running.
        head_branch: the branch.
        head_sha: the commit.
        run_number: number of the run among the workflow's runs, from 1.
        run_attempt: number of the attempt, from 1.
        created_at: time of creation (aware, UTC).
        updated_at: time of the last change (aware, UTC).
        run_started_at: start of the latest attempt (aware, UTC).
        html_url: its web page.
        repository: the repository it was requested from.
        repository_id: id of the repository that the run belongs to.
        head_repository: the repository that the commit came from; None for a fork that was deleted.
        head_repository_id: its id; for a fork, not ``repository_id``.
        actor: login of the user who triggered the run.
        pull_requests: numbers of the open pull requests of the branch; GitHub leaves out those of forks.
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
    repository_id: int | None = None
    head_repository: RepositoryName | None = None
    head_repository_id: int | None = None
    actor: str | None = None
    pull_requests: tuple[int, ...] = ()

    @property
    def is_fork(self) -> bool:
        """Whether the commit came from another repository; an unknown or absent head repository counts as a fork."""
        return self.head_repository_id is None or self.head_repository_id != self.repository_id


@attrs.frozen(kw_only=True)
class RunPage(Value):
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
class RateLimit(Value):
    """GitHub's primary rate limit as of one response.

    Attributes:
        limit: requests an hour.
        remaining: requests left in this window.
        used: requests spent in this window.
        reset_at: when the window ends (aware, UTC).
        resource: which of GitHub's limits it is, e.g. ``"core"``.
    """

    limit: int
    remaining: int
    used: int | None = None
    reset_at: datetime | None = None
    resource: str | None = None


Direction = Literal["asc", "desc"]
"""Order of a run's artifacts; GitHub does not document what they are sorted by."""
