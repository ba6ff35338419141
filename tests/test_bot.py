"""The bot of docs/examples/bot and its tests, as a reader copies them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.kits.examples import check_types, kit_blocks
from tests.kits.processes import environment

ROOT = Path(__file__).parent.parent
BOT = ROOT / "docs" / "examples" / "bot"
TESTS = 8


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the bot, without anything of this repository around it."""
    return Path(shutil.copytree(BOT, tmp_path / "bot", ignore=shutil.ignore_patterns("__pycache__", ".*")))


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_its_tests_pass(copy: Path, mode: str) -> None:
    """In both modes of pytest-asyncio all of them pass, and nothing warns; in auto mode they need no marks."""
    if mode == "auto":
        suite = copy / "test_coverage_bot.py"
        suite.write_text(suite.read_text(encoding="utf-8").replace("@pytest.mark.asyncio\n", ""), encoding="utf-8")
    command = ["pytest", "-q", "-W", "error", "--strict-markers", "--strict-config", f"--asyncio-mode={mode}"]
    done = subprocess.run(  # noqa: S603  fixed
        [sys.executable, "-m", *command, "-p", "no:inline_snapshot"],
        cwd=copy,
        env={**environment(copy), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{TESTS} passed in" in done.stdout


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.timeout(300)
def test_type_checkers_accept_it(copy: Path) -> None:
    """Mypy and basedpyright, both strict, find nothing in the bot, in its tests and in the blocks of the page."""
    conftest, tests, _, faults, hook = kit_blocks()
    given = (
        "from gh_artifacts_async.testing import FakeGitHub\n\n\ndef do(github: FakeGitHub, artifact_id: int) -> None:\n"
    )
    blocks = {"of_conftest": conftest, "of_tests": tests, "of_hook": hook}
    for name, source in {**blocks, "of_faults": given + textwrap.indent(faults, "    ")}.items():
        (copy / f"{name}.py").write_text(source, encoding="utf-8")
    check_types(copy)


def test_it_is_small_and_shown() -> None:
    """The bot has 40 to 80 lines, and the how-to guide shows it, its fixtures, its settings and its tests."""
    assert 40 <= (BOT / "coverage_bot.py").read_text(encoding="utf-8").count("\n") <= 80
    page = (ROOT / "docs" / "howto" / "testing.md").read_text(encoding="utf-8")
    for path in BOT.glob("*.py"):
        assert f"```{{literalinclude}} ../examples/bot/{path.name}\n" in page
    assert f"```ini\n{(BOT / 'pytest.ini').read_text(encoding='utf-8')}```" in page
