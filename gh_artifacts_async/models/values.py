"""What all frozen classes have in common: equality, hash and repr."""

from __future__ import annotations

import functools
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable


class Value:
    """The base of attrs' frozen classes.

    attrs writes and compiles ``__eq__``, ``__hash__`` and ``__repr__`` for each class, which is half of what the class
    costs, and most of what importing this package costs beside aiohttp. Here all classes share theirs, which do the
    same. They are put into each class before attrs sees it: it leaves what a class has of its own.
    """

    __slots__ = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:  # noqa: ANN401 - the next class's
        """Give a class the methods that it does not define itself."""
        super().__init_subclass__(**kwargs)
        for name, shared in _SHARED.items():
            if vars(cls).get(name) is None:  # Python sets __hash__ to None beside an __eq__
                setattr(cls, name, shared)

    def __eq__(self, other: object) -> bool:
        """Compare the fields, unless the classes differ."""
        if other.__class__ is not self.__class__:
            return NotImplemented
        cls: Any = self.__class__
        fields = _compared(cls)
        return fields(self) == fields(other)

    def __hash__(self) -> int:
        """Hash the class and the fields.

        Raises:
            TypeError: a field's value has no hash.
        """
        cls: Any = self.__class__
        return hash((cls, _hashed(cls)(self)))

    def __repr__(self) -> str:
        """Return the class and its fields, as its constructor takes them."""
        names = [field.name for field in _fields(self.__class__) if field.repr]
        shown = ", ".join([f"{name}={getattr(self, name, attrs.NOTHING)!r}" for name in names])
        return f"{self.__class__.__qualname__.rpartition('>.')[2]}({shown})"


_SHARED: dict[str, object] = {name: vars(Value)[name] for name in ("__eq__", "__hash__", "__repr__")}


@functools.cache
def _compared(cls: type[Value]) -> Callable[[Any], object]:
    return _getter([field.name for field in _fields(cls) if field.eq])


@functools.cache
def _hashed(cls: type[Value]) -> Callable[[Any], object]:
    return _getter([field.name for field in _fields(cls) if (field.eq if field.hash is None else field.hash)])


def _fields(cls: Any) -> tuple[attrs.Attribute[Any], ...]:  # noqa: ANN401 - an attrs class
    return attrs.fields(cls)  # type: ignore[no-any-return]


def _getter(names: list[str]) -> Callable[[Any], object]:
    return attrgetter(*names) if names else lambda _: None
