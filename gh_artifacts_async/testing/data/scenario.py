"""The data of a fake GitHub; ids are the same in every run."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import attrs

from gh_artifacts_async.testing.clock import Clock, parse_timestamp
from gh_artifacts_async.testing.data.blobs import sha256
from gh_artifacts_async.testing.data.models import (
    FakeArtifact,
    FakeInstallation,
    FakePullRequest,
    FakeRepository,
    FakeRun,
    job_from_id,
)
from gh_artifacts_async.testing.data.profiles import Kind, Profile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gh_artifacts_async.testing.data.content import Content

RETENTION_DAYS = 90
"""https://docs.github.com/en/actions/reference/limits: artifacts are kept for 90 days unless set otherwise"""

MAX_RETENTION_DAYS = {False: 90, True: 400}
"""Of public and of private repositories (the same page)."""

_FIRST_ARTIFACT = 10_338_854_604
_FIRST_RUN = 9_000_000_001
_FIRST_REPOSITORY = 1_296_269
_FIRST_WORKFLOW = 161_335
_FIRST_INSTALLATION = 50_001


@attrs.define
class Scenario:
    """Everything the fake knows, with ids that are the same in every test.

    Attributes:
        clock: the fake's clock.
        profile: which GitHub this is.
    """

    clock: Clock
    profile: Profile
    repositories: dict[int, FakeRepository] = attrs.field(factory=dict)
    runs: dict[int, FakeRun] = attrs.field(factory=dict)
    attempts: dict[tuple[int, int], FakeRun] = attrs.field(factory=dict)
    artifacts: dict[int, FakeArtifact] = attrs.field(factory=dict)
    workflows: dict[tuple[int, str], int] = attrs.field(factory=dict)
    installations: dict[int, FakeInstallation] = attrs.field(factory=dict)
    renamed: dict[str, int] = attrs.field(factory=dict)
    pull_requests: dict[tuple[int, int], FakePullRequest] = attrs.field(factory=dict)
    users: set[str] = attrs.field(factory=set)
    retention_days: dict[int, int] = attrs.field(factory=dict)
    _artifact_id: int = _FIRST_ARTIFACT
    _run_id: int = _FIRST_RUN

    def repository(self, full_name: str, *, private: bool = False, fork: bool = False) -> FakeRepository:
        """Return the repository called ``full_name`` (in any case of letters), added if missing.

        Raises:
            ValueError: it is not ``owner/name``.
        """
        if not re.fullmatch(r"[^/\s]+/[^/\s]+", full_name):
            msg = f"a repository is 'owner/name', not {full_name!r}"
            raise ValueError(msg)
        for known in self.repositories.values():
            if known.full_name.lower() == full_name.lower():
                return known
        added = FakeRepository(_FIRST_REPOSITORY + len(self.repositories), full_name, private, fork)
        self.repositories[added.id] = added
        self.renamed.pop(full_name.lower(), None)
        return added

    def rename(self, old: str, new: str) -> None:
        """Rename a repository; its old name redirects from now on.

        Raises:
            LookupError: there is none called ``old``.
        """
        found = self.find_repository(old)
        if found is None:
            msg = f"this fake has no repository {old!r}; add_repository and add_run add one"
            raise LookupError(msg)
        self.repositories[found.id] = attrs.evolve(found, full_name=new)
        self.renamed[old.lower()] = found.id

    def find_repository(self, full_name: str) -> FakeRepository | None:
        """Return the repository that is called ``full_name`` now."""
        lowered = full_name.lower()
        return next((item for item in self.repositories.values() if item.full_name.lower() == lowered), None)

    def known_run(self, run_id: int) -> FakeRun:
        """Return the run with this number.

        Raises:
            LookupError: there is none.
        """
        if run_id not in self.runs:
            msg = f"this fake has no run {run_id!r}; use what add_run returned"
            raise LookupError(msg)
        return self.runs[run_id]

    def known_artifact(self, artifact_id: int) -> FakeArtifact:
        """Return the artifact with this number.

        Raises:
            LookupError: there is none.
        """
        if artifact_id not in self.artifacts:
            msg = f"this fake has no artifact {artifact_id!r}; use the id that add_artifact returned"
            raise LookupError(msg)
        return self.artifacts[artifact_id]

    def add_run(self, repo: str, values: Mapping[str, Any]) -> FakeRun:
        """Add a run; ``values`` are the arguments of ``FakeGitHub.add_run``."""
        repository = self.repository(repo)
        given = dict(values)
        run_id = given.pop("id") or self._next_run_id()
        workflow = given.pop("workflow")
        workflow_id = self.workflows.setdefault((repository.id, workflow), _FIRST_WORKFLOW + len(self.workflows))
        number = 1 + sum(1 for run in self.runs.values() if run.workflow_id == workflow_id)
        created = parse_timestamp(given.pop("created_at"), self.clock.now()) or self.clock.now()
        started = parse_timestamp(given.pop("run_started_at"), created) or created
        updated = parse_timestamp(given.pop("updated_at"), started) or started
        run = FakeRun(
            id=run_id,
            repo=repository.full_name,
            repository_id=repository.id,
            workflow=workflow,
            workflow_id=workflow_id,
            workflow_name=given.pop("workflow_name") or workflow.rpartition("/")[2].partition(".")[0],
            head_sha=given.pop("head_sha") or hashlib.sha1(str(run_id).encode(), usedforsecurity=False).hexdigest(),
            run_number=given.pop("run_number") or number,
            pull_requests=tuple(given.pop("pull_requests")),
            jobs=tuple(given.pop("jobs")),
            conclusion=_conclusion(given.pop("conclusion"), given["status"]),
            created_at=created,
            updated_at=updated,
            run_started_at=started,
            **self._head(repository, given.pop("head_repository")),
            **given,
        )
        self.runs[run.id] = run
        return run

    def update_run(self, run: FakeRun, changes: Mapping[str, Any]) -> FakeRun:
        """Change fields of a run; where ``attempt`` grows, the run as it was remains as the earlier attempt."""
        ending = changes.get("status", run.status)
        if ending != run.status:
            changes = {"conclusion": _conclusion("auto", ending), **changes}
        changed = attrs.evolve(run, **changes)
        if changed.attempt != run.attempt:
            self.attempts[run.id, run.attempt] = run
        self.runs[run.id] = changed
        return changed

    def attempt(self, run: FakeRun, number: int) -> FakeRun | None:
        """Return a run as it was in its attempt ``number``: as it was then, or failed where nothing else is known."""
        if number == run.attempt:
            return run
        if not 1 <= number < run.attempt:
            return None
        known = self.attempts.get((run.id, number))
        return known or attrs.evolve(run, attempt=number, status="completed", conclusion="failure")

    def job(self, number: int) -> tuple[FakeRun, int] | None:
        """Return the attempt that a job belongs to, and its place there; None where there is no such job."""
        run_id, attempt_number, index = job_from_id(number)
        run = self.runs.get(run_id)
        found = None if run is None else self.attempt(run, attempt_number)
        return None if found is None or index >= len(found.jobs) else (found, index)

    def _next_run_id(self) -> int:
        while self._run_id in self.runs:
            self._run_id += 1
        return self._run_id

    def _head(self, repository: FakeRepository, name: str | None) -> dict[str, Any]:
        """Return the head repository's fields: ``"same"``, a fork's name, or None for a deleted fork."""
        if name is None:
            return {"head_repository_id": None, "head_repository": None}
        head = repository if name == "same" else self.repository(name, fork=True)
        return {"head_repository_id": head.id, "head_repository": head.full_name}

    def add_artifact(self, run: FakeRun, name: str, content: Content, values: Mapping[str, Any]) -> FakeArtifact:
        """Add an artifact; ``values`` are the arguments of ``FakeGitHub.add_artifact`` that are not its content."""
        artifact_id = values["id"] or self._next_artifact_id()
        expired = values["expired"]
        retention = self.retention(run.repository_id)
        age = retention + timedelta(days=1) if expired else timedelta(0)
        created = parse_timestamp(values["created_at"], self.clock.now() - age)
        latest = (self.clock.now() if created is None else created) + retention
        if expired:
            latest = min(latest, self.clock.now() - timedelta(seconds=1))
        kind = values["kind"] or self._kind(content)
        added = FakeArtifact(
            id=artifact_id,
            repository_id=run.repository_id,
            run=run if values["workflow_run"] else None,
            name=name,
            size_in_bytes=self._size(content, values["size_in_bytes"], kind),
            digest=self._digest(content, values["digest"], kind),
            created_at=created,
            updated_at=parse_timestamp(values["updated_at"], created),
            expires_at=parse_timestamp(values["expires_at"], latest),
            blob=content.blob,
            files=content.files,
            content_type=_pick(values["content_type"], content.content_type),
            filename=_pick(values["filename"], content.filename),
            kind=kind,
            expired=expired,
            content_md5=values["content_md5"],
        )
        self.artifacts[added.id] = added
        return added

    def _next_artifact_id(self) -> int:
        while self._artifact_id in self.artifacts:
            self._artifact_id += 1
        self._artifact_id += 1
        return self._artifact_id - 1

    def _kind(self, content: Content) -> Kind:
        return "azure-raw" if content.is_raw and self.profile.kind == "azure" else self.profile.kind

    def _digest(self, content: Content, given: str | None, kind: Kind) -> str | None:
        """Return the digest: none of the v3 form, whose zips are made anew for each download."""
        if given == "auto":
            return f"sha256:{sha256(content.blob)}" if self.profile.digest and kind != "v3" else None
        return given

    def _size(self, content: Content, given: int | None, kind: Kind) -> int:
        if given is not None:
            return given
        return content.raw_size if kind == "v3" else content.blob.size

    def is_expired(self, artifact: FakeArtifact) -> bool:
        """Return whether ``artifact`` was marked as expired, or its time has come."""
        return artifact.expired or (artifact.expires_at is not None and artifact.expires_at <= self.clock.now())

    def retention(self, repository_id: int) -> timedelta:
        """Return how long a repository keeps new artifacts."""
        return timedelta(days=self.retention_days.get(repository_id, RETENTION_DAYS))

    def owned(self, owner: str) -> list[FakeRepository]:
        """Return the repositories of an account (in any case of letters), in the order in which they were added."""
        return [item for item in self.repositories.values() if item.owner.lower() == owner.lower()]

    def kind_of_account(self, login: str) -> Literal["User", "Organization"]:
        """Return what an account is: who owns repositories and was not added as a user is an organization."""
        return "Organization" if login.lower() not in self.users and self.owned(login) else "User"

    def add_pull_request(
        self, repo: str, number: int, *, head_sha: str, head_repository: str | None, branch: str
    ) -> FakePullRequest:
        """Add a pull request, or change it."""
        repository = self.repository(repo)
        head = self._head(repository, head_repository)["head_repository_id"]
        added = FakePullRequest(number, repository.id, head_sha, branch, head)
        self.pull_requests[repository.id, number] = added
        return added

    def listing(self, repository_id: int, run_id: int | None = None) -> list[FakeArtifact]:
        """Return a repository's or a run's artifacts, newest first by (created_at, id), those without a time last."""
        found = [item for item in self.artifacts.values() if item.repository_id == repository_id]
        if run_id is not None:
            found = [item for item in found if item.run is not None and item.run.id == run_id]
        return newest_first(found)

    def run_listing(self, repository_id: int) -> list[FakeRun]:
        """Return a repository's runs, newest first by (created_at, id)."""
        return sorted(
            (run for run in self.runs.values() if run.repository_id == repository_id),
            key=lambda run: (run.created_at, run.id),
            reverse=True,
        )

    def branch_head(self, repository: FakeRepository, name: str) -> str | None:
        """Return the commit at the head of a branch: the default branch, and those that have runs, exist."""
        for run in self.run_listing(repository.id):
            if run.branch == name and run.head_repository_id == repository.id:
                return run.head_sha
        if name != repository.default_branch:
            return None
        return hashlib.sha1(f"{repository.id} {name}".encode(), usedforsecurity=False).hexdigest()

    def workflow_listing(self, repository_id: int) -> list[FakeRun]:
        """Return the latest run of each of a repository's workflows, in the order in which these first ran."""
        runs = self.run_listing(repository_id)
        latest = {run.workflow_id: run for run in reversed(runs)}
        return [latest[number] for number in sorted(latest)]

    def add_installation(self, repositories: Iterable[str], values: Mapping[str, Any]) -> FakeInstallation:
        """Add an installation; ``values`` are the arguments of ``FakeGitHub.add_installation``."""
        names = tuple(self.repository(name).full_name for name in repositories)
        given = dict(values)
        installation_id = given.pop("id") or _FIRST_INSTALLATION + len(self.installations)
        added = FakeInstallation(id=installation_id, repositories=names, **given)
        self.installations[added.id] = added
        return added


def _conclusion(given: str | None, status: str) -> str | None:
    if given == "auto":
        return "success" if status == "completed" else None
    return given


def newest_first(artifacts: Iterable[FakeArtifact]) -> list[FakeArtifact]:
    """Return ``artifacts`` sorted by (created_at, id), newest first."""
    beginning = datetime.min.replace(tzinfo=UTC)
    return sorted(artifacts, key=lambda item: (item.created_at or beginning, item.id), reverse=True)


def _pick(given: str | Literal["auto"] | None, default: str) -> str | None:  # noqa: PYI051 - says what "auto" is
    return default if given == "auto" else given
