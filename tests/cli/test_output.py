"""What commands print for programs."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest

from gh_artifacts_async.cli.output import Output, Printer
from gh_artifacts_async.errors import ConfigurationError
from tests.cli.conftest import REPO

NAMES = [{"name": "wheel", "id": 1, "x": None}, {"name": "d\u00f6cs", "id": 2, "x": [1.5, True]}]


def printed(expression: str | None, document: object, capsys) -> str:
    """Return what is printed of a document."""
    printer = Output(json=True, jq=expression).printer()
    assert printer is not None
    assert printer.document(document)
    out: str = capsys.readouterr().out
    return out


def test_for_people_there_is_no_printer():
    """Neither --json nor --jq is given; --jq implies the other."""
    assert Output().printer() is None
    assert Output(jq=".").printer() is not None


def test_without_an_expression_it_is_json(capsys):
    """One document of many lines, or one line of many."""
    assert json.loads(printed(None, NAMES, capsys)) == NAMES
    printer = Printer()
    for number in range(2):
        assert printer.line({"id": number})
    assert capsys.readouterr().out == '{"id":0}\n{"id":1}\n'


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        (".[].name", "wheel\nd\u00f6cs\n"),
        (".[] | .id, .x", "1\nnull\n2\n[1.5,true]\n"),
        ("map({name})", '[{"name":"wheel"},{"name":"d\\u00f6cs"}]\n'),
        (".[] | [.id, .name] | @tsv", "1\twheel\n2\td\u00f6cs\n"),
        (".[] | select(.id > 5)", ""),
        ("[.[].id] | add", "3\n"),
    ],
)
def test_an_expression_filters(expression, said, capsys):
    """Text is printed as it is, all else as one line of JSON each, as by gh."""
    assert printed(expression, NAMES, capsys) == said


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        (".[", "--jq '.[': syntax error, unexpected end of file"),
        ("nosuch(1)", "--jq 'nosuch(1)': nosuch/1 is not defined"),
        ("", "--jq '': Top-level program not given"),
    ],
)
def test_a_wrong_expression(expression, said):
    """It is told in one line, without the lines that point at it."""
    with pytest.raises(ConfigurationError) as caught:
        Output(jq=expression).printer()
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("expression", [".[].name.x", 'error("a\\nb")', "error", "input"])
def test_an_expression_that_does_not_suit(expression, capsys):
    """One line, and nothing that came before is printed."""
    with pytest.raises(ConfigurationError, match=r"^--jq: .") as caught:
        printed(f".[0].name, {expression}", NAMES, capsys)
    assert "\n" not in str(caught.value)
    assert capsys.readouterr().out == ""


def test_on_a_terminal_text_is_escaped(monkeypatch):
    """What an artifact is called does not move the cursor; lines and tabs of the expression stay."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    document = {"name": "a\x1b[31m\u202eb"}
    for stream, said in ((Terminal(), "a\\x1b[31m\\u202eb\tx\ny\n"), (io.StringIO(), "a\x1b[31m\u202eb\tx\ny\n")):
        monkeypatch.setattr(sys, "stdout", stream)
        Printer('.name + "\\tx\\ny"').document(document)
        assert stream.getvalue() == said


def test_without_the_library_the_extra_is_named(monkeypatch):
    """One line."""
    monkeypatch.setitem(sys.modules, "jq", None)
    with pytest.raises(ConfigurationError, match=r'^jq is not installed, which --jq needs: pip install "gh-art'):
        Output(jq=".").printer()
    assert Output(json=True).printer() is not None


@pytest.mark.realtime
class TestCommands:
    """Every command that prints JSON."""

    @pytest.mark.parametrize(
        ("words", "expression", "said"),
        [
            (["list", REPO], ".[].name", "wheel"),
            (["runs", REPO], ".[].head_branch", "main"),
            (["show", REPO, "{id}"], ".name", "wheel"),
            (["download", REPO, "{id}", "--dry-run"], ".would_download[].path", "wheel.zip"),
            (["download", REPO, "{id}"], ".downloaded[].name", "wheel"),
            (["download", REPO, "{id}", "--merge", "-D", "m"], ".merged.members[].name", "log.txt"),
            (["download", REPO, "{id}", "--merge", "-D", "m", "--dry-run"], ".would_merge[].name", "wheel"),
            (["ls", REPO, "{id}"], ".members[].name", "log.txt"),
            (["wait", REPO, "wheel"], ".[].name", "wheel"),
            (["mirror", REPO, "backup"], ".fetched[].name", "wheel"),
            (["prune", REPO, "--keep-latest", "1"], ".keep[].name", "wheel"),
            (["usage", REPO], ".by_name[].name", "wheel"),
        ],
    )
    def test_takes_an_expression(self, server, cli, words, expression, said):
        """--jq is enough, without --json."""
        number = server.artifact(server.run(branch="main"), "wheel", files={"log.txt": b"x" * 100})
        ran = cli(*(word.format(id=number) for word in words), "--jq", expression)
        assert (ran.code, ran.out) == (0, f"{said}\n")

    @pytest.mark.parametrize(
        "words",
        [
            ["list", REPO],
            ["runs", REPO],
            ["show", REPO, "7"],
            ["download", REPO, "7"],
            ["ls", REPO, "7"],
            ["wait", REPO, "wheel"],
            ["watch", REPO],
            ["mirror", REPO, "backup"],
            ["prune", REPO, "--keep-latest", "1"],
            ["usage", REPO],
        ],
    )
    def test_a_wrong_expression_costs_no_request(self, server, cli, words):
        """It is a usage error."""
        ran = cli(*words, "-q", ".[")
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("error: --jq '.[': syntax error")
        assert ran.err.count("\n") == 1
        assert not server.call(lambda: list(server.github.requests))

    def test_an_expression_that_does_not_suit_is_a_usage_error(self, server, cli):
        """One line."""
        server.artifact(server.run(), "wheel")
        ran = cli("list", REPO, "-q", ".name")
        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
        assert ran.err.startswith("error: --jq: Cannot index array with")

    def test_each_object_of_watch_is_filtered(self, server, start):
        """A line for each artifact, as it comes."""
        server.artifact(server.run(), "wheel")
        words = ("watch", REPO, "-q", ".name", "--since", "2020-01-01", "-i", "0.1", "--api-url", server.url)
        process = start(*words)
        assert process.stdout.readline() == "wheel\n"
        server.artifact(server.run(), "docs")
        assert process.stdout.readline() == "docs\n"


def test_jq_is_imported_where_it_is_used_alone():
    """It takes time, and not everyone has it."""
    program = (
        "import sys; import gh_artifacts_async.cli.listing, gh_artifacts_async.cli.output; print('jq' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)  # noqa: S603
    assert ran.stdout == "False\n"
