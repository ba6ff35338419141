"""Every message in the guide to troubleshooting is one that this package prints or raises."""

from __future__ import annotations

import ast
import asyncio
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import ArtifactsClient, ArtifactsError, CleanupPlan, RetryPolicy
from tests.kits.archives import Entry, build

if TYPE_CHECKING:
    from collections.abc import Callable

    from gh_artifacts_async import Artifact
    from tests.cli.conftest import Ran, Server

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "gh_artifacts_async"
REPO = "octo-org/octo-docs"
OTHERS = {"Unclosed client session", "asyncio.run() cannot be called from a running event loop"}
"""Messages of aiohttp and Python."""

NOT_RUN = {
    "refused the connection to …",
    "no secure connection to …",
    "it was silent for longer than Timeouts.read",
    "free some space and run again, finished files are kept",
    "GitHub's … rate limit was reached; continuing in …",
    "another mirror is at work in …",
    "nothing was pruned: GitHub lists no artifact, but …",
    "its name could not be resolved",
    "authorize the token for single sign-on at …",
}
"""Messages whose cause takes a proxy, a resolver, a disk or time: other tests bring them about."""


@cache
def quotes() -> list[str]:
    """Return the messages in the first column of the tables."""
    page = (ROOT / "docs" / "howto" / "troubleshooting.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`.*?`[^|]*) \|", page, re.MULTILINE)
    return [quote for cell in cells for quote in re.findall(r"`([^`]+)`", cell) if quote not in OTHERS]


@cache
def texts() -> str:
    """Return every string in the package's source, a line each, with ``…`` for what is filled in."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found.append("".join(str(it.value) if isinstance(it, ast.Constant) else "…" for it in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return "\n".join(found)


def pattern(quote: str) -> str:
    """Return what matches a message that is quoted; an ellipsis is whatever differs."""
    return ".*".join(map(re.escape, quote.split("…")))


@pytest.mark.slow
def test_the_source_has_what_is_not_run() -> None:
    """A message that no command below prints is in the package's source, ellipses where values are filled in."""
    assert [quote for quote in sorted(NOT_RUN) if quote.strip(" …") not in texts()] == []


class Commands:
    """Runs commands that are expected to fail, and keeps what they print."""

    def __init__(self, server: Server, cli: Callable[..., Ran]) -> None:
        self.server = server
        self.faults = server.github.faults
        self.cli = cli
        self.said: list[str] = []
        self.good = server.run(workflow="ci.yml", branch="main")
        self.failed = server.run(workflow="ci.yml", branch="dev", conclusion="failure")
        self.docs = server.artifact(self.good, "docs", size=20_000)

    def run(self, *words: object, fault: Callable[[], object] | None = None) -> None:
        """Run a command while the fake has a fault."""
        if fault is not None:
            self.server.call(fault)
        ran = self.cli(*words)
        assert ran.code, f"{words} was expected to fail"
        self.said.append(ran.err)
        self.server.call(self.faults.clear)


def requests(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run commands whose requests fail."""
    run, server, faults, docs = commands.run, commands.server, commands.faults, commands.docs
    github = server.github
    with monkeypatch.context() as patch:
        patch.delenv("GH_ENTERPRISE_TOKEN")
        run("download", REPO, docs)
        patch.setenv("GH_TOKEN", "secret-token")
        run("download", REPO, docs)
        patch.setenv("GH_ENTERPRISE_TOKEN", "a b")
        run("list", REPO)
    github.tokens = {"another"}
    run("list", REPO)
    github.tokens = None
    github.scopeless_tokens = {"secret-token"}
    run("download", REPO, docs)
    github.scopeless_tokens = set()
    run("show", REPO, 7)
    run("show", REPO, docs, fault=faults.forbidden)

    server.artifact(commands.failed, "built")
    run("download", REPO, "--name", "built", "--branch", "dev")
    run("download", REPO, "--name", "nothing")
    run("download", REPO, server.artifact(commands.good, "old", expired=True))
    run("cat", REPO, docs, "nothing.txt")
    run("runs", REPO, "--workflow", "nope.yml")
    run("download", REPO)

    run("list", REPO, fault=lambda: faults.rate_limit(reset_in=7200))
    run("list", REPO, fault=lambda: faults.secondary_limit(retry_after=7200))

    run("list", REPO, fault=lambda: faults.reset(None, where="api", times=None))
    with monkeypatch.context() as patch:
        patch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        run("list", REPO)
    run("list", REPO, fault=lambda: faults.html(None, where="api", times=None))
    run("list", REPO, fault=lambda: faults.status(None, 502, where="api", times=None))
    run("download", REPO, docs, fault=lambda: faults.cut(docs, at=50, times=None))
    run("download", REPO, docs, fault=lambda: faults.expire_url(docs, times=None))
    run("download", REPO, docs, fault=lambda: faults.status(docs, 503, times=None))
    run("download", REPO, docs, fault=lambda: faults.corrupt(docs, times=None))


def files(commands: Commands) -> None:
    """Run commands that fail for what is in a folder or in an archive, or for what does not come."""
    run, server, cli, good, docs = commands.run, commands.server, commands.cli, commands.good, commands.docs
    Path("docs.zip").write_text("notes", encoding="utf-8")
    run("download", REPO, docs)
    first = server.artifact(good, "wheels", size=20_000, seed=1)
    assert cli("download", REPO, first).code == 0
    second = server.artifact(good, "wheels", size=20_000, seed=2)
    run("download", REPO, "--name", "wheels")
    run("download", REPO, first, second)

    archives = {
        "evil": build(Entry("../evil.sh", b"rm")),
        "link": build(Entry("link", b"target", attributes=0o120777 << 16)),
        "bomb": build(Entry("zeros", bytes(101 * 2**20), method=8)),
        "cut": build(Entry("a", b"a"))[:-10],
    }
    for name, archive in archives.items():
        run("download", REPO, server.artifact(good, name, archive=archive), "--extract")
    large = server.artifact(good, "large", files={"large.txt": "x" * 5000})
    run("cat", REPO, large, "large.txt", "--max-bytes", 1000)
    for name in ("linux", "macos"):
        server.artifact(good, f"wheels-{name}", files={"LICENSE": name})
    run("download", REPO, "--run", good.id, "--pattern", "wheels-*", "--merge", "--dir", "dist")

    run("wait", REPO, "late", "--timeout", "0.1", "--interval", "0.1")
    run("wait", REPO, "late", "--run", commands.failed.id)
    run("delete", REPO, docs)


async def entered(call: Callable[[], Any]) -> None:
    """Make a call that returns a context manager, and enter it."""
    async with call():
        pass


async def of_calls(url: str) -> list[str]:
    """Return what calls raise when something is wrong."""
    said = []

    async def failing(call: Any) -> None:
        with pytest.raises(ArtifactsError) as caught:
            await call
        said.append(str(caught.value))

    async with ArtifactsClient("t0ken", base_url=url) as client:
        found: list[Artifact] = [artifact async for artifact in client.list_artifacts(REPO)]
        large = next(artifact for artifact in found if artifact.name == "large")
        twins = [artifact for artifact in found if artifact.name == "wheels"]
        await failing(client.read_member(large, "large.txt", max_bytes=1000))
        await failing(client.read_member(large, "nothing.txt"))
        await failing(client.count_artifacts("octo-docs"))
        plan = CleanupPlan.of(found[:1])
        await asyncio.sleep(0.01)
        await failing(entered(lambda: client.apply_cleanup(plan, max_age=0)))
        await failing(entered(lambda: client.download_many(twins, ".", layout="name")))
    await failing(client.count_artifacts(REPO))
    async with ArtifactsClient(base_url=url) as nobody:
        await failing(nobody.download(large, "."))
    once = RetryPolicy(attempts=1)
    async with ArtifactsClient("t0ken", base_url="http://127.0.0.1:9", retry=once) as lonely:
        await failing(lonely.count_artifacts(REPO))
    with pytest.raises(ArtifactsError, match="the token is empty or contains") as caught:
        ArtifactsClient("t0 ken")
    said.append(str(caught.value))
    with pytest.raises(ArtifactsError, match="unencrypted") as caught:
        ArtifactsClient("t0ken", base_url="http://github.example.com/api/v3")
    return [*said, str(caught.value)]


def of_two_loops(url: str) -> str:
    """Return what a client raises on a second event loop."""
    client = ArtifactsClient("t0ken", base_url=url)
    first, second = asyncio.SelectorEventLoop(), asyncio.SelectorEventLoop()
    first.run_until_complete(client.count_artifacts(REPO))
    with pytest.raises(ArtifactsError) as caught:
        second.run_until_complete(client.count_artifacts(REPO))
    first.run_until_complete(client.aclose())
    first.close()
    second.close()
    return str(caught.value)


@pytest.mark.slow
@pytest.mark.usefixtures("no_waiting")
def test_it_is_printed_or_raised(server: Server, cli: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each message, but for a few whose cause is outside, is what a command prints or a call raises."""
    commands = Commands(server, cli)
    requests(commands, monkeypatch)
    files(commands)
    said = commands.said
    said += asyncio.run(of_calls(server.url))
    said.append(of_two_loops(server.url))
    everything = "\n".join(said)
    missing = [quote for quote in quotes() if quote not in NOT_RUN and not re.search(pattern(quote), everything)]
    assert not missing, everything
    assert set(quotes()) >= NOT_RUN
