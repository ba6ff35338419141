"""Observers are called with events, and cannot break the work that they observe."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path
from typing import get_args

import attrs
import pytest

from gh_artifacts_async import events
from gh_artifacts_async.events import (
    Emitter,
    Event,
    ListingProgress,
    RateLimitPause,
    TransferBytes,
    TransferEvent,
    TransferFinished,
    TransferStarted,
)
from tests.test_models import ARTIFACT

PAGE = ListingProgress(page=1, items=2, total_count=3)


def test_everyone_is_told_in_order():
    """Each observer is called with each event, in the order they were given; None is ignored."""
    told: list[tuple[str, Event]] = []
    emitter = Emitter(lambda event: told.append(("a", event)), None).also(lambda event: told.append(("b", event)))
    emitter.emit(PAGE)
    emitter.emit(RateLimitPause(seconds=1.0, kind="primary"))
    assert [who for who, _ in told] == ["a", "b", "a", "b"]
    assert told[0][1] is told[1][1] is PAGE


def test_nobody_listens():
    """An emitter is true if it has observers, so that events need not be built for none."""
    assert not Emitter().active
    assert not Emitter(None).active
    assert Emitter(print).active
    silent = Emitter()
    assert silent.also(None) is silent
    silent.emit(PAGE)


def test_adding_an_observer_leaves_the_emitter_as_it_was():
    """``also`` returns another emitter; the client's own is unchanged."""
    told: list[Event] = []
    base = Emitter()
    base.also(told.append).emit(PAGE)
    base.emit(PAGE)
    assert told == [PAGE]


def test_an_observer_that_raises_is_logged_not_obeyed(caplog):
    """The other observers are still called, and the log names the event."""
    told: list[Event] = []

    def broken(_event: Event) -> None:
        raise RuntimeError("the bar has no terminal")

    with caplog.at_level(logging.ERROR, logger="gh_artifacts_async"):
        Emitter(broken, told.append).emit(PAGE)
    assert told == [PAGE]
    assert "ListingProgress" in caplog.text
    assert "the bar has no terminal" in caplog.text


def test_what_is_no_mistake_goes_through():
    """KeyboardInterrupt is not an observer's error."""

    def interrupted(_event: Event) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Emitter(interrupted).emit(PAGE)


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
