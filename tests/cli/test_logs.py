"""What the library logs."""

from __future__ import annotations

import logging
import re

import pytest

from gh_artifacts_async.cli import logs
from tests.cli.conftest import REPO


def test_log_lines_are_escaped(capsys):
    """What a library logs reaches standard error as one escaped line, and only with --verbose."""
    logger = logging.getLogger("gh_artifacts_async.x")
    with logs.shown(verbose=True):
        logger.debug("a\x1bb")
    with logs.shown(verbose=False):
        logger.warning("not shown")
    assert capsys.readouterr().err == "gh_artifacts_async.x: a\\x1bb\n"


@pytest.mark.realtime
def test_logging_is_left_as_it_was(server, cli):
    """A program that calls main() finds its loggers unchanged."""

    def state() -> list:
        loggers = [logging.getLogger(name) for name in ("", "gh_artifacts_async")]
        return [(logger.level, logger.handlers[:]) for logger in loggers]

    before = state()
    server.run()
    cli("list", REPO, "--verbose")
    assert state() == before


@pytest.mark.realtime
def test_verbose_shows_requests_and_retries(server, cli):
    """Each request, without the query of a signed URL, and why one was retried; without --verbose, none of it."""
    number = server.artifact(server.run(), "docs", size=1000)
    server.github.faults.status(number, 502, where="api")
    ran = cli("download", REPO, number, "--verbose")
    assert ran.code == 0
    path = f"/repos/{REPO}/actions/artifacts/{number}"
    assert re.search(rf"^GET [^ ]+{path}: 502 in [0-9]+ ms, 4,9\d\d requests left, request id ", ran.err, re.MULTILINE)
    assert re.search(rf"^retrying GET {path} in [0-9.]+ m?s, attempt 2: 502 ", ran.err, re.MULTILINE)
    assert re.search(r"^GET [^ ?]+: 200 in [0-9]+ ms, request id ", ran.err, re.MULTILINE)
    assert "sig=" not in ran.err
    assert "secret-token" not in ran.err
    server.github.faults.status(number, 502, where="api")
    assert "502" not in cli("download", REPO, number, "--if-exists", "replace").err


@pytest.mark.realtime
@pytest.mark.usefixtures("no_waiting")
@pytest.mark.slow
def test_nothing_is_said_twice(server, cli):
    """What the command line has words of its own for, the log does not repeat."""
    run = server.run()
    good, bad = server.artifact(run, "good", size=1000), server.artifact(run, "bad", size=1000)
    server.github.faults.status(bad, 403, times=None, where="storage")
    server.github.faults.secondary_limit(None, times=1, retry_after=1)
    ran = cli("download", REPO, good, bad, "--verbose")
    assert ran.err.count("good: saved") == 1
    assert ran.err.count("secondary rate limit was reached") == 1
    assert "saved, " not in ran.err
    assert "requests are paused" not in ran.err
    assert "gh_artifacts_async" not in ran.err


@pytest.mark.realtime
@pytest.mark.usefixtures("no_waiting")
def test_a_request_without_an_answer(bare_cli):
    """It is a line too; why there is none is told once, by the retry, and in the end by the error."""
    ran = bare_cli("list", REPO, "--api-url", "http://127.0.0.1:9", "--verbose")
    assert re.search(r"^GET 127\.0\.0\.1:9[^ ]+: no answer after [0-9.]+ m?s$", ran.err, re.MULTILINE)
    assert ran.err.count("127.0.0.1:9 was refused") == 2
    assert re.search(r"^retrying GET [^ ]+, attempt 2: ", ran.err, re.MULTILINE)


def test_long_waits_are_told_in_seconds(capsys):
    """As everywhere else."""
    record = logging.getLogger("gh_artifacts_async.api")
    retry = {"gh_event": "retry", "gh_what": "GET /x", "gh_wait": 12.0, "gh_attempt": 1, "gh_reason": "503"}
    with logs.shown(verbose=True):
        record.info("x", extra=retry)
    assert capsys.readouterr().err == "retrying GET /x in 12.0 s, attempt 2: 503\n"
