"""Running the suite against another GitHub: ``pytest --profile ghes-3.8`` gives it to every fake that names none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal

import pytest

from gh_artifacts_async.testing import FakeGitHub

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

GITHUB_COM = "github.com"
VARIABLE = "GH_ARTIFACTS_TEST_PROFILE"
"""Set by the option, so that the programs that tests start imitate the same GitHub."""

PROFILES = ("ghes-3.4", "ghes-3.7", "ghes-3.8", "ghes-3.19")
"""What ``make profiles`` runs the suite under; docs/howto/enterprise.md says how they differ."""

REASONS = {
    "digest": "it is about what a digest proves, and Enterprise Server states none",
    "ranges": "it is about ranges and resuming, and Enterprise Server creates the zip while it sends it",
    "length": "it is about a Content-Length, and Enterprise Server sends none with a zip",
    "size": "it is about size_in_bytes, which on Enterprise Server is that of the files and not of the zip",
    "storage": "it is about the URLs, headers and errors of Azure's storage",
    "versions": "it is about X-GitHub-Api-Version, which Enterprise Server ignores before 3.9",
    "limits": "it is about rate limit headers, which Enterprise Server does not send by default",
    "filters": "it counts the requests of a listing by name, and Enterprise Server 3.6 and 3.7 send all of it",
    "retention": "it is about retention settings, which Enterprise Server has since 3.19",
    "addresses": "it is about the paths and URLs of api.github.com, without /api/v3",
}
"""Why a test is for github.com alone: ``@pytest.mark.github_com("ranges")``."""


def profile() -> str:
    """Return the GitHub that a fake imitates in this run unless a test says otherwise."""
    return os.environ.get(VARIABLE, GITHUB_COM)


def choose(name: str | None) -> None:
    """Let every fake that is given no profile imitate this one."""
    if name is not None:
        os.environ[VARIABLE] = name
    if profile() != GITHUB_COM:
        FakeGitHub.__init__.__defaults__ = (profile(),)


def starts_a_fake(item: pytest.Item) -> bool:
    """Whether a test may start a fake: it has the fixture ``github``, or its module names FakeGitHub."""
    if not isinstance(item, pytest.Function):
        return True
    return "github" in item.fixturenames or "FakeGitHub" in vars(item.module)


def cases(names: Iterable[str], **for_github_com: Collection[str]) -> list[Any]:
    """Return parameters of a test; those that a reason names are for github.com alone: ``ranges=("cut", …)``."""
    marks = {name: pytest.mark.github_com(reason) for reason, marked in for_github_com.items() for name in marked}
    return [pytest.param(name, marks=marks[name]) if name in marks else name for name in names]


def verified() -> Literal["digest", "none"]:
    """Return how a plain download is verified: a zip of Enterprise Server has neither a digest nor a length."""
    return "digest" if profile() == GITHUB_COM else "none"


def records(folder: Path) -> set[Path]:
    """Return the records that stand beside files without a digest; none of them on github.com."""
    if profile() == GITHUB_COM:
        return set()
    found = folder.rglob(".*.gh-artifacts.json")
    return {path for path in found if path.with_name(path.name[1 : -len(".gh-artifacts.json")]).is_file()}
