"""How long until the next try."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async.api.backoff import Backoff, jitter
from gh_artifacts_async.errors import (
    CertificateError,
    ConnectionFailedError,
    NotFoundError,
    RequestTimeoutError,
    SecondaryRateLimitError,
    ServerError,
    UnexpectedResponseError,
)
from gh_artifacts_async.settings import RetryPolicy

POLICY = RetryPolicy(wait_initial=0.5, wait_max=20)


@given(st.integers(1, 10_000), st.floats(0, 1e6), st.floats(0, 1e6))
def test_full_jitter_is_bounded(failures, initial, longest):
    """Anything from nothing to the doubled ceiling, never more than ``wait_max``."""
    policy = RetryPolicy(wait_initial=initial, wait_max=longest)
    assert 0 <= jitter(policy, failures) <= min(longest, initial * 2.0 ** min(failures - 1, 30))


def test_full_jitter_uses_its_whole_range():
    """The waits of many clients spread."""
    waits = [jitter(POLICY, 4) for _ in range(300)]
    assert min(waits) < 1
    assert max(waits) > 3


@pytest.mark.parametrize("error", [NotFoundError(), UnexpectedResponseError(), ValueError(), CertificateError()])
def test_what_is_not_tried_again(error):
    """A clear no, a wrong answer, a mistake, a certificate."""
    backoff = Backoff(POLICY, None)
    assert backoff.hook(error) is False
    assert not backoff.may_have_worked


@pytest.mark.parametrize("error", [ServerError(), ConnectionFailedError(), RequestTimeoutError()])
def test_what_is_tried_again(error):
    """Their trouble and the network's."""
    backoff = Backoff(POLICY, None)
    for failures in range(1, 9):
        assert 0 <= backoff.hook(error) <= min(20, 0.5 * 2 ** (failures - 1))
    assert backoff.failures == 8
    assert backoff.may_have_worked


def test_the_gate_waits_for_rate_limits():
    """The next try is at once, since the gate is shut; and a refused call has done nothing."""
    backoff = Backoff(POLICY, None)
    assert backoff.hook(SecondaryRateLimitError()) == 0
    assert not backoff.may_have_worked


def test_a_final_error_is_final():
    """Whatever its class."""
    backoff = Backoff(POLICY, None)
    backoff.final = True
    assert backoff.hook(ServerError()) is False


@pytest.mark.parametrize(
    ("asked", "longest", "wait"), [(30, 900, 30), (900, 900, 900), (901, 900, False), (9e9, None, 9e9), (0, 900, 0)]
)
def test_what_the_server_asks_for(asked, longest, wait):
    """``Retry-After`` takes the jitter's place, up to ``max_pause``."""
    backoff = Backoff(POLICY, longest)
    backoff.asked = asked
    assert backoff.hook(ServerError()) == wait


def test_what_the_server_asked_for_counts_once():
    """A later failure without an answer has asked for nothing."""
    backoff = Backoff(POLICY, None)
    backoff.asked = 300
    assert backoff.hook(ServerError()) == 300
    assert backoff.hook(ConnectionFailedError()) <= 1
