"""pandas, pyarrow, DuckDB and Dask read through the file system, with few requests."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import duckdb
import fsspec
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest

from gh_artifacts_async.fs import ArtifactsFileSystem
from tests.kits.fs import CSV, REPO, add, kinds, large, zipped
from tests.kits.zips import noise

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from gh_artifacts_async.testing import FakeGitHub

pytestmark = pytest.mark.realtime


@pytest.fixture
def options(served: FakeGitHub) -> Generator[dict[str, Any]]:
    """Options of an instance that fsspec caches, as programs use it."""
    given = {"token": "token", "base_url": served.base_url}
    yield given
    ArtifactsFileSystem(**given).close()
    ArtifactsFileSystem.clear_instance_cache()


def parquet(rows: int, start: int = 0) -> bytes:
    """Return a table as Parquet."""
    buffer = io.BytesIO()
    pq.write_table(pa.table({"id": range(start, start + rows), "name": [f"n{at}" for at in range(rows)]}), buffer)
    return buffer.getvalue()


@pytest.mark.slow
@pytest.mark.sample
def test_pandas_reads_a_small_file_of_a_large_artifact(served: FakeGitHub, options: dict[str, Any]) -> None:
    """One CSV file of an artifact of 100 MB: at most 4 requests and less than 200 KB."""
    artifact_id = add(served, archive=large(100_000_000))
    url = f"ghartifacts://{REPO}/{artifact_id}/report.csv"
    found = pd.read_csv(url, storage_options=options)
    assert found.equals(pd.read_csv(io.BytesIO(CSV)))
    assert len(served.requests) <= 4
    assert served.bytes_sent() < 200_000
    assert pd.read_csv(url, storage_options=options).equals(found)
    assert len(served.requests) <= 4  # it is kept


def test_pandas(served: FakeGitHub, options: dict[str, Any]) -> None:
    """It reads a file that is named by its branch, compressed files too, Parquet, and text."""
    table = parquet(100)
    files = {"report.csv": CSV, "report.csv.gz": pd.io.common.gzip.compress(CSV), "table.parquet": table}
    add(served, "coverage", archive=zipped(files, stored=("table.parquet",)))
    base = f"ghartifacts://{REPO}/latest/coverage"
    expected = pd.read_csv(io.BytesIO(CSV))
    assert pd.read_csv(f"{base}/report.csv?branch=main", storage_options=options).equals(expected)
    assert pd.read_csv(base.replace("latest", "latest;branch=main") + "/report.csv.gz", storage_options=options).equals(
        expected
    )
    found = pd.read_parquet(f"{base}/table.parquet?branch=main", storage_options=options)
    assert found.equals(pd.read_parquet(io.BytesIO(table)))
    with fsspec.open(f"{base}/report.csv?branch=main", "rt", **options) as file:
        assert file.readline() == "name,seconds\n"
    (opened,) = fsspec.open_files(f"{base}/*.csv?branch=main", **options)
    with opened as file:
        assert file.read() == CSV
    (opened,) = fsspec.open_files([f"{base}/report.csv?branch=main"], **options)
    with opened as file:
        assert file.read() == CSV


def test_parquet_that_is_stored(served: FakeGitHub, options: dict[str, Any]) -> None:
    """A large stored Parquet file is read by few requests, and not as a whole if a part is enough."""
    buffer = io.BytesIO()
    columns = {f"c{at}": pa.array(list(noise(60_000, at))) for at in range(3)}
    pq.write_table(pa.table(columns), buffer)
    artifact_id = add(
        served, archive=zipped({"t.parquet": buffer.getvalue(), "z": noise(99_999)}, stored=("t.parquet",))
    )
    found = pd.read_parquet(f"ghartifacts://{REPO}/{artifact_id}/t.parquet", storage_options=options)
    assert found.equals(pd.read_parquet(buffer))
    assert len(served.requests) <= 5


@pytest.mark.github_com("ranges")
def test_pyarrow_dataset(served: FakeGitHub, options: dict[str, Any]) -> None:
    """A dataset over several artifacts."""
    ids = [add(served, archive=zipped({"t.parquet": parquet(50, 50 * at), "z": noise(99_999)})) for at in range(4)]
    fs = ArtifactsFileSystem(**options)
    dataset = pads.dataset([f"{REPO}/{number}/t.parquet" for number in ids], filesystem=fs, format="parquet")
    assert sorted(dataset.to_table()["id"].to_pylist()) == list(range(200))
    assert len(served.requests) <= 4 * len(ids)
    folder = pads.dataset(f"{REPO}/{ids[0]}", filesystem=fs, format="parquet", exclude_invalid_files=True)
    assert folder.count_rows() == 50


@pytest.mark.slow
def test_duckdb(served: FakeGitHub, options: dict[str, Any]) -> None:
    """20 remote artifacts: at most 4.3 requests each."""
    ids = [add(served, archive=large(200_000)) for _ in range(20)]
    connection = duckdb.connect()
    connection.register_filesystem(ArtifactsFileSystem(**options))
    urls = [f"ghartifacts://{REPO}/{number}/report.csv" for number in ids]
    assert connection.execute("select count(*) from read_csv(?)", [urls]).fetchall() == [(20 * 2000,)]
    assert len(served.requests) <= 4.3 * len(ids)
    served.forget_requests()
    latest = f"ghartifacts://{REPO}/latest/docs/report.csv?branch=main"
    assert connection.execute("select sum(seconds) from read_csv(?)", [latest]).fetchall() == [
        (sum(at % 7 for at in range(2000)),)
    ]
    assert len(served.requests) <= 5
    every = f"ghartifacts://{REPO}/*/report.csv"
    assert connection.execute("select count(*) from read_csv(?)", [every]).fetchall() == [(20 * 2000,)]
    connection.close()


@pytest.mark.slow
def test_dask(served: FakeGitHub, options: dict[str, Any]) -> None:
    """20 remote artifacts through Dask's threads: at most 4.3 requests each."""
    import dask.dataframe as dd

    ids = [add(served, archive=large(200_000)) for _ in range(20)]
    urls = [f"ghartifacts://{REPO}/{number}/report.csv" for number in ids]
    frame = dd.read_csv(urls, storage_options=options, blocksize=None)
    assert int(frame.seconds.sum().compute(scheduler="threads")) == 20 * sum(at % 7 for at in range(2000))
    assert len(served.requests) <= 4.3 * len(ids)


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(180)
def test_dask_processes(served: FakeGitHub, tmp_path: Path) -> None:
    """100 remote artifacts by two worker processes, which take the token from their environment."""
    served.tokens = {"by-environment"}
    ids = [add(served, archive=large(200_000)) for _ in range(100)]
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM)
    environment = {**os.environ, "CI_TOKEN": "by-environment"}
    environment.pop("GH_TOKEN", None)
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, str(program), served.base_url, REPO, *map(str, ids)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=os.getcwd(),  # noqa: PTH109
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 100 * sum(at % 7 for at in range(2000))
    assert len(served.requests) <= 4.3 * len(ids)
    assert all(record.status < 400 for record in served.requests)


_PROGRAM = """
import sys
import dask.dataframe as dd
import fsspec
from dask.distributed import Client, LocalCluster
from gh_artifacts_async.fs import ArtifactsFileSystem

def register():
    fsspec.register_implementation("ghartifacts", ArtifactsFileSystem, clobber=True)

if __name__ == "__main__":
    register()
    base_url, repo, *ids = sys.argv[1:]
    with LocalCluster(n_workers=2, threads_per_worker=2, processes=True, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            client.run(register)
            urls = [f"ghartifacts://{repo}/{number}/report.csv" for number in ids]
            options = {"base_url": base_url, "token_env": "CI_TOKEN"}
            frame = dd.read_csv(urls, storage_options=options, blocksize=None)
            print(int(frame.seconds.sum().compute()))
"""


@pytest.mark.github_com("ranges")
def test_requests_of_one_read(served: FakeGitHub, options: dict[str, Any]) -> None:
    """Looking at a file, opening it and reading it takes four requests in all, or three if it is in the tail."""
    far, near = add(served, archive=large(200_000)), add(served)
    fs = ArtifactsFileSystem(**options)
    for number, count in [(far, 4), (near, 3)]:
        served.forget_requests()
        path = f"{REPO}/{number}/report.csv"
        assert fs.info(path)["size"] == len(CSV)
        assert fs.exists(path)
        with fs.open(path) as file:
            assert file.read() == CSV
        assert fs.cat_file(path, 5, 9) == CSV[5:9]
        assert fs.glob(path) == [path]
        assert len(kinds(served)) == count
