"""Events are frozen values, and their union is complete."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import get_args

import attrs
import pytest

from gh_artifacts_async import events
from gh_artifacts_async.events import (
    Event,
    ListingProgress,
    RequestAnswered,
    RequestSent,
    TransferBytes,
    TransferEvent,
    TransferFinished,
    TransferStarted,
)
from tests.models.test_models import ARTIFACT

PAGE = ListingProgress(page=1, items=2, total_count=3)


def test_event_is_the_union_of_all_events():
    """Every event class of the module is in the union, each once, and the base of the transfer events is not."""
    classes = {cls for cls in vars(events).values() if isinstance(cls, type) and attrs.has(cls)}
    assert set(get_args(Event)) == {cls for cls in classes if cls.__module__ == events.__name__} - {TransferEvent}
    assert isinstance(PAGE, Event)


@pytest.mark.parametrize("cls", get_args(Event))
def test_events_are_frozen_values(cls):
    """Every event class is a frozen attrs class with keyword-only fields; those of a transfer say of which artifact."""
    assert all(field.kw_only for field in attrs.fields(cls))
    event = cls(**dict.fromkeys(attrs.fields_dict(cls)))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(event, attrs.fields(cls)[0].name, 2)
    assert issubclass(cls, TransferEvent) is ("artifact" in attrs.fields_dict(cls))


@pytest.mark.parametrize(
    "event",
    [
        PAGE,
        TransferStarted(artifact=ARTIFACT, size=None),
        TransferBytes(artifact=ARTIFACT, received=1, size=2),
        TransferFinished(artifact=ARTIFACT, path=Path("x"), size=2),
    ],
    ids=lambda event: type(event).__name__,
)
def test_events_compare_and_travel(event):
    """Two alike are equal, and an event can go to another process."""
    assert pickle.loads(pickle.dumps(event)) == event  # noqa: S301  our own bytes
    assert isinstance(event, TransferEvent) == hasattr(event, "artifact")


def test_the_url_of_a_request_is_told_without_query():
    """The two events of a request have the same four fields, and none for a query or for headers."""
    sent, answered = (set(attrs.fields_dict(cls)) for cls in (RequestSent, RequestAnswered))
    assert sent == {"kind", "method", "host", "path"}
    assert answered - sent == {"status", "request_id", "duration", "remaining", "error"}
