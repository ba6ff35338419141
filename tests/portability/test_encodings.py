"""What a program writes where UTF-8 is not the default: on a console of Windows, in the files beside a download."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gh_artifacts_async
import tests.conftest as suite

pytestmark = pytest.mark.once

PACKAGE = Path(gh_artifacts_async.__file__).parent
_EVERYTHING = """
import importlib, pkgutil, gh_artifacts_async
for found in pkgutil.walk_packages(gh_artifacts_async.__path__, "gh_artifacts_async."):
    if not found.name.endswith(("__main__", "pytest_plugin")):
        importlib.import_module(found.name)
"""


def ran(*arguments: str, encoding: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run Python as in a console of another encoding; it warns of what opens a file without naming one."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("GH_", "GITHUB_", "PYTHON"))}
    environ |= {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": encoding}
    environ |= {"PYTHONPATH": str(PACKAGE.parent), "PYTHONWARNDEFAULTENCODING": "1"}
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, *arguments], capture_output=True, check=False, cwd=folder, env=environ, timeout=55
    )


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii", "utf-8"])
def test_the_demo(tmp_path: Path, encoding: str) -> None:
    """Everything that the command line says can be said in any of them."""
    done = ran("-W", "error::EncodingWarning", "-m", "gh_artifacts_async", "demo", encoding=encoding, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "verified by digest" in done.stdout.decode(encoding)


@pytest.mark.slow
def test_every_module(tmp_path: Path) -> None:
    """No module opens a file, as it is imported, in an encoding that depends on the system."""
    done = ran("-c", _EVERYTHING, encoding="ascii", folder=tmp_path)
    assert done.returncode == 0
    assert str(PACKAGE) not in done.stderr.decode()


def test_no_text_without_an_encoding() -> None:
    """No call that opens text, or reads a program's output as text, leaves the encoding to the system."""
    opens = re.compile(r'\.(?:read|write)_text\((?![^\n]*encoding)|\btext=True\b(?!\))|\bopen\([^()\n]*"[rwa]t?"\)')
    found = [
        f"{path.relative_to(PACKAGE)}: {line.strip()}"
        for path in PACKAGE.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if opens.search(line) and "def " not in line and "touch = write_text" not in line
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "is_posix"),
    [
        ("import fcntl", True),
        ("from tests.kits.network import slow", True),
        ("from tests.kits import api, terminal", True),
        ("    import fcntl", False),
        ("from tests.kits import ports", False),
    ],
)
def test_modules_left_out_on_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, *, is_posix: bool
) -> None:
    """The suite can be collected on Windows: without the modules that need what only POSIX has."""
    module = tmp_path / "test_x.py"
    module.write_text(line + "\n", encoding="utf-8")
    assert suite.pytest_ignore_collect(module) is None
    monkeypatch.setattr(suite.sys, "platform", "win32")
    left_out = suite.pytest_ignore_collect(module)
    monkeypatch.undo()
    assert bool(left_out) is is_posix
