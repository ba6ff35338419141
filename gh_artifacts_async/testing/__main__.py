"""``python -m gh_artifacts_async.testing``: the fake GitHub as a server for other programs."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import shlex
import signal
import ssl
import sys
from typing import TYPE_CHECKING

from gh_artifacts_async.testing.data.profiles import profile
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
        msg = f"{text!r} is not a size; write it as 4096, 64K or 2M"
        raise argparse.ArgumentTypeError(msg)
    return int(match[1]) * _UNITS[match[2].upper()]


def _fault(text: str) -> tuple[str, int | None]:
    name, _, times = text.partition("=")
    if name not in _FAULTS or not re.fullmatch(r"\d*|always", times):
        msg = f"{text!r} is not a fault; write NAME, NAME=3 or NAME=always, where NAME is one of {', '.join(_FAULTS)}"
        raise argparse.ArgumentTypeError(msg)
    return name, None if times == "always" else int(times or 1)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m gh_artifacts_async.testing", description="Run a fake GitHub on loopback."
    )
    where = parser.add_argument_group("where it listens")
    where.add_argument("--host", default="127.0.0.1", help="address to listen at (default: %(default)s)")
    where.add_argument("--port", type=int, default=0, help="of the API (default: a free one)")
    where.add_argument("--storage-port", type=int, default=0, help="of the storage host (default: a free one)")
    where.add_argument("--tls-cert", metavar="PEM", help="serve HTTPS with this certificate (and its key, if in it)")
    where.add_argument("--tls-key", metavar="PEM", help="the certificate's key, if in a file of its own")
    data = parser.add_argument_group("what it serves")
    data.add_argument("--profile", default="github.com", help="github.com, or ghes-3.4 to ghes-3.22")
    data.add_argument("--repo", default="octo-org/octo-docs", help="OWNER/NAME (default: %(default)s)")
    data.add_argument("--artifacts", type=int, default=10, metavar="N", help="how many (default: %(default)s)")
    data.add_argument("--size", type=_size, help="of each artifact, e.g. 64K (default: a small text file in a zip)")
    urls = parser.add_argument_group("signed URLs")
    urls.add_argument("--url-ttl", type=float, metavar="SECONDS", help="their lifetime (default: as on GitHub)")
    urls.add_argument(
        "--same-host-storage",
        action="store_true",
        help="let them point to the API's own host, as on an appliance (profiles ghes-*)",
    )
    urls.add_argument(
        "--byte-exact-urls",
        action="store_true",
        help="refuse one whose query was re-ordered or escaped differently",
    )
    parser.add_argument(
        "--fault", type=_fault, action="append", default=[], metavar="NAME[=TIMES]", help="one of " + ", ".join(_FAULTS)
    )
    options = parser.parse_args(argv)
    if options.same_host_storage and not options.profile.startswith("ghes-"):
        parser.error("--same-host-storage is for Enterprise Server; add --profile ghes-3.16, for instance")
    if options.tls_key and not options.tls_cert:
        parser.error("--tls-key needs --tls-cert")
    try:
        options.ssl_context = _tls(options)
        profile(options.profile)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    return options


def _tls(options: argparse.Namespace) -> ssl.SSLContext | None:
    """Return the context to serve TLS with, or None.

    Raises:
        OSError: the certificate or key is missing or unusable.
    """
    if not options.tls_cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(options.tls_cert, options.tls_key)
    except OSError as error:
        msg = f"cannot use the certificate in {options.tls_cert}: {error.strerror or error}"
        raise OSError(msg) from error
    return context


def _fill(github: FakeGitHub, options: argparse.Namespace) -> int:
    """Add the artifacts and faults that the options ask for; return the run's id."""
    run = github.add_run(options.repo)
    for number in range(1, options.artifacts + 1):
        github.add_artifact(run, f"artifact-{number}", size=options.size, seed=number)
    for name, times in options.fault:
        _FAULTS[name](github.faults, times)
    return run.id


def _say(github: FakeGitHub, options: argparse.Namespace, run_id: int) -> None:
    """Print where it is, and commands that work as printed in a POSIX shell."""
    listing = f"{github.base_url}/repos/{options.repo}/actions/artifacts"
    trust = f"--ca-file {shlex.quote(options.tls_cert)} " if options.tls_cert else ""
    cacert = f"--cacert {shlex.quote(options.tls_cert)} " if options.tls_cert else ""
    # No token of a real host: this one counts only for hosts other than github.com.
    variables = f"GITHUB_API_URL={shlex.quote(github.base_url)} GH_ENTERPRISE_TOKEN=demo"
    lines = [
        f"API      {github.base_url}",
        f"storage  {github.storage_url}",
        "token    any, such as demo",
        f"data     {options.artifacts} artifacts of run {run_id} in {options.repo}",
        f"list     {variables} gh-artifacts {trust}list {shlex.quote(options.repo)}",
        # -g: an IPv6 address is in brackets, which curl would expand.
        f"curl     curl -g {cacert}-H 'Authorization: Bearer demo' {shlex.quote(f'{listing}?per_page=3')}",
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
        except NotImplementedError:  # Windows: Ctrl-C raises KeyboardInterrupt there
            signal.signal(number, signal.default_int_handler)
    github = FakeGitHub(
        options.profile,
        host=options.host,
        port=options.port,
        storage_port=options.storage_port,
        ssl_context=options.ssl_context,
        url_ttl=options.url_ttl,
        same_host_storage=options.same_host_storage,
        byte_exact_urls=options.byte_exact_urls,
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
