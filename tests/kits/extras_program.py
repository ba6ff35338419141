"""Run by ``.ci/packages`` in an environment that has the wheel with one extra: ``extras_program.py [EXTRA]``.

It imports nothing of the tests and nothing of the checkout. The package does its work on a fake GitHub with the core
dependencies; what the extra enables works as well; and each other extra, unless its packages came along, names itself.
"""

from __future__ import annotations

import asyncio
import importlib
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import warnings
from typing import TYPE_CHECKING

import gh_artifacts_async as g
from gh_artifacts_async.testing import FakeGitHub

if TYPE_CHECKING:
    from collections.abc import Callable

REPO = "octo-org/octo-docs"
ROOMS = ("api", "archive", "budgets", "errors", "fleet", "stores", "testing")
"""What can be imported without any extra."""
BRINGS = {"fleet": {"fs"}}
"""Extras whose packages another extra needs as well: dask reads through fsspec."""


def core(extra: str) -> str:
    """List, download, verify and unpack; say which libraries of the extra ``speed`` did it."""
    for room in ROOMS:
        importlib.import_module(f"gh_artifacts_async.{room}")
    if None in [getattr(g, name) for name in g.__all__]:
        raise AssertionError(g.__all__)

    async def work(folder: str) -> g.DownloadResult:
        async with FakeGitHub() as github, g.ArtifactsClient("token", base_url=github.base_url) as client:
            github.add_artifact(github.add_run(REPO), "Rails", files={"log.txt": b"text" * 1000})
            artifacts = [artifact async for artifact in client.list_artifacts(REPO)]
            return await client.download(artifacts[0], folder, extract=True)

    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(work(folder))
        text = (result.path / "log.txt").read_bytes()
    if (result.verified, text) != ("digest", b"text" * 1000):
        raise AssertionError(result)
    fast = {name for name in ("isal", "orjson") if name in sys.modules}
    if fast != ({"isal", "orjson"} if extra == "speed" else set()):
        raise AssertionError(fast)
    return f"{len(g.__all__)} public names"


def app() -> None:
    """Sign with a key that is made here."""
    try:
        from cryptography.hazmat.primitives import serialization as it
        from cryptography.hazmat.primitives.asymmetric import rsa
    except ImportError:
        key = b"key"
    else:
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        key = made.private_bytes(it.Encoding.PEM, it.PrivateFormat.TraditionalOpenSSL, it.NoEncryption())
    g.AppInstallationToken(7, key, installation_id=1)


def cli() -> None:
    """Show the help of a command, and use jq, with the script that the wheel has installed."""
    script = shutil.which("gh-artifacts", path=sysconfig.get_path("scripts"))
    if script is None:
        msg = "the wheel has not installed gh-artifacts"
        raise AssertionError(msg)
    for command in ([script, "list", "--help"], [sys.executable, "-m", "gh_artifacts_async", "--help"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed commands
        if done.returncode:
            raise ImportError(done.stderr)
    with FakeGitHub() as github:
        github.add_artifact(github.add_run(REPO), "Rails")
        command = [script, "list", REPO, "--api-url", github.base_url, "--jq", ".[].name"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - as above
    if (done.returncode, done.stdout.strip().strip('"')) != (0, "Rails"):
        raise AssertionError(done)


def fleet() -> None:
    """Ask for what a cluster is needed for; there is none."""
    budgets = importlib.import_module("gh_artifacts_async.budgets")
    try:
        budgets.DaskBudget(None)
    except g.ConfigurationError as error:
        if "pip install" in str(error):
            raise
    import distributed

    del distributed


def fs() -> None:
    """Read a file by fsspec, which finds the file system by its entry point."""
    importlib.import_module("gh_artifacts_async.fs")
    import fsspec  # type: ignore[import-untyped, unused-ignore]

    with FakeGitHub() as github:
        it = github.add_artifact(github.add_run(REPO), "Rails", files={"log.txt": b"text"})
        files = fsspec.filesystem("ghartifacts", token="token", base_url=github.base_url)
        if files.cat_file(f"{REPO}/{it}/log.txt") != b"text":
            raise AssertionError(files)
        files.close()


def shared() -> None:
    """Make a budget; nothing is connected before it is used."""
    budgets = importlib.import_module("gh_artifacts_async.budgets")
    budgets.RedisBudget("redis://127.0.0.1:1", key="k")


def stores() -> None:
    """Store an artifact in memory."""
    try:
        from obstore.store import MemoryStore
    except ImportError:
        store = None
    else:
        store = MemoryStore()

    async def work() -> g.StoredResult:
        async with FakeGitHub() as github, g.ArtifactsClient("token", base_url=github.base_url) as client:
            it = github.add_artifact(github.add_run(REPO), "Rails", files={"log.txt": b"text"})
            return await client.store(g.ArtifactRef(REPO, it), store, "key")  # type: ignore[arg-type, unused-ignore]

    result = asyncio.run(work())
    if result.key != "key":
        raise AssertionError(result)


def testing() -> None:
    """Load the plugin that has the fixture."""
    importlib.import_module("gh_artifacts_async.testing.pytest_plugin")


EXTRAS: dict[str, Callable[[], None]] = {  # "speed" is used where it is there, and missed by nobody: core() looks
    "app": app,
    "cli": cli,
    "fleet": fleet,
    "fs": fs,
    "shared": shared,
    "stores": stores,
    "testing": testing,
}


def missing(name: str) -> str | None:
    """Use an extra; return None if that works, or what it says when its packages are not there."""
    try:
        EXTRAS[name]()
    except (ImportError, g.ConfigurationError) as error:
        return str(error)
    return None


def main(extra: str) -> int:
    """Check one environment and print one line about it; the exit code is 1 if something is wrong."""
    expected = {extra, *BRINGS.get(extra, ())}
    wrong = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of the core; what a package of an extra warns of is its own business
        told = core(extra)
    for name in EXTRAS:
        said = missing(name)
        if (said is None) != (name in expected):
            wrong.append(f"{name}: {said or 'works without its extra'}")
        elif said is not None and f'pip install "gh-artifacts-async[{name}]"' not in said:
            wrong.append(f"{name} does not name itself: {said}")
    version = ".".join(map(str, sys.version_info[:2]))
    missed = " ".join(name for name in EXTRAS if name not in expected)
    sys.stdout.write(
        f"Python {version}, {f'[{extra}]' if extra else 'no extra'}: {told}; missing and named: {missed}\n"
    )
    sys.stderr.writelines(f"  {line}\n" for line in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
