"""The names of the test kit that users write, and how they call them."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import attrs
import pytest

from gh_artifacts_async import testing
from gh_artifacts_async.testing import pytest_plugin

ROOT = Path(__file__).parent.parent.parent
PINNED = Path(__file__).with_name("names.txt")
INTERNAL = {"Clock.begin", "Fault.fits", "Faults.meet"}


def shown(name: str, value: Any) -> str:
    """Return a callable as one line."""
    signature = str(inspect.signature(value))
    return name + re.sub(r"(: |-> )([\"'])(.*?)\2", r"\1\3", signature)


def members(name: str, kind: type) -> list[str]:
    """Return a class's public methods and properties, one a line."""
    own = kind.__mro__ if kind.__name__ == "FakeGitHub" else (kind,)
    found = {key: value for base in reversed(own) for key, value in vars(base).items() if not key.startswith("_")}
    fields = attrs.fields(kind) if attrs.has(kind) else ()
    lines = [f"{name}.{field.name}: {field.type}" for field in fields if not field.name.startswith("_")]
    for key, value in sorted(found.items()):
        if f"{name}.{key}" in INTERNAL:
            continue
        if isinstance(value, property):
            settable = " (settable)" if value.fset else ""
            lines.append(f"{name}.{key}: {value.fget.__annotations__['return']}{settable}")
        elif inspect.isfunction(value):
            lines.append(shown(f"{name}.{key}", value))
    return lines


def everything() -> str:
    """Return all that is promised, one name a line."""
    lines = []
    for name in testing.__all__:
        value = getattr(testing, name)
        if not attrs.has(value):  # those are received, not made
            lines.append(shown(name, value))
        if inspect.isclass(value) and name != "JumpLoop":  # an event loop has the names of event loops
            lines += members(name, value)
    return "\n".join(lines) + "\n"


def test_names_and_signatures_stay() -> None:
    """What changes here changes for users: change tests/testing/names.txt with it, and CHANGELOG.md."""
    assert everything() == PINNED.read_text(encoding="utf-8")


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
