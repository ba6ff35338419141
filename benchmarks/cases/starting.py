"""Starting: imports, and the help text of the command line."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import goals
from benchmarks.cases.base import MIB, SCRIPTS, Case, nginx
from benchmarks.cases.checks import check_help
from benchmarks.runner import Plan, Rival, SkipError
from benchmarks.tools import WORK, child_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.cases.base import Bench

_ORDINARY = 4 * MIB  # bytes of an artifact whose download imports what downloads need


def _imported_by_a_download(bench: Bench) -> Path:
    """Download an artifact; return a file with the names of all modules that are there then.

    Raises:
        SkipError: it failed.
    """
    names = WORK / "modules"
    with nginx(bench, bench.datasets.noise_blobs(1, _ORDINARY)) as server, tempfile.TemporaryDirectory() as out:
        script = str(SCRIPTS / "ours_download.py")
        command = [sys.executable, script, f"api={server.api}", f"out={out}", f"modules={names}"]
        done = subprocess.run(command, env=child_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        msg = f"the download whose imports are meant failed: {done.stderr.strip()[-300:]}"
        raise SkipError(msg)
    return names


@contextmanager
def g9(bench: Bench) -> Iterator[Plan]:
    """Prepare imports."""
    theirs = bench.rivals or "no-venv"
    names = _imported_by_a_download(bench)
    rivals = [
        Rival("ours", (sys.executable, "-c", "from gh_artifacts_async import ArtifactsClient")),
        Rival(goals.FIRST, (sys.executable, str(SCRIPTS / "import_all.py"), f"modules={names}")),
        Rival("import aiohttp", (sys.executable, "-c", "import aiohttp")),
        Rival("import githubkit", (theirs, "-c", "from githubkit import GitHub")),
        Rival("import PyGithub", (theirs, "-c", "from github import Github")),
        Rival("python alone", (sys.executable, "-c", "pass")),
    ]
    plan = Plan(rivals)
    program = Path(sysconfig.get_path("scripts"), "gh-artifacts")
    if importlib.util.find_spec("gh_artifacts_async.cli") is not None and program.exists():
        shown = Rival("gh-artifacts --help", (str(program), "--help"), check=check_help)
        plan.rivals = [*rivals, shown, Rival("gh-artifacts --version", (str(program), "--version"))]
    else:
        plan.skipped["gh-artifacts --help"] = "not there yet"
    yield bench.plan("G9", plan)


G9 = Case("G9", "starting: imports and --help", g9, ("nginx",), lambda _: 2 * _ORDINARY, more_rounds=3)
