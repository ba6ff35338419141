"""What can be wrong with one response."""

from __future__ import annotations

import pytest

from gh_artifacts_async.testing.faults.effects import CannedResponse, Drip, Effects, Stop


def test_effects_are_merged() -> None:
    """What the other sets is put over what is there; what it leaves alone stays."""
    merged = Effects(corrupt=1, head_delay=5.0).merged(Effects(corrupt=2, gzip=True))
    assert merged == Effects(corrupt=2, head_delay=5.0, gzip=True)
    assert merged.merged(Effects()) == merged


@pytest.mark.parametrize(
    ("effects", "in_body"),
    [
        (Effects(), False),
        (Effects(head_delay=1.0), False),
        (Effects(response=CannedResponse(500)), False),
        (Effects(corrupt=0), True),
        (Effects(drip=Drip()), True),
        (Effects(stop=Stop("cut")), True),
        (Effects(end_at=0), True),
    ],
)
def test_some_need_a_body(effects: Effects, in_body: bool) -> None:  # noqa: FBT001
    """Effects on the bytes do not show where a response has no body."""
    assert effects.in_body is in_body
