"""``python -m gh_artifacts_async.testing``: the fake GitHub as a server for other programs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gh_artifacts_async.testing.data.zips import make_zip
from gh_artifacts_async.testing.fake import FakeGitHub
from gh_artifacts_async.testing.faults.chaos import ChaosProxy
from gh_artifacts_async.testing.options import arguments

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


_SAMPLES = {
    "coverage": {"summary.json": '{"percent": 91.5}\n', "index.html": "<h1>91.5 % covered</h1>\n"},
    "docs": {"index.html": "<h1>Docs</h1>\n"},
    "wheel-linux": {"demo-1.0-cp311-linux_x86_64.whl": "a wheel\n"},
    "wheel-macos": {"demo-1.0-cp311-macosx_11_0_arm64.whl": "a wheel\n"},
}
"""What the examples of the README ask for."""


def _content(path: Path) -> dict[str, Any]:
    """Return what ``add_artifact`` takes for a folder, a zip or another file."""
    if path.suffix == ".zip" and path.is_file():
        return {"archive": path.read_bytes()}
    files = [path] if path.is_file() else sorted(it for it in path.rglob("*") if it.is_file())
    root = path.parent if path.is_file() else path
    return {"archive": make_zip({it.relative_to(root).as_posix(): it.read_bytes() for it in files})}


def _fill(github: FakeGitHub, options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Add the artifacts and faults that the options ask for; return each repository's run and artifacts.

    Raises:
        LookupError: a fault is for an artifact that is not there.
        ValueError: a name, size, number or fault that cannot be.
    """
    found: dict[str, dict[str, Any]] = {}
    contents = [(name, _content(path)) for name, path in options.artifact]
    for repo in options.repo:
        run = github.add_run(repo)
        ids = [github.add_artifact(run, name, **content) for name, content in contents]
        samples = _SAMPLES if options.samples else {}
        ids += [github.add_artifact(run, name, files=files) for name, files in samples.items()]
        ids += [
            github.add_artifact(run, f"artifact-{number}", size=options.size, seed=number)
            for number in range(1, options.artifacts + 1)
        ]
        found[repo] = {"run_id": run.id, "artifact_ids": ids}
    every: list[int] = [artifact_id for repo in found.values() for artifact_id in repo["artifact_ids"]]

    def find(artifact: int | str) -> int:
        if isinstance(artifact, int):
            return every[artifact - 1] if 1 <= artifact <= len(every) else artifact
        named = [artifact_id for artifact_id in every if github.artifact(artifact_id).name == artifact]
        if not named:
            msg = f"there is no artifact named {artifact!r}"
            raise LookupError(msg)
        return named[0]

    for fault in (*options.faults, *options.fault):
        fault.script(github.faults, find)
    if options.token:
        github.tokens = set(options.token)
    if options.rate_limit is not None:
        github.set_rate_limit(limit=options.rate_limit)
    github.enforce_secondary_limits = options.secondary_limits
    return found


def _facts(github: FakeGitHub, options: argparse.Namespace, repositories: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return what a script needs to know, as JSON."""
    trusted = options.tls_ca or options.tls_cert
    token = options.token[0] if options.token else "demo"
    return {
        "api": github.base_url,
        "storage": github.storage_url,
        # No token of a real host: this variable counts only for hosts other than github.com.
        "env": {"GITHUB_API_URL": github.base_url, "GH_ENTERPRISE_TOKEN": token},
        "ca_file": None if trusted is None else str(Path(trusted).absolute()),
        "repositories": repositories,
        "pid": os.getpid(),
    }


def _banner(facts: dict[str, Any], options: argparse.Namespace) -> str:
    """Return where it is, and commands that work as printed in a POSIX shell."""
    repo, count = options.repo[0], sum(len(found["artifact_ids"]) for found in facts["repositories"].values())
    listing = f"{facts['api']}/repos/{repo}/actions/artifacts"
    trusted = shlex.quote(facts["ca_file"] or "")
    trust, cacert = (f"--ca-file {trusted} ", f"--cacert {trusted} ") if facts["ca_file"] else ("", "")
    variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in facts["env"].items())
    token = facts["env"]["GH_ENTERPRISE_TOKEN"]
    authorization = shlex.quote(f"Authorization: Bearer {token}")
    lines = [
        f"API      {facts['api']}",
        f"storage  {facts['storage']}",
        f"token    {'or '.join(options.token) if options.token else 'any, such as demo'}",
        f"data     {count} artifacts in {', '.join(options.repo)}",
        f"shell    export {variables}",
        f"list     {variables} gh-artifacts {trust}list {shlex.quote(repo)}",
        # -g: an IPv6 address is in brackets, which curl would expand.
        f"curl     curl -g {cacert}-H {authorization} {shlex.quote(f'{listing}?per_page=3')}",
        "stop     Ctrl-C",
    ]
    return "\n".join(lines)


async def serve(options: argparse.Namespace) -> None:
    """Run until SIGINT, SIGTERM or SIGHUP.

    Raises:
        LookupError: a fault is for an artifact that is not there.
        OSError: a port is taken, or the ready file cannot be written.
        ValueError: a name, size, number or fault that cannot be.
    """
    if options.ready_file:
        options.ready_file.unlink(missing_ok=True)  # of a run that was killed
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None:
            try:
                loop.add_signal_handler(number, stop.set)
            except NotImplementedError:  # Windows: Ctrl-C raises KeyboardInterrupt there
                signal.signal(number, signal.default_int_handler)
    async with AsyncExitStack() as stack:
        github = await _start(stack, options)
        facts = _facts(github, options, _fill(github, options))
        document = json.dumps(facts)
        if options.ready_file:
            stack.callback(options.ready_file.unlink, missing_ok=True)
            _write(options.ready_file, document + "\n")
        sys.stdout.write((document if options.json else _banner(facts, options)) + "\n")
        sys.stdout.flush()
        await stop.wait()


async def _start(stack: AsyncExitStack, options: argparse.Namespace) -> FakeGitHub:
    """Start the fake, and proxies before it if there is to be chaos."""
    ports = (0, 0) if options.chaos else (options.port, options.storage_port)
    github = FakeGitHub(
        options.profile,
        host=options.host,
        port=ports[0],
        storage_port=ports[1],
        ssl_context=options.ssl_context,
        url_ttl=options.url_ttl,
        same_host_storage=options.same_host_storage,
        byte_exact_urls=options.byte_exact_urls,
    )
    await stack.enter_async_context(github)
    if options.chaos:
        share, seed = options.chaos
        targets = ((github.base_url, options.port), (github.storage_url, options.storage_port))
        proxies = [ChaosProxy(url, host=options.host, port=port) for url, port in targets]
        for proxy in proxies:
            proxy.at_random(share, seed=seed)
            await stack.enter_async_context(proxy)
        github.advertise(api=proxies[0].url, storage=proxies[1].url)
    return github


def _write(path: Path, text: str) -> None:
    """Write a file that is there as a whole or not at all: a script waits for it."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the server and return the exit code: 0, or 2 if it cannot start."""
    options = arguments(argv)
    with contextlib.suppress(KeyboardInterrupt):
        try:
            asyncio.run(serve(options))
        except (LookupError, OSError, ValueError) as error:
            sys.stderr.write(f"python -m gh_artifacts_async.testing: error: {error}\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
