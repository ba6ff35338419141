"""The command line ``gh-artifacts``; its parser and jq come with the extra ``cli``.

Nothing here is loaded before it is needed: ``--help`` loads neither the parser nor the client, and no event loop.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_NEEDED = ("cyclopts",)
_USAGE, _DISK, _INTERRUPTED = 2, 8, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 all done; 1 some items failed; 2 usage; 3 not found or expired; 4 authentication or permission; 5 rate limited;
    6 network, or out of time; 7 integrity or an unsafe archive or redirect; 8 disk; 129 hung up; 130 interrupted;
    143 terminated.

    Args:
        argv: the arguments after the program's name; None for the process's own.
    """
    try:
        return _main(sys.argv[1:] if argv is None else list(argv))
    except KeyboardInterrupt:  # while modules were loaded, or at a question
        if sys.stderr is not None and sys.stderr.isatty():
            with contextlib.suppress(OSError):
                sys.stderr.write("\n")  # which the terminal shows as ^C: a shell's prompt begins a line of its own
        return _INTERRUPTED


def _main(arguments: list[str]) -> int:
    from gh_artifacts_async.cli.render import screen

    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        screen.complain("error", 'the command line needs an extra: pip install "gh-artifacts-async[cli]"')
        return _USAGE
    try:
        if _answered(arguments):
            return 0
    except OSError as error:
        screen.complain("error", f"{error.filename}: {error.strerror}")
        return _DISK
    from gh_artifacts_async.cli import asked
    from gh_artifacts_async.cli.app import run

    return run(asked.without_help(arguments))


def _answered(arguments: list[str]) -> bool:
    """Print what takes neither the parser nor the client, if that is asked for; return whether it was.

    Raises:
        OSError: standard output is full.
    """
    from gh_artifacts_async.cli import asked, manual

    topic, shell = asked.asked_for(arguments), asked.shell_asked_for(arguments)
    if topic is not None:
        from gh_artifacts_async.cli.render import help as pages

        pages.show(*topic)
    elif asked.asked_for_version(arguments):
        from importlib.metadata import version

        from gh_artifacts_async.cli.render import screen

        screen.write(sys.stdout, f"{manual.NAME} {version('gh-artifacts-async')}\n")
    elif shell is not None:
        from gh_artifacts_async.cli import completion
        from gh_artifacts_async.cli.render import screen

        screen.write(sys.stdout, completion.script(shell))
    else:
        return False
    return True
