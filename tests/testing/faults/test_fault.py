"""Which requests a fault applies to."""

from __future__ import annotations

from typing import Any

import pytest

from gh_artifacts_async.testing.faults.effects import Effects
from gh_artifacts_async.testing.faults.fault import Fault, Occasion


@pytest.mark.parametrize(
    ("fault", "occasion", "fits"),
    [
        ({}, {}, True),
        ({"host": "api"}, {}, False),
        ({"artifact_id": 7}, {"artifact_id": 7}, True),
        ({"artifact_id": 7}, {"artifact_id": 8}, False),
        ({"endpoint": "get-artifact"}, {"endpoint": "actions/get-artifact"}, True),
        ({"endpoint": "get-artifact"}, {}, False),
        ({"needs_range": True}, {}, False),
        ({"needs_range": True}, {"ranged": True}, True),
        ({"needs_link": True}, {}, False),
        ({"needs_link": True}, {"linked": True}, True),
        ({"at": 5}, {"start": 0, "stop": 10}, True),
        ({"at": 5}, {"start": 6, "stop": 10}, False),
        ({"at": 10}, {"start": 0, "stop": 10}, False),
        ({"at": 0}, {"start": 0, "stop": 0}, True),
        ({"effects": Effects(corrupt=-1)}, {"bodiless": True}, False),
        ({"effects": Effects(gzip=True)}, {"bodiless": False}, True),
        ({"until": 99.0}, {}, False),
        ({"until": 101.0}, {}, True),
        ({"left": 0}, {}, False),
        ({"left": None}, {}, True),
    ],
)
def test_a_fault_fits_some_requests(fault: dict[str, Any], occasion: dict[str, Any], fits: bool) -> None:  # noqa: FBT001
    """Host, artifact, endpoint, byte, range, time and number decide whether a request meets a fault."""
    made = Fault(**{"effects": Effects(), **fault})
    assert made.fits(Occasion(**{"host": "storage", **occasion}), now=100.0) is fits


def test_a_fault_can_be_cancelled() -> None:
    """A cancelled fault fits nothing, however often it was to happen."""
    fault = Fault(Effects(), left=None)
    fault.cancel()
    assert not fault.fits(Occasion("storage"), now=0.0)


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ({}, "fault at the storage (0 of 1)"),
        ({"name": "cut", "artifact_id": 7, "at": 100, "left": 1, "count": 1}, "cut of artifact 7 at byte 100 (1 of 2)"),
        ({"name": "html", "host": "api", "endpoint": "x", "left": None}, "html at the api for x (0 of any number)"),
    ],
)
def test_a_fault_says_what_it_is(fault: dict[str, Any], text: str) -> None:
    """As text it is what a message needs: what, for whom, how often."""
    assert str(Fault(**{"effects": Effects(), **fault})) == text
