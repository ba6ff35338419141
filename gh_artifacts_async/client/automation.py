"""The client's methods that ask, read and wait: find artifacts, read their members, wait until they are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async.client.transfers import Transfers
from gh_artifacts_async.models import RepositoryName

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gh_artifacts_async.automation.asking import QueryPlan
    from gh_artifacts_async.models import Artifact
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
