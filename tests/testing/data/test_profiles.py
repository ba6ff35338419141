"""Which GitHub the fake imitates."""

from __future__ import annotations

import pytest

from gh_artifacts_async.testing import FakeGitHub


@pytest.mark.parametrize("name", ["ghes-2.22", "ghes-3.3", "ghes-3.99", "gitlab"])
def test_profiles_that_are_none(name: str) -> None:
    """A GitHub that nobody described is a ValueError."""
    with pytest.raises(ValueError, match="no such profile"):
        FakeGitHub(name)
