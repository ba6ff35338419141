"""What a fake GitHub holds: repositories, runs, artifacts and their bytes, App installations."""

from __future__ import annotations

import hashlib
import mimetypes
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO

import attrs

from gh_artifacts_async.testing.data.blobs import Blob, BytesBlob, SeededBlob, make_zip, zip_blob
from gh_artifacts_async.testing.data.profiles import Kind

Moment = datetime | str | None
"""A time: aware, or as GitHub writes it (``2026-07-09T12:47:44Z``); ``"auto"`` for the default; None for none."""

_ZIP_TYPE = "application/zip"


@attrs.frozen
class FakeRepository:
    """A repository.

    Attributes:
        id: its number, which survives a renaming.
        full_name: ``owner/name``.
        private: invisible (404) without a token.
        fork: it is one.
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
        head_repository_id: where the commit comes from; None where that fork is gone.
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


@attrs.frozen
class FakeArtifact:
    """An artifact and its bytes.

    Attributes:
        id: the artifact's number.
        repository_id: the repository's number.
        run: the run it belongs to; None where GitHub's ``workflow_run`` is null.
        name: as uploaded; not unique.
        size_in_bytes: as the listing says it.
        digest: ``sha256:…`` or None, as the listing says it.
        created_at: aware UTC or None.
        updated_at: aware UTC or None.
        expires_at: aware UTC or None.
        blob: the stored bytes.
        files: what an on-the-fly zip is made of; None: ``blob`` is sent as it is.
        content_type: of the stored bytes; None: storage names no type.
        filename: as storage's Content-Disposition gives it; None: storage sends none.
        kind: the form of its signed URLs.
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
    generation: int = 0

    @property
    def etag(self) -> str:
        """The blob's identity as Azure writes it, quoted."""
        return f'"0x8D{hashlib.sha256(f"{self.id} {self.generation}".encode()).hexdigest()[:12].upper()}"'


@attrs.frozen
class Content:
    """Bytes as an artifact stores them, and what GitHub says about them."""

    blob: Blob
    raw_size: int
    content_type: str
    filename: str
    files: Mapping[str, bytes | str] | None = None
    is_raw: bool = False


def content_of(
    name: str,
    *,
    files: Mapping[str, bytes | str] | None = None,
    archive: bytes | None = None,
    raw: tuple[str, bytes] | str | None = None,
    size: int | None = None,
    seed: int = 0,
) -> Content:
    """Return what an artifact called ``name`` stores; one of the keywords says what (default: one small text file).

    Args:
        name: the artifact's name, which names its zip.
        files: members of a zip.
        archive: the bytes of a zip, taken as they are.
        raw: ``(file name, bytes)`` of an artifact that is no zip, or a file name alone with ``size``.
        size: this many bytes that take no memory: a valid zip with one random member, or raw with ``raw="name"``.
        seed: of those bytes.
    """
    zip_name = f"{name}.zip"
    if raw is not None:
        return _raw_content(raw, size, seed)
    if archive is not None:
        return Content(BytesBlob(archive), _raw_size(archive), _ZIP_TYPE, zip_name)
    if size is not None:
        blob = zip_blob(size, seed)
        return Content(blob, blob.parts[1].size, _ZIP_TYPE, zip_name)
    files = {"artifact.txt": f"{name}\n"} if files is None else dict(files)
    raw_size = sum(len(body.encode() if isinstance(body, str) else body) for body in files.values())
    return Content(BytesBlob(make_zip(files)), raw_size, _ZIP_TYPE, zip_name, files)


def _raw_content(raw: tuple[str, bytes] | str, size: int | None, seed: int) -> Content:
    filename, blob = (raw, SeededBlob(size or 0, seed)) if isinstance(raw, str) else (raw[0], BytesBlob(raw[1]))
    content_type = mimetypes.guess_type(filename)[0] or "application/octet-stream"
    return Content(blob, blob.size, content_type, filename, is_raw=True)


def _raw_size(archive: bytes) -> int:
    try:
        return sum(member.file_size for member in zipfile.ZipFile(BytesIO(archive)).infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return len(archive)


def moment(value: Moment, default: datetime | None) -> datetime | None:
    """Return ``value`` as an aware time; ``default`` for ``"auto"``."""
    if value == "auto":
        return default
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if value is not None and value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return value


@attrs.frozen
class FakeInstallation:
    """A GitHub App's installation.

    Attributes:
        id: its number.
        app_id: the App's number.
        repositories: names (``owner/name``) it is installed on.
        permissions: e.g. ``{"actions": "write"}``.
        lifetime: seconds that its tokens live.
    """

    id: int
    app_id: int
    repositories: tuple[str, ...]
    permissions: Mapping[str, str]
    lifetime: float
