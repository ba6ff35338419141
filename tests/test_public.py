"""What the package's root costs to import, and that every name which the design promises is there."""

from __future__ import annotations

import subprocess
import sys

import pytest

import gh_artifacts_async
from gh_artifacts_async import errors

PROMISED = [
    "ArtifactsClient",
    "Artifact",
    "ArtifactRef",
    "ArtifactRun",
    "ArtifactPage",
    "WorkflowRun",
    "RepositoryName",
    "Digest",
    "RateLimit",
    "Timeouts",
    "RetryPolicy",
    "Limits",
    "StoragePolicy",
    "ExtractPolicy",
    "Layout",
    "SignedURL",
    "Secret",
    "DownloadResult",
    "ExtractedMember",
    "Outcome",
    "Success",
    "Failure",
    "ClientOptions",
    "raise_for_failures",
    "TokenSource",
    "StaticToken",
    "EnvironmentToken",
    "Sender",
    "Event",
    "Observer",
    "ListingProgress",
    "RateLimitPause",
    "TransferStarted",
    "TransferBytes",
    "TransferResumed",
    "TransferURLRenewed",
    "TransferVerified",
    "TransferFinished",
    "TransferFailed",
]


@pytest.mark.parametrize("name", PROMISED)
def test_promised(name: str) -> None:
    """Names that users write are importable from the root."""
    assert name in gh_artifacts_async.__all__
    assert getattr(gh_artifacts_async, name) is not None


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


def test_table_and_imports_name_the_same_modules() -> None:
    """A name comes from the module in which it was made, so that pickle finds it."""
    for name in gh_artifacts_async.__all__:
        made_in = getattr(getattr(gh_artifacts_async, name), "__module__", "gh_artifacts_async")
        assert made_in.startswith("gh_artifacts_async") or name in {
            "Event",
            "IfExists",
            "Layout",
            "Observer",
            "Outcome",
            "__version__",
        }


@pytest.mark.realtime
@pytest.mark.parametrize("module", ["gh_artifacts_async", "gh_artifacts_async.errors"])
def test_import_loads_next_to_nothing(module: str) -> None:
    """The root and the errors load neither aiohttp nor asyncio nor attrs."""
    heavy = ("aiohttp", "asyncio", "attr", "cattrs", "ssl", "socket")
    program = (
        f"import sys; old = set(sys.modules); import {module}; print(sorted(set({heavy!r}) & set(sys.modules) - old))"
    )
    done = subprocess.run(  # noqa: S603 - a fixed program
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_unknown_attribute() -> None:
    """A name that is not there is an AttributeError; a new module of that name would not be found by accident."""
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        gh_artifacts_async.Nothing  # noqa: B018 - the access is the test
    with pytest.raises(ImportError):
        from gh_artifacts_async import nothing  # type: ignore[attr-defined]  # noqa: F401


def test_dir_and_version() -> None:
    """Completion shows the public names; the version is the installed one."""
    assert dir(gh_artifacts_async) == sorted(gh_artifacts_async.__all__)
    assert gh_artifacts_async.__version__[0].isdigit()
