"""Observers are called with events, and cannot break the work that they observe."""

from __future__ import annotations

import logging

import pytest

from gh_artifacts_async.api.emitter import Emitter
from gh_artifacts_async.errors import ConnectionFailedError
from gh_artifacts_async.events import (
    Event,
    ListingProgress,
    Pacing,
    RateLimitPause,
    RequestAnswered,
    RequestRetried,
    RequestSent,
    TransferChecking,
    TransferSigning,
)
from gh_artifacts_async.results import Secret
from tests.models.test_models import ARTIFACT

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


def test_all_emitters_of_a_client_count_together():
    """An emitter with another observer has the same counters; one of its own begins from zero."""
    base = Emitter()
    other = base.also(print)
    other.counters.api_requests += 2
    assert base.counters.api_requests == 2
    assert Emitter().counters.api_requests == 0


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://api.github.com/repos/o/r?page=2", "api.github.com", "/repos/o/r"),
        ("https://u:p@127.0.0.1:9/a%2Fb/c.zip?***", "127.0.0.1:9", "/a%2Fb/c.zip"),
        ("https://h?sig=x/y", "h", ""),
        ("http://h/x#sig=y", "h", "/x"),
    ],
)
def test_requests_are_told_without_query_and_userinfo(url, host, path):
    """The path stays, byte for byte; what may be secret does not."""
    told: list[Event] = []
    Emitter(told.append).sent("storage", "GET", url)
    assert told == [RequestSent(kind="storage", method="GET", host=host, path=path)]


def test_a_token_that_comes_back_is_hidden():
    """A server may redirect to a path that echoes the token, or name the request after it."""
    told: list[Event] = []
    url, token = "https://h/repos/t0k3n-t0k3n/x", Secret("t0k3n-t0k3n")
    emitter = Emitter(told.append)
    emitter.sent("api", "GET", url, token)
    emitter.answered("api", "GET", url, 0.5, status=200, request_id="T0K3N-T0K3N" + 200 * "x", remaining=3, token=token)
    assert told == [
        RequestSent(kind="api", method="GET", host="h", path="/repos/***/x"),
        RequestAnswered(
            kind="api",
            method="GET",
            host="h",
            path="/repos/***/x",
            status=200,
            request_id="***" + 117 * "x",
            duration=0.5,
            remaining=3,
        ),
    ]


def test_what_happens_rarely_is_counted_told_and_logged_in_one_call(caplog):
    """Retries, pauses and pacing are counted whether or not anybody listens."""

    def happen(emitter: Emitter) -> None:
        emitter.retried("storage", "artifact 7", ConnectionFailedError("it broke", host="h"), 1.5, 2)
        emitter.paused(60, "secondary")
        emitter.paused(90, "secondary", added=30)
        emitter.paced(2.5, "points")

    told: list[Event] = []
    listened, silent = Emitter(told.append), Emitter()
    happen(listened)
    happen(silent)
    assert told == [
        RequestRetried(kind="storage", what="artifact 7", reason="it broke", wait=1.5, attempt=2),
        RateLimitPause(seconds=60, kind="secondary"),
        RateLimitPause(seconds=90, kind="secondary"),
        Pacing(seconds=2.5, reason="points"),
    ]
    assert listened.counters.snapshot() == silent.counters.snapshot()
    assert silent.counters.retries == {"storage/ConnectionFailedError": 1}
    assert (silent.counters.pauses, silent.counters.paused_seconds) == ({"secondary": 2}, {"secondary": 90})
    assert not caplog.records
    with caplog.at_level(logging.INFO, logger="gh_artifacts_async"):
        happen(silent)
    assert len(caplog.records) == 4


def test_an_error_without_a_text_is_named():
    """A reason is never empty."""
    told: list[Event] = []
    Emitter(told.append).retried("api", "GET /x", TimeoutError(), 0, 1)
    assert told == [RequestRetried(kind="api", what="GET /x", reason="TimeoutError", wait=0, attempt=1)]


def test_what_comes_before_a_transfer():
    """Observers are told that what is on disk is read, and that a URL is asked for."""
    told: list[Event] = []
    emitter = Emitter(told.append)
    emitter.checking(ARTIFACT)
    emitter.signing(ARTIFACT)
    assert told == [TransferChecking(artifact=ARTIFACT), TransferSigning(artifact=ARTIFACT)]
