"""The package's root: what it names, where each name comes from, and what it costs to import."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import gh_artifacts_async
from gh_artifacts_async import errors

ROOT = Path(__file__).parent.parent
SOURCE = Path(gh_artifacts_async.__file__)
TREE = ast.parse(SOURCE.read_text(encoding="utf-8"))


PROMISED = [
    "ArtifactsClient",
    "Artifact",
    "ArtifactRef",
    "ArtifactRun",
    "ArtifactStream",
    "ArtifactPage",
    "WorkflowRun",
    "RepositoryName",
    "Digest",
    "RateLimit",
    "Timeouts",
    "RetryPolicy",
    "Limits",
    "Budget",
    "Lease",
    "StoragePolicy",
    "ExtractPolicy",
    "Layout",
    "SignedURL",
    "Secret",
    "DownloadResult",
    "StoredResult",
    "ExtractedMember",
    "Outcome",
    "Success",
    "Failure",
    "ClientOptions",
    "raise_for_failures",
    "TokenSource",
    "StaticToken",
    "EnvironmentToken",
    "GitHubCLIToken",
    "AppInstallationToken",
    "Sender",
    "Event",
    "Observer",
    "ListingProgress",
    "RateLimitPause",
    "Pacing",
    "RequestSent",
    "RequestAnswered",
    "RequestRetried",
    "Statistics",
    "TransferChecking",
    "TransferDelivered",
    "TransferSigning",
    "TransferStarted",
    "TransferBytes",
    "TransferResumed",
    "TransferURLRenewed",
    "TransferVerified",
    "TransferFinished",
    "TransferFailed",
]


def type_checkers_view() -> dict[str, str]:
    """Return name -> module from the imports that only type checkers see."""
    guarded = next(node for node in TREE.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    imports = [node for node in guarded.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: node.module or "" for node in imports for alias in node.names}


def test_promised() -> None:
    """Names that users write are importable from the root."""
    assert not set(PROMISED) - set(gh_artifacts_async.__all__)
    assert [name for name in PROMISED if getattr(gh_artifacts_async, name) is None] == []


def test_every_error_is_at_the_top() -> None:
    """Every error class is importable from the root too, and is the same there."""
    found = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.ArtifactsError) and not name.startswith("_")
    }
    assert found <= set(gh_artifacts_async.__all__)
    for name in found:
        assert getattr(gh_artifacts_async, name) is getattr(errors, name)


def test_all_is_a_sorted_literal():
    """Tools that read ``__all__`` without running anything find every name once, in order."""
    value = next(
        node.value for node in TREE.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    names = ast.literal_eval(value)
    assert names == gh_artifacts_async.__all__
    assert len(names) == len(set(names))
    assert sorted(set(names) - {"__version__"}) == sorted(type_checkers_view())


def test_each_name_is_what_type_checkers_see():
    """The lazy table and the imports for type checkers lead to the same object."""
    seen = {name: getattr(importlib.import_module(module), name) for name, module in type_checkers_view().items()}
    assert [name for name, value in seen.items() if getattr(gh_artifacts_async, name) is not value] == []


def test_there_is_nothing_else():
    """A name that is not there is an AttributeError, and an import of it an ImportError."""
    with pytest.raises(AttributeError, match="no attribute 'Artefact'"):
        gh_artifacts_async.Artefact  # noqa: B018  the access is the test
    with pytest.raises(ImportError):
        from gh_artifacts_async import artefact  # type: ignore[attr-defined]  # noqa: F401
    assert not hasattr(gh_artifacts_async, "__wrapped__")
    assert set(gh_artifacts_async.__all__) <= set(dir(gh_artifacts_async))


def test_a_star_import_gives_all():
    """``from gh_artifacts_async import *`` works with lazy names."""
    names: dict[str, object] = {}
    exec("from gh_artifacts_async import *", names)  # noqa: S102  a fixed text
    assert set(gh_artifacts_async.__all__) <= set(names)


def test_the_version_is_the_installed_one():
    """The version is that of the installed distribution."""
    assert gh_artifacts_async.__version__ == version("gh-artifacts-async")


def test_every_public_name_is_in_the_reference():
    """What can be imported from the root is described on a page of docs/reference."""
    pages = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs/reference").glob("*.md"))
    described = set(re.findall(r"^\.\. auto\w+:: (\w+)$", pages, re.MULTILINE))
    assert set(gh_artifacts_async.__all__) - {"__version__"} - described == set()


WITHOUT_AIOHTTP = (
    "gh_artifacts_async",
    "gh_artifacts_async.errors",
    "gh_artifacts_async.models",
    "gh_artifacts_async.settings",
    "gh_artifacts_async.results",
    "gh_artifacts_async.events",
    "gh_artifacts_async.protocol.responses",
    "gh_artifacts_async.archive",
    "gh_artifacts_async.cli",
)


def test_what_starts_without_aiohttp():
    """Importing aiohttp takes most of a start; these do without, and without the optional extras' own weight."""
    program = f"""
import importlib, sys
found = []
for module in {WITHOUT_AIOHTTP!r}:
    importlib.import_module(module)
    found += [(module, name) for name in ("aiohttp", "jwt", "isal") if name in sys.modules]
print(found)
"""
    done = subprocess.run(  # noqa: S603  a fixed program
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (done.stdout.strip(), done.stderr, done.returncode) == ("[]", "", 0)


@pytest.mark.realtime
def test_import_loads_next_to_nothing() -> None:
    """The root and the errors load neither aiohttp nor asyncio nor attrs."""
    heavy = ("aiohttp", "asyncio", "attr", "cattrs", "ssl", "socket")
    program = (
        "import sys; old = set(sys.modules); import gh_artifacts_async, gh_artifacts_async.errors; "
        f"print(sorted(set({heavy!r}) & set(sys.modules) - old))"
    )
    done = subprocess.run(  # noqa: S603 - a fixed program
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
