"""What was received before the ordinary way begins is read as if it came only now."""

from __future__ import annotations

from typing import Any, cast

import pytest

from gh_artifacts_async.errors import ConnectionFailedError
from gh_artifacts_async.protocol.responses import Response
from gh_artifacts_async.transfer.storage.begun import Begun, Replayed

RESPONSE = Response(status=200, headers={})


async def test_a_whole_body():
    """It comes in one piece, and then its end, however often that is asked for."""
    stream = Replayed(RESPONSE, "storage.example", b"body")
    assert (stream.response, stream.host) == (RESPONSE, "storage.example")
    assert [await stream.read_chunk() for _ in range(3)] == [b"body", b"", b""]
    nothing = cast("Any", None)
    assert not stream.take_over(nothing, nothing, nothing)
    stream.close()


@pytest.mark.parametrize("body", [b"", b"bo"])
async def test_a_body_that_broke(body):
    """What had arrived comes first, then the error."""
    error = ConnectionFailedError("it broke", host="storage.example")
    stream = Replayed(RESPONSE, "storage.example", body, error)
    if body:
        assert await stream.read_chunk() == body
    with pytest.raises(ConnectionFailedError) as caught:
        await stream.read_chunk()
    assert caught.value is error


def test_an_answer_or_none():
    """A request that had no answer raises why."""
    stream = Replayed(RESPONSE, "storage.example", b"")
    assert Begun(stream).stream() is stream
    error = ConnectionFailedError("it broke", host="storage.example")
    with pytest.raises(ConnectionFailedError):
        Begun(error).stream()
