"""The examples of the how-to guide run, one after the other."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pytest

from gh_artifacts_async.fs import ArtifactsFileSystem
from tests.kits import examples

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gh_artifacts_async.testing import FakeGitHub

pytestmark = [pytest.mark.realtime, pytest.mark.once, pytest.mark.slow, pytest.mark.sample]

REPO = "octo-org/octo-docs"
PAGE = examples.ROOT / "docs" / "howto" / "pandas-duckdb.md"


@pytest.fixture
def environment(served: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three runs whose artifacts have timings and reports; the environment names the fake, and has a token for it."""
    frame = pd.DataFrame({"suite": ["unit", "slow"], "test": ["a", "b"], "seconds": [1.5, 40.0]})
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    files = {"timings.csv": frame.to_csv(index=False).encode(), "timings.parquet": buffer.getvalue()}
    for _ in range(3):
        run = served.add_run(REPO, branch="main")
        served.add_artifact(run, "coverage", files={**files, "junit/unit.xml": b"<tests/>"})
    for name in ("GH_TOKEN", "GITHUB_TOKEN", "GH_HOST", "GITHUB_ENTERPRISE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GITHUB_API_URL", served.base_url)
    monkeypatch.setenv("GH_ENTERPRISE_TOKEN", "token")
    monkeypatch.setenv("CI_TOKEN", "token-of-ci")
    monkeypatch.chdir(tmp_path)
    yield
    for made in ArtifactsFileSystem._cache.values():
        made.close()
    ArtifactsFileSystem.clear_instance_cache()


@pytest.mark.usefixtures("environment")
def test_the_guide(served: FakeGitHub, tmp_path: Path) -> None:
    """Each example says what it should, and the one of Dask takes the token that it names."""
    said = io.StringIO()
    names: dict[str, Any] = {}
    found = examples.examples(PAGE)
    with contextlib.redirect_stdout(said):
        for example in found:
            exec(compile(example.source, f"{example.page}:{example.line}", "exec"), names)  # noqa: S102  our own
    assert len(found) == 5
    text = said.getvalue()
    assert "3 b'<tests/>'" in text
    assert f"{REPO}/latest None None" in text
    assert "unit     1.5" in text
    assert "40.0" in text
    assert "\n6\n" in text
    assert len(list((tmp_path / "reports").glob("*/junit/unit.xml"))) == 3
    used = {record.headers["Authorization"] for record in served.requests_to("api")}
    assert used == {"Bearer token", "Bearer token-of-ci"}
    names["connection"].close()
    assert duckdb.__version__
