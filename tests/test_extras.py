"""Each extra is loaded where it is used and nowhere else, and one that is missing names itself in one line."""

from __future__ import annotations

import subprocess
import sys

import pytest

OPTIONAL = (
    "cyclopts",
    "dask",
    "distributed",
    "fsspec",
    "isal",
    "jq",
    "jwt",
    "limits",
    "obstore",
    "orjson",
    "redis",
    "rich",
)
WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name.partition(".")[0])

sys.meta_path.insert(0, Absent())
"""
NEEDS = {
    "app": (("jwt",), 'g.AppInstallationToken(7, b"key")'),
    "fs": (("fsspec",), "import gh_artifacts_async.fs"),
    "fleet": (("distributed", "dask"), "import gh_artifacts_async.budgets as b; b.DaskBudget(None)"),
    "fleet, for a mirror": (
        ("distributed", "dask"),
        'import asyncio, gh_artifacts_async.fleet as f; asyncio.run(f.mirror_repositories(None, ["o/r"], "."))',
    ),
    "shared": (("limits", "redis"), 'import gh_artifacts_async.budgets as b; b.RedisBudget("redis://h", key="k")'),
    "stores": (
        ("obstore",),
        'import asyncio; asyncio.run(g.ArtifactsClient("t").store(g.ArtifactRef("o/r", 1), None, "key"))',
    ),
    "stores, for many": (("obstore",), 'g.ArtifactsClient("t").store_many([], None)'),
}


def run(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program of its own."""
    arguments = [sys.executable, "-c", program]
    return subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=50)  # noqa: S603


@pytest.mark.realtime
def test_no_extra_is_loaded_by_the_package():
    """With every public name, the modules of low level, and a client."""
    ran = run(
        "import sys, gh_artifacts_async as g\n"
        "[getattr(g, name) for name in g.__all__]\n"
        "import gh_artifacts_async.api, gh_artifacts_async.archive, gh_artifacts_async.testing\n"
        "import gh_artifacts_async.budgets, gh_artifacts_async.stores\n"
        "g.ArtifactsClient('t')\n"
        f"print([name for name in {OPTIONAL!r} if name in sys.modules])"
    )
    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")


@pytest.mark.realtime
@pytest.mark.parametrize("need", NEEDS)
def test_a_missing_extra_names_itself(need):
    """In one line that says what to type."""
    missing, call = NEEDS[need]
    extra = need.partition(",")[0]
    ran = run(WITHOUT.format(missing=missing) + f"import gh_artifacts_async as g\n{call}\n")
    last = ran.stderr.strip().splitlines()[-1]
    assert last.endswith(f'pip install "gh-artifacts-async[{extra}]"'), ran.stderr
    assert ran.stderr.count("pip install") == 1
    assert "During handling" not in ran.stderr
