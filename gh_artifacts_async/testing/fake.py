"""The fake GitHub itself: two hosts on loopback, the data behind them, and what they saw."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import attrs

from gh_artifacts_async.testing.data.content import content_of
from gh_artifacts_async.testing.server.hosts import Hosts
from gh_artifacts_async.testing.server.rate_limits import AUTHENTICATED

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Collection, Mapping

    from gh_artifacts_async.testing.clock import Timestamp
    from gh_artifacts_async.testing.data.models import (
        FakeArtifact,
        FakeInstallation,
        FakePullRequest,
        FakeRepository,
        FakeRun,
    )
    from gh_artifacts_async.testing.data.profiles import Host, Kind
    from gh_artifacts_async.testing.server.journal import RequestRecord
    from gh_artifacts_async.testing.server.pages import PageSeen


class FakeGitHub(Hosts):
    """A GitHub on loopback, for as long as its ``async with`` block.

    With ``with`` in place of ``async with`` it runs in a thread of its own: for code that is not asyncio, and for other
    programs. A number that it does not know (of a run, of an artifact) is a LookupError.

    All times come from one clock, which moves with the event loop's; ids are the same in every run.

    Attributes:
        faults: what should go wrong, one method per fault.
        clock: the fake's clock; ``clock.advance(seconds)`` sets it forward.
        scenario: the data itself, for what no method here does.
    """

    # -- data ------------------------------------------------------------------------------------------------------

    def add_repository(self, repo: str, *, private: bool = False, fork: bool = False) -> FakeRepository:
        """Add ``owner/name``; ``add_run`` adds a public one by itself.

        Args:
            repo: ``owner/name``.
            private: invisible (404) without a token.
            fork: it is a fork.

        Raises:
            ValueError: ``repo`` is not ``owner/name``.
        """
        return self.scenario.repository(repo, private=private, fork=fork)

    def add_user(self, login: str) -> None:
        """Add a user; every other owner of repositories is an organization."""
        self.scenario.users.add(login.lower())

    def add_pull_request(
        self, repo: str, number: int, *, head_sha: str, head_repository: str | None = "same", branch: str = "patch"
    ) -> FakePullRequest:
        """Add a pull request, or change it after a push, and its repository if that is new.

        Args:
            repo: ``owner/name``.
            number: in the repository.
            head_sha: 40 hex digits: the latest commit of its branch.
            head_repository: ``owner/name`` of a fork; ``"same"``: the repository itself; None: a fork that was deleted.
            branch: the branch.
        """
        return self.scenario.add_pull_request(
            repo, number, head_sha=head_sha, head_repository=head_repository, branch=branch
        )

    def rename_repo(self, old: str, new: str) -> None:
        """Rename a repository: the old name redirects (301) to ``/repositories/{id}/…``."""
        self.scenario.rename(old, new)

    def add_run(
        self,
        repo: str,
        *,
        workflow: str = "ci.yml",
        branch: str | None = "main",
        event: str = "push",
        status: str = "completed",
        conclusion: str | None = "auto",
        head_sha: str | None = None,
        head_repository: str | None = "same",
        actor: str = "octocat",
        run_number: int | None = None,
        attempt: int = 1,
        pull_requests: Collection[int] = (),
        workflow_name: str | None = None,
        jobs: Collection[str] = ("build",),
        created_at: Timestamp = "auto",
        updated_at: Timestamp = "auto",
        run_started_at: Timestamp = "auto",
        id: int | None = None,  # noqa: A002 - the field's name
    ) -> FakeRun:
        """Add a workflow run, and its repository if that is new.

        Args:
            repo: ``owner/name``.
            workflow: the workflow's file name.
            branch: head branch, or None.
            event: what started it.
            status: ``completed``, ``in_progress``, ``queued``, …
            conclusion: ``success``, ``failure``, …; ``"auto"``: ``success``, and None unless it is completed.
            head_sha: 40 hex digits; None: derived from the id.
            head_repository: ``owner/name`` of a fork; ``"same"``: the repository itself; None: a fork that was deleted.
            actor: login.
            run_number: None: one more than the workflow's last.
            attempt: number of the attempt.
            pull_requests: numbers.
            workflow_name: None: the file name without its ending.
            jobs: names of the jobs of each attempt.
            created_at: None or ``"auto"``: now.
            updated_at: ``"auto"``: as ``run_started_at``.
            run_started_at: ``"auto"``: as ``created_at``.
            id: None: the next one.

        Raises:
            ValueError: ``repo`` is not ``owner/name``.
        """
        given = {name: value for name, value in locals().items() if name not in {"self", "repo"}}
        return self.scenario.add_run(repo, given)

    def update_run(self, run: FakeRun | int, **changes: Any) -> FakeRun:  # noqa: ANN401 - any of the fields
        """Change fields of a run, e.g. ``status="completed", conclusion="success"``, and return it as it is now.

        With a higher ``attempt`` it is a re-run: the run as it was remains as the earlier attempt. With another
        ``status`` the ``conclusion`` is as ``add_run`` chooses it, unless given.

        Raises:
            LookupError: there is no such run.
            TypeError: a run has no such field.
        """
        return self.scenario.update_run(self._run(run), changes)

    def _run(self, run: FakeRun | int) -> FakeRun:
        return self.scenario.known_run(run if isinstance(run, int) else run.id)

    def add_artifact(
        self,
        run: FakeRun | int,
        name: str,
        *,
        files: Mapping[str, bytes | str] | None = None,
        archive: bytes | None = None,
        raw: tuple[str, bytes] | str | None = None,
        size: int | None = None,
        seed: int = 0,
        digest: str | None = "auto",
        size_in_bytes: int | None = None,
        expired: bool = False,
        created_at: Timestamp = "auto",
        updated_at: Timestamp = "auto",
        expires_at: Timestamp = "auto",
        content_type: str | None = "auto",
        filename: str | None = "auto",
        kind: Kind | None = None,
        content_md5: bool = False,
        workflow_run: bool = True,
        id: int | None = None,  # noqa: A002 - the field's name
    ) -> int:
        """Add an artifact and return its id; names need not be unique.

        Args:
            run: what ``add_run`` returned, or its id.
            name: the artifact's name.
            files: member name -> content of its zip; this is the default, with one small text file.
            archive: the bytes of its zip, right or wrong.
            raw: ``(file name, bytes)``: not a zip; a file name alone goes with ``size``.
            size: length in bytes, generated, using no memory: a valid zip of exactly this size (at least 118) with
                one stored random member, or raw bytes with ``raw="name"``.
            seed: of the generated bytes.
            digest: what the listing says: ``"auto"``: the true one (none of the v3 form, nor on Enterprise Server),
                None, or any text.
            size_in_bytes: what the listing says; None: the stored bytes (the raw files' sum for the v3 form).
            expired: whether it has expired.
            created_at: ``"auto"``: now, or 91 days ago if expired. None: null.
            updated_at: ``"auto"``: as ``created_at``. None: null.
            expires_at: ``"auto"``: 90 days after. None: null.
            content_type: storage's Content-Type; None: no such header.
            filename: in storage's Content-Disposition; None: no such header.
            kind: form of the signed URL; None: the profile's.
            content_md5: send the MD5 that Azure keeps of some blobs, though not of those GitHub's actions upload.
            workflow_run: False: ``workflow_run`` is null.
            id: None: the next one; any number, also a lower one than before.

        Raises:
            LookupError: there is no such run.
            ValueError: more than one of ``files``, ``archive`` and ``raw``, or a ``size`` that no zip can have.
        """
        content = content_of(name, files=files, archive=archive, raw=raw, size=size, seed=seed)
        values = {
            "digest": digest,
            "size_in_bytes": size_in_bytes,
            "expired": expired,
            "created_at": created_at,
            "updated_at": updated_at,
            "expires_at": expires_at,
            "content_type": content_type,
            "filename": filename,
            "kind": kind,
            "content_md5": content_md5,
            "workflow_run": workflow_run,
            "id": id,
        }
        return self.scenario.add_artifact(self._run(run), name, content, values).id

    def artifact(self, artifact_id: int) -> FakeArtifact:
        """Return an artifact as the fake holds it: its ``blob``, ``digest``, ``etag``, and so on."""
        return self.scenario.known_artifact(artifact_id)

    def content(self, artifact_id: int) -> bytes:
        """Return an artifact's stored bytes: what a download must return."""
        blob = self.artifact(artifact_id).blob
        return blob.read(0, blob.size)

    def remove_artifact(self, artifact_id: int) -> None:
        """Remove an artifact, without a request."""
        del self.scenario.artifacts[self.artifact(artifact_id).id]

    def expire_artifact(self, artifact_id: int) -> None:
        """Expire an artifact: it stays listed and can no longer be downloaded."""
        self.scenario.artifacts[artifact_id] = attrs.evolve(self.artifact(artifact_id), expired=True)

    def add_installation(
        self,
        app_id: int,
        repositories: Collection[str],
        *,
        permissions: Mapping[str, str] | None = None,
        lifetime: float = 3600.0,
        client_id: str | None = None,
        stateless: bool = False,
        id: int | None = None,  # noqa: A002 - the field's name
    ) -> FakeInstallation:
        """Install a GitHub App on ``repositories``; its tokens live ``lifetime`` seconds.

        Args:
            app_id: the App; JSON Web Tokens name it as ``iss``.
            repositories: ``owner/name`` each.
            permissions: None: ``{"actions": "write", "metadata": "read"}``.
            lifetime: seconds; GitHub gives an hour.
            client_id: the App's client ID, which JSON Web Tokens may name instead.
            stateless: tokens have the format of 2026: about 520 characters, with dots. A request's header
                ``X-GitHub-Stateless-S2S-Token: enabled`` or ``disabled`` overrides it.
            id: None: the next one.
        """
        allowed = {"actions": "write", "metadata": "read"} if permissions is None else permissions
        values = {"app_id": app_id, "permissions": allowed, "lifetime": lifetime, "id": id}
        values |= {"client_id": client_id, "stateless": stateless}
        return self.scenario.add_installation(repositories, values)

    def set_app_keys(self, app_id: int, *public_keys: str | bytes) -> None:
        """Check an App's JSON Web Tokens against these public keys (PEM) from now on; without any, all are revoked.

        By default signatures are not checked. It needs PyJWT, which the extra ``app`` installs.
        """
        if importlib.util.find_spec("jwt") is None:
            msg = 'the fake checks signatures with PyJWT: pip install "gh-artifacts-async[app]"'
            raise RuntimeError(msg)
        self._tokens.app_keys[str(app_id)] = public_keys

    def revoke_installation_tokens(self) -> None:
        """Reject (401) every installation token that was issued so far."""
        for token, minted in self._tokens.minted.items():
            self._tokens.minted[token] = attrs.evolve(minted, expires=self.clock.now())

    # -- behaviour ---------------------------------------------------------------------------------------------------

    @property
    def tokens(self) -> Collection[str] | None:
        """The tokens that are accepted, besides installation tokens; None, the default: any."""
        return self._tokens.accepted

    @tokens.setter
    def tokens(self, accepted: Collection[str] | None) -> None:
        self._tokens.accepted = accepted

    @property
    def scopeless_tokens(self) -> Collection[str]:
        """The tokens that may read listings, but download and delete nothing (403)."""
        return self._tokens.scopeless

    @scopeless_tokens.setter
    def scopeless_tokens(self, tokens: Collection[str]) -> None:
        self._tokens.scopeless = tokens

    @property
    def check_jwt_times(self) -> bool:
        """Whether the times in a GitHub App's JSON Web Token are checked against the fake's clock; default: yes."""
        return self._tokens.check_jwt_times

    @check_jwt_times.setter
    def check_jwt_times(self, check: bool) -> None:
        self._tokens.check_jwt_times = check

    def on_page(self, callback: Callable[[PageSeen], object] | None) -> None:
        """Call ``callback`` after each page of a listing; what it changes shows on the next. It may be async."""
        self._backend.listings.on_page = callback

    def set_link_options(self, *, shuffle: bool = False, omit_last: bool = False) -> None:
        """Put the parts of Link headers in random order, or omit ``last``: GitHub guarantees neither."""
        self._backend.listings.shuffle_links = shuffle
        self._backend.listings.omit_last_link = omit_last

    def set_rate_limit(
        self, *, limit: int = AUTHENTICATED, remaining: int | None = None, reset_in: float = 3600.0
    ) -> None:
        """Give every token this primary budget from now on, on Enterprise Server too.

        Args:
            limit: requests an hour.
            remaining: of them; None: all.
            reset_in: seconds until the next hour begins.
        """
        self._limits.set(limit=limit, remaining=limit if remaining is None else remaining, reset_in=reset_in)

    @property
    def rate_limits_enabled(self) -> bool:
        """Whether ``x-ratelimit-*`` headers are sent and the limit is enforced; off by default on Enterprise Server."""
        return self._limits.enabled

    @rate_limits_enabled.setter
    def rate_limits_enabled(self, enabled: bool) -> None:
        self._limits.enabled = enabled

    @property
    def enforce_secondary_limits(self) -> bool:
        """Whether more than 100 requests at once, or 900 points a minute for one endpoint, are refused; default: no."""
        return self._limits.secondary

    @enforce_secondary_limits.setter
    def enforce_secondary_limits(self, enforce: bool) -> None:
        self._limits.secondary = enforce

    # -- requests -------------------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[RequestRecord]:
        """Every request that arrived at either host, in order."""
        return self._journal.requests

    def requests_to(self, host: Host, artifact: int | None = None) -> list[RequestRecord]:
        """Return the requests to ``"api"`` or ``"storage"``, of one artifact if given."""
        return [
            record
            for record in self._journal.requests
            if record.host == host and artifact in {None, record.artifact_id}
        ]

    def forget_requests(self) -> None:
        """Forget all requests and reset all counts."""
        self._journal.forget()

    def bytes_sent(self, artifact: int | None = None) -> int:
        """Return the bytes of bodies that storage has sent, of one artifact if given; error bodies count too."""
        return sum(record.bytes_sent for record in self.requests_to("storage", artifact))

    @property
    def points(self) -> Counter[str]:
        """Operation id -> points spent: 1 for reading, 5 for writing."""
        return self._journal.points

    @property
    def max_concurrency(self) -> int:
        """The most API requests at once."""
        return self._journal.max_concurrency

    @property
    def max_storage_concurrency(self) -> int:
        """The most storage requests at once."""
        return self._journal.max_storage_concurrency
