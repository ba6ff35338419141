"""Artifacts as a file system of fsspec, ``ghartifacts://``: for pandas, DuckDB, Dask, pyarrow (extra ``fs``).

::

    import pandas as pd

    coverage = pd.read_csv("ghartifacts://octo-org/octo-docs/latest/coverage/summary.csv?branch=main")

A file is read out of the remote zip; the rest of the artifact is not downloaded. fsspec finds the file system by its
protocol, so a program need not import this module.
"""

from __future__ import annotations

try:
    import fsspec as _fsspec  # pyright: ignore[reportMissingTypeStubs]
except ModuleNotFoundError as _error:
    if _error.name != "fsspec":
        raise
    _msg = 'gh_artifacts_async.fs needs the extra "fs": pip install "gh-artifacts-async[fs]"'
    raise ImportError(_msg, name="fsspec") from None

from gh_artifacts_async.fs.filesystem import ArtifactsFileSystem
from gh_artifacts_async.fs.handles import ArtifactFile, AsyncArtifactFile

__all__ = ["ArtifactFile", "ArtifactsFileSystem", "AsyncArtifactFile"]

del _fsspec
