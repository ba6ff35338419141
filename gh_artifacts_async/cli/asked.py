"""What the arguments ask for, as far as that takes no parser: a page of help, the version, a shell's completion."""

from __future__ import annotations

from gh_artifacts_async.cli import manual


def lacking(command: str | None) -> frozenset[str]:
    """Return the names of other commands' options that a command does not take; none where it is not known."""
    if command not in manual.COMMANDS:
        return frozenset()
    every = {name for other in manual.COMMANDS.values() for option in other.options for name in option.names}
    return frozenset(
        every.difference(*(option.names for option in (*manual.COMMANDS[command].options, *manual.GLOBAL)))
    )


def asked_for(argv: list[str]) -> tuple[str | None] | None:
    """Return whose help is asked for: a command's, or the program's own (None); None outside where none is.

    Args:
        argv: the arguments after the program's name.
    """
    words = argv[: argv.index("--")] if "--" in argv else argv
    command = command_of(words)
    if command == "help":
        topic = command_of(without_help(words))
        return (topic if topic in manual.COMMANDS else None,) if topic in {None, "help", *manual.COMMANDS} else None
    if not argv:
        return (None,)
    if not any(flag in words for flag in manual.HELP_FLAGS) or (command is not None and command not in manual.COMMANDS):
        return None
    return (command,)


def asked_for_version(argv: list[str]) -> bool:
    """Return whether the program's version is asked for."""
    return manual.VERSION_FLAG in argv and command_of(argv) is None


def without_help(argv: list[str]) -> list[str]:
    """Return arguments less a leading ``help``: what is left names whose help is asked for."""
    at = argv.index("help") if command_of(argv) == "help" else len(argv)
    return [*argv[:at], *argv[at + 1 :]]


def shell_asked_for(argv: list[str]) -> str | None:
    """Return the shell whose completion is asked for, with nothing else; None where the parser has to look at it."""
    match argv:
        case ["completion", shell] if shell in manual.SHELLS:
            return shell
        case _:
            return None


def command_of(words: list[str]) -> str | None:
    """Return the first word that is neither an option nor a global option's value."""
    takes_value = {name for option in manual.GLOBAL for name in option.names if option.value}
    previous = ""
    for word in words:
        if not word.startswith("-") and previous not in takes_value:
            return word
        previous = word
    return None
