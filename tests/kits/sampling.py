"""Parameters of which ``make test`` runs the first ones; the slow tests run the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence


def mostly_slow(values: Iterable[Any], *, quick: int = 1) -> list[Any]:
    """Mark all but the first ``quick`` values as slow."""
    return [
        value
        if number < quick
        else pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.slow)
        for number, value in enumerate(values)
    ]


def crossed(values: Iterable[Any], others: Sequence[Any], *, alike: Collection[Any]) -> list[Any]:
    """Return all pairs of two parameters; ``alike`` names the values for which the other one can hardly matter.

    Of the pairs of such a value all but one are slow, each time another one, so that each of ``others`` has its share.
    """
    found, turn = [], 0
    for given in values:
        value, marks = (given.values[0], [*given.marks]) if hasattr(given, "marks") else (given, [])
        kept = others if value not in alike else (others[turn % len(others)],)
        turn += value in alike
        found += [
            pytest.param(value, other, marks=marks if other in kept else [*marks, pytest.mark.slow]) for other in others
        ]
    return found
