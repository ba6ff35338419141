"""The names of the test kit that users write; how they call them, tests/test_surface.py pins."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from gh_artifacts_async import testing
from gh_artifacts_async.testing import pytest_plugin

ROOT = Path(__file__).parent.parent.parent


def test_the_fixture_and_the_marker_stay() -> None:
    """The plugin defines the fixture ``fake_github`` and the marker of the same name."""
    assert "fake_github" in vars(pytest_plugin)
    registered: list[tuple[str, str]] = []

    class Config:
        addinivalue_line = staticmethod(lambda *line: registered.append(line))

    pytest_plugin.pytest_configure(Config)
    assert [(kind, line.partition("(")[0]) for kind, line in registered] == [("markers", "fake_github")]


@pytest.mark.parametrize("name", testing.__all__)
def test_every_name_is_in_the_reference(name: str) -> None:
    """What can be imported from the kit is described on its page, and says what it is itself."""
    page = (ROOT / "docs" / "reference" / "testing.md").read_text(encoding="utf-8")
    assert re.search(rf"^\.\. auto\w+:: {name}$", page, re.MULTILINE)
    value = getattr(testing, name)
    assert inspect.getdoc(value)
    silent = [key for key, member in vars(value).items() if not key.startswith("_") and not inspect.getdoc(member)]
    described = inspect.getdoc(value) or ""
    assert [key for key in silent if f"{key}: " not in described] == []
