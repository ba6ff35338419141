"""Observers are called with events, and cannot break the work that they observe."""

from __future__ import annotations

import logging

import pytest

from gh_artifacts_async.api.emitter import Emitter
from gh_artifacts_async.events import Event, ListingProgress, RateLimitPause

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
