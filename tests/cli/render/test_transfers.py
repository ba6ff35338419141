"""Where every transfer is, and how far all of them are."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async import (
    Artifact,
    ExtractionProgress,
    ListingProgress,
    Pacing,
    RateLimitPause,
    RequestRetried,
    RequestSent,
    TransferBytes,
    TransferChecking,
    TransferFailed,
    TransferFinished,
    TransferResumed,
    TransferSigning,
    TransferStarted,
    TransferURLRenewed,
    TransferVerified,
)
from gh_artifacts_async.cli.render.transfers import Rate, Transfers

MB = 1_000_000
ARTIFACT = Artifact(
    id=7, node_id="n", name="wheel", size_in_bytes=4 * MB, url="u", archive_download_url="d", expired=False
)
OTHER = attrs.evolve(ARTIFACT, id=8, name="docs", size_in_bytes=6 * MB)


def transfers_after(*events, planned=(ARTIFACT, OTHER)):
    """Return what is known after events, one a second."""
    transfers = Transfers(planned)
    for second, event in enumerate(events):
        transfers.take(event, float(second))
    return transfers


def retried(what, wait=5.0):
    """Return the event of another attempt."""
    return RequestRetried(kind="storage", what=what, reason="r", wait=wait, attempt=1)


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([TransferChecking(artifact=ARTIFACT)], "checking"),
        ([TransferSigning(artifact=ARTIFACT)], "signing"),
        ([TransferStarted(artifact=ARTIFACT, size=MB)], "receiving"),
        ([TransferStarted(artifact=ARTIFACT, size=MB, offset=500)], "resuming"),
        ([TransferStarted(artifact=ARTIFACT, size=MB), TransferURLRenewed(artifact=ARTIFACT, reason="")], "signing"),
        ([TransferStarted(artifact=ARTIFACT, size=MB), retried("artifact 7")], "retrying"),
        ([TransferSigning(artifact=ARTIFACT), retried("GET /repos/o/r/actions/artifacts/7/zip")], "retrying"),
        ([TransferSigning(artifact=ARTIFACT), retried("artifact 7", 0.0)], "signing"),
        ([TransferSigning(artifact=ARTIFACT), retried("artifact 77")], "signing"),
        (
            [
                TransferStarted(artifact=ARTIFACT, size=MB),
                TransferResumed(artifact=ARTIFACT, offset=0, reason=""),
                TransferSigning(artifact=ARTIFACT),
            ],
            "resuming",
        ),
        (
            [
                TransferResumed(artifact=ARTIFACT, offset=500, reason=""),
                TransferBytes(artifact=ARTIFACT, received=500, size=MB),
            ],
            "resuming",
        ),
        (
            [
                TransferResumed(artifact=ARTIFACT, offset=500, reason=""),
                TransferBytes(artifact=ARTIFACT, received=501, size=MB),
            ],
            "receiving",
        ),
        ([TransferBytes(artifact=ARTIFACT, received=MB, size=MB)], "verifying"),
        ([TransferBytes(artifact=ARTIFACT, received=9 * MB, size=None)], "receiving"),
        (
            [
                TransferBytes(artifact=ARTIFACT, received=5, size=MB),
                ExtractionProgress(artifact=ARTIFACT, written=1, total=9, members_done=1, members=4),
            ],
            "receiving",
        ),
        (
            [
                ExtractionProgress(artifact=ARTIFACT, written=1, total=9, members_done=1, members=4),
                TransferVerified(artifact=ARTIFACT, verified="digest"),
            ],
            "extracting",
        ),
    ],
)
def test_states(events, state):
    """Each event says where its transfer is; extraction is told of once nothing more is to arrive."""
    assert transfers_after(*events).active[7].state == state


def test_what_is_about_no_transfer():
    """A listing, pauses, and retries of other requests are known; requests say nothing."""
    page = ListingProgress(page=1, items=2, total_count=3)
    transfers = transfers_after(
        page,
        RateLimitPause(seconds=60, kind="primary"),
        Pacing(seconds=5, reason="points"),
        retried("GET /repos/o/r/actions/runs"),
        RequestSent(kind="api", method="GET", host="h", path="/"),
    )
    assert transfers.listing == page
    assert transfers.paused_until == 61
    assert transfers.retrying_until == 8
    assert not transfers.active


def test_what_an_earlier_run_left_is_neither_done_nor_to_do():
    """The total is what this run has to fetch; one that starts over has to be fetched whole."""
    transfers = transfers_after(TransferStarted(artifact=ARTIFACT, size=4 * MB, offset=3 * MB))
    assert (transfers.bytes_done, transfers.bytes_to_do) == (0, 7 * MB)
    transfers.take(TransferBytes(artifact=ARTIFACT, received=3 * MB + 5, size=4 * MB), 1.0)
    assert (transfers.bytes_done, transfers.bytes_to_do) == (5, 7 * MB)
    transfers.take(TransferResumed(artifact=ARTIFACT, offset=0, reason="it has changed"), 2.0)
    assert (transfers.bytes_done, transfers.bytes_to_do) == (0, 10 * MB)
    transfers.take(TransferFinished(artifact=ARTIFACT, path=Path("x"), size=4 * MB), 3.0)
    assert (transfers.bytes_done, transfers.bytes_to_do) == (4 * MB, 10 * MB)


def test_what_was_there_already_is_not_to_do():
    """It counts as done, with no byte; what failed keeps the bytes that arrived, so that nothing runs backwards."""
    transfers = transfers_after(
        TransferChecking(artifact=ARTIFACT),
        TransferFinished(artifact=ARTIFACT, path=Path("x"), size=4 * MB, skipped=True),
        TransferBytes(artifact=OTHER, received=MB, size=6 * MB),
        TransferFailed(artifact=OTHER, error=OSError()),
    )
    assert (transfers.bytes_done, transfers.bytes_to_do) == (MB, MB)
    assert (transfers.done, transfers.failed) == (1, 1)


def test_a_size_that_only_storage_knows():
    """Old servers say another one, and some storage none: then it is at least what has arrived."""
    transfers = transfers_after(TransferStarted(artifact=ARTIFACT, size=5 * MB))
    assert transfers.bytes_to_do == 11 * MB
    transfers.take(TransferBytes(artifact=OTHER, received=8 * MB, size=None), 1.0)
    assert transfers.bytes_to_do == 13 * MB
    assert transfers_after(TransferSigning(artifact=ARTIFACT), planned=None).total is None


def test_a_merge_ends_for_all_at_once():
    """What is verified and extracted counts as done, once."""
    transfers = transfers_after(
        TransferVerified(artifact=ARTIFACT, verified="digest"),
        ExtractionProgress(artifact=ARTIFACT, written=9, total=9, members_done=4, members=4),
    )
    assert (transfers.done, transfers.finished) == (1, 0)
    transfers.take(TransferFinished(artifact=ARTIFACT, path=Path("x"), size=4 * MB), 3.0)
    assert (transfers.done, transfers.finished) == (1, 1)


def test_rates():
    """Over the last five seconds; none at first, and none from before it starts over."""
    rate = Rate()
    assert rate.at(0.0, 0) is None
    assert rate.at(0.1, 100) is None
    assert rate.at(1.0, 1000) == 1000
    assert [rate.at(float(second), 1000) for second in range(2, 20)][-1] == 0
    assert rate.at(20.0, 5) is None
    assert rate.at(20.0, 5) is None


def test_a_rate_after_a_stall():
    """How slow it was then says nothing of now."""
    transfers = transfers_after(TransferStarted(artifact=ARTIFACT, size=4 * MB))
    one = transfers.active[7]
    one.rate.at(0.0, 0)
    transfers.take(TransferBytes(artifact=ARTIFACT, received=MB, size=4 * MB), 60.0)
    assert one.rate.at(60.0, MB) is None
    assert one.rate.at(61.0, 2 * MB) == MB


def events_of(artifact):
    """Return a strategy for events of a transfer, in any order."""
    counts = st.integers(0, 9 * MB)
    return st.one_of(
        st.builds(TransferStarted, artifact=st.just(artifact), size=st.none() | counts, offset=counts),
        st.builds(TransferBytes, artifact=st.just(artifact), received=counts, size=st.none() | counts),
        st.builds(TransferResumed, artifact=st.just(artifact), offset=counts, reason=st.just("r")),
        st.builds(TransferVerified, artifact=st.just(artifact), verified=st.just("digest")),
        st.builds(TransferSigning, artifact=st.just(artifact)),
        st.builds(
            ExtractionProgress,
            artifact=st.just(artifact),
            written=counts,
            total=counts,
            members_done=st.integers(0, 2),
            members=st.just(2),
        ),
        st.builds(TransferFinished, artifact=st.just(artifact), path=st.just(Path("x")), size=counts),
        st.builds(TransferFailed, artifact=st.just(artifact), error=st.just(OSError())),
    )


@given(st.lists(events_of(ARTIFACT) | events_of(OTHER)))
def test_never_more_is_done_than_is_to_do(events):
    """Whatever happens, and in whatever order."""
    transfers = transfers_after(*events)
    assert 0 <= transfers.bytes_done <= transfers.bytes_to_do
