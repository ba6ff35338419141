"""What tests/typing covers, and how the answers of type checkers are compared with the marks in it."""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path

import pytest

from tests.kits import checkers, surface

pytestmark = pytest.mark.once

NOT_CALLED = {"BulkError.derive"}
"""What Python calls."""
OVERRIDES = ("ArtifactsFileSystem.", "ArtifactFile.", "JumpLoop.")
"""Of another library's class, or of Python's: what they add is covered, what they override is as untyped as there."""


def used() -> set[str]:
    """Return every name in tests/typing."""
    found: set[str] = set()
    for path in checkers.FILES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found.update(
                value for name in ("id", "attr", "name") if isinstance(value := getattr(node, name, None), str)
            )
    return found


def test_every_public_callable_is_there():
    """What can be called is called, and each class is named, in what a user's type checker reads."""
    text = surface.PINNED.read_text(encoding="utf-8")
    callables = {it[1] for it in re.finditer(r"(?m)^(?:classmethod |staticmethod )?(?:async )?def ([\w.]+)\(", text)}
    classes = set(re.findall(r"(?m)^class (\w+)", text))
    errors = set(surface.error_tree())  # those that have nothing of their own are as good as their base
    named = {it for it in callables if not it.rpartition(".")[2].startswith("__") and not it.startswith(OVERRIDES)}
    there = used()
    missing = {it for it in named | (classes - errors) if it.rpartition(".")[2] not in there} - NOT_CALLED
    assert missing == set()


def test_the_files_hold_no_comment_for_one_checker():
    """An error that is meant is marked for all of them; only a library without types is excused to mypy."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in checkers.FILES.glob("*.py"))
    assert re.findall(r"# (?:type|pyright|ty): ignore(?!\[import-untyped\])", text) == []
    assert len(checkers.marks(text, "ty")) > 70
    assert max(len(path.read_text(encoding="utf-8").splitlines()) for path in checkers.FILES.glob("*.py")) <= 420


MARKED = "a  # error\nb  # error: mypy, pyright\nc  # error: ty  # noqa: B018\nd  # no error\ne  # errors\n"


@pytest.mark.parametrize(("checker", "lines"), [("mypy", {1, 2}), ("pyright", {1, 2}), ("ty", {1, 3})])
def test_marks(checker, lines):
    """A mark is for all, or for those that it names."""
    assert checkers.marks(MARKED, checker) == lines


def test_what_is_not_as_marked_is_told(tmp_path: Path):
    """An error without a mark, and a mark without an error; one message a line is enough."""
    (tmp_path / "api.py").write_text(MARKED, encoding="utf-8")
    found = checkers.gathered(
        [("api.py", 1, "right"), (f"{tmp_path}/api.py", 4, "wrong\nmore"), ("api.py", 4, "again")]
    )
    assert list(checkers.disagreements(tmp_path, "mypy", found)) == [
        "tests/typing/api.py:2: mypy: reports no error: b  # error: mypy, pyright",
        "tests/typing/api.py:4: mypy: wrong: d  # no error",
    ]


def test_each_answer_is_read(tmp_path: Path, monkeypatch):
    """The lines of mypy, the document of pyright, which counts from 0, and the list of ty; notes are no errors."""
    answers = {
        "mypy": '{"file": "a.py", "line": 3, "message": "m", "severity": "error"}\n'
        '{"file": "a.py", "line": 4, "message": "m", "severity": "note"}\nfound 1 error\n',
        "basedpyright": json.dumps(
            {
                "generalDiagnostics": [
                    {"file": "/x/a.py", "range": {"start": {"line": 2}}, "message": "m", "severity": "error"},
                    {"file": "/x/a.py", "range": {"start": {"line": 5}}, "message": "m", "severity": "information"},
                ]
            }
        ),
        "ty": json.dumps([{"location": {"path": "a.py", "positions": {"begin": {"line": 3}}}, "description": "m"}]),
    }
    monkeypatch.setattr(checkers, "run", lambda command, _folder, _environ=None: answers[Path(command[0]).name])
    for checker in checkers.CHECKERS:
        assert checkers.RUN[checker](Path("bin"), tmp_path, "python") == {"a.py": {3: "m"}}
    assert json.loads((tmp_path / "pyrightconfig.json").read_text(encoding="utf-8"))["typeCheckingMode"] == "strict"


@pytest.mark.realtime
def test_a_checker_that_does_not_run_is_an_error(tmp_path: Path):
    """Not a checker that finds nothing."""
    program = "import sys; print('out'); sys.exit({})"
    assert checkers.run([sys.executable, "-c", program.format(1)], tmp_path) == "out\n"
    with pytest.raises(RuntimeError, match="ended with 2: out"):
        checkers.run([sys.executable, "-c", program.format(2)], tmp_path)


def test_a_type_to_guess_is_told():
    """Of what is exported, except where the base class is untyped."""
    guessed = {"isExported": True, "isTypeKnown": True, "isTypeAmbiguous": True, "diagnostics": [{"message": "w\nx"}]}
    symbols = [
        {**guessed, "name": "gh_artifacts_async.A"},
        {**guessed, "name": "gh_artifacts_async.B", "isTypeKnown": False, "diagnostics": []},
        {**guessed, "name": "gh_artifacts_async.C", "isTypeAmbiguous": False},
        {**guessed, "name": "gh_artifacts_async.D", "isExported": False},
        {**guessed, "name": "gh_artifacts_async.fs.E"},
    ]
    assert list(checkers.incomplete({"symbols": symbols})) == [
        "the package has no py.typed",
        "gh_artifacts_async.A: w",
        "gh_artifacts_async.B: its type is partly unknown",
    ]


def test_the_command(tmp_path: Path, monkeypatch, capsys):
    """It says what each checker made of it, and exits with 1 if one of them disagrees or a type is to be guessed."""
    (tmp_path / "api.py").write_text("a  # error\n", encoding="utf-8")
    monkeypatch.setattr(checkers, "FILES", tmp_path)
    monkeypatch.setattr(checkers, "RUN", dict.fromkeys(checkers.CHECKERS, lambda *_: {"api.py": {1: "m"}}))
    assert checkers.main(["--python", "x"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "mypy: 1 files as a user's, 0 disagreements"
    monkeypatch.setattr(checkers, "verified", lambda *_: ({"withKnownType": 3}, ["m.A: why"]))
    assert checkers.main(["--complete"]) == 1
    assert capsys.readouterr().out.splitlines()[3:] == [
        "pyright --verifytypes: 3 exported names, 1 to guess",
        "m.A: why",
    ]
    monkeypatch.setitem(checkers.RUN, "ty", lambda *_: {})
    assert checkers.main([]) == 1
    assert "tests/typing/api.py:1: ty: reports no error: a  # error" in capsys.readouterr().out
