"""fsspec's own tests of file systems, those of reading; what they would write is an artifact here."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.tests.abstract import AbstractFixtures, AbstractGetTests

from tests.kits.fs import REPO, add, mounted

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from gh_artifacts_async.fs import ArtifactsFileSystem
    from gh_artifacts_async.testing import FakeGitHub

pytestmark = [pytest.mark.realtime, pytest.mark.slow]


def packed(folder: Path) -> bytes:
    """Return a folder as a zip, its empty folders included."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return buffer.getvalue()


class Fixtures(AbstractFixtures):
    """Scenarios that fsspec writes to a local folder, uploaded as artifacts."""

    @pytest.fixture
    def fs(self, served: FakeGitHub) -> Generator[ArtifactsFileSystem]:
        with mounted(served) as made:
            yield made

    @pytest.fixture
    def fs_path(self) -> str:
        return REPO

    @pytest.fixture
    def supports_empty_directories(self) -> bool:
        return True

    @pytest.fixture
    def uploaded(self, served: FakeGitHub, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Any], str]:
        def upload(write: Callable[[Any, Any, str], str]) -> str:
            folder = tmp_path_factory.mktemp("scenario")
            source = write(LocalFileSystem(auto_mkdir=True), os.path.join, str(folder))
            return f"{REPO}/{add(served, archive=packed(folder))}/{Path(source).relative_to(folder).as_posix()}"

        return upload

    @pytest.fixture
    def fs_bulk_operations_scenario_0(self, uploaded: Callable[[Any], str]) -> str:
        return uploaded(self._bulk_operations_scenario_0)

    @pytest.fixture
    def fs_glob_edge_cases_files(self, uploaded: Callable[[Any], str]) -> str:
        return uploaded(self._glob_edge_cases_files)

    @pytest.fixture
    def fs_dir_and_file_with_same_name_prefix(self, uploaded: Callable[[Any], str]) -> str:
        return uploaded(self._dir_and_file_with_same_name_prefix)

    @pytest.fixture
    def fs_10_files_with_hashed_names(self, uploaded: Callable[[Any], str]) -> str:
        return uploaded(self._10_files_with_hashed_names)


class TestGet(Fixtures, AbstractGetTests):
    """Copying to a local folder."""

    def test_get_directory_recursive(
        self, served: FakeGitHub, fs: ArtifactsFileSystem, local_fs: LocalFileSystem, local_join: Any, local_target: str
    ) -> None:
        """As fsspec's test of this name, which writes the source itself: to a new folder, and again, into it."""
        source = f"{REPO}/{add(served, files={'src/file': b'data'})}/src"
        fs.get(source, local_target, recursive=True)
        assert local_fs.find(local_target) == [local_join(local_target, "file")]
        fs.get(source, local_target, recursive=True)
        assert local_fs.find(local_target) == [
            local_join(local_target, "file"),
            local_join(local_target, "src", "file"),
        ]
        fs.get(f"{source}/", local_target, recursive=True)
        assert len(local_fs.find(local_target)) == 2
