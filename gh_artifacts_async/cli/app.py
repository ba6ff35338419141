"""The parser: commands, global options before or after them, and what becomes of errors."""

import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter

from gh_artifacts_async.cli import actions, amounts, asked, logs, mistakes, running
from gh_artifacts_async.cli.context import Context
from gh_artifacts_async.cli.exits import INTERRUPTED, USAGE, exit_code, is_expected
from gh_artifacts_async.cli.manual import NAME
from gh_artifacts_async.cli.options import GlobalOptions
from gh_artifacts_async.cli.render import screen

_COMMANDS = {
    "list": "listing:list_",
    "runs": "runs:runs",
    "show": "listing:show",
    "download": "download:download",
    "ls": "members:ls",
    "cat": "members:cat",
    "wait": "waiting:wait",
    "watch": "waiting:watch",
    "mirror": "mirror:mirror",
    "delete": "cleanup:delete",
    "prune": "cleanup:prune",
    "usage": "usage:usage",
    "demo": "demo:demo",
    "completion": "completion:completion",
}
"""Where each command is; only that of the one that runs is imported."""


def _parser() -> App:
    """Return a parser without commands: it only parses; help comes from ``manual``."""
    return App(
        name=NAME,
        help_flags=[],
        version_flags=[],
        default_parameter=Parameter(negative=()),
        result_action="return_value",
    )


def build() -> App:
    """Return the parser of the commands and of their own options."""
    app = _parser()
    for name, where in _COMMANDS.items():
        app.command(f"gh_artifacts_async.cli.{where}", name=name)
    return app


def launcher(app: App, rest: Sequence[str] = ()) -> App:
    """Return what takes the global options out of the arguments, wherever they stand, and runs the command they name.

    It is a parser of its own, not ``app.meta``, which would assemble the parameters of each command three times more.

    Args:
        app: the parser of the commands.
        rest: arguments that follow, from ``--`` on: no options are among them.
    """
    outer = _parser()

    @outer.default
    def launch(
        *words: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
        options: Annotated[GlobalOptions, Parameter(name="*")] = GlobalOptions(),  # noqa: B008 - frozen
    ) -> int:
        command, bound, not_parsed = app.parse_args([*words, *rest], exit_on_error=False, print_error=False)
        context = Context(options, command=asked.command_of(list(words)))
        given = {"context": context} if "context" in not_parsed else {}
        seconds = None if context.command == "wait" else options.timeout  # there it is the wait's own deadline
        return answer(context, lambda: command(*bound.args, **bound.kwargs, **given), seconds)

    return outer


def run(argv: Sequence[str]) -> int:
    """Parse, run one command, and return the exit code."""
    end = argv.index("--") if "--" in argv else len(argv)
    try:
        code = launcher(build(), argv[end:])(argv[:end], exit_on_error=False, print_error=False)
    except CycloptsError as error:
        screen.complain("error", mistakes.sentence(error, argv))
        return USAGE
    return code if isinstance(code, int) else 0


def _after_ctrl_c(written: str) -> None:
    """Move away from ``^C``, which a terminal shows: below it, or to where what is said next covers it."""
    if screen.is_terminal(sys.stderr):
        screen.say(written)


def answer(context: Context, command: Callable[[], int | None], seconds: float | None = None) -> int:
    """Run a command, and turn its errors into one sentence and an exit code.

    Args:
        context: the command's.
        command: runs it.
        seconds: how long all of it may take; None for no bound.
    """
    try:
        with logs.shown(verbose=context.options.verbose), running.within(amounts.seconds("--timeout", seconds)):
            code = command() or 0
            if context.report is not None:
                actions.publish(context.report, context.warning)
            return code
    except running.Stopped as stopped:
        if stopped.code == INTERRUPTED:
            _after_ctrl_c("\n" if context.options.quiet else "\r")
        context.note(str(stopped))
        return stopped.code
    except Exception as error:  # noqa: BLE001 - the end of the program: a traceback is of no use to its user
        context.error(context.sentence(error))
        if context.options.verbose and not is_expected(error):
            # The frames alone: what an unknown exception says may hold anything.
            for line in "".join(traceback.format_tb(error.__traceback__)).splitlines():
                context.note(line)
        return exit_code(error)
