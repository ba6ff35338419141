"""Checks of what waits and watches have in common."""

from __future__ import annotations

import math

from gh_artifacts_async.errors import ConfigurationError


def check_seconds(name: str, value: float) -> float:
    """Return a length of time in seconds.

    Raises:
        ConfigurationError: it is not a finite number above 0.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value <= 0:
        msg = f"{name} must be a number of seconds above 0, not {value!r}"
        raise ConfigurationError(msg)
    return float(value)
