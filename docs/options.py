"""A Sphinx extension: all options of the command line on the page reference/options, from the help pages' own data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gh_artifacts_async.cli import manual

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sphinx.application import Sphinx

PAGE = "reference/options"


def _literal(text: str) -> str:
    """Return text with what looks like an option, a variable or a value in quotes as code."""
    text = re.sub(r"(?<![\w`])(--?[a-z][a-z-]*|[A-Z]+_[A-Z_]+|[A-Z]+/NAME[\w./-]*)", r"`\1`", text)
    return re.sub(r"'([^']+)'", r"`\1`", text)


def _options(options: Sequence[manual.Option]) -> Iterator[str]:
    for option in options:
        value = f" {option.value}" if option.value else ""
        default = f" Default: {_literal(option.default)}." if option.default else ""
        yield f"{', '.join(f'`{name}{value}`' for name in option.names)}\n: {_literal(option.says)}{default}\n"


def _command(name: str, command: manual.Command) -> Iterator[str]:
    yield f"## `{name}`\n"
    yield f"{command.brief}\n"
    yield "```text\n" + "".join(f"{manual.NAME} {usage}\n" for usage in command.usage) + "```\n"
    yield from (f"{_literal(paragraph)}\n" for paragraph in command.about)
    yield from _options(command.options)
    if command.examples:
        yield "```console\n" + "".join(f"$ {manual.NAME} {example}\n" for example in command.examples) + "```\n"


def page() -> str:
    """Return all commands with their options, in Markdown."""
    parts = ["## Every command\n", *_options(manual.GLOBAL)]
    for name, command in manual.COMMANDS.items():
        parts.extend(_command(name, command))
    return "\n".join(parts)


def _read(_app: Sphinx, name: str, source: list[str]) -> None:
    if name == PAGE:
        source[0] += f"\n{page()}"


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect it."""
    app.connect("source-read", _read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
