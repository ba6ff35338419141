"""What the library logs, every request and every retry: on standard error with ``--verbose``, else nowhere."""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import TYPE_CHECKING

from gh_artifacts_async.cli.render import screen, text

if TYPE_CHECKING:
    from collections.abc import Generator

_OURS = "gh_artifacts_async"
"""The one logger that is known to write no secret; aiohttp's and asyncio's may."""


_SAID = ("artifact_done", "artifact_skipped", "artifact_failed", "pause")
"""What the command line has sentences of its own for, see :mod:`.render.events` and :mod:`.render.sentences`."""


_INDENT = "  "


class _Lines(logging.Handler):
    """Writes one escaped line a record, but nothing twice."""

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "gh_event", None) in _SAID:
            return
        screen.say(f"{screen.wrapped(text.escaped(_line(record)), sys.stderr, indent=_INDENT)}\n")


def _line(record: logging.LogRecord) -> str:
    """Return what a record says, for a person: a request with its answer, or why it is sent again."""
    said = vars(record)
    match said.get("gh_event"):
        case "request" if said["gh_error"] is not None:  # why, the next line says: a retry's, or the error's
            return (
                f"{said['gh_method']} {said['gh_host']}{said['gh_path']}: no answer after {_took(said['gh_duration'])}"
            )
        case "request":
            left = "" if said["gh_remaining"] is None else f", {said['gh_remaining']:,} requests left"
            named = "" if said["gh_request_id"] is None else f", request id {said['gh_request_id']}"
            where = f"{said['gh_method']} {said['gh_host']}{said['gh_path']}"
            return f"{where}: {said['gh_status']} in {_took(said['gh_duration'])}{left}{named}"
        case "pacing":
            return record.getMessage()
        case "retry":
            when = f" in {_took(said['gh_wait'])}" if said["gh_wait"] else ""
            return f"retrying {said['gh_what']}{when}, attempt {said['gh_attempt'] + 1}: {said['gh_reason']}"
        case _:
            return f"{record.name}: {record.getMessage()}"


def _took(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else text.duration(seconds)


@contextlib.contextmanager
def shown(*, verbose: bool) -> Generator[None]:
    """Show the library's log for the length of a block; without ``verbose``, keep all loggers quiet."""
    quiet = logging.NullHandler()  # else Python itself would write warnings to standard error
    logging.getLogger().addHandler(quiet)
    logger = logging.getLogger(_OURS)
    lines, level = _Lines(logging.DEBUG), logger.level
    if verbose:
        logger.addHandler(lines)
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(quiet)
        logger.removeHandler(lines)
        logger.setLevel(level)
