"""The machinery of the documentation: constructors in the reference, and what is checked once it is built."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import attrs
import pytest

from docs import options
from docs.constructors import arguments, defaults, described, with_defaults, with_values
from gh_artifacts_async import (
    AppInstallationToken,
    ArtifactsClient,
    ConnectionFailedError,
    Limits,
    ProxyError,
    TransferStarted,
    errors,
)
from gh_artifacts_async.archive import audit_directory
from gh_artifacts_async.cli import exits, manual
from gh_artifacts_async.testing import FakeGitHub, Faults, JumpLoop
from gh_artifacts_async.transfer.disk.layouts import FIELDS
from tests.kits import built_docs

pytestmark = pytest.mark.once


@attrs.frozen(kw_only=True)
class Given:
    """Fields of each kind."""

    needed: int
    plain: float = 0.50
    called: int | None = attrs.field(default=4 * 2**20)
    several: list[int] = attrs.field(factory=list)
    another: Limits = attrs.field(factory=Limits)
    unnamed: str = attrs.field(repr=False)


def test_defaults_as_the_source_has_them():
    """A default is what stands in the source, whichever way attrs is told of it; inherited fields count."""
    assert defaults(Given) == {"plain": "0.50", "called": "4 * 2**20", "several": "[]", "another": "Limits()"}
    assert defaults(Limits)["max_answer_bytes"] == "8 * 2**20"
    assert set(defaults(TransferStarted)) == {
        field.name for field in attrs.fields(TransferStarted) if field.default is not attrs.NOTHING
    }


def test_signatures():
    """What autodoc reads in the code that attrs writes is replaced, and nothing else."""
    written = "(needed: int, *, called: int | None = attr_dict['called'].default, several: list[int] = NOTHING)"
    wanted = "(needed: int, *, called: int | None = 4 * 2**20, several: list[int] = [])"
    assert with_defaults(Given, written) == wanted
    assert with_defaults(Faults, "(clock: Clock, script: list[Fault] = NOTHING)").endswith("script: list[Fault] = [])")


def test_constants():
    """A default that is a constant of the module is shown as its value."""
    assert with_values(ArtifactsClient, "(api_version: str = API_VERSION)") == "(api_version: str = '2022-11-28')"
    assert with_values(ArtifactsClient, "(other: str = UNKNOWN)") == "(other: str = UNKNOWN)"
    assert with_values(errors.OutOfSpaceError, "(errno: int = _errno.ENOSPC)") == "(errno: int = errno.ENOSPC)"
    audited = with_values(audit_directory, "(policy: ExtractPolicy = DEFAULT_POLICY)")
    assert audited == "(policy: ExtractPolicy = ExtractPolicy())"


def test_arguments():
    """The arguments of a constructor come from its docstring, an inherited one too, and not from that of attrs."""
    assert "app_id: the App's ID, or its client ID." in "\n".join(arguments(AppInstallationToken))
    assert arguments(FakeGitHub)[1] == "Args:"
    assert arguments(Limits) == arguments(ConnectionFailedError) == []


def test_fields():
    """Each field has its type, without modules, and its default in its own line; other paragraphs are left alone."""
    lines = [
        "About it.",
        "",
        ".. attribute:: plain",
        "",
        "   seconds.",
        "",
        "   :type: pathlib.Path | gh_artifacts_async.models.Artifact",
        "",
        "Afterwards.",
        "   :type: text",
    ]
    assert described(lines, defaults(Given)) == [
        *lines[:3],
        "   :type: Path | Artifact",
        "   :value: 0.50",
        *lines[3:6],
        *lines[7:],
    ]


def test_public_members():
    """Fields, methods and properties count, inherited ones too, also what an error keeps; Python's own do not."""
    assert {"api_concurrency", "budget"} <= built_docs.members(Limits)
    assert {"message", "host", "status"} <= built_docs.members(ProxyError)
    assert "with_traceback" not in built_docs.members(ProxyError)
    assert built_docs.members(JumpLoop) == {"jump", "jumped", "thread_work"}
    assert {"from_env", "list_artifacts", "statistics"} <= built_docs.members(ArtifactsClient)


def write_inventory(root: Path, *names: str) -> None:
    """Write an inventory as Sphinx does."""
    lines = "".join(f"{name} py:attribute 1 reference/x.html#$ -\n" for name in names)
    entries = lines + "exit-codes std:label -1 reference/exits.html#exit-codes Exit codes\n"
    head = b"# Sphinx inventory version 2\n# Project: p\n# Version: 1\n# The remainder is compressed\n"
    (root / "objects.inv").write_bytes(head + zlib.compress(entries.encode()))


def test_a_name_that_is_missing(tmp_path: Path):
    """Each public name must be in the inventory; one of a base class does for the classes below it."""
    write_inventory(tmp_path, "gh_artifacts_async.Limits", "gh_artifacts_async.TransferEvent.artifact")
    found = set(built_docs.undocumented(built_docs.inventory(tmp_path)))
    assert "gh_artifacts_async.Limits.budget is not in the reference" in found
    assert "gh_artifacts_async.Limits is not in the reference" not in found
    assert "gh_artifacts_async.TransferStarted.artifact is not in the reference" not in found
    assert "gh_artifacts_async.api.get_artifact is not in the reference" in found


def test_links(tmp_path: Path):
    """Files, anchors and outside addresses are looked at, each in its way."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "other.html").write_text('<h1 id="here">x</h1><a name="old">y</a>', encoding="utf-8")
    (tmp_path / "index.html").write_text(
        '<a href="sub/other.html#here">1</a><a href="sub/other.html#old">2</a><a href="#top">3</a><p id="top">'
        '<a href="sub/missing.html">4</a><a href="sub/other.html#gone">5</a><a href="http://example.com/">6</a>'
        '<a href="https://example.com/x#y">7</a><a href="https://nowhere/">8</a><a href="mailto:a@b.c">9</a>'
        '<a name="n">10</a><img src="picture.svg"><link href="sub/other.html?v=1">',
        encoding="utf-8",
    )
    assert list(built_docs.broken_links(tmp_path)) == [
        "index.html: sub/missing.html leads to a file that is not there",
        "index.html: sub/other.html#gone leads to a place that is not there",
        "index.html: http://example.com/ is not an https address",
        "index.html: https://nowhere/ is not an https address",
        "index.html: picture.svg leads to a file that is not there",
    ]


def test_the_check_as_make_docs_runs_it(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch):
    """It prints a line for each fault; without any, nothing, and the exit code is 0."""
    monkeypatch.setattr(built_docs, "MODULES", ("gh_artifacts_async.budgets",))
    members = ("lease", "pause", "paused", "window", "open_at", "aclose", "url", "key")
    names = [f"{name}.{it}" for name in ("DaskBudget", "LocalBudget", "RedisBudget") for it in members]
    names += ["LocalBudget", "DaskBudget", "DaskBudget.bound_to"]
    (tmp_path / "index.html").write_text("<p>attempts = attr_dict['attempts'].default</p>", encoding="utf-8")
    write_inventory(tmp_path, *(f"gh_artifacts_async.budgets.{name}" for name in names))
    assert built_docs.main([str(tmp_path)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "gh_artifacts_async.budgets.RedisBudget is not in the reference",
        "index.html: attr_dict is no default that a reader understands",
    ]
    (tmp_path / "index.html").write_text("<p>attempts = 6</p>", encoding="utf-8")
    write_inventory(tmp_path, *(f"gh_artifacts_async.budgets.{name}" for name in [*names, "RedisBudget"]))
    assert built_docs.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""


def rows(page: str) -> list[list[str]]:
    """Return the rows of a page's tables, without their heads."""
    text = (built_docs.ROOT / "docs" / "reference" / page).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def named(cell: str) -> list[str]:
    """Return what a cell has in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def test_every_error_says_what_to_do():
    """The page of errors has a row for each class, with the exit code that the command line gives it."""
    cells = [row[0].removeprefix("{exc}`~gh_artifacts_async.").split("`<br>") for row in rows("errors.md")]
    found = {cell[0]: cell[1] for cell in cells if len(cell) > 1}
    found["ArtifactsError"] = "1"  # the base of them all, which nothing raises
    classes = [it for it in vars(errors).values() if isinstance(it, type) and issubclass(it, errors.ArtifactsError)]
    assert sorted(found) == sorted(it.__name__ for it in classes)
    del found["BulkError"]
    assert found == {it.__name__: str(exits.exit_code(it("x"))) for it in classes if it is not errors.BulkError}


def test_exit_codes_are_all_there():
    """The page of exit codes has those of the command line."""
    found = {int(row[0]) for row in rows("exit-codes.md") if row[0].isdigit()}
    codes = {value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)}
    assert found == codes


def test_layout_fields_are_all_there():
    """The page of layouts has the fields that a template may use, and no others."""
    found = [field.strip("{}") for row in rows("layouts.md") for field in named(row[0]) if field.startswith("{")]
    assert sorted(found) == sorted(FIELDS)


def test_environment_variables_are_all_there():
    """Each variable that the source names is on its page; each on the page is in the source, or others' own."""
    found = {name for row in rows("environment.md") for name in named(row[0])}
    package = built_docs.ROOT / "gh_artifacts_async"
    source = "".join(path.read_text(encoding="utf-8") for path in package.rglob("*.py") if "testing" not in path.parts)
    names = r"(?:GH|GITHUB)_[A-Z_]+|\w+_COLOR|COLUMNS|TERM|WT_SESSION|APPDATA|XDG_\w+"
    read = set(re.findall(rf"[\"']({names})[\"']", source))
    set_for_gh = {"GH_PROMPT_DISABLED", "GH_NO_UPDATE_NOTIFIER"}
    assert read - set_for_gh <= found
    others = {"PATH", "TMPDIR", "TEMP", "TMP", "SSL_CERT_FILE", "SSL_CERT_DIR", "ALL_PROXY", "HTTP_PROXY"}
    assert found - read <= others | {"HTTPS_PROXY", "NO_PROXY"}


def test_every_command_is_described():
    """The page of the command line has each command; the page of options has each option with its default."""
    text = (built_docs.ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    assert [name for name in manual.COMMANDS if f"gh-artifacts {name}" not in text] == []
    page = options.page()
    for command in manual.COMMANDS.values():
        assert all(f"`{name}" in page for option in command.options for name in option.names)
    assert ": Number of parallel downloads. Default: 8.\n" in page
    assert "`--run ID`, `-r ID`\n: " in page
    assert "Default: `GH_REPO`, `GITHUB_REPOSITORY`, git's origin." in page
