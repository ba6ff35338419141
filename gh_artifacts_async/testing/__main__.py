"""``python -m gh_artifacts_async.testing``: the fake GitHub as a server for other programs."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import signal
import sys
from typing import TYPE_CHECKING

from gh_artifacts_async.testing.fake import FakeGitHub

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gh_artifacts_async.testing.faults.fault import Fault
    from gh_artifacts_async.testing.faults.script import Faults

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_FAULTS: dict[str, Callable[[Faults, int | None], Fault]] = {
    "corrupt": lambda faults, times: faults.corrupt(times=times),
    "cut": lambda faults, times: faults.cut(times=times),
    "drip": lambda faults, times: faults.drip(times=times),
    "expire_url": lambda faults, times: faults.expire_url(times=times),
    "garbage": lambda faults, times: faults.garbage(times=times),
    "gzip": lambda faults, times: faults.gzip(times=times),
    "html": lambda faults, times: faults.html(times=times),
    "ignore_range": lambda faults, times: faults.ignore_range(times=times),
    "no_length": lambda faults, times: faults.no_length(times=times),
    "no_reply": lambda faults, times: faults.no_reply(times=times),
    "rate_limit": lambda faults, times: faults.rate_limit(times=times),
    "reset": lambda faults, times: faults.reset(times=times),
    "secondary_limit": lambda faults, times: faults.secondary_limit(times=times, retry_after=2),
    "slow_headers": lambda faults, times: faults.slow_headers(times=times),
    "stall": lambda faults, times: faults.stall(times=times),
    "truncate_clean": lambda faults, times: faults.truncate_clean(times=times),
    "unavailable": lambda faults, times: faults.status(None, 503, times=times),
}


def _size(text: str) -> int:
    match = re.fullmatch(r"(\d+)([KMG]?)i?B?", text, re.IGNORECASE)
    if match is None:
        msg = f"{text!r} is no size; write 4096, 64K or 2M"
        raise argparse.ArgumentTypeError(msg)
    return int(match[1]) * _UNITS[match[2].upper()]


def _fault(text: str) -> tuple[str, int | None]:
    name, _, times = text.partition("=")
    if name not in _FAULTS or not re.fullmatch(r"\d*|always", times):
        msg = f"{text!r} is no fault; write NAME, NAME=3 or NAME=always, with one of {', '.join(_FAULTS)}"
        raise argparse.ArgumentTypeError(msg)
    return name, None if times == "always" else int(times or 1)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m gh_artifacts_async.testing", description="Run a fake GitHub on loopback."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="of the API (default: a free one)")
    parser.add_argument("--storage-port", type=int, default=0, help="of the storage host (default: a free one)")
    parser.add_argument("--profile", default="github.com", help="github.com, or ghes-3.4 to ghes-3.22")
    parser.add_argument("--repo", default="octo-org/octo-docs", help="OWNER/NAME (default: %(default)s)")
    parser.add_argument("--artifacts", type=int, default=10, metavar="N", help="how many (default: %(default)s)")
    parser.add_argument("--size", type=_size, help="of each artifact, e.g. 64K (default: a small text file in a zip)")
    parser.add_argument("--url-ttl", type=float, metavar="SECONDS", help="life of signed URLs (default: as on GitHub)")
    parser.add_argument(
        "--fault", type=_fault, action="append", default=[], metavar="NAME[=TIMES]", help="one of " + ", ".join(_FAULTS)
    )
    return parser.parse_args(argv)


def _fill(github: FakeGitHub, options: argparse.Namespace) -> int:
    """Add what was asked for; return the run's id."""
    run = github.add_run(options.repo)
    for number in range(1, options.artifacts + 1):
        github.add_artifact(run, f"artifact-{number}", size=options.size, seed=number)
    for name, times in options.fault:
        _FAULTS[name](github.faults, times)
    return run.id


def _say(github: FakeGitHub, options: argparse.Namespace, run_id: int) -> None:
    listing = f"{github.base_url}/repos/{options.repo}/actions/artifacts"
    lines = [
        f"API      {github.base_url}",
        f"storage  {github.storage_url}",
        f"token    any will do, for instance: demo (GITHUB_API_URL={github.base_url} GH_TOKEN=demo)",
        f"data     {options.artifacts} artifacts of run {run_id} in {options.repo}",
        f"try      curl -H 'Authorization: Bearer demo' '{listing}?per_page=3'",
        "stop     Ctrl-C",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


async def serve(options: argparse.Namespace) -> None:
    """Run until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows' loop has none; Ctrl-C raises KeyboardInterrupt there
            signal.signal(number, signal.default_int_handler)
    github = FakeGitHub(
        options.profile,
        host=options.host,
        port=options.port,
        storage_port=options.storage_port,
        url_ttl=options.url_ttl,
    )
    async with github:
        _say(github, options, _fill(github, options))
        await stop.wait()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the server and return the exit code."""
    options = _arguments(argv)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
