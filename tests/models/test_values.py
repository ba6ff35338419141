"""What all frozen classes have in common is what attrs itself would give them."""

from __future__ import annotations

import copy
import pickle
from typing import Generic, TypeVar

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async import events, models, results, settings
from gh_artifacts_async.models import neighbours
from gh_artifacts_async.models.values import Value
from gh_artifacts_async.protocol import ranges, responses

T = TypeVar("T")


def build(*bases):
    """Return a class with every kind of field."""

    @attrs.frozen
    class Sample(*bases):
        shown: object
        hidden: object = attrs.field(default=1, repr=False)
        noted: object = attrs.field(default=2, eq=False)
        unhashed: object = attrs.field(default=3, hash=False)
        ok: object = True

    return Sample


OURS, THEIRS = build(Value), build()
values = st.sampled_from([0, 1, 1.0, "", "x", None, (), (1,), float("inf"), [], [1]])
fields = st.tuples(values, values, values, values, values)


@given(fields, fields)
def test_like_attrs(one, other):
    """Equality, hash and repr, whatever the fields hold."""
    assert (OURS(*one) == OURS(*other)) == (THEIRS(*one) == THEIRS(*other))
    assert (OURS(*one) != OURS(*other)) == (THEIRS(*one) != THEIRS(*other))
    assert repr(OURS(*one)) == repr(THEIRS(*one))
    try:
        hash(THEIRS(*one))
    except TypeError:
        with pytest.raises(TypeError, match="unhashable"):
            hash(OURS(*one))
    else:
        assert hash(OURS(*one)) == hash(OURS(*one[:2], *other[2:4], one[4]))  # neither counts


def test_classes_do_not_mix():
    """Values of two classes differ, whatever their fields; so do those of a class and its subclass."""

    @attrs.frozen
    class Empty(Value):
        pass

    @attrs.frozen
    class More(Empty):
        pass

    assert Empty() == Empty()
    assert hash(Empty()) == hash(Empty())
    assert Empty() != More()
    assert Empty() != 1
    assert repr(More()) == "More()"
    assert len({Empty(), Empty(), More()}) == 2


def test_a_class_keeps_its_own():
    """What a class defines is not replaced, and what its base defines is, as attrs does it."""

    @attrs.frozen
    class Own(Value, Generic[T]):  # noqa: PLW1641 - the hash is what is looked at
        number: T

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Own)

        def __repr__(self) -> str:
            return "own"

    @attrs.frozen
    class Next(Own[int]):
        pass

    assert Own(1) == Own(2)
    assert repr(Own(1)) == "own"
    assert Next(1) != Next(2)
    assert repr(Next(1)) == "Next(number=1)"
    assert hash(Own(1)) != hash(Own(2))


def test_values_are_frozen_slotted_and_can_be_copied():
    """Nothing else of attrs' classes changes."""
    limits = settings.Limits()
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        limits.api_concurrency = 3
    assert not hasattr(limits, "__dict__")
    assert pickle.loads(pickle.dumps(limits)) == copy.deepcopy(limits) == attrs.evolve(limits) == limits  # noqa: S301
    assert attrs.evolve(limits, api_concurrency=3) != limits


def test_a_value_whose_constructor_failed_has_a_repr():
    """A traceback may show it."""
    assert repr(models.ArtifactRun.__new__(models.ArtifactRun)).startswith("ArtifactRun(id=NOTHING, ")


@pytest.mark.parametrize("module", [models, neighbours, settings, results, events, ranges, responses])
def test_what_an_import_makes_shares_them(module):
    """A class for which attrs compiles its own would make each start slower."""
    for cls in vars(module).values():
        if attrs.has(cls) and cls.__module__ == module.__name__:
            assert issubclass(cls, Value), cls
            assert cls.__eq__ is Value.__eq__, cls
            assert cls.__hash__ is Value.__hash__, cls
