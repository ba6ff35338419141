"""What commands print for programs: JSON, or what an expression of jq makes of it."""

import importlib
import json as codec
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import attrs
from cyclopts import Parameter

from gh_artifacts_async.cli.render import documents, screen, text
from gh_artifacts_async.errors import ConfigurationError

_KEPT = "\n\t"
"""What an expression may put into text, such as with ``join`` or ``@tsv``; all else that moves a cursor is escaped."""


class Printer:
    """Prints documents; the one place through which JSON leaves a command."""

    def __init__(self, expression: str | None = None) -> None:
        """Compile an expression of jq that all documents are filtered with; None for none.

        Raises:
            ConfigurationError: it is wrong, or the library is missing.
        """
        self._program = None if expression is None else _compiled(expression)

    def document(self, document: object) -> bool:
        """Print the one document of a command; return whether somebody may still read."""
        return screen.write(
            sys.stdout, documents.dumps(document) if self._program is None else self._filtered(document)
        )

    def line(self, document: object) -> bool:
        """Print one document of many; return whether somebody may still read."""
        return screen.write(sys.stdout, documents.line(document) if self._program is None else self._filtered(document))

    def _filtered(self, document: object) -> str:
        """Return a line for each result: text as it is, anything else as JSON.

        Raises:
            ConfigurationError: the expression does not suit the document.
        """
        try:
            return "".join(map(_line, self._results(document)))
        except ValueError as error:
            msg = f"--jq: {_first_line(error)}"
        raise ConfigurationError(msg)

    def _results(self, document: object) -> Iterator[object]:
        program: Any = self._program
        yield from program.input_text(codec.dumps(document))


@attrs.frozen(kw_only=True)
class Output:
    """How a command prints its results.

    Attributes:
        json: as JSON.
        jq: as what this expression makes of the JSON.
    """

    json: bool = False
    jq: Annotated[str | None, Parameter(name=["--jq", "-q"])] = None

    def printer(self) -> Printer | None:
        """Return what prints the results for a program; None if they are for a person.

        Raises:
            ConfigurationError: the expression is wrong.
        """
        return Printer(self.jq) if self.json or self.jq is not None else None


def _compiled(expression: str) -> object:
    try:
        jq = importlib.import_module("jq")
    except ImportError:
        msg = 'jq is not installed, which --jq needs: pip install "gh-artifacts-async[cli]"'
    else:
        try:
            return jq.compile(expression)
        except ValueError as error:
            msg = f"--jq {expression!r}: {_first_line(error)}"
    raise ConfigurationError(msg)


def _first_line(error: ValueError) -> str:
    """Return what jq says is wrong, without the lines that point at it."""
    lines = str(error).splitlines() or [""]
    return lines[0].removeprefix("jq: error: ").replace(" at <top-level>, line 1", "").rstrip(": ")


def _line(result: object) -> str:
    if not isinstance(result, str):
        return documents.line(result)
    if screen.is_terminal(sys.stdout):
        result = "".join(char if char in _KEPT else text.escaped(char) for char in result)
    return f"{result}\n"
