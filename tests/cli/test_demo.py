from __future__ import annotations

from pathlib import Path

import pytest

from gh_artifacts_async.cli import demo, demo_data
from gh_artifacts_async.testing import FakeGitHub

pytestmark = pytest.mark.realtime


@pytest.mark.github_com("ranges")
@pytest.mark.slow
def test_the_demo_tells_the_whole_story_twice(bare_cli, tmp_path):
    """Listing over pages, a break and an expired URL survived, every digest verified; again in the same folder."""
    for _ in range(2):
        ran = bare_cli("demo", "--artifacts", 120)
        assert (ran.code, ran.err) == (0, "")
        for said in (
            "Listed 120 artifacts on 2 pages",
            ": resumed at",
            ": requested a new URL: the signed URL has expired",
            "artifacts listed    120 on 2 pages",
            "downloaded          50",
            "resumed             1 cut connection",
            "renewed             1 expired URL",
            "verified by digest  50 of 50",
            "skipped on repeat   50 of 50",
            "MB/s",
            "GH_TOKEN=... python -m gh_artifacts_async download OWNER/REPO --all",
        ):
            assert said in ran.out
        files = [path for path in (tmp_path / "artifacts-demo").iterdir() if not path.name.startswith(".")]
        assert len(files) == 50
        assert any(path.suffix == ".html" for path in files)


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("artifacts", [2, 6])
def test_a_small_demo(bare_cli, artifacts):
    """Even two artifacts show both faults."""
    ran = bare_cli("demo", "--artifacts", artifacts, "--dir", "d")
    assert ran.code == 0
    assert "1 cut connection" in ran.out
    assert "1 expired URL" in ran.out
    assert f"verified by digest  {artifacts} of {artifacts}" in ran.out
    assert "more" not in ran.out


def test_a_quiet_demo_is_its_table(bare_cli):
    """--quiet leaves the summary."""
    ran = bare_cli("--quiet", "demo", "--artifacts", 3)
    assert ran.out.startswith("artifacts listed")
    assert ran.out.count("\n") == 10


@pytest.mark.usefixtures("eager")
def test_a_demo_on_a_terminal_draws_bars(cli, terminal):
    """The bars are on standard error, the story on standard output."""
    ran = cli("demo", "--artifacts", 5)
    assert "of 5 done" in terminal.getvalue()
    assert "\x1b" not in ran.out


def test_the_demo_writes_over_nothing_of_others(bare_cli, tmp_path):
    """A folder with something else in it is refused; an empty one is taken."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/file").write_text("")
    (tmp_path / "file").write_text("")
    for name in ("mine", "file"):
        ran = bare_cli("demo", "--dir", name)
        assert ran.code == 2
        assert "choose another --dir" in ran.err
    (tmp_path / "empty").mkdir()
    assert bare_cli("demo", "--artifacts", 1, "--dir", "empty").code == 0


def test_a_failure_in_the_demo_is_told(bare_cli, monkeypatch):
    """Should something fail after all, the demo says so and has the failure's exit code."""

    def ruin(github: FakeGitHub, chosen: list) -> None:
        github.faults.status(chosen[-1].id, 404, times=None)

    monkeypatch.setattr(demo_data, "script_faults", ruin)
    ran = bare_cli("demo", "--artifacts", 7)
    assert ran.code == 1
    assert "error: " in ran.err


def test_at_most_as_many_as_anyone_would_wait_for(bare_cli):
    """The number of artifacts has an end."""
    assert bare_cli("demo", "--artifacts", demo_data.MOST + 1).code == 2
    assert demo.MOST_DOWNLOADED == 50


def test_what_to_type(monkeypatch, tmp_path):
    """The program's name where a shell finds it; else its path, or how Python runs the package."""
    monkeypatch.setattr("shutil.which", lambda _name: None)
    monkeypatch.setattr("sys.argv", [str(tmp_path / ".venv-demo" / "bin" / "gh-artifacts")])
    assert demo._program() == str(Path(".venv-demo/bin/gh-artifacts"))
    monkeypatch.setattr("sys.argv", ["somewhere/__main__.py"])
    assert demo._program() == "python -m gh_artifacts_async"
    monkeypatch.setattr("shutil.which", lambda name: f"bin/{name}")
    assert demo._program() == "gh-artifacts"
