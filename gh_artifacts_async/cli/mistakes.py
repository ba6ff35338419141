"""What the parser says of a mistake, in words for people who do not know Python."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from gh_artifacts_async.cli import asked, manual

if TYPE_CHECKING:
    from collections.abc import Sequence

_NUMBERS = {"int": "a whole number", "float": "a number"}
_WORDS = (
    (r'^Invalid value for (?P<what>\S+): unable to convert (?P<value>".*") into (?P<kind>int|float)\.?$', None),
    (r'^Invalid value for (\S+): unable to convert ".*" into bool\.?$', r"\1 takes no value."),
    (r'^(?:Command ".*" parameter|Parameter) (-\S+) requires an argument\.?$', r"\1 needs a value."),
    (r'^Command ".*" parameter (\S+) requires an argument\.?$', r"\1 is missing."),
    (r'^(?:Command ".*" parameter|Parameter) (\S+) specified multiple times\.?$', r"\1 is given more than once."),
    (r"^Unused Tokens: \[(.*)\]\.?$", r"Unexpected argument \1."),
    (r"^Unknown option: ", "Unknown option "),
    (r"Choose from: ", "Choose from "),
    (r"^(Unknown command .*?) Available commands: .*$", r"\1"),
)
_QUOTED = re.compile(r'"([^"]*)"')
_OPTION_FIRST = re.compile(r'^Unknown command "(-.*)"\.')


def sentence(error: Exception, argv: Sequence[str]) -> str:
    """Return what is wrong, and where to read how it is right.

    Args:
        error: the parser's.
        argv: what it had to parse.
    """
    said = " ".join(str(error).split())
    for pattern, words in _WORDS:
        said = re.sub(pattern, _number if words is None else words, said)
    command = asked.command_of(list(argv))
    if found := _OPTION_FIRST.match(said):
        said = _unknown_option(found[1])
    page = f"{manual.NAME} {command}" if command in manual.COMMANDS else manual.NAME
    said = _as_ours(said)
    return f"{said} See {page} --help" if said.endswith("?") else f"{said}; see {page} --help"


def _as_ours(said: str) -> str:
    """Return it in the style of all other errors: one sentence in lower case, with single quotes."""
    said = _QUOTED.sub(r"'\1'", said.rstrip("."))
    first, *others = re.split(r"\. (?=[A-Z])", said)
    return "; ".join([_lower(first), *map(_lower, others)])


def _lower(said: str) -> str:
    return said if said[1:2].isupper() else said[:1].lower() + said[1:]


def _unknown_option(given: str) -> str:
    """Return what is wrong with an option before the command, which the parser takes for the command's name."""
    name = given.partition("=")[0]
    if any(name in option.names for command in manual.COMMANDS.values() for option in command.options):
        return f"{name} is an option of a command: give it after the command's name."
    known = [name for option in manual.GLOBAL for name in option.names]
    near = difflib.get_close_matches(name, known, n=1)
    return f"Unknown option {name}." + "".join(f" Did you mean {name}?" for name in near)


def _number(found: re.Match[str]) -> str:
    return f"{found['what']} needs {_NUMBERS[found['kind']]}, not {found['value']}."
