"""What type checkers make of tests/typing, as of a user's code: ``python -m tests.kits.checkers --python PYTHON``.

The files are copied out of the checkout, so that no checker finds this project's settings, and PYTHON is an interpreter
that has the package installed with every extra. mypy, basedpyright and ty then have to report an error on the lines
that are marked ``# error``, and on no others. A mark may name the checkers that do: ``# error: mypy, pyright``; why the
others do not, a comment says. With ``--complete``, pyright also has to know the type of everything that is exported.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ROOT = Path(__file__).parent.parent.parent
FILES = ROOT / "tests/typing"
CHECKERS = ("mypy", "pyright", "ty")
OLDEST = "3.11"
"""The version of Python that users' code is checked for."""
NOT_COMPLETE = ("gh_artifacts_async.fs",)
"""Where a base class is untyped: fsspec's."""
PYRIGHT = {
    "typeCheckingMode": "strict",
    "pythonVersion": OLDEST,
    "reportMissingTypeStubs": "none",  # fsspec has no stubs, as a user knows
    "reportUnnecessaryComparison": "none",  # narrowing is tried in every way
}
_MARK = re.compile(r"# error(?::(?P<which>[a-z, ]+))?(?:$|  )")

Found = dict[str, dict[int, str]]
"""Per file, the first message for each line that has an error."""


def marks(text: str, checker: str) -> set[int]:
    """Return the lines on which a checker has to report an error."""
    found = set()
    for number, line in enumerate(text.splitlines(), 1):
        match = _MARK.search(line)
        if match and (match["which"] is None or checker in re.findall(r"\w+", match["which"])):
            found.add(number)
    return found


def run(command: list[str], folder: Path, environ: dict[str, str] | None = None) -> str:
    """Return what a checker prints.

    Raises:
        RuntimeError: it could not do its work.
    """
    done = subprocess.run(  # noqa: S603 - the checkers of this environment
        command, cwd=folder, capture_output=True, text=True, check=False, env=environ, encoding="utf-8"
    )
    if done.returncode not in {0, 1}:
        msg = f"{command[0]} ended with {done.returncode}: {done.stderr or done.stdout}"
        raise RuntimeError(msg)
    return done.stdout


def gathered(entries: Iterable[tuple[str, int, str]]) -> Found:
    """Return entries of file, line and message by file and line."""
    found: Found = defaultdict(dict)
    for file, line, message in entries:
        found[Path(file).name].setdefault(line, message.partition("\n")[0])
    return found


def mypy(tools: Path, folder: Path, python: str) -> Found:
    """Run mypy, strict."""
    options = ["--config-file=", "--strict", "--output=json", "--no-incremental", f"--python-version={OLDEST}"]
    options += ["--enable-error-code=deprecated", f"--python-executable={python}"]
    said = run([str(tools / "mypy"), *options, *names(folder)], folder)
    entries = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    return gathered((it["file"], it["line"], it["message"]) for it in entries if it["severity"] == "error")


def pyright(tools: Path, folder: Path, python: str) -> Found:
    """Run basedpyright with pyright's own rules, strict."""
    (folder / "pyrightconfig.json").write_text(json.dumps(PYRIGHT), encoding="utf-8")
    said = run([str(tools / "basedpyright"), "--outputjson", f"--pythonpath={python}", *names(folder)], folder)
    entries = json.loads(said)["generalDiagnostics"]
    return gathered(
        (it["file"], it["range"]["start"]["line"] + 1, it["message"]) for it in entries if it["severity"] == "error"
    )


def ty(tools: Path, folder: Path, python: str) -> Found:
    """Run ty, as it comes."""
    options = [f"--python={python}", f"--python-version={OLDEST}", "--output-format=gitlab", "--no-progress"]
    entries = json.loads(run([str(tools / "ty"), "check", *options, *names(folder)], folder))
    places = [(it["location"], it["description"]) for it in entries]
    return gathered((it["path"], it["positions"]["begin"]["line"], text) for it, text in places)


def names(folder: Path) -> list[str]:
    """Return the names of the files to check."""
    return sorted(path.name for path in folder.glob("*.py"))


RUN: dict[str, Callable[[Path, Path, str], Found]] = {"mypy": mypy, "pyright": pyright, "ty": ty}


def disagreements(folder: Path, checker: str, found: Found) -> Iterator[str]:
    """Yield a line for each error that is not marked, and for each mark without an error."""
    for name in names(folder):
        text = (folder / name).read_text(encoding="utf-8")
        wanted, reported = marks(text, checker), found.get(name, {})
        for line in sorted(wanted ^ reported.keys()):
            what = "reports no error" if line in wanted else reported[line]
            yield f"tests/typing/{name}:{line}: {checker}: {what}: {text.splitlines()[line - 1].strip()}"


def incomplete(report: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each exported name whose type a checker would have to guess."""
    if not report.get("pyTypedPath"):
        yield "the package has no py.typed"
    for symbol in report["symbols"]:
        known = symbol["isTypeKnown"] and not symbol["isTypeAmbiguous"]
        if symbol["isExported"] and not known and not symbol["name"].startswith(NOT_COMPLETE):
            why = " ".join(it["message"].split("\n")[0] for it in symbol["diagnostics"])
            yield f"{symbol['name']}: {why or 'its type is partly unknown'}"


def verified(tools: Path, python: str) -> tuple[dict[str, Any], list[str]]:
    """Return what ``pyright --verifytypes`` counts, and a line for each name that it does not know the type of."""
    places = [str(Path(python).parent), os.environ.get("PATH", "")]  # it looks there, and not at --pythonpath
    environ = {**os.environ, "PATH": os.pathsep.join(places), "VIRTUAL_ENV": str(Path(python).parent.parent)}
    command = [str(tools / "basedpyright"), "--verifytypes", "gh_artifacts_async", "--ignoreexternal", "--outputjson"]
    with tempfile.TemporaryDirectory() as folder:
        report = json.loads(run(command, Path(folder), environ))["typeCompleteness"]
    return report["exportedSymbolCounts"], list(incomplete(report))


def main(arguments: list[str]) -> int:
    """Run the checkers and print where they disagree with the marks; the exit code is 1 if one of them does."""
    parser = argparse.ArgumentParser(description="what type checkers make of tests/typing, as of a user's code")
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has the package and its extras")
    parser.add_argument("--complete", action="store_true", help="look for exported names without a type, too")
    given = parser.parse_args(arguments)
    python = os.path.abspath(given.python)  # noqa: PTH100 - the link of an environment, not what it leads to
    tools = Path(sys.executable).parent
    wrong = []
    with tempfile.TemporaryDirectory() as temporary:
        for checker in CHECKERS:
            folder = Path(temporary) / checker
            shutil.copytree(FILES, folder, ignore=lambda _, found: {it for it in found if not it.endswith(".py")})
            count = len(names(folder))
            found = list(disagreements(folder, checker, RUN[checker](tools, folder, python)))
            sys.stdout.write(f"{checker}: {count} files as a user's, {len(found)} disagreements\n")
            wrong += found
    if given.complete:
        counts, lines = verified(tools, python)
        sys.stdout.write(f"pyright --verifytypes: {counts['withKnownType']} exported names, {len(lines)} to guess\n")
        wrong += lines
    sys.stdout.writelines(f"{line}\n" for line in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
