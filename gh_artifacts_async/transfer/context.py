"""What the transfers of one client share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.api import endpoints
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.transfer.disk.writer import Writer
from gh_artifacts_async.transfer.storage.targets import StorageSession

if TYPE_CHECKING:
    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.results import SignedURL


@attrs.define
class TransferContext:
    """The way to GitHub, the way to its storage, and the worker thread.

    Attributes:
        github: signs URLs.
        storage: gives bytes.
        writer: writes them.
    """

    github: GitHubSession
    storage: StorageSession
    writer: Writer


async def sign(tools: TransferContext, artifact: Artifact) -> SignedURL:
    """Ask for a signed URL of an artifact's bytes.

    Raises:
        ConfigurationError: the artifact does not say its repository.
        ArtifactsError: as :func:`~gh_artifacts_async.api.get_download_url`.
    """
    if artifact.repository is None:
        msg = f"artifact {artifact.id} does not say its repository; take it from a listing, or use ArtifactRef"
        raise ConfigurationError(msg)
    return await endpoints.get_download_url(
        tools.github, artifact.repository, artifact.id, known_expired=artifact.expired
    )
