"""The client's methods that keep things in order: what they check before they ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async import ClientClosedError, ConfigurationError
from tests.kits.transfer import REPO, client_for

if TYPE_CHECKING:
    from pathlib import Path

    from gh_artifacts_async import ArtifactsClient
    from gh_artifacts_async.testing import FakeGitHub


async def test_mirror_of_no_repository(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A name that no repository can have is an error before anything is asked or written."""
    with pytest.raises(ConfigurationError, match="is not a repository name"):
        await client.mirror("octo", tmp_path / "mirror")
    assert github.requests == []
    assert list(tmp_path.iterdir()) == []


async def test_mirror_with_a_closed_client(github: FakeGitHub, tmp_path: Path) -> None:
    """A client that is closed mirrors nothing, and leaves the folder alone."""
    async with client_for(github) as client:
        pass
    with pytest.raises(ClientClosedError):
        await client.mirror(REPO, tmp_path / "mirror")
    assert list(tmp_path.iterdir()) == []


async def test_mirror_into_a_file(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A file in the folder's place is the system's kind of error, before anything is asked."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileExistsError):
        await client.mirror(REPO, tmp_path / "file")
    assert github.requests == []
