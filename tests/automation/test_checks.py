from __future__ import annotations

import math
from typing import Any

import pytest

from gh_artifacts_async import ConfigurationError
from gh_artifacts_async.automation.checks import check_seconds


@pytest.mark.parametrize("value", [0, -1.0, math.nan, math.inf, True, "15", None])
def test_what_is_no_length_of_time_is_refused(value: Any):
    """Nothing waits for no time, backwards, without an end, or for a string."""
    with pytest.raises(ConfigurationError, match="interval must be a number of seconds above 0"):
        check_seconds("interval", value)


@pytest.mark.parametrize("value", [0.001, 15, 3600.0])
def test_a_length_of_time_is_returned_as_a_float(value: float):
    """Whole numbers are as good as others."""
    assert check_seconds("timeout", value) == value
