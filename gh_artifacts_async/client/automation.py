"""The client's methods that ask, read and wait: find artifacts, read their members, wait until they are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async.client.transfers import Transfers
from gh_artifacts_async.models import RepositoryName

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Sequence
    from contextlib import AbstractAsyncContextManager

    from gh_artifacts_async.automation.asking import QueryPlan
    from gh_artifacts_async.automation.members import MemberContent
    from gh_artifacts_async.models import Artifact, ArtifactRef
    from gh_artifacts_async.results import Outcome
    from gh_artifacts_async.settings import ArtifactQuery


class Automation(Transfers):
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
            names: exact names, or globs that match the whole name as :func:`fnmatch.fnmatchcase` does: ``*`` also
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
