"""Parameters of which ``make test`` runs the first ones; the slow tests run the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable


def mostly_slow(values: Iterable[Any], *, quick: int = 1) -> list[Any]:
    """Mark all but the first ``quick`` values as slow."""
    return [
        value
        if number < quick
        else pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.slow)
        for number, value in enumerate(values)
    ]
