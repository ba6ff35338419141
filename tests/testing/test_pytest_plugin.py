"""The fixture for users' tests."""

from __future__ import annotations

import builtins
import importlib.util
import re
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent.parent

_CONFTEST = 'pytest_plugins = ["gh_artifacts_async.testing.pytest_plugin"]'
_TEST = """
import aiohttp
import pytest

{mark}
@pytest.mark.fake_github(profile="ghes-3.8")
async def test_marked(fake_github):
    run = fake_github.add_run("octo-org/octo-docs")
    fake_github.add_artifact(run, "Rails")
    async with aiohttp.ClientSession() as session:
        async with session.get(fake_github.base_url + "/repos/octo-org/octo-docs/actions/artifacts") as response:
            assert (await response.json())["total_count"] == 1

{mark}
async def test_plain(fake_github):
    assert fake_github.base_url.startswith("http://127.0.0.1:")
"""


@pytest.mark.realtime
@pytest.mark.slow
@pytest.mark.parametrize(("mode", "mark"), [("strict", "@pytest.mark.asyncio"), ("auto", "")])
def test_it_works_in_both_modes(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, mode: str, mark: str
) -> None:
    """The fixture starts and stops a fake in strict mode and in auto mode, without a warning."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeconftest(_CONFTEST)
    pytester.makepyfile(_TEST.format(mark=mark))
    arguments = ["-p", "no:randomly", "-W", "error", "--strict-markers", "-o", f"asyncio_mode={mode}"]
    result = pytester.runpytest_subprocess(*arguments, "-o", "asyncio_default_fixture_loop_scope=function")
    result.assert_outcomes(passed=2)


@pytest.mark.realtime
@pytest.mark.slow
def test_the_documentations_example_runs_as_pasted(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The two files that the documentation shows are a test suite that passes, without more configuration."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    page = (ROOT / "docs/howto/testing.md").read_text(encoding="utf-8").partition("## As a pytest fixture")[2]
    conftest, tests = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[:2]
    pytester.makeconftest(conftest)
    pytester.makepyfile(tests)
    # Unset, this option is a warning of pytest-asyncio's own, whatever the tests are.
    scope = ["-o", "asyncio_default_fixture_loop_scope=function"]
    result = pytester.runpytest_subprocess("-p", "no:randomly", "-W", "error", "--strict-markers", *scope)
    result.assert_outcomes(passed=2)


def test_it_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pytest-asyncio the error says what to install."""
    found = importlib.util.find_spec("gh_artifacts_async.testing.pytest_plugin")
    assert found is not None
    assert found.loader is not None
    real = builtins.__import__

    def without(name: str, *rest: object, **more: object) -> object:
        if name == "pytest_asyncio":
            raise ModuleNotFoundError(name)
        return real(name, *rest, **more)  # type: ignore[arg-type]

    module = importlib.util.module_from_spec(found)
    monkeypatch.delitem(sys.modules, "pytest_asyncio")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"gh-artifacts-async\[testing\]"):
        found.loader.exec_module(module)
