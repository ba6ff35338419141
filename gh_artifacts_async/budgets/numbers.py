"""What the shared budgets are given alike: a key and two numbers."""

from __future__ import annotations

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.settings import MUTATION_POINTS


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
