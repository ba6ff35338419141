"""``gh-artifacts completion``: scripts for bash, zsh and fish, made from the manual; no shell asks the program."""

import sys
from collections.abc import Iterable, Iterator
from typing import Literal

from gh_artifacts_async.cli import manual
from gh_artifacts_async.cli.render import screen

_MADE = f"# Completion of {manual.NAME}, printed by: {manual.NAME} completion "
_COMMANDS = {**manual.COMMANDS, "help": manual.Command("Show the help of a command.", ("help COMMAND",))}
_FLAGS = (
    manual.Option(manual.HELP_FLAGS[::-1], "", "Show the help."),
    manual.Option((manual.VERSION_FLAG,), "", "Show the version."),
)


def completion(shell: Literal["bash", "zsh", "fish"], /) -> int:
    """Print a script that completes commands, options and values."""
    screen.write(sys.stdout, script(shell))
    return 0


def script(shell: str) -> str:
    """Return the script of a shell.

    Args:
        shell: one of :data:`.manual.SHELLS`.
    """
    lines = {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell]()
    return "".join(f"{line}\n" for line in lines)


# --- what a value can be


def _choices(value: str) -> list[str]:
    """Return the words that a value is one of; what is in capitals stands for something else."""
    return [word for word in value.split("|") if word.islower()] if "|" in value else []


def _argument(command: str) -> str:
    """Return what a command's arguments are, as an option's value says it; empty for what no shell knows."""
    if command == "help":
        return "|".join(manual.COMMANDS)
    words = [word for form in _COMMANDS[command].usage for word in form.split()[1:]]
    return next((word for word in words if word == "DIR" or _choices(word)), "")


def _options(command: str | None) -> list[manual.Option]:
    """Return a command's options and the global ones, each once; None for what may precede a command."""
    own = () if command is None else _COMMANDS[command].options
    names = {name for option in own for name in option.names}
    flags = _FLAGS if command is None else _FLAGS[:1]
    return [*own, *(option for option in (*manual.GLOBAL, *flags) if names.isdisjoint(option.names))]


def _sentence(said: str) -> str:
    """Return the first sentence, as a list of options shows it."""
    return said.partition(". ")[0].removesuffix(".")


def _takers() -> Iterator[str]:
    """Yield the names of options before a command that are followed by a value."""
    return (name for option in manual.GLOBAL if option.value for name in option.names)


# --- bash


def _bash() -> Iterator[str]:
    yield f"{_MADE}bash"
    yield from _BASH_HEAD.format(takers="|".join(_takers())).splitlines()
    yield "    case $command in"
    yield from _bash_case("''", None, f"-W '{' '.join(_COMMANDS)}'")
    for command in _COMMANDS:
        argument = _argument(command)
        yield from _bash_case(command, command, _bash_action(argument) if argument else "")
    yield "    esac"
    yield from _BASH_TAIL.splitlines()


def _bash_case(pattern: str, command: str | None, words: str) -> Iterator[str]:
    options = _options(command)
    names = " ".join(name for option in options for name in option.names)
    yield f"    {pattern})"
    yield f"        options='{names}'"
    if words:
        yield f'        words="{words}"'
    yield "        case $previous in"
    actions: dict[str, list[str]] = {}
    for option in options:
        if option.value:
            actions.setdefault(_bash_action(option.value), []).extend(option.names)
    yield from (f'        {"|".join(takers)}) value="{action}" ;;' for action, takers in actions.items())
    yield "        esac ;;"


def _bash_action(value: str) -> str:
    """Return how compgen is asked for a value."""
    if _choices(value):
        return f"-W '{' '.join(_choices(value))}'"
    return {"DIR": "-d", "PEM": "-f"}.get(value, _NOTHING)


_NOTHING = "-W ''"


_BASH_HEAD = """\
_gh_artifacts() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
    local command='' options='' words='' value='' skip='' word reply i
    COMPREPLY=()
    if [[ $current == = ]]; then  # --option=value is three words
        current=''
    elif [[ $previous == = ]]; then
        previous=${{COMP_WORDS[COMP_CWORD-2]}}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${{COMP_WORDS[i]}}
        if [[ $word == [=:] ]]; then  # so is the URL in --api-url https://HOST
            skip=1
        elif [[ $skip ]]; then
            skip=''
        else
            case $word in
            {takers}) skip=1 ;;
            -*) ;;
            *) command=$word; break ;;
            esac
        fi
    done"""

_BASH_TAIL = """\
    if [[ $value ]]; then
        words=$value
    elif [[ $current == -* ]]; then
        words="-W '$options'"
    fi
    [[ $words ]] || return 0
    [[ $words == -W* ]] || compopt -o filenames 2>/dev/null  # bash 3.2 has none
    while IFS= read -r reply; do
        COMPREPLY+=("$reply")
    done < <(eval "compgen $words" -- '"$current"')
}
complete -F _gh_artifacts gh-artifacts"""


# --- zsh


def _zsh() -> Iterator[str]:
    yield "#compdef gh-artifacts"
    yield f"{_MADE}zsh"
    yield "_gh-artifacts() {"
    yield '    local curcontext="$curcontext" context state state_descr line'
    yield "    typeset -A opt_args"
    yield "    local -a commands"
    yield "    commands=("
    yield from (f"        {_quoted(f'{name}:{_sentence(one.brief)}')}" for name, one in _COMMANDS.items())
    yield "    )"
    yield from _zsh_arguments("    ", _options(None), ["1: :->command", "*:: :->arguments"], "-C ")
    yield "    case $state in"
    yield "    command) _describe -t commands command commands ;;"
    yield "    arguments)"
    yield "        case $words[1] in"
    for command in _COMMANDS:
        yield f"        {command})"
        argument = _argument(command)
        yield from _zsh_arguments("            ", _options(command), [f"*:{_zsh_action(argument)}"])
        yield "            ;;"
    yield "        esac ;;"
    yield "    esac"
    yield "}"
    yield from _ZSH_TAIL.splitlines()


_ZSH_TAIL = """\
if [[ $funcstack[1] == _gh-artifacts ]]; then
    _gh-artifacts "$@"
else
    compdef _gh-artifacts gh-artifacts
fi"""


def _zsh_arguments(indent: str, options: Iterable[manual.Option], rest: list[str], flags: str = "") -> Iterator[str]:
    """Yield a call of _arguments, an option's name on a line."""
    specs = [spec for option in options for spec in _zsh_option(option)]
    yield f"{indent}_arguments {flags}\\"
    *first, last = [_quoted(spec) for spec in (*specs, *rest)]
    yield from (f"{indent}    {one} \\" for one in first)
    yield f"{indent}    {last}"


def _zsh_option(option: manual.Option) -> Iterator[str]:
    said = "".join(f"\\{char}" if char in "[]\\" else char for char in _sentence(option.says))
    repeated = "*" if "can be repeated" in option.says else f"({' '.join(option.names)})"
    for name in option.names:
        if not option.value:
            yield f"{repeated}{name}[{said}]"
        else:
            yield f"{repeated}{name}{'=' if name.startswith('--') else '+'}[{said}]:{_zsh_action(option.value)}"


def _zsh_action(value: str) -> str:
    """Return a value's name and how it is completed; a blank alone is not at all."""
    if _choices(value):
        return f"{_zsh_name(value)}:({' '.join(_choices(value))})"
    return f"{_zsh_name(value)}:{ {'DIR': '_files -/', 'PEM': '_files'}.get(value, ' ') }"


def _zsh_name(value: str) -> str:
    return "value" if "|" in value else value.replace(":", "") or " "


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


# --- fish


def _fish() -> Iterator[str]:
    yield f"{_MADE}fish"
    yield from _FISH_HEAD.format(takers=" ".join(_takers())).splitlines()
    for name, command in _COMMANDS.items():
        yield f"complete -c gh-artifacts -n '__gh_artifacts_is \"\"' -a {name} -d {_fish_quoted(command.brief)}"
    for name, command in _COMMANDS.items():
        when = f" -n '__gh_artifacts_is {name}'"
        if value := _argument(name):
            yield f"complete -c gh-artifacts{when}{_fish_action(value)}"
        yield from (_fish_option(option, when) for option in command.options)
    yield from (_fish_option(option, _fish_unless_own(option)) for option in (*manual.GLOBAL, _FLAGS[0]))
    yield _fish_option(_FLAGS[1], " -n '__gh_artifacts_is \"\"'")


def _fish_unless_own(option: manual.Option) -> str:
    """Return the condition of a global option that some commands have as one of their own."""
    owners = [name for name, one in _COMMANDS.items() if option.names in {own.names for own in one.options}]
    return f" -n '{'; and '.join(f'not __gh_artifacts_is {name}' for name in owners)}'" if owners else ""


def _fish_option(option: manual.Option, when: str) -> str:
    names = "".join(f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}" for name in option.names)
    value = _fish_action(option.value) or " -x" if option.value else ""
    return f"complete -c gh-artifacts{when}{names}{value} -d {_fish_quoted(_sentence(option.says))}"


def _fish_action(value: str) -> str:
    """Return how a value is completed; empty for one that no shell knows."""
    if _choices(value):
        return f" -x -a '{' '.join(_choices(value))}'"
    return {"DIR": " -x -a '(__fish_complete_directories)'", "PEM": " -r -F"}.get(value, "")


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


_FISH_HEAD = """\
function __gh_artifacts_is
    set -l words (commandline -opc)
    set -l command ''
    set -l skip 0
    for word in $words[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case {takers}
                set skip 1
            case '-*'
            case '*'
                set command $word
                break
        end
    end
    test "$command" = "$argv[1]"
end
complete -c gh-artifacts -f"""
