"""A step of a GitHub Actions job: its outputs and its summary, which are appended to files that the runner names.

What goes to the log is in :mod:`.render.workflow`.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.cli.render import markdown, text, workflow

if TYPE_CHECKING:
    from collections.abc import Callable


@attrs.frozen(kw_only=True)
class Report:
    """What a command leaves to the steps after it, and to who looks at the run.

    Attributes:
        outputs: values by name.
        title: of the summary; empty for a command that has none.
        head: the columns of its table.
        rows: the cells, as Markdown.
        said: the line below the table.
    """

    outputs: Mapping[str, str]
    title: str = ""
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    said: str = ""


def publish(report: Report, warn: Callable[[str], None]) -> None:
    """Write a report to where the runner wants it; outside of GitHub Actions, nowhere.

    Args:
        report: the report.
        warn: is told if it cannot be written, which is no failure of the command.
    """
    if not workflow.active():
        return
    _append("GITHUB_OUTPUT", outputs(report.outputs), warn)
    if report.title:
        _append("GITHUB_STEP_SUMMARY", markdown.section(report.title, report.head, report.rows, report.said), warn)


def outputs(values: Mapping[str, str]) -> str:
    """Return outputs as the runner reads them, each between lines with a delimiter of its own."""
    return "".join(_output(name, value) for name, value in values.items())


def _output(name: str, value: str) -> str:
    delimiter = f"ghadelimiter_{uuid.uuid4()}"  # drawn after the value was made, which thus cannot hold it
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def _append(variable: str, content: str, warn: Callable[[str], None]) -> None:
    path = os.environ.get(variable)
    if not path:
        return
    try:
        with open(path, "ab") as file:  # noqa: PTH123 - a name as the runner gives it
            file.write(content.encode("utf-8", "backslashreplace"))
    except OSError as error:
        warn(f"{variable} cannot be written: {text.escaped(path)}: {error.strerror}")
