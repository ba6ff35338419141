"""Errors as sentences: what happened, and what to do."""

from __future__ import annotations

import ast
import errno
import re
from pathlib import Path

import attrs
import pytest

from gh_artifacts_async import ArtifactRef, RepositoryName, errors
from gh_artifacts_async.cli.render.sentences import RESUME, Situation, as_options, named, sentence
from tests.models.test_models import ARTIFACT

DOWNLOAD = Situation(resumes=True, can_replace=True)


@pytest.mark.parametrize(
    ("error", "situation", "said"),
    [
        (
            errors.NotFoundError("no such thing."),
            Situation(),
            "no such thing; check OWNER/REPO and the ID",
        ),
        (
            errors.NotFoundError("no", request="GET /repos/o/r/actions/artifacts"),
            Situation(),
            "no; check OWNER/REPO",
        ),
        (
            errors.NotFoundError("no", request="GET /repos/o/r/actions/artifacts/7"),
            Situation(),
            "no; check OWNER/REPO and the ID",
        ),
        (errors.SlowTransferError("too slow"), Situation(), "too slow; try again"),
        (errors.SlowTransferError("too slow"), DOWNLOAD, f"too slow; {RESUME}"),
        (errors.NotFoundError("x"), DOWNLOAD, "x; check OWNER/REPO and the ID"),
        (errors.OutOfSpaceError("full"), DOWNLOAD, f"full; free some space, then {RESUME}"),
        (errors.DestinationExistsError("taken"), Situation(), "taken; choose another --dir"),
        (
            errors.DestinationExistsError("taken"),
            DOWNLOAD,
            "taken; choose another --dir, or use --if-exists replace",
        ),
        (
            errors.AuthenticationError("bad"),
            Situation(token_variables=("A", "B", "C")),
            "bad; set A or B to a valid token",
        ),
        (
            errors.MissingTokenError("pass one"),
            Situation(),
            "downloading needs a token, even from a public repository; set GH_TOKEN or GITHUB_TOKEN to a valid token",
        ),
        (
            errors.WaitTimeoutError("late; pass a larger timeout to wait longer"),
            Situation(),
            "late; use a larger --timeout to wait longer",
        ),
        (
            errors.RunFailedError("bad; pass fail_fast=False to wait for a re-run"),
            Situation(),
            "bad; use --no-fail-fast to wait for a re-run",
        ),
        (
            errors.MissingTokenError(
                "DELETE /repos/o/r/actions/artifacts/7 needs a token, even for a public repository"
            ),
            Situation(token_variables=("GH_ENTERPRISE_TOKEN",)),
            "deleting needs a token; set GH_ENTERPRISE_TOKEN to a valid token",
        ),
        (errors.ServerError("try again later"), Situation(), "try again later"),
        (errors.RequestTimeoutError("slow; try again"), Situation(), "slow; try again"),
        (PermissionError(errno.EACCES, "Permission denied", "out"), Situation(), "out: Permission denied"),
        (OSError(), Situation(), "OSError"),
    ],
)
def test_what_happened_and_what_to_do(error, situation, said):
    """One sentence; advice fits the command and the host, and nothing is said twice."""
    assert sentence(error, situation) == said


@pytest.mark.parametrize(
    ("library", "said"),
    [
        ("base_url must be a URL", "the API's URL must be a URL"),
        ("ca_file x cannot be used", "--ca-file x cannot be used"),
        ("run_id must be 1 or more", "--run must be 1 or more"),
        ("name must be an artifact's name, not ''", "--name must be an artifact's name, not ''"),
        ("branch must be a non-empty string, or None for any, not ''", "--branch must be a non-empty string, not ''"),
        ("pull_request must be 1 or more", "--pr must be 1 or more"),
        ("layout must be 'name', 'id', a callable, or a template", "--layout must be 'name', 'id', or a template"),
        ("limit must be 1 or more", "--limit must be 1 or more"),
        ("timeout must be above 0", "--timeout must be above 0"),
        ("interval must be above 0", "--interval must be above 0"),
        ("since must be a time", "--since must be a time"),
        ("unencrypted; use https, or pass allow_http=True", "unencrypted; use https"),
        ("'a.zip' already exists; if_exists='replace' overwrites it", "'a.zip' already exists"),
    ],
)
def test_arguments_are_named_as_options(library, said):
    """Who types options is not told of Python arguments."""
    assert sentence(errors.ConfigurationError(library)) == said


class Messages(ast.NodeVisitor):
    """Collects the text of a module that may end up in an error; what is put in is a ``1``."""

    def __init__(self) -> None:
        self.found: list[tuple[int, str]] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.name not in {"__repr__", "__str__"}:
            self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        parts = [part.value if isinstance(part, ast.Constant) else "1" for part in node.values]
        self.found.append((node.lineno, "".join(map(str, parts))))

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and " " in node.value:
            self.found.append((node.lineno, node.value))


PYTHONISMS = re.compile(
    r"\b[a-z_]+=\S"  # an argument
    r"|\b[a-z]+_[a-z_]+\b"  # a name
    r"|\b(?:[A-Z][a-z]+){2,}(?<!GitHub)\b"  # a class
    r"|\b[a-z_]+\(\)"  # a function
    r"|\b(?:None|True|False)\b"
)
NOT_FROM_HERE = {
    "__init__.py": "the table of public names",
    "api/app.py": "no command uses a GitHub App",
    "budgets": "what commands share, they share with the numbers that are usual",
    "fleet/orders.py": "the command line passes what can be sent",
    "fs": "no command opens a file system",
    "testing": "the fake",
    "cli": "the command line itself, whose messages are its own",
}
"""Modules whose errors no command can meet."""
NOT_MET = (
    "an endpoint of http:// needs AWS_ALLOW_HTTP=true, or",  # there is a variable too
    "token must be a string or an object with",  # an argument of the wrong type
    "query must be an ArtifactQuery",
    "policy must be an ExtractPolicy",
    "expected an Artifact or ArtifactRef",
    "does not name its repository; take it from a listing",
    "allowed_hosts must be a tuple",
    "must be a time with a time zone, or None",
    "must be a timedelta",
    "created must hold times",
    "or None for the default",
    "per_page must be within",
    "if_exists must be 'error'",  # a choice, which the parser checks
    "connections must be",  # no option
    "max_age must be",
    "a RetentionPolicy needs older_than",  # prune says so itself
    "hostname=None",  # a host is always named
    "give ca_file or ssl_context",  # nor is there a session of one's own
    "cannot be given with session=",
    "the borrowed session has trust_env=True",
    "the borrowed session's proxy_auth has",
    "explain() tells",  # cat has a sentence of its own
    "raise max_bytes, or extract them to a folder",  # several members at once
    "but its size_in_bytes is",  # GitHub's name of the field
    "on_report must be",
    "abort_stale_uploads needs botocore",  # a warning of a worker's log
    "cannot be read alone; read() returns the whole",  # ranges of a member are read by the file system
    "str | None",  # types
    '; rel="',  # a header
)


def test_no_error_of_the_library_names_an_argument_of_python():
    """All text in the package that may become an error, as the command line would say it."""
    root = Path(errors.__file__).parent
    said = []
    for path in sorted(root.rglob("*.py")):
        where = path.relative_to(root)
        if where.parts[0] in NOT_FROM_HERE or where.as_posix() in NOT_FROM_HERE:
            continue
        messages = Messages()
        messages.visit(ast.parse(path.read_text(encoding="utf-8")))
        for line, text in messages.found:
            alone, at_the_end = as_options(text), as_options(f"x; {text}")
            if " " in text and not any(known in text for known in NOT_MET):
                said += [f"{where}:{line}: {alone}"] if all(map(PYTHONISMS.search, (alone, at_the_end))) else []
    assert said == []


def test_the_list_of_what_is_not_met_is_no_longer_than_needed():
    """A message that has changed is looked at again."""
    root = Path(errors.__file__).parent
    text = "".join(path.read_text(encoding="utf-8") for path in root.rglob("*.py") if "cli" not in path.parts)
    assert [known for known in NOT_MET if known not in text] == []


def test_a_limit_of_an_archive():
    """What an option can raise, and what none can."""
    limit = errors.ArchiveLimitError
    ratio = limit("x has ratio 9.0, more than 5; raise ExtractPolicy.max_ratio (--max-ratio) if you trust it")
    assert sentence(ratio).startswith("x has ratio 9.0, more than 5; use a larger --max-ratio if you trust it; ")
    deep = limit("x has depth 99, more than 9; raise ExtractPolicy.max_depth if you trust it")
    assert sentence(deep) == "x has depth 99, more than 9; to get the zip itself, download it without --extract"


def test_advice_that_the_command_cannot_take():
    """An option is named only to who can give it."""
    link = errors.UnsafeMemberError('it is a link; set symlinks="skip" (--symlinks skip) to extract everything else')
    download, mirror = Situation(lacks=frozenset({"--limit"})), Situation(lacks=frozenset({"--symlinks"}))
    assert "; use --symlinks skip to extract everything else; to get the zip" in sentence(link, download)
    assert sentence(link, mirror) == "it is a link; to get the zip itself, download it without --extract"


def test_a_connection_that_failed_is_told_what_to_check_once():
    """The library's own advice is enough."""
    failed = errors.ConnectionFailedError("no such name; check the address and the firewall")
    assert sentence(failed) == "no such name; check the address and the firewall; try again"
    assert sentence(errors.ConnectionFailedError("x")).startswith("x; check the network, the proxy")


def test_what_an_unknown_exception_says_is_not_shown():
    """It may hold anything; the sentence says how to report it."""
    said = sentence(RuntimeError("token=secret"))
    assert "secret" not in said
    assert "--verbose" in said


@pytest.mark.parametrize(
    ("said", "named_once"),
    [
        ("artifact 7 ('docs'): sha256 mismatch", "docs (7): sha256 mismatch"),
        ("artifact 7: storage answered with 404", "docs (7): storage answered with 404"),
        ("artifact 7 from h: expired", "docs (7) from h: expired"),
        ("out/docs exists", "out/docs exists"),
        ("out/docs.zip already exists", "out/docs.zip already exists"),
        ("GET /repos/octo-org/octo-docs/actions: 403", "docs: GET /repos/octo-org/octo-docs/actions: 403"),
        ("no space left", "docs: no space left"),
    ],
)
def test_an_artifact_is_named_once(said, named_once):
    """By its name and, where the error has it, its ID."""
    assert named(attrs.evolve(ARTIFACT, id=7, name="docs"), said) == named_once


def test_an_artifact_without_a_name():
    """One that was given by its ID alone keeps the sentence."""
    assert named(ArtifactRef(RepositoryName("o", "r"), 7), "artifact 7: gone") == "artifact 7: gone"


def test_what_is_gone_from_storage():
    """To try again is of no use."""
    said = sentence(errors.StorageError("artifact 7: storage answered with 404", status=404), Situation(resumes=True))
    assert said.endswith("404; it may have been deleted: run gh-artifacts list to see what there is")
