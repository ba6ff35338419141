"""What libraries log: on standard error with ``--verbose``, else nowhere."""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import TYPE_CHECKING

from gh_artifacts_async.cli.render import screen, text

if TYPE_CHECKING:
    from collections.abc import Generator

_OURS = ("gh_artifacts_async", "stamina")
"""Loggers that are known to write no secret; aiohttp's and asyncio's may."""


class _Lines(logging.Handler):
    """Writes one escaped line a record."""

    def emit(self, record: logging.LogRecord) -> None:
        cause = getattr(record, "stamina.caused_by", None)
        said = record.getMessage() if cause is None else self._retry(record, str(cause))
        screen.write(sys.stderr, f"{record.name}: {text.escaped(said)}\n")

    def _retry(self, record: logging.LogRecord, cause: str) -> str:
        wait = getattr(record, "stamina.wait_for", 0.0)
        return f"trying again in {text.duration(float(wait))}: {cause}"


@contextlib.contextmanager
def shown(*, verbose: bool) -> Generator[None]:
    """Let the libraries speak for the length of a block; without ``verbose``, keep them quiet."""
    quiet = logging.NullHandler()  # else Python itself would write warnings to standard error
    logging.getLogger().addHandler(quiet)
    lines = _Lines(logging.DEBUG)
    loggers = [(logging.getLogger(name), logging.getLogger(name).level) for name in _OURS] if verbose else []
    for logger, _ in loggers:
        logger.addHandler(lines)
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(quiet)
        for logger, level in loggers:
            logger.removeHandler(lines)
            logger.setLevel(level)
