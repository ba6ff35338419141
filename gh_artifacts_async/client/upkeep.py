"""The client's methods that keep things in order: clean up, mirror, and tell what uses the storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async.client.automation import Automation
from gh_artifacts_async.models import RepositoryName

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from gh_artifacts_async.automation.criteria import ArtifactQuery, RetentionPolicy
    from gh_artifacts_async.automation.mirror import MirrorReport
    from gh_artifacts_async.automation.retention import CleanupPlan
    from gh_artifacts_async.automation.usage import StorageUsage
    from gh_artifacts_async.events import Observer
    from gh_artifacts_async.results import Outcome
    from gh_artifacts_async.settings import ExtractPolicy, Layout, StrPath


class Upkeep(Automation):
    """Retention, mirroring and usage; :mod:`gh_artifacts_async.automation` is imported by the first call."""

    async def plan_cleanup(self, repo: str | RepositoryName, policy: RetentionPolicy) -> CleanupPlan:
        """Return which of a repository's artifacts a policy deletes, and why; nothing is deleted.

        The whole repository is listed before anything is decided. What is not known, such as the branch of an artifact
        where branches are protected, is a reason to keep it. Show the plan, and pass it to :meth:`apply_cleanup`.

        Args:
            repo: ``"owner/name"``.
            policy: what may be deleted; see :class:`~gh_artifacts_async.RetentionPolicy`.

        Raises:
            ArtifactsError: GitHub answered with an error, or did not answer.
        """
        from gh_artifacts_async.automation import cleanup

        return await cleanup.plan_cleanup(self._github, RepositoryName.parse(repo), policy)

    def apply_cleanup(
        self, plan: CleanupPlan, *, max_age: float | None = 3600.0
    ) -> AbstractAsyncContextManager[AsyncIterator[Outcome[None]]]:
        """Delete what a plan says, in its order; yield an outcome for each artifact.

        ::

            async with client.apply_cleanup(plan) as outcomes:
                async for outcome in outcomes:
                    ...

        Nothing beyond the plan is deleted. Deletions are sent one at a time, ``Limits.mutation_interval`` (1 second)
        apart. An artifact that does not exist any more counts as deleted, so the same plan can be applied again after
        an interruption. Leaving the block cancels what is left.

        The failure of one artifact is its outcome and is never raised. A rejected token, a missing permission, a
        repository that is not found and a rate limit beyond ``Limits.max_pause`` end it: nothing more is sent, and what
        is left gets that error as its outcome.

        Args:
            plan: from :meth:`plan_cleanup`, or from ``CleanupPlan.of(artifacts)``.
            max_age: longest time since the plan was made, in seconds; None for any.

        Raises:
            ConfigurationError: there is no token, or an argument is invalid; no request was sent.
            PlanRefusedError: the plan is older than ``max_age``; no request was sent.
        """
        from gh_artifacts_async.automation import cleanup

        return cleanup.apply_cleanup(self._github, plan, max_age=max_age)

    async def storage_usage(self, repo: str | RepositoryName) -> StorageUsage:
        """Return what takes up a repository's storage: by artifact name, by age and by branch.

        The whole repository is listed. Expired artifacts are counted, but take up no storage.

        Args:
            repo: ``"owner/name"``.

        Raises:
            ArtifactsError: GitHub answered with an error, or did not answer.
        """
        from gh_artifacts_async.automation import usage

        return await usage.storage_usage(self._github, RepositoryName.parse(repo))

    async def mirror(
        self,
        repo: str | RepositoryName,
        directory: StrPath,
        *,
        query: ArtifactQuery | None = None,
        layout: Layout = "id",
        prune: bool = False,
        verify: bool = False,
        extract: bool | ExtractPolicy = False,
        link: bool = True,
        durable: bool = False,
        concurrency: int = 8,
        observer: Observer | None = None,
    ) -> MirrorReport:
        """Keep a folder equal to a query, across runs: fetch what is new, and with ``prune`` remove what is gone.

        A manifest in the folder, ``.gh-artifacts-mirror.json``, says what is there; a run in which nothing is new sends
        no request to storage. A run that was killed is continued by the next. Artifacts of the same digest are fetched
        once: the others become hard links of the first, or copies where the file system has no links, so **an edit in
        place of one changes all of them**. Extracted folders, and artifacts without a digest, are fetched each.

        What is there stays where it is, also if the layout changes, and after it has expired. The failure of one
        artifact is reported and does not end the run; a rejected token, a full disk and a rate limit beyond
        ``Limits.max_pause`` stop new work, and prune nothing.

        Args:
            repo: ``"owner/name"``.
            directory: created, with parents, if missing; one run at a time works in it.
            query: which artifacts; None for all that have not expired, for which no workflow run is looked up.
            layout: as for :meth:`download_many`.
            prune: remove what the query no longer selects and has not expired, but nothing that the mirror has not
                written, or that was changed since; a new artifact may then take the place of one that is removed.
            verify: read everything that is there, and fetch again what differs, whoever changed it. Without it,
                only what is missing is fetched again.
            extract: as for :meth:`download`; a mirror holds either archives or folders.
            link: False for copies rather than hard links.
            durable: fsync each file and its folder.
            concurrency: transfers at once.
            observer: called with the events of this run, in addition to the client's observer.

        Raises:
            ConfigurationError: there is no token, an argument is invalid, or the folder is a mirror of something else.
            PlanRefusedError: another mirror is at work in the folder; or, with ``prune``, the listing failed, or is
                empty while the mirror is not.
            DestinationExistsError: two artifacts have the same destination, or the manifest cannot be read; nothing
                was fetched.
            ArtifactsError: the listing failed, without ``prune``.
            OSError: the manifest could not be written.
        """
        from gh_artifacts_async.automation.mirror import mirror
        from gh_artifacts_async.automation.mirror_plan import MirrorOptions

        options = MirrorOptions.checked(
            layout=layout,
            prune=prune,
            verify=verify,
            extract=extract,
            link=link,
            durable=durable,
            concurrency=concurrency,
        )
        where = RepositoryName.parse(repo)
        return await mirror(
            self._context or self._transfers(), where, directory, options, query=query, observer=observer
        )
