"""The retry rule: bounded, patient, obedient to what a server asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async.protocol.attempts import Attempts, Fault, Final, GiveUp, RefusedURL, Throttled, Wait, after
from gh_artifacts_async.settings import RetryPolicy

POLICY = RetryPolicy()
START = Attempts()
seconds = st.floats(0, 1e6)
policies = st.builds(RetryPolicy, attempts=st.integers(1, 8), wait_initial=seconds, wait_max=seconds)
pauses = st.one_of(st.none(), seconds)
draws = st.floats(0, 1, exclude_max=True)
states = st.builds(
    Attempts, faults=st.integers(0, 9), refused=st.integers(0, 9), throttled=st.integers(0, 9), paused=seconds
)
failures = st.one_of(
    st.builds(Fault, wait=st.one_of(st.none(), seconds)),
    st.builds(Throttled, wait=seconds),
    st.builds(RefusedURL),
    st.builds(Final),
)


def decide(failure, state=START, policy=POLICY, max_pause=900.0, *, gained=False, draw=0.5):
    """Return the decision alone."""
    return after(policy, max_pause, state, failure, gained=gained, draw=draw)[1]


@given(policies, st.floats(0, 20), st.lists(st.tuples(failures, draws), min_size=40, max_size=40))
def test_a_loop_without_gain_ends(policy, max_pause, met):
    """However failures are mixed: at most ``attempts`` faults and refused URLs, and ``max_pause`` seconds of limits."""
    state, counted = Attempts(), 0
    for failure, draw in met:
        state, decision = after(policy, max_pause, state, failure, gained=False, draw=draw)
        counted += 1
        assert state.faults + state.refused <= policy.attempts
        assert state.throttled <= max_pause + 1
        if decision == GiveUp():
            break
        assert counted == state.faults + state.refused + state.throttled
    assert decision == GiveUp()
    assert counted <= policy.attempts + max_pause + 1


@given(policies, pauses, st.lists(st.tuples(failures, st.booleans(), draws), max_size=40))
def test_a_wait_is_never_longer_than_allowed(policy, max_pause, met):
    """A wait is 0, the one that was asked for, or a part of the ceiling that doubles up to ``wait_max``."""
    state = Attempts()
    for failure, gained, draw in met:
        state, decision = after(policy, max_pause, state, failure, gained=gained, draw=draw)
        if decision == GiveUp():
            return
        stated = getattr(failure, "wait", None)
        if isinstance(failure, Fault) and stated is not None:
            assert decision == Wait(stated)
            assert max_pause is None or stated <= max_pause
            continue
        ceiling = min(policy.wait_max, policy.wait_initial * 2 ** (state.faults + state.refused - 1))
        assert 0 <= decision.seconds <= ceiling or decision == Wait(0.0)


@pytest.mark.parametrize(("failed", "ceiling"), [(1, 0.5), (2, 1), (3, 2), (6, 16), (7, 20), (5000, 20)])
def test_full_jitter(failed, ceiling):
    """The ceiling doubles from ``wait_initial`` to ``wait_max``; the draw takes its part of it, from nothing on."""
    policy = RetryPolicy(attempts=10_000)
    waits = [decide(Fault(), Attempts(faults=failed - 1), policy, draw=draw) for draw in (0.0, 0.25, 0.999)]
    assert waits == [Wait(0.0), Wait(0.25 * ceiling), Wait(0.999 * ceiling)]


@given(policies, states, seconds, pauses, draws)
def test_a_stated_wait_is_obeyed_as_it_is(policy, state, stated, max_pause, draw):
    """Neither jitter nor ``wait_max`` touches a Retry-After; beyond ``max_pause`` there is no waiting at all."""
    found = decide(Fault(wait=stated), state, policy, max_pause, draw=draw)
    exhausted = state.faults + state.refused + 1 >= policy.attempts
    too_long = max_pause is not None and stated > max_pause
    assert found == (GiveUp() if exhausted or too_long else Wait(stated))


@given(policies, states, draws)
def test_rate_limits_are_counted_apart(policy, state, draw):
    """They use up no fault's attempt, and gain does not forget them: their pauses together are bounded."""
    for gained in (False, True):
        now, decision = after(policy, 900, state, Throttled(wait=60), gained=gained, draw=draw)
        assert (now.throttled, now.paused) == (state.throttled + 1, state.paused + 60)
        assert (now.faults, now.refused) == ((0, 0) if gained else (state.faults, state.refused))
        assert decision == (GiveUp() if policy.attempts == 1 or now.paused > 900 else Wait(0.0))


def test_a_rate_limit_beyond_the_longest_pause():
    """The gate does not pause for it either, so the caller gets the error."""
    assert decide(Throttled(wait=901)) == GiveUp()
    assert decide(Throttled(wait=None), max_pause=None) == GiveUp()
    assert decide(Throttled(wait=901), max_pause=None) == Wait(0.0)
    assert decide(Throttled(wait=900)) == Wait(0.0)


def test_no_time_at_all_counts_as_a_second():
    """A server that refuses for ever and says that no wait is needed is given up on, too."""
    state, decision = START, Wait(0.0)
    while decision == Wait(0.0):
        state, decision = after(POLICY, 30, state, Throttled(wait=0), gained=False, draw=0.5)
    assert state.throttled == 31


def test_a_refused_url_is_signed_again_at_once_only_the_first_time():
    """A second refusal in a row is more than an expired URL: it waits as any fault does, and counts with them."""
    state = Attempts(faults=1)
    state, first = after(POLICY, None, state, RefusedURL(), gained=False, draw=0.5)
    assert first == Wait(0.0)
    state, second = after(POLICY, None, state, RefusedURL(), gained=False, draw=0.5)
    assert (state, second) == (Attempts(faults=1, refused=2), Wait(0.5 * 2))
    state, third = after(POLICY, None, state, RefusedURL(), gained=True, draw=0.5)
    assert (state, third) == (Attempts(refused=1), Wait(0.0))


@given(policies, states, st.one_of(st.builds(Fault), st.builds(RefusedURL)), draws)
def test_gain_starts_the_count_again(policy, state, failure, draw):
    """After progress the first failure is like the very first one."""
    fresh = after(policy, None, state._replace(faults=0, refused=0), failure, gained=False, draw=draw)
    assert after(policy, None, state, failure, gained=True, draw=draw) == fresh
    assert fresh[0].faults + fresh[0].refused == 1


@given(policies, pauses, states, st.booleans(), draws)
def test_a_final_failure_is_given_up_at_once(policy, max_pause, state, gained, draw):
    """Whatever the policy."""
    assert decide(Final(), state, policy, max_pause, gained=gained, draw=draw) == GiveUp()


@pytest.mark.parametrize("failure", [Fault(), Fault(wait=1), Throttled(wait=1), RefusedURL(), Final()])
def test_one_attempt_means_no_retry(failure):
    """``attempts=1`` turns retries off."""
    assert decide(failure, policy=RetryPolicy(attempts=1)) == GiveUp()


def test_the_number_of_attempts():
    """Every kind of failure is an attempt; the seconds of pauses are not."""
    assert Attempts().failed == 0
    assert Attempts(faults=1, refused=2, throttled=3, paused=60.5).failed == 6
