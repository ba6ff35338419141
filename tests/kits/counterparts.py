"""Other people's software as judges: who was tried, in which version, and with which result. A pytest plugin.

A test against one says so by ``@pytest.mark.counterpart("nginx")``; the end of the run shows a table of them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path

import attrs
import pytest

_PROPERTY = "counterpart"
CLIENT, STORAGE, PROXY, JUDGE, ZIPS = "client of the fake", "storage", "proxy", "judge", "maker of zips"
_OUTCOMES = {"passed": "passed", "failed": "failed", "error": "failed", "skipped": "skipped"}


@attrs.frozen
class Counterpart:
    """Software of others.

    Attributes:
        role: what it is to us.
        version: tells which version is here; "" for none.
    """

    role: str
    version: Callable[[], str]


def variable(name: str) -> str:
    """Return the environment variable that says where a program, or an npm package's folder, is."""
    return "INTEROP_" + name.upper().replace("-", "_")


def _program(name: str, *arguments: str) -> Callable[[], str]:
    def find() -> str:
        command = shutil.which(os.environ.get(variable(name)) or name)
        if not command:
            return ""
        done = subprocess.run([command, *arguments], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
        number = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
        return number[0] if number else ""

    return find


def _distribution(name: str) -> Callable[[], str]:
    def find() -> str:
        try:
            return version_of(name)
        except PackageNotFoundError:
            return ""

    return find


def _npm(name: str) -> Callable[[], str]:
    def find() -> str:
        package = Path(os.environ.get(variable(name), "")) / "package.json"
        return str(json.loads(package.read_text(encoding="utf-8"))["version"]) if package.is_file() else ""

    return find


KNOWN = {
    "gh": Counterpart(CLIENT, _program("gh", "--version")),
    "gh-debian": Counterpart(CLIENT, _program("gh-debian", "--version")),
    "githubkit": Counterpart(CLIENT, _distribution("githubkit")),
    "gidgethub": Counterpart(CLIENT, _distribution("gidgethub")),
    "PyGithub": Counterpart(CLIENT, _distribution("pygithub")),
    "@octokit/rest": Counterpart(CLIENT, _npm("octokit-rest")),
    "@actions/artifact": Counterpart(CLIENT, _npm("actions-artifact")),
    "azurite": Counterpart(STORAGE, _program("azurite-blob", "--version")),
    "nginx": Counterpart(STORAGE, _program("nginx", "-v")),
    "moto": Counterpart(STORAGE, _distribution("moto")),
    "squid": Counterpart(PROXY, _program("squid", "-v")),
    "haproxy": Counterpart(PROXY, _program("haproxy", "-v")),
    "caddy": Counterpart(PROXY, _program("caddy", "version")),
    "prism": Counterpart(JUDGE, _program("prism", "--version")),
    "schemathesis": Counterpart(JUDGE, _distribution("schemathesis")),
    "zip": Counterpart(ZIPS, _program("zip", "-v")),
    "bsdtar": Counterpart(ZIPS, _program("bsdtar", "--version")),
    "7z": Counterpart(ZIPS, _program("7z")),
    "jar": Counterpart(ZIPS, _program("jar", "--version")),
    "go": Counterpart(ZIPS, _program("go", "version")),
    "archiver": Counterpart(ZIPS, _npm("archiver")),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each test's report say which counterparts it was about."""
    for item in items:
        names = {mark.args[0] for mark in item.iter_markers("counterpart")}
        unknown = names - KNOWN.keys()
        if unknown:
            raise pytest.UsageError(f"{item.nodeid}: counterparts that {__name__} does not know: {sorted(unknown)}")
        item.user_properties.extend((_PROPERTY, name) for name in sorted(names))


def tally(reports: Iterable[tuple[str, pytest.TestReport]]) -> dict[str, Counter[str]]:
    """Count the outcomes of each counterpart's tests, from pytest's categories and reports."""
    found: dict[str, Counter[str]] = {}
    for category, report in reports:
        for key, name in getattr(report, "user_properties", ()):
            if key == _PROPERTY and category in _OUTCOMES:
                found.setdefault(str(name), Counter())[_OUTCOMES[category]] += 1
    return found


def verdict(outcomes: Counter[str]) -> str:
    """Return what the tests of one counterpart say."""
    if outcomes["failed"]:
        return f"DISAGREES in {outcomes['failed']}"
    if not outcomes["passed"]:
        return "not tried"
    return f"agrees; {outcomes['skipped']} not tried" if outcomes["skipped"] else "agrees"


def table(found: dict[str, Counter[str]]) -> list[str]:
    """Return the lines of the table, in the order of KNOWN."""
    rows = [("counterpart", "version", "what it is here", "tests", "result")]
    for name, counterpart in KNOWN.items():
        if name in found:
            tests = found[name].total()
            rows.append((name, counterpart.version() or "-", counterpart.role, str(tests), verdict(found[name])))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table, if any test was about a counterpart."""
    found = tally((category, report) for category, reports in terminalreporter.stats.items() for report in reports)
    if found:
        terminalreporter.section("software of others", sep="-")
        for line in table(found):
            terminalreporter.line(line)
