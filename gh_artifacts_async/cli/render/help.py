"""``--help`` as text in two columns, without a parser and without rich."""

from __future__ import annotations

import os
import re
import sys
import textwrap
from typing import TYPE_CHECKING

from gh_artifacts_async.cli import manual
from gh_artifacts_async.cli.render import screen

if TYPE_CHECKING:
    from collections.abc import Iterable

_WIDEST, _NARROWEST = 100, 40
_INDENT = "  "
_COLUMN = 26
_USAGE = "Usage:"
_PART = re.compile(r"\[[^]]*\]")
_KEPT = "\u00a0"


def show(command: str | None) -> None:
    """Print a command's help, or the program's."""
    screen.write(sys.stdout, program() if command is None else of_command(manual.COMMANDS[command]))


def program() -> str:
    """Return the program's own help."""
    commands = [(name, command.brief) for name, command in manual.COMMANDS.items()]
    flags = [
        (", ".join(manual.HELP_FLAGS), "Show this help, or that of a command."),
        (manual.VERSION_FLAG, "Show the version."),
    ]
    return "\n".join(
        (
            f"{_bold(_USAGE)} {manual.NAME} COMMAND [OPTIONS]\n",
            f"{_filled(manual.ABOUT)}\n",
            _section("Commands", commands),
            _section("Options, before or after the command", [*map(_row, manual.GLOBAL), *flags]),
        )
    )


def of_command(command: manual.Command) -> str:
    """Return a command's help."""
    forms = [f"{manual.NAME} {form}" for form in command.usage]
    usage = _bold(_USAGE) + "\n".join(map(_usage, forms)).removeprefix(" " * len(_USAGE))
    parts = [f"{usage}\n", *(f"{_filled(paragraph)}\n" for paragraph in (command.brief, *command.about))]
    own = {name for option in command.options for name in option.names}
    everywhere = [option for option in manual.GLOBAL if own.isdisjoint(option.names)]
    if command.options:
        parts.append(_section("Options", map(_row, command.options)))
    parts += [_section("Global options", map(_row, everywhere))]
    if command.examples:
        parts.append(f"{_bold('Examples')}\n" + "".join(f"{_INDENT}{manual.NAME} {one}\n" for one in command.examples))
    return "\n".join(parts)


def _width() -> int:
    """Return the terminal's width, up to what is comfortable to read."""
    try:
        columns = int(os.environ.get("COLUMNS") or os.get_terminal_size(sys.stdout.fileno()).columns)
    except (OSError, ValueError, AttributeError):
        columns = 80
    return max(_NARROWEST, min(_WIDEST, columns))


def _bold(title: str) -> str:
    return screen.view(sys.stdout).styled(title, screen.BOLD)


def _filled(paragraph: str, first: str = "", following: str = "") -> str:
    """Return lines that are broken at blanks alone: no option's name is torn apart."""
    return textwrap.fill(paragraph, _width(), initial_indent=first, subsequent_indent=following, break_on_hyphens=False)


def _usage(form: str) -> str:
    """Return one form of a command, in lines that are broken between its parts."""
    parts = _PART.sub(lambda part: part[0].replace(" ", _KEPT), form)
    indent = " " * (len(_USAGE) + 1)
    return _filled(parts, indent, f"{indent}    ").replace(_KEPT, " ")


def _row(option: manual.Option) -> tuple[str, str]:
    short_first = ", ".join(reversed(option.names))
    default = f" [default: {option.default}]" if option.default else ""
    return f"{short_first} {option.value}".rstrip(), option.says + default


def _section(title: str, rows: Iterable[tuple[str, str]]) -> str:
    lines, known = [_bold(title)], list(rows)
    column = min(_COLUMN, max((len(left) for left, _ in known), default=0) + len(_INDENT))
    hanging = " " * (len(_INDENT) + column)
    for left, right in known:
        beside = len(left) < column
        if not beside:
            lines.append(_INDENT + left)
        first = f"{_INDENT}{left:<{column}}" if beside else hanging
        lines.append(_filled(right, first, hanging))
    return "\n".join(lines) + "\n"
