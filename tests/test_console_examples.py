"""The shell examples of the README and the documentation do what they show."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from docs import options
from tests.kits import console
from tests.kits.sampling import mostly_slow

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform == "win32", reason="the pages show a POSIX shell, and paths with slashes"),
]

PAGES = {page.relative_to(console.ROOT).as_posix(): page for page in console.pages()}


@pytest.mark.parametrize("name", mostly_slow(PAGES, quick=2))
def test_they_do_what_they_show(name: str):
    """Each command of a page ends with the exit code that the page states, and prints what it shows."""
    with console.Page(PAGES[name]) as page:
        assert list(page.checked()) == [], "to update the pages: python -m tests.kits.console --write"


@pytest.mark.slow
def test_the_program_itself():
    """The same by processes, for one page: the installed program does what the parser does here."""
    with console.Page(PAGES["docs/reference/cli.md"]) as page:
        assert {it.code for it in page.commands if it.arguments is not None} >= {0}
        for command, ran in page.ran(apart=True):
            assert ran.code == command.code or "delete" in command.words, command.text
            assert ran.lines, command.text


@pytest.mark.slow
def test_the_examples_of_help_pages(tmp_path: Path):
    """What --help gives as examples works, against the same repository."""
    path = tmp_path / "help.md"
    path.write_text(options.page(), encoding="utf-8")
    with console.Page(path) as page:
        assert list(page.checked()) == []


def page_of(tmp_path: Path, *blocks: str) -> console.Page:
    """Return a page with these blocks."""
    path = tmp_path / "page.md"
    path.write_text("".join(f"Text.\n\n```console\n{block}```\n\n" for block in blocks), encoding="utf-8")
    return console.Page(path)


def test_what_is_found():
    """Commands, what a shell does with them, exit codes and outputs; other programs have no arguments."""
    found = console.commands(
        "# Page\n\n```console\n$ FOO=1 gh-artifacts list 'a b' | head -1  # why\nID\n\n$ echo $?\n3\n"
        "$ gh-artifacts cat \\\n>   11 x >file\n$ pip install .\n```\n\n```python\n$ gh-artifacts no\n```\n"
    )
    assert [it.line for it in found] == [4, 7, 9, 11]
    assert [it.arguments for it in found] == [["list", "a b"], None, ["cat", "11", "x"], None]
    assert [it.rest for it in found] == ["| head -1  # why", "", ">file", ""]
    assert [it.shown for it in found] == [("ID", ""), ("3",), (), ()]
    assert [it.code for it in found] == [3, 0, 0, 0]
    assert console.commands("```console\n$ python -m gh_artifacts_async watch\n```\n")[0].is_endless
    assert not console.commands("```console\n$ python -m gh_artifacts_async.testing\n```\n")[0].is_endless


@pytest.mark.parametrize(
    ("shown", "said", "agree"),
    [
        ("a\nb", "a\nb", True),
        ("a\nb", "b\na", True),
        ("a", "a\nb", False),
        ("a\n…", "a\nb\nc", True),
        ("a\n…\nd", "a\nb\nc", False),
        ("a\na\n…", "a\nb", False),
        ("10  logs  2 h ago  in 89 d", "10  logs  3 h ago  in 88 d", True),
        ("5.0 MB in 0.4 s, 10 MB/s", "5.0 MB in 12.5 s, 1.5 kB/s", True),
        ("at 127.0.0.1:80 since 2026-01-01", "at 127.0.0.1:8080 since 2026-01-02T12:00:00Z", True),
        ("5.0 MB", "6.0 MB", False),
    ],
)
def test_what_agrees(shown: str, said: str, agree: bool):  # noqa: FBT001
    """Times, rates and addresses may differ, transfers end in any order, and ``…`` stands for lines."""
    assert console.agrees(shown.split("\n"), said.split("\n")) is agree


@pytest.mark.parametrize(
    ("shown", "said", "wanted"),
    [
        ("", "a", ""),
        ("in 1.0 s", "in 2.0 s", "in 1.0 s"),
        ("a", "b\nc", "b\nc"),
        ("a\n…\nz", "b\nc\nd\ny", "b\n…\ny"),
        ("a\n…\nz", "b\ny", "b\ny"),
        ("a\n…", "b\nc\nd", "b\n…"),
    ],
)
def test_what_is_rewritten(shown: str, said: str, wanted: str):
    """What is right stays as it is; what is not is replaced, with ``…`` at the same place."""
    assert console.rewritten(tuple(shown.splitlines()), said.splitlines()) == tuple(wanted.splitlines())


def test_what_does_not_agree_is_said(tmp_path: Path):
    """A wrong output, a wrong exit code, and one that a page does not state."""
    page = page_of(
        tmp_path,
        "$ gh-artifacts show 11 --json | grep name\nwrong\n$ gh-artifacts show 99\n",
        "$ gh-artifacts show 99\nerror: …\n$ echo $?\n4\n$ gh-artifacts watch\n$ gh-artifacts list | cat >list.txt\n",
    )
    with page:
        first, second, third = page.checked()
        assert Path("list.txt").read_text(encoding="utf-8").startswith("ID ")
    assert first.startswith("page.md:4: gh-artifacts show 11 --json | grep name prints something else:\n")
    assert '"name": "docs"' in first
    assert second.startswith("page.md:6: exit code 3, not 0: ")
    assert third.startswith("page.md:12: exit code 3, not 4: ")


def test_pages_are_rewritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """What commands print takes the place of what a page shows; commands that show nothing stay so."""
    page = page_of(tmp_path, "$ gh-artifacts wait docs\nwrong\n$ gh-artifacts usage\n$ ls\nnothing\n")
    console.write([page.path])
    text = page.path.read_text(encoding="utf-8")
    said = "11  docs  3.0 MB  run 9000000001  main"
    assert f"$ gh-artifacts wait docs\n{said}\n$ gh-artifacts usage\n$ ls\nnothing\n" in text
    assert capsys.readouterr().out == "page.md rewritten\n"
    console.write([page.path])
    assert capsys.readouterr().out == ""


def test_a_person_who_says_yes(tmp_path: Path):
    """A question is answered, and the answer shows as on a terminal."""
    with page_of(tmp_path, "$ gh-artifacts delete 11\n") as page:
        ((_, ran),) = page.ran()
    assert ran.code == 0
    assert any(line.endswith("[y/N] y") for line in ran.lines)


def test_what_a_page_takes_for_granted(tmp_path: Path):
    """Other hosts are the fake, and a company's certificates are there."""
    block = "$ gh-artifacts list --api-url https://ghe.example.com/api/v3 --ca-file /etc/ssl/our-ca.pem --limit 1\n…\n"
    with page_of(tmp_path, block) as page:
        assert list(page.checked()) == []
        assert page.github.requests


@pytest.mark.slow
def test_watching_ends_by_ctrl_c(tmp_path: Path):
    """A command that goes on until it is stopped is a process, and is stopped once it has printed a line."""
    with page_of(tmp_path, "$ gh-artifacts watch octo-org/octo-docs --json\n") as page:
        ((_, ran),) = page.ran(apart=True)
    assert ran.code == 130
    assert json.loads(ran.lines[0])["name"] == "nightly"


def test_bash_is_needed():
    """Pipes of the pages are run by bash."""
    assert shutil.which("bash")
