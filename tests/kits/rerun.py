"""A second run for ``realtime`` tests that fail: a pytest plugin, which tests/conftest.py loads.

Their peers (processes, threads, other servers) live in real time, and a busy machine can hold one of them up. Tests
that needed a second run are counted, and named at the end with what went wrong. More than one of them, or more than one
in a hundred realtime tests, are no accident, and fail the run. No other test gets a second run.
"""

from __future__ import annotations

import contextlib

import pytest
from _pytest.runner import runtestprotocol

_SECOND_RUN = pytest.StashKey[bool]()
_OUTCOME = "second run"  # of a report; neither passed, failed nor skipped, so that pytest does not count it
SHARE = 100  # one second run in so many realtime tests


def pytest_configure(config: pytest.Config) -> None:
    """Count where reports arrive: in the only process, or in the one that pytest-xdist's workers report to."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Tally(config), "second-runs")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a realtime test; if it fails, run it once more, with all that other plugins put around a test."""
    if item.get_closest_marker("realtime") is None or item.stash.get(_SECOND_RUN, False):
        return None  # pytest's own way
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    failed = any(report.failed for report in reports)
    for report in reports:
        if failed:
            report.outcome = _OUTCOME  # type: ignore[assignment]
        item.ihook.pytest_runtest_logreport(report=report)
    if failed:
        with contextlib.suppress(Exception):  # the second run decides
            item.session._setupstate.teardown_exact(None)  # else pytest fails again with what a wider fixture raised
        item.stash[_SECOND_RUN] = True
        item.ihook.pytest_runtest_protocol(item=item, nextitem=nextitem)
    else:
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


class _Tally:
    """The tests that needed a second run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.realtime: set[str] = set()
        self.names: dict[str, str] = {}

    @property
    def most(self) -> int:
        """How many may need one."""
        return max(1, len(self.realtime) // SHARE)

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        if report.outcome != _OUTCOME:
            return None
        return (_OUTCOME, "R", "SECOND RUN") if report.longrepr else ("", "", "")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if "realtime" in report.keywords:
            self.realtime.add(report.nodeid)
        if report.outcome == _OUTCOME and report.longrepr:
            self.names.setdefault(report.nodeid, report.longreprtext)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if len(self.names) > self.most and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for name, error in self.names.items():
            terminalreporter.section(f"failed in its first run: {name}", sep="-")
            terminalreporter.line(error)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Say it last: of a long log often only the end is kept."""
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if not self.names or terminal is None:
            return
        count = len(self.names)
        terminal.line(f"{count} realtime {'test' if count == 1 else 'tests'} needed a second run:")
        for name, error in self.names.items():
            terminal.line(f"  {name}: {_reason(error)}")
        if count > self.most:
            terminal.line(f"more than {self.most} of {len(self.realtime)} needed one, so this run has failed")


def _reason(error: str) -> str:
    """Return the first line of pytest's that says what went wrong, or else the last line."""
    lines = error.splitlines() or [""]
    return next((line.removeprefix("E").strip() for line in lines if line.startswith("E ")), lines[-1])
