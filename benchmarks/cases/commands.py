"""The command line: a run's artifacts unpacked, beside gh; a long listing as a table, beside JSON."""

from __future__ import annotations

import shlex
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from benchmarks import data, goals
from benchmarks.cases.base import Case, nginx, require, shell
from benchmarks.cases.checks import check_trees
from benchmarks.runner import Plan, SkipError
from benchmarks.server import Storage
from benchmarks.tools import WORK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.cases.base import Bench, Sizes

_RUN = 2332938
_OURS = (sys.executable, "-m", "gh_artifacts_async")


def _line(command: tuple[str, ...], variables: Mapping[str, object]) -> str:
    given = [f"{name}={value}" for name, value in variables.items()]
    return shlex.join(("exec", "env", *given, *command))


@contextmanager
def g11(bench: Bench) -> Iterator[Plan]:
    """Prepare a run with many zips over TLS."""
    gh = Path(bench.rivals or "no-venv").with_name("gh")
    if not gh.exists():
        msg = "gh is not here"
        raise SkipError(msg)
    require("openssl")
    dataset, out = bench.datasets.mixed_zips(*bench.sizes.run), bench.memory
    with nginx(bench, dataset, Storage(tls=True, api_tls=True)) as server:
        host = urlsplit(server.api).netloc
        theirs = {
            "GH_HOST": host,
            "GH_ENTERPRISE_TOKEN": "token",
            "GH_CONFIG_DIR": WORK / "gh",
            "GH_NO_UPDATE_NOTIFIER": 1,
            "GH_PROMPT_DISABLED": 1,
            "GH_TELEMETRY": "false",
            "SSL_CERT_FILE": server.ca_file,
        }
        line = (str(gh), "run", "download", str(_RUN), "-R", data.REPOSITORY, "-D", str(out))
        ours: tuple[str, ...] = (
            *_OURS,
            "--api-url",
            f"https://{host}/api/v3",
            "--ca-file",
            str(server.ca_file),
            "download",
        )
        ours += (data.REPOSITORY, "--run", str(_RUN), "--extract", "-D", str(out))
        check = check_trees(out, dataset)
        rivals = [
            shell("ours", _line(ours, {"GH_ENTERPRISE_TOKEN": "token"}), (), check),
            shell("gh run download", _line(line, theirs), (), check),
        ]
        yield bench.plan("G11", Plan(rivals, out, limit=120))


@contextmanager
def g12(bench: Bench) -> Iterator[Plan]:
    """Prepare a listing of many pages, shown on a terminal of 120 columns."""
    require("script")
    with nginx(bench, bench.datasets.listing(bench.sizes.rows)) as server:
        command = (*_OURS, "--api-url", server.api, "list", data.REPOSITORY, "--limit", "all")
        variables = {"GH_ENTERPRISE_TOKEN": "token", "COLUMNS": 120, "TERM": "xterm-256color"}

        def on_a_terminal(*options: str) -> str:
            return shlex.join(("exec", "script", "-qec", _line((*command, *options), variables), "/dev/null"))

        rivals = [
            shell("ours", on_a_terminal(), ("script",)),
            shell(goals.AS_JSON, on_a_terminal("--json"), ("script",)),
        ]
        yield bench.plan("G12", Plan(rivals))


def _run_bytes(sizes: Sizes) -> int:
    count, _, unpacked, packed = sizes.run
    return count * (unpacked + 2 * packed)


G11 = Case(
    "G11", "gh-artifacts download --run --extract: 50 zips of 324 MB over TLS", g11, ("nginx", "openssl"), _run_bytes
)
G12 = Case("G12", "gh-artifacts list: 3,000 rows on a terminal", g12, ("nginx", "script"), lambda _: 0)
