"""What a fake GitHub holds: repositories, runs, artifacts and App installations."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

import attrs

from gh_artifacts_async.testing.data.blobs import Blob
from gh_artifacts_async.testing.data.profiles import Kind

_ATTEMPTS, _JOBS = 100, 1000  # more than GitHub allows: 50 re-runs, 256 jobs of a matrix


@attrs.frozen
class FakeRepository:
    """A repository.

    Attributes:
        id: its number, which survives a renaming.
        full_name: ``owner/name``.
        private: invisible (404) without a token.
        fork: whether it is a fork.
        default_branch: e.g. ``main``.
    """

    id: int
    full_name: str
    private: bool = False
    fork: bool = False
    default_branch: str = "main"

    @property
    def owner(self) -> str:
        """The account."""
        return self.full_name.partition("/")[0]

    @property
    def name(self) -> str:
        """The name without the account."""
        return self.full_name.partition("/")[2]


@attrs.frozen
class FakeRun:
    """A workflow run; ``add_artifact`` takes it or its ``id``.

    Attributes:
        id: the run's number.
        repo: ``owner/name`` as it was when the run was added.
        repository_id: the repository's number.
        workflow: the workflow's file name.
        workflow_id: the workflow's number.
        workflow_name: the workflow's name.
        branch: head branch; None where GitHub has none.
        head_sha: head commit.
        head_repository_id: repository of the commit; None where that fork was deleted.
        head_repository: its ``owner/name``, or None.
        event: e.g. ``push``.
        status: ``queued``, ``in_progress``, ``completed``, …
        conclusion: ``success``, ``failure``, …; None while it runs.
        actor: login.
        run_number: counts the runs of the workflow.
        attempt: 1, then one more with each re-run.
        pull_requests: numbers of pull requests.
        created_at: aware UTC.
        updated_at: aware UTC.
        run_started_at: aware UTC.
        jobs: names of the jobs of each attempt.
    """

    id: int
    repo: str
    repository_id: int
    workflow: str
    workflow_id: int
    workflow_name: str
    branch: str | None
    head_sha: str
    head_repository_id: int | None
    head_repository: str | None
    event: str
    status: str
    conclusion: str | None
    actor: str
    run_number: int
    attempt: int
    pull_requests: tuple[int, ...]
    created_at: datetime
    updated_at: datetime
    run_started_at: datetime
    jobs: tuple[str, ...] = ("build",)

    def job_id(self, index: int) -> int:
        """Return the number of one of the attempt's jobs."""
        return (self.id * _ATTEMPTS + self.attempt) * _JOBS + index


@attrs.frozen
class FakePullRequest:
    """A pull request.

    Attributes:
        number: in its repository.
        repository_id: the repository's number.
        head_sha: the latest commit of its branch.
        branch: the branch.
        head_repository_id: repository of the branch; None where that fork was deleted.
    """

    number: int
    repository_id: int
    head_sha: str
    branch: str
    head_repository_id: int | None


def job_from_id(number: int) -> tuple[int, int, int]:
    """Return run, attempt and place of a job: what ``FakeRun.job_id`` put into its number."""
    run_attempt, index = divmod(number, _JOBS)
    return *divmod(run_attempt, _ATTEMPTS), index


@attrs.frozen
class FakeArtifact:
    """An artifact and its bytes.

    Attributes:
        id: the artifact's number.
        repository_id: the repository's number.
        run: the run it belongs to; None where GitHub's ``workflow_run`` is null.
        name: as uploaded; not unique.
        size_in_bytes: as the listing shows it.
        digest: ``sha256:…`` or None, as the listing shows it.
        created_at: aware UTC or None.
        updated_at: aware UTC or None.
        expires_at: aware UTC or None.
        blob: the stored bytes.
        files: members of a zip built per request; None: ``blob`` is sent as it is.
        content_type: of the stored bytes; None: storage sends no Content-Type.
        filename: as storage's Content-Disposition gives it; None: storage sends none.
        kind: the form of its signed URLs.
        expired: whether it was marked as expired.
        content_md5: storage knows the MD5 of the stored bytes, which it does not of GitHub's own uploads.
        generation: grows when the stored bytes change identity.
    """

    id: int
    repository_id: int
    run: FakeRun | None
    name: str
    size_in_bytes: int
    digest: str | None
    created_at: datetime | None
    updated_at: datetime | None
    expires_at: datetime | None
    blob: Blob = attrs.field(repr=False)
    files: Mapping[str, bytes | str] | None = attrs.field(repr=False)
    content_type: str | None
    filename: str | None
    kind: Kind
    expired: bool = False
    content_md5: bool = False
    generation: int = 0

    @property
    def etag(self) -> str:
        """The blob's identity as Azure or S3 writes it, quoted."""
        digits = hashlib.sha256(f"{self.id} {self.generation}".encode()).hexdigest()
        return f'"{digits[:32]}"' if self.kind == "s3" else f'"0x8D{digits[:13].upper()}"'


@attrs.frozen
class FakeInstallation:
    """A GitHub App's installation.

    Attributes:
        id: its number.
        app_id: the App's number.
        repositories: names (``owner/name``) it is installed on.
        permissions: e.g. ``{"actions": "write"}``.
        lifetime: seconds that its tokens live.
        client_id: the App's other name in JSON Web Tokens.
        stateless: its tokens have the format of 2026: about 520 characters, with dots.
    """

    id: int
    app_id: int
    repositories: tuple[str, ...]
    permissions: Mapping[str, str]
    lifetime: float
    client_id: str | None = None
    stateless: bool = False
