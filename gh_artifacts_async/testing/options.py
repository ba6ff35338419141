"""The options of ``python -m gh_artifacts_async.testing``."""

from __future__ import annotations

import argparse
import math
import re
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from gh_artifacts_async.testing.certificates import server_context
from gh_artifacts_async.testing.data.profiles import profile
from gh_artifacts_async.testing.faults import text as fault_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_T = TypeVar("_T")
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_REPO = "octo-org/octo-docs"
_PORTS, _MANY = 65_535, 1_000_000
_DESCRIPTION = """\
Run a fake GitHub on loopback until it is interrupted: GitHub's API for Actions artifacts, and the storage behind it on
a second port. It prints where it listens, and commands to try it with."""
_EPILOG = """\
examples:
  serve 30 artifacts of 5 MiB; the first download of each of two is cut:
    python -m gh_artifacts_async.testing --artifacts 30 --size 5M --fault cut=2
  the third artifact is cut at byte 1000 twice, and the first request to the API is refused for 2 seconds:
    python -m gh_artifacts_async.testing --fault cut=2,artifact=3,at=1000 --fault secondary_limit,retry_after=2
  HTTPS, with what clients are to trust in ca.pem; an artifact from a folder; one connection in five breaks:
    python -m gh_artifacts_async.testing --tls-ca ca.pem --artifact coverage=htmlcov --chaos 0.2
  in a script:
    python -m gh_artifacts_async.testing --ready-file ready.json &
    while kill -0 $! && [ ! -e ready.json ]; do sleep 0.1; done
"""


def _size(text: str) -> int:
    match = re.fullmatch(r"(\d+)([KMG]?)i?B?", text, re.IGNORECASE)
    if match is None:
        msg = f"{text!r} is not a size; write it as 4096, 64K or 2M"
        raise argparse.ArgumentTypeError(msg)
    return int(match[1]) * _UNITS[match[2].upper()]


def _from_0_to(most: int) -> Callable[[str], int]:
    """Return what reads a whole number that is neither negative nor larger than ``most``."""

    def number(text: str) -> int:
        if not re.fullmatch(r"\d{1,18}", text, re.ASCII) or int(text) > most:
            msg = f"{text!r} is not a whole number from 0 to {most:,}"
            raise argparse.ArgumentTypeError(msg)
        return int(text)

    return number


def _seconds(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < math.inf:
        msg = f"{text!r} is not a number of seconds above 0"
        raise argparse.ArgumentTypeError(msg)
    return found


def _artifact(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if not (name and equals and Path(path).exists()):
        msg = f"{text!r} is not NAME=PATH of a folder or file that exists"
        raise argparse.ArgumentTypeError(msg)
    return name, Path(path)


def _chaos(text: str) -> tuple[float, int]:
    share, _, seed = text.partition(":")
    try:
        found = float(share), int(seed or 0)
    except ValueError:
        found = -1.0, 0
    if not 0 <= found[0] <= 1:
        msg = f"{text!r} is not SHARE or SHARE:SEED, with a share from 0 to 1"
        raise argparse.ArgumentTypeError(msg)
    return found


def _or_error(read: Callable[[str], _T]) -> Callable[[str], _T]:
    """Return ``read`` so that argparse shows its message."""

    def reading(text: str) -> _T:
        try:
            return read(text)
        except (OSError, ValueError) as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return reading


class _ListFaults(argparse.Action):
    """Print every fault, and end."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        sys.stdout.write(fault_texts.overview())
        parser.exit()


class Arguments(Protocol):
    """A group of options."""

    def add_argument(self, *flags: str, **settings: Any) -> object:  # noqa: ANN401 - as argparse has it
        """Add an option."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m gh_artifacts_async.testing",
        usage="%(prog)s [OPTION]...",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    where = parser.add_argument_group("where it listens")
    where.add_argument("--host", default="127.0.0.1", help="address to listen at (default: %(default)s)")
    where.add_argument("--port", type=_from_0_to(_PORTS), default=0, help="of the API (default: a free one)")
    where.add_argument(
        "--storage-port",
        type=_from_0_to(_PORTS),
        default=0,
        metavar="PORT",
        help="of the storage host (default: a free one)",
    )
    where.add_argument(
        "--tls-ca",
        type=Path,
        metavar="FILE",
        help="serve HTTPS with a new certificate, and write to FILE what clients are to trust (PEM); "
        "it takes trustme or the program openssl",
    )
    where.add_argument("--tls-cert", metavar="PEM", help="serve HTTPS with this certificate (and its key, if in it)")
    where.add_argument("--tls-key", metavar="PEM", help="the certificate's key, if in a file of its own")
    _add_data(parser.add_argument_group("what it serves"))
    _add_behaviour(parser.add_argument_group("signed URLs, tokens and limits"))
    faults = parser.add_argument_group("what goes wrong")
    faults.add_argument(
        "--fault",
        type=_or_error(fault_texts.read),
        action="append",
        default=[],
        metavar="NAME[=TIMES][,KEY=VALUE]...",
        help="one of --list-faults, once, TIMES times or 'always'; artifact= takes a number (1 is the first), an id or "
        "a name; may be repeated",
    )
    faults.add_argument(
        "--faults",
        type=_or_error(lambda text: fault_texts.read_file(Path(text))),
        default=[],
        metavar="FILE",
        help='faults as a JSON list, e.g. [{"fault": "cut", "artifact": 3, "at": 1000, "times": 2}]',
    )
    faults.add_argument("--list-faults", action=_ListFaults, nargs=0, help="list all faults with their keys, and exit")
    faults.add_argument(
        "--chaos",
        type=_chaos,
        metavar="SHARE[:SEED]",
        help="cut, reset, stall or refuse this share of all connections (0 to 1) at random",
    )
    scripts = parser.add_argument_group("for scripts")
    scripts.add_argument("--json", action="store_true", help="print one line of JSON in place of the commands")
    scripts.add_argument(
        "--ready-file", type=Path, metavar="FILE", help="write that JSON to FILE once it listens; removed at the end"
    )
    return parser


def _add_data(group: Arguments) -> None:
    group.add_argument("--profile", default="github.com", help="github.com, or ghes-3.4 to ghes-3.22")
    group.add_argument("--repo", action="append", metavar="OWNER/NAME", help=f"may be repeated (default: {_REPO})")
    group.add_argument(
        "--artifacts",
        type=_from_0_to(_MANY),
        metavar="N",
        help="in each (default: 10, and those of the README's examples; 0 with --artifact)",
    )
    group.add_argument(
        "--size",
        type=_size,
        help="of each artifact, e.g. 64K or 2M, which are KiB and MiB (default: a small text file in a zip)",
    )
    group.add_argument(
        "--artifact",
        type=_artifact,
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="an artifact with the files of a folder, with one file, or with a .zip as it is; may be repeated",
    )


def _add_behaviour(group: Arguments) -> None:
    group.add_argument("--token", action="append", help="accept this token only; may be repeated (default: any)")
    group.add_argument(
        "--rate-limit", type=_from_0_to(_MANY), metavar="N", help="requests an hour (default: 5000; none on ghes-*)"
    )
    group.add_argument("--secondary-limits", action="store_true", help="enforce the secondary rate limits, too")
    group.add_argument(
        "--url-ttl", type=_seconds, metavar="SECONDS", help="lifetime of signed URLs (default: as on GitHub)"
    )
    group.add_argument(
        "--same-host-storage",
        action="store_true",
        help="let signed URLs point to the API's own host, as on an appliance (profiles ghes-*)",
    )
    group.add_argument(
        "--byte-exact-urls",
        action="store_true",
        help="refuse a signed URL whose query was re-ordered or escaped differently",
    )


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; ``ssl_context`` is among what is returned.

    Raises:
        SystemExit: it cannot be followed (2), or asked for help (0).
    """
    parser = _parser()
    options = parser.parse_args(argv)
    options.repo = options.repo or [_REPO]
    options.samples = options.artifacts is None and not options.artifact
    if options.artifacts is None:
        options.artifacts = 0 if options.artifact else 10
    if options.same_host_storage and not options.profile.startswith("ghes-"):
        parser.error("--same-host-storage is for Enterprise Server; add --profile ghes-3.16, for instance")
    if options.tls_key and not options.tls_cert:
        parser.error("--tls-key needs --tls-cert")
    if options.tls_ca and options.tls_cert:
        parser.error("give --tls-ca or --tls-cert, not both")
    try:
        options.ssl_context = _tls(options)
        profile(options.profile)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    return options


def _tls(options: argparse.Namespace) -> ssl.SSLContext | None:
    """Return the context to serve TLS with, or None.

    Raises:
        OSError: the certificate or key is missing or unusable, or none could be made.
    """
    if options.tls_ca:
        return server_context(options.host, options.tls_ca)
    if not options.tls_cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(options.tls_cert, options.tls_key)
    except OSError as error:
        msg = f"cannot use the certificate in {options.tls_cert}: {error.strerror or error}"
        raise OSError(msg) from error
    return context
