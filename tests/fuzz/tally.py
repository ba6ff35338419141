"""What the cases of a run came to: how many were accepted, and what the others were refused for."""

from __future__ import annotations

from collections import Counter

COUNTS: Counter[str] = Counter()
"""How often a target noted each outcome since the run began."""


def note(outcome: str) -> None:
    """Count an outcome; one that is new makes the input worth keeping for the mutator."""
    COUNTS[outcome] += 1
