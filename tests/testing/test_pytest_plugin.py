"""The fixture for users' tests."""

from __future__ import annotations

import asyncio
import builtins
import importlib.util
import sys
import urllib.request
from pathlib import Path

import pytest

from gh_artifacts_async.testing import FakeGitHub, pytest_plugin
from tests.kits.examples import kit_blocks

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent.parent

PLUGIN = "gh_artifacts_async.testing.pytest_plugin"

# This suite does not use the plugin; this module has its fixtures.
fake_github = pytest_plugin.fake_github
on_the_loop = pytest_plugin._function

KINDS = """
import asyncio
import json
import urllib.request

import aiohttp
import pytest

URL = "{}/repos/octo-org/octo-docs/actions/artifacts"

async def listed(github):
    github.add_artifact(github.add_run("octo-org/octo-docs"), "Rails")
    async with aiohttp.ClientSession() as session, session.get(URL.format(github.base_url)) as response:
        return (await response.json())["total_count"]

@pytest.mark.asyncio
async def test_plain(fake_github):
    assert fake_github.base_url.startswith("http://127.0.0.1:")
    assert await listed(fake_github) == 1
    assert fake_github.clock._loop is asyncio.get_running_loop()

@pytest.mark.asyncio
@pytest.mark.fake_github("ghes-3.8", url_ttl=5)
async def test_marked(fake_github):
    assert fake_github.base_url.endswith("/api/v3")
    assert await listed(fake_github) == 1

@pytest.mark.asyncio(loop_scope="module")
async def test_loop_of_the_module(fake_github):
    assert await listed(fake_github) == 1
    assert fake_github.clock._loop is asyncio.get_running_loop()

@pytest.mark.asyncio(loop_scope="session")
async def test_loop_of_the_session(fake_github):
    assert await listed(fake_github) == 1

@pytest.mark.asyncio(loop_scope="class")
class TestClass:
    async def test_loop_of_the_class(self, fake_github):
        assert await listed(fake_github) == 1

@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_of_anyio(fake_github, anyio_backend):
    assert await listed(fake_github) == 1

def test_without_asyncio(fake_github):
    assert asyncio.run(listed(fake_github)) == 1
    with urllib.request.urlopen(URL.format(fake_github.base_url), timeout=10) as response:
        assert json.load(response)["total_count"] == 1
    assert len(fake_github.requests) == 2
"""


async def test_on_the_loop_of_the_test(fake_github: FakeGitHub) -> None:
    """In a coroutine test the fake lives on its loop, and by its clock."""
    assert fake_github.clock._loop is asyncio.get_running_loop()
    before = fake_github.clock.now()
    await asyncio.sleep(3600)
    assert (fake_github.clock.now() - before).total_seconds() >= 3600


@pytest.mark.realtime
def test_in_a_thread(fake_github: FakeGitHub) -> None:
    """In any other test it lives in a thread."""
    with urllib.request.urlopen(f"{fake_github.base_url}/versions", timeout=10) as response:  # noqa: S310  our own
        assert response.status == 200


@pytest.mark.realtime
@pytest.mark.slow
@pytest.mark.parametrize(("mode", "how"), [("strict", "conftest"), ("auto", "-p"), ("auto", "xdist")])
def test_every_kind_of_test(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, mode: str, how: str) -> None:
    """In both modes, however the plugin is named, the fixture serves every kind of test, without a warning."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(KINDS)
    arguments = ["-p", "no:randomly", "-p", "no:inline_snapshot", "-W", "error", "--strict-markers"]
    arguments += ["-o", f"asyncio_mode={mode}", "-o", "asyncio_default_fixture_loop_scope=function", "--timeout=20"]
    if how == "-p":
        arguments += ["-p", PLUGIN]
    else:
        pytester.makeconftest(f'pytest_plugins = ["{PLUGIN}"]')
    if how == "xdist":
        arguments += ["-n", "2"]
    result = pytester.runpytest_subprocess(*arguments)
    result.assert_outcomes(passed=7)


@pytest.mark.realtime
@pytest.mark.slow
@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_the_documentations_example_runs_as_pasted(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """The three files that the documentation shows are a test suite that passes, without more configuration."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    conftest, tests, ini = kit_blocks()[:3]
    if mode == "auto":
        tests = tests.replace("@pytest.mark.asyncio\n", "")
    pytester.makeconftest(conftest)
    pytester.makepyfile(tests)
    (pytester.path / "pytest.ini").write_text(ini, encoding="utf-8")
    result = pytester.runpytest_subprocess("-W", "error", "--strict-markers", f"--asyncio-mode={mode}")
    result.assert_outcomes(passed=2)


@pytest.mark.realtime
@pytest.mark.slow
def test_the_documentations_hook_runs_as_pasted(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the hook that the documentation shows, a test that sleeps for an hour with a fake takes no time."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    conftest, _, ini, _, hook = kit_blocks()
    pytester.makeconftest(f"{conftest}\n{hook}")
    pytester.makepyfile(
        """
        import asyncio
        import pytest

        @pytest.mark.asyncio
        async def test_an_hour(fake_github):
            began = fake_github.clock.now()
            await asyncio.sleep(3600)
            assert (fake_github.clock.now() - began).total_seconds() >= 3600
        """
    )
    (pytester.path / "pytest.ini").write_text(ini, encoding="utf-8")
    result = pytester.runpytest_subprocess("-W", "error", "--strict-markers", "--timeout=20")
    result.assert_outcomes(passed=1)


async def test_the_documentations_faults(github: FakeGitHub) -> None:
    """Each fault that the documentation names can be scripted as it stands there."""
    artifact_id = github.add_artifact(github.add_run("a/b"), "x")
    source = kit_blocks()[3]
    exec(source, {"github": github, "artifact_id": artifact_id})  # noqa: S102  our own documentation
    assert len(github.faults.script) == source.count("\n")


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
