"""What the library logs."""

from __future__ import annotations

import logging

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
