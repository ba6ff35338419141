"""What the shared budgets have in common: their numbers, and the check of those that they are given."""

from __future__ import annotations

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.settings import MUTATION_POINTS

WINDOW = 62
"""Seconds in which all processes together spend no more than their points.

That is GitHub's minute, a second in which a lease may be spent, and one until GitHub counts the request.
"""

COPY_LASTS = 0.2
"""Seconds that a process may go without asking whether another one has announced a pause."""

LEAST_WAIT = 0.02
"""Seconds between two questions for points, at least."""


def check(key: object, points_per_minute: object, mutation_interval: object) -> None:
    """Check the arguments of a budget that several processes share.

    Raises:
        ConfigurationError: the key is no name, a minute has fewer points than a mutation costs, or the interval is
            negative.
    """
    if not isinstance(key, str) or not key:
        msg = "key must be a name that all who use one token share, such as the bot's; never the token"
        raise ConfigurationError(msg)
    if not isinstance(points_per_minute, int) or points_per_minute < MUTATION_POINTS:
        msg = f"points_per_minute must be an integer of {MUTATION_POINTS} or more, not {points_per_minute!r}"
        raise ConfigurationError(msg)
    if mutation_interval is not None and not (isinstance(mutation_interval, int | float) and mutation_interval >= 0):
        msg = f"mutation_interval must be a number of 0 or more, or None for off, not {mutation_interval!r}"
        raise ConfigurationError(msg)
