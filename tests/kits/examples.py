"""The Python examples of the README and the documentation: found, run, and laid out for type checkers."""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

import gh_artifacts_async

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parent.parent.parent
PAGES = (
    ROOT / "README.md",
    ROOT / "docs" / "index.md",
    ROOT / "docs" / "tutorial.md",
    *(path for path in sorted((ROOT / "docs" / "howto").glob("*.md")) if path.stem not in {"pandas-duckdb", "testing"}),
)
PAGES_BY_NAME = {page.stem: page for page in PAGES}

GIVEN = {
    "client": "ArtifactsClient",
    "artifact": "Artifact",
    "artifacts": "list[Artifact]",
    "artifact_id": "int",
    "repo": "str",
    "token": "str",
}
"""The variables that an example may use without defining them, and their types."""

_BLOCK = re.compile(
    r"^```(?:\{(?P<doctest>testcode)\}|(?P<python>python))\n(?P<source>.*?)^```$"
    r"(?:\n+^```\{testoutput\}\n(?P<output>.*?)^```$)?",
    re.DOTALL | re.MULTILINE,
)
_RUN = re.compile(r"^(?:asyncio\.run\(main\(\)\)\n|if __name__ == \"__main__\":\n(?:    .*\n)+)", re.MULTILINE)

NOTEBOOKS = {"notebook"}
"""Pages whose blocks are the cells of a notebook: one after the other, with ``await`` at the top."""

_EXAMPLES_ONLY = {"distributed", "fastapi", "github", "githubkit", "obstore", "rich", "tqdm", "uvicorn"}
"""What only the examples need, or an extra: not every environment of the tests has it."""

UNTYPED = ("--untyped-calls-exclude=distributed",)
"""For mypy: what is marked as typed, and is not; who uses Dask knows that."""

STUBS = {
    "tqdm/__init__.pyi": """from typing import Generic, NoReturn, TypeVar
T = TypeVar("T")
class tqdm(Generic[T]):
    n: int
    total: float | None
    def __init__(self: tqdm[NoReturn], iterable: None = ..., *, unit: str = ..., unit_scale: bool = ...) -> None: ...
    def update(self, n: float = 1) -> bool | None: ...
    def __enter__(self) -> tqdm[T]: ...
    def __exit__(self, kind: object, error: object, traceback: object) -> None: ...
""",
}
"""Stand-ins for stub packages that users install (types-tqdm), as far as the examples use them."""


@attrs.frozen(kw_only=True)
class Example:
    """One block of code on a page.

    Attributes:
        page: the page's name.
        line: where it starts.
        source: its code.
        output: what it prints; None if the page does not say.
        alone: it does not build on the blocks before it.
        cell: it is a cell of a notebook.
    """

    page: str
    line: int
    source: str
    output: str | None
    alone: bool
    cell: bool = False

    @property
    def program(self) -> str:
        """The code without the call of asyncio.run: a test has an event loop already."""
        return _RUN.sub("", self.source)

    @property
    def is_program(self) -> bool:
        """Whether it has a ``main`` of its own to be run."""
        return self.program != self.source

    @property
    def imports(self) -> str:
        """Imports of the public names that the code takes for granted."""
        own = "".join(re.findall(r"^(?:from|import) .*$", self.source, re.MULTILINE))
        used = {name for name in gh_artifacts_async.__all__ if re.search(rf"\b{name}\b", self.source)}
        names = sorted(name for name in used if not re.search(rf"\b{name}\b", own))
        return "".join(f"from gh_artifacts_async import {name}\n" for name in names)

    @property
    def once(self) -> bool:
        """Whether it needs what not every environment of the tests has."""
        imported = re.findall(r"^(?:from|import) (\w+)", self.source, re.MULTILINE)
        return not _EXAMPLES_ONLY.isdisjoint(imported)

    def _takes(self, name: str) -> bool:
        """Whether the code uses a name that it has not assigned before."""
        first = re.search(rf"\b{name}\b(?!=)(?P<assigned>(?:: [^=\n]+)? = )?", self.source)
        return first is not None and first["assigned"] is None

    def function(self, name: str) -> str:
        """Return a fragment as the body of a coroutine function that is given what it uses."""
        given = [f"{it}: {kind}" for it, kind in GIVEN.items() if self._takes(it)]
        types = sorted({word for it in given for word in re.findall(r"Artifact\w*", it)})
        imports = "".join(f"from gh_artifacts_async import {word}\n" for word in types)
        body = textwrap.indent(self.imports + self.source, "    ")
        return f"{imports}\nasync def {name}({', '.join(given)}) -> None:\n{body}"


def examples(page: Path) -> list[Example]:
    """Return a page's examples in their order."""
    text = page.read_text(encoding="utf-8")
    return [
        Example(
            page=page.relative_to(ROOT).as_posix(),
            line=text.count("\n", 0, block.start()) + 2,
            source=block["source"],
            output=block["output"],
            alone=block["python"] is not None and page.stem not in NOTEBOOKS,
            cell=page.stem in NOTEBOOKS,
        )
        for block in _BLOCK.finditer(text)
    ]


async def run(example: Example, names: dict[str, Any], values: Mapping[str, object]) -> str:
    """Run an example and return what it prints.

    Args:
        example: the example.
        names: what the blocks before it have defined; it adds its own.
        values: what ``GIVEN`` names.
    """
    code = example.program if example.is_program or not example.alone else example.function("main")
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if example.cell else 0
    compiled = compile(code, f"{example.page}:{example.line}", "exec", flags=flags)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        if compiled.co_flags & inspect.CO_COROUTINE:
            await eval(compiled, names)  # noqa: S307  our own documentation
        else:
            exec(compiled, names)  # noqa: S102  our own documentation
        if example.is_program:
            status = await names["main"]()
            assert not status, f"{example.page}:{example.line} ends with {status}"
        elif example.alone:
            wanted = names["main"].__annotations__.keys() - {"return"}
            await names["main"](**{name: values[name] for name in wanted})
    return said.getvalue()


def modules(page: list[Example]) -> list[str]:
    """Return a page as modules for type checkers: one for each fragment, one for all chained blocks or cells."""
    if all(example.cell for example in page):
        cells = textwrap.indent("\n".join(example.source for example in page), "    ")
        head = "# pyright: reportUnusedExpression=false\n" if page else ""  # what a cell shows
        return [f"{head}async def notebook() -> None:\n{cells}"] if page else []
    chained = ""
    found = []
    for number, example in enumerate(page):
        if not example.alone:
            chained += re.sub(r"\bmain\(\)", f"main_{number}()", example.source) + "\n"
        elif example.is_program:
            found.append(example.source)
        else:
            found.append(example.function("example"))
    return [*found, chained] if chained else found


def kit_blocks() -> list[str]:
    """Return the blocks of Python and of an ini file on the page about testing, from those with pytest on."""
    page = (ROOT / "docs" / "howto" / "testing.md").read_text(encoding="utf-8").partition("## With pytest")[2]
    return re.findall(r"^```(?:python|ini)\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def check_types(folder: Path) -> None:
    """Let mypy and basedpyright, both strict, look at the modules of a folder; fail with what they say."""
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "extraPaths": [str(ROOT)]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    for command in (
        ["mypy", "--strict", "--no-incremental", "--follow-imports=silent", *UNTYPED, "."],
        ["basedpyright", "--pythonpath", sys.executable, "."],
    ):
        done = subprocess.run(  # noqa: S603  fixed
            [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
