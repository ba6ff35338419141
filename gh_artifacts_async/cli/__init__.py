"""The command line ``gh-artifacts``; its parser and its colours come with the extra ``cli``.

Nothing here is loaded before it is needed: ``--help`` loads neither the parser nor the client, and no event loop.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_NEEDED = ("cyclopts", "rich")
_USAGE = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 all done; 1 some items failed; 2 usage; 3 not found or expired; 4 authentication or permission; 5 rate limited;
    6 network, or out of time; 7 integrity or an unsafe archive or redirect; 8 disk; 129 hung up; 130 interrupted;
    143 terminated.

    Args:
        argv: the arguments after the program's name; None for the process's own.
    """
    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        sys.stderr.write('error: the command line needs an extra: pip install "gh-artifacts-async[cli]"\n')
        return _USAGE
    arguments = sys.argv[1:] if argv is None else list(argv)
    from gh_artifacts_async.cli import asked, manual

    topic = asked.asked_for(arguments)
    if topic is not None:
        from gh_artifacts_async.cli.render import help as pages

        pages.show(*topic)
        return 0
    if asked.asked_for_version(arguments):
        from importlib.metadata import version

        sys.stdout.write(f"{manual.NAME} {version('gh-artifacts-async')}\n")
        return 0
    shell = asked.shell_asked_for(arguments)
    if shell is not None:
        from gh_artifacts_async.cli import completion
        from gh_artifacts_async.cli.render import screen

        screen.write(sys.stdout, completion.script(shell))
        return 0
    from gh_artifacts_async.cli.app import run

    return run(asked.without_help(arguments))
