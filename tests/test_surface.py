"""The public names, their signatures and the tree of errors stay as they are pinned, and the reference has them all."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol, TypedDict, overload

import attrs
import pytest

from gh_artifacts_async import errors
from tests.kits import surface

HELP = """{difference}

The public API differs from tests/api_surface.txt. If that is meant, it needs an entry in CHANGELOG.md, and:
    python -m tests.kits.surface --write"""


def test_names_and_signatures_stay():
    """What changes here changes for users."""
    difference = surface.difference()
    assert not difference, HELP.format(difference=difference)


@pytest.mark.parametrize("module", surface.MODULES)
def test_the_reference_has_what_is_public_and_nothing_else(module):
    """Each name in ``__all__`` is described, and what is described can be imported."""
    reference = [name.rpartition(".") for name in surface.reference()]
    described = {name for place, _, name in reference if place == module}
    public = set(surface.names()[module])
    assert described <= public
    elsewhere = {name for place, _, name in reference if place in surface.MODULES}  # such as Member, with archives
    assert public <= described | elsewhere


@pytest.mark.parametrize(("module", "name"), [*zip(surface.RETURNED, ["RunPage", "JobPage"], strict=True)])
def test_what_the_coroutines_return_is_there(module, name):
    """What the reference has of a module without ``__all__`` is defined there."""
    found = surface.names()[module]
    assert name in found
    assert all(getattr(surface.importlib.import_module(module), it) for it in found)


@pytest.mark.parametrize("place", ["gh_artifacts_async/errors.py", "docs/reference/errors.md"])
def test_the_tree_of_errors_is_drawn_as_it_is(place):
    """The drawing in the module and the one in the reference have each class, at its place, with its second base."""
    page = (surface.ROOT / place).read_text(encoding="utf-8")
    assert surface.drawn(surface.drawing(page)) == surface.error_tree()
    assert len(surface.error_tree()) == sum(
        isinstance(it, type) and issubclass(it, errors.ArtifactsError) for it in vars(errors).values()
    )


# --- the text notices what it must


@attrs.frozen
class Given:
    """Fields."""

    needed: int
    level: float = attrs.field(default=2 * 3, kw_only=True)
    names: list[str] = attrs.field(factory=list)
    computed: int = attrs.field(init=False, default=0)
    _hidden: int = 0


class Pair(NamedTuple):
    """A tuple with names."""

    left: int
    right: str | None


class Options(TypedDict, total=False):
    """A dictionary with names."""

    level: float


class Shape(Protocol):
    """What a user writes."""

    async def lease(self, points: int) -> float:
        """Return nothing."""
        raise NotImplementedError


class Plain:
    """An ordinary class.

    Attributes:
        kept: what was given.
        seen: what was counted.
    """

    def __init__(self, kept: str | None = None, /, *more: int, level: float = 1.0, **options: object) -> None:
        """Keep it."""
        self.kept = kept
        self.seen: int = len(more)
        self.unsaid = level, options

    @property
    def size(self) -> int:
        """How large it is."""
        return 0

    @classmethod
    def of(cls, *, kind: type = Pair, given: Given | None = None) -> Plain:
        """Make one."""
        del kind, given
        return cls()

    @overload
    def find(self, at: int) -> str: ...
    @overload
    def find(self, at: str, *, way: Literal["up"] = "up") -> int: ...
    def find(self, at: int | str, *, way: str = "up") -> int | str:
        """Look."""
        del way
        return at

    def _own(self) -> None: ...

    def __iter__(self):
        """Go on."""
        return iter(())

    def __repr__(self) -> str:
        """Say nothing."""
        return ""


SAID = {
    Given: [
        "needed: int",
        "level: float = 2 * 3, by keyword",
        "names: list[str] = []",
        "computed: int = 0, not an argument",
    ],
    Options: ["['level']: float"],
    Shape: ["async def lease(points: int) -> float"],
    Pair: ["(left: int, right: str | None)"],
    Plain: [
        "(kept: str | None = None, /, *more: int, level: float = 1.0, **options: object)",
        "def __iter__()",
        "def find(at: int) -> str",
        "def find(at: str, *, way: Literal['up'] = 'up') -> int",
        "kept: str | None",
        "classmethod def of(*, kind: type = Pair, given: Given | None = None) -> Plain",
        "seen: int",
        "size: int, a property",
    ],
}


@pytest.mark.parametrize("cls", SAID, ids=lambda cls: cls.__name__)
def test_a_class_is_told_in_lines(cls, monkeypatch):
    """Fields with defaults and ways to give them, overloads, attributes with their types; nothing that is private."""
    monkeypatch.setattr(surface, "is_ours", lambda base: base.__module__ == cls.__module__)
    lines = [line.replace("X.", "").removeprefix("X") for line in surface.member_lines("X", cls)]
    assert lines == SAID[cls]


def test_defaults_are_told_as_somebody_would_write_them():
    """Settings as a call with what differs from the defaults; other values as Python shows them."""
    retry = errors.ArtifactsError
    assert surface.default(retry) == "ArtifactsError"
    assert surface.default(surface.default) == "default"
    limits = surface.importlib.import_module(surface.PACKAGE).Limits
    assert surface.default(limits()) == "Limits()"
    assert surface.default(limits(api_concurrency=2)) == "Limits(api_concurrency=2)"
    assert surface.default((1, "a")) == "(1, 'a')"


def test_a_change_is_shown_as_a_diff(tmp_path, monkeypatch, capsys):
    """The command prints what differs, exits with 1, and writes the text where it is asked to."""
    pinned = tmp_path / "surface.txt"
    monkeypatch.setattr(surface, "PINNED", pinned)
    monkeypatch.setattr(surface, "text", lambda: "[m]\ndef f(a: int)\ndef g()\n")
    pinned.write_text("[m]\ndef f(a: str)\ndef g()\n", encoding="utf-8")
    assert surface.main([]) == 1
    assert capsys.readouterr().out.splitlines()[2:] == ["@@ -2 +2 @@", "-def f(a: str)", "+def f(a: int)"]
    assert surface.main(["--write"]) == 0
    assert surface.main([]) == 0
    assert capsys.readouterr().out == ""


def test_a_drawing_is_read():
    """Depth gives the parent; a second base stands in parentheses; a class at the wrong place is noticed."""
    tree = ["ArtifactsError", "├ AError(ValueError)    what it means", "│ └ BError", "└ CError"]
    page = "\n".join(["text", "", *(f"    {line}" for line in tree), "", "DError"])
    assert surface.drawn(surface.drawing(page)) == {
        "ArtifactsError": (None, None),
        "AError": ("ArtifactsError", "ValueError"),
        "BError": ("AError", None),
        "CError": ("ArtifactsError", None),
    }
