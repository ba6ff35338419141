"""The client's methods that ask, read and wait: find artifacts, read their members, wait until they are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async.client.storing import Storing
from gh_artifacts_async.models import RepositoryName

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from gh_artifacts_async.automation.asking import QueryPlan
    from gh_artifacts_async.automation.criteria import ArtifactQuery
    from gh_artifacts_async.automation.members import MemberContent
    from gh_artifacts_async.automation.watching import ArtifactWatch
    from gh_artifacts_async.models import Artifact, ArtifactRef, WorkflowRun
    from gh_artifacts_async.results import Outcome


class Automation(Storing):
    """Selection, members, waiting and watching; :mod:`gh_artifacts_async.automation` is imported by the first call."""

    def find_artifacts(self, repo: str | RepositoryName, query: ArtifactQuery) -> AsyncGenerator[Artifact]:
        """Yield the artifacts that a query selects, the newest first, with the fewest requests.

        ::

            query = ArtifactQuery(workflow="ci.yml", branch="main", names="wheels-*")
            async for artifact in client.find_artifacts("octo-org/octo-docs", query):
                print(artifact.name, artifact.created_at)

        By default these are the artifacts of the newest successful run that has a match. GitHub filters artifacts by
        name, and runs by branch, event, status, commit and actor; :meth:`explain` tells which requests a query takes.
        The selection is made when the first artifact is asked for, as a whole.

        Args:
            repo: ``"owner/name"``.
            query: what is asked for; see :class:`~gh_artifacts_async.ArtifactQuery`.

        Raises:
            NotFoundError: a run, artifact, pull request or workflow file that the query names does not exist.
            DuplicateArtifactsError: a run has several artifacts of the same name, with ``duplicates="error"``.
            ArtifactsError: GitHub answered with an error, or did not answer.
        """
        from gh_artifacts_async.automation import selection

        return selection.find_artifacts(self._github, RepositoryName.parse(repo), query)

    async def explain(self, repo: str | RepositoryName, query: ArtifactQuery) -> QueryPlan:
        """Make a selection, and return the requests it takes, and why each candidate was left out.

        ``print(await client.explain(repo, query))`` shows a line for each. The requests are made, since the answer to
        one decides which comes next; no artifact is downloaded.

        Args:
            repo: ``"owner/name"``.
            query: as for :meth:`find_artifacts`.

        Raises:
            ArtifactsError: as for :meth:`find_artifacts`.
        """
        from gh_artifacts_async.automation import selection

        return await selection.explain(self._github, RepositoryName.parse(repo), query)

    async def wait_for_artifact(
        self,
        repo: str | RepositoryName,
        name: str,
        *,
        run_id: int | None = None,
        timeout: float,  # noqa: ASYNC109 - a deadline with an error of its own
        interval: float = 15.0,
        fail_fast: bool = True,
    ) -> Artifact:
        """Wait until an artifact is there, and return it.

        It is the newest of that name, by (created_at, id), that has not expired; of the run, if one is given, else of
        the repository. One that exists already ends the wait at once. For more see :meth:`wait_for_artifacts`.

        Args:
            repo: ``"owner/name"``.
            name: exactly this name.
            run_id: only an artifact of this run.
            timeout: seconds of the whole wait, requests included.
            interval: seconds from the end of a poll to the next.
            fail_fast: with ``run_id``: end the wait as soon as the run has ended without success.

        Raises:
            ConfigurationError: an argument is invalid; nothing was requested.
            WaitTimeoutError: it has not come, or the run has ended successfully without it.
            RunFailedError: the run has ended without success.
            NotFoundError: there is no such repository or run, or the token has no access.
            ArtifactsError: GitHub answered with an error, or did not answer.
        """
        found = await self.wait_for_artifacts(
            repo, (name,), run_id=run_id, timeout=timeout, interval=interval, fail_fast=fail_fast
        )
        return found[name]

    async def wait_for_artifacts(
        self,
        repo: str | RepositoryName,
        names: Sequence[str],
        *,
        run_id: int | None = None,
        timeout: float,  # noqa: ASYNC109 - as above
        interval: float = 15.0,
        fail_fast: bool = True,
    ) -> dict[str, Artifact]:
        """Wait until an artifact of each name is there, and return the newest of each.

        A poll without ``run_id`` is one request for each name that is still missing. A poll with ``run_id`` is one
        listing of the run's artifacts, however many names there are, and one request for the run's state. Polls are
        conditional: a response that has not changed costs nothing of the primary rate limit. The last poll begins just
        in time for its answer to come before the deadline.

        GitHub lists some artifacts only after their run has ended. So the wait goes on for 30 seconds (at most to its
        deadline) after a run has ended successfully, unless that was more than ten minutes before the wait; if
        something is still missing then, it ends with a WaitTimeoutError *before* the deadline. A run that ends without
        success ends the wait at once, unless all is there or ``fail_fast`` is off; then the wait goes on to its
        deadline, since a re-run may succeed.

        Args:
            repo: ``"owner/name"``.
            names: exactly these names.
            run_id: only artifacts of this run.
            timeout: seconds of the whole wait, requests included.
            interval: seconds from the end of a poll to the next.
            fail_fast: with ``run_id``: end the wait as soon as the run has ended without success.

        Returns:
            name -> artifact, in the order of ``names``.

        Raises:
            ConfigurationError: an argument is invalid; nothing was requested.
            WaitTimeoutError: some have not come, or the run has ended successfully without them.
            RunFailedError: the run has ended without success.
            NotFoundError: there is no such repository or run, or the token has no access.
            ArtifactsError: GitHub answered with an error, or did not answer.
        """
        from gh_artifacts_async.automation import waiting

        where = RepositoryName.parse(repo)
        return await waiting.wait_for_artifacts(
            self._github, where, names, run_id=run_id, timeout=timeout, interval=interval, fail_fast=fail_fast
        )

    async def wait_for_run(
        self,
        repo: str | RepositoryName,
        run_id: int,
        *,
        timeout: float,  # noqa: ASYNC109 - as above
        interval: float = 15.0,
    ) -> WorkflowRun:
        """Wait until a workflow run has ended, whatever its conclusion, and return it.

        Args:
            repo: ``"owner/name"``.
            run_id: the run's id.
            timeout: seconds of the whole wait, requests included.
            interval: seconds from the end of a poll to the next; a poll is one conditional request.

        Raises:
            ConfigurationError: an argument is invalid; nothing was requested.
            WaitTimeoutError: it has not ended; the error has the run as last seen.
            NotFoundError: there is no such repository or run, or the token has no access.
            ArtifactsError: GitHub answered with an error, or did not answer.
        """
        from gh_artifacts_async.automation import waiting

        where = RepositoryName.parse(repo)
        return await waiting.wait_for_run(self._github, where, run_id, timeout=timeout, interval=interval)

    def watch(
        self,
        repo: str | RepositoryName,
        *,
        name: str | None = None,
        since: datetime | str | None = None,
        interval: float = 60.0,
    ) -> ArtifactWatch:
        """Watch a repository: an async iterator that yields each new artifact once, and does not end by itself.

        Without ``since``, what is there at the first poll is known, and whatever is listed later is new; the first
        poll reads one page, and what sorts below its oldest, by (created_at, id), counts as known. Nothing is lost or
        repeated when many artifacts come between two polls, when some are deleted, when ids do not grow with time, and
        when an artifact is listed up to five minutes after its ``created_at``; one that is listed later than that is
        found if it is among the 100 newest. One that comes and is deleted between two polls is not seen.

        Polls are conditional: while nothing changes they cost nothing of the primary rate limit. Failures that pass
        (no answer, a 5xx, a rate limit longer than ``Limits.max_pause``) do not end the watch: the next poll follows
        after the interval, and after a growing wait of up to 15 minutes if they go on; observers get a RequestRetried.
        Nor does a response that is not GitHub's, such as a proxy's page, unless it is the first one or the sixth in a
        row.

        Args:
            repo: ``"owner/name"``.
            name: only artifacts of exactly this name.
            since: a time (aware): artifacts created then or later are new. Or a stored ``cursor`` of a watch of the
                same repository and name: the watch continues there.
            interval: seconds from the end of a poll to the next.

        Raises:
            ConfigurationError: an argument is invalid (raised by the call itself).
            ArtifactsError: raised by the iteration: GitHub refuses, or its responses are not as documented.
        """
        from gh_artifacts_async.automation.watching import ArtifactWatch

        return ArtifactWatch(self._github, RepositoryName.parse(repo), name=name, since=since, interval=interval)

    def read_members(
        self,
        artifacts: Iterable[Artifact | ArtifactRef] | AsyncIterable[Artifact | ArtifactRef],
        names: str | Sequence[str],
        *,
        concurrency: int = 8,
        max_bytes: int = 16 * 2**20,
    ) -> AbstractAsyncContextManager[AsyncIterator[Outcome[MemberContent]]]:
        """Read the same files out of many artifacts, without downloading the rest; yield an outcome for each file.

        ::

            artifacts = client.list_run_artifacts(repo, run_id)
            async with client.read_members(artifacts, ["failures.txt", "reports/*.xml"]) as outcomes:
                async for outcome in outcomes:
                    if outcome.ok:
                        print(outcome.value.name, len(outcome.value.data))

        An artifact costs one request to GitHub, and two to storage: the archive's end, and the range of the files that
        lie together; one if they lie in the last 64 KiB. Storage without ranges sends the whole archive, once, into a
        temporary file.

        There is one outcome a file that matches, and one for an artifact that fails. A name without wildcards that an
        artifact lacks is a failure (MemberNotFoundError); a glob without a match gives no outcome. A file of more than
        ``max_bytes`` (ArchiveLimitError), or one that is damaged, is a failure of its own; the others are read. An
        artifact that was uploaded without zipping has one file, under its file name.

        As for :meth:`download_many`, the input may be endless and is read only as outcomes are taken, its own errors
        are raised here, leaving the block cancels the rest, and a rejected token, a full disk and a rate limit beyond
        ``Limits.max_pause`` stop new work.

        Args:
            artifacts: Artifacts or ArtifactRefs, from any iterable or async iterable.
            names: exact names, or globs that match the whole name as ``fnmatch.fnmatchcase`` does: ``*`` also
                matches ``/``.
            concurrency: artifacts at once; API requests have their own bound in ``Limits``.
            max_bytes: the largest file to accept, in uncompressed bytes. All files that were read and not yet taken,
                with what was fetched for them, have at most ``concurrency * max_bytes``.

        Raises:
            ConfigurationError: there is no token, or an argument is invalid; no request was sent.
        """
        from gh_artifacts_async.automation import members

        return members.read_members(
            self._context or self._transfers(), artifacts, names, concurrency=concurrency, max_bytes=max_bytes
        )

    async def read_latest(
        self, repo: str | RepositoryName, query: ArtifactQuery, member: str, *, max_bytes: int = 16 * 2**20
    ) -> MemberContent:
        """Return one file of the newest artifact that a query selects: from question to content in one call.

        ::

            query = ArtifactQuery(workflow="ci.yml", branch="main", names="coverage")
            report = await client.read_latest(repo, query, "coverage.json")
            print(report.artifact.created_at, report.text())

        Besides the requests of :meth:`find_artifacts`, it takes one to GitHub, and at most two to storage.

        Args:
            repo: ``"owner/name"``.
            query: as for :meth:`find_artifacts`; of several artifacts, the newest counts.
            member: the file's exact name in the archive; of an artifact that was uploaded without zipping, its file
                name.
            max_bytes: the largest uncompressed size to accept.

        Raises:
            ConfigurationError: there is no token, or an argument is invalid; no request was sent.
            NotFoundError: nothing matches the query.
            MemberNotFoundError: the artifact has no file of that name.
            ArchiveLimitError: its uncompressed size is more than ``max_bytes``.
            ArtifactsError: as for :meth:`find_artifacts` and :meth:`open_archive`.
        """
        from gh_artifacts_async.automation import members

        context = self._context or self._transfers()
        return await members.read_latest(context, RepositoryName.parse(repo), query, member, max_bytes=max_bytes)
