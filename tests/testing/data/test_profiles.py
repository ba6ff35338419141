"""Which GitHub the fake imitates."""

from __future__ import annotations

from pathlib import Path

import pytest

from gh_artifacts_async.testing import FakeGitHub
from gh_artifacts_async.testing.data.profiles import profile
from tests.kits.profiles import PROFILES


@pytest.mark.parametrize("name", ["ghes-2.22", "ghes-3.3", "ghes-3.99", "gitlab"])
def test_profiles_that_are_none(name: str) -> None:
    """A GitHub that nobody described is a ValueError."""
    with pytest.raises(ValueError, match="no such profile"):
        FakeGitHub(name)


ROOT = Path(__file__).parents[3]


def _row(cells: list[str]) -> list[str]:
    return [cell.strip() for cell in cells]


def test_the_documentation_says_what_they_do() -> None:
    """The table of the guide has the tested versions, and each cell is what the fake does."""
    guide = (ROOT / "docs/howto/enterprise.md").read_text(encoding="utf-8")
    rows = [_row(line.split("|")[1:-1]) for line in guide.splitlines() if line.startswith("|")]
    head, _, *body = rows
    names = [name if name == "github.com" else f"ghes-{name}" for name in head[1:]]
    assert names == [*PROFILES, "github.com"]
    found = [profile(name) for name in names]
    yes_or_no = {True: "yes", False: "no"}
    assert body == [
        ["`name` in a repository's listing", *(yes_or_no[it.name_filter] for it in found)],
        ["`name` in a run's listing", *(yes_or_no[it.run_name_filter] for it in found)],
        ["`direction` in a run's listing", *(yes_or_no[it.direction] for it in found)],
        ["`get_artifact_retention`, `set_artifact_retention`", *(yes_or_no[it.retention] for it in found)],
        ["digests", *(yes_or_no[it.digest] for it in found)],
        ["rate limit headers by default", *(yes_or_no[it.rate_limits] for it in found)],
        ["`X-GitHub-Api-Version`", *(", ".join(it.api_versions) or "ignored" for it in found)],
    ]


def test_make_profiles_runs_what_the_tests_name() -> None:
    """The Makefile has the same list."""
    assert f"PROFILES := {' '.join(PROFILES)}\n" in (ROOT / "Makefile").read_text(encoding="utf-8")
