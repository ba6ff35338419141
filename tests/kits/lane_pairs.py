"""Whole exchanges, over a lane and over aiohttp: ``python -m tests.kits.lane_pairs 2000``."""

from __future__ import annotations

import asyncio
import random
import sys
from typing import TYPE_CHECKING, Any

from gh_artifacts_async.errors import ArtifactsError
from gh_artifacts_async.settings import Timeouts
from gh_artifacts_async.transport.lanes import WholeBody
from tests.kits.clock import JumpLoop
from tests.kits.lane_fuzz import HEADS, SHORT, mutated
from tests.kits.lanes import Asker, asking, sends

if TYPE_CHECKING:
    from tests.kits.raw import Script

QUICK = Timeouts(connect=5.0, read=5.0, min_rate=None)
SIZES, LONG = (0, 1, 20, 20, 20, 3000, 30_000), 70_000


def exchange(rng: random.Random) -> Script:
    """Return a script: a response that is right or nearly so, in pieces, with a right or a wrong end."""
    what = rng.randrange(8)
    # Aiohttp reads 256 KiB at once, a lane 64: what is odd after that is not seen at the same time.
    long = what > 1 and rng.random() < 0.2
    body = rng.randbytes(LONG if long else rng.choice(SIZES))
    data = (HEADS[rng.randrange(1, 4)] if long else mutated(rng)).replace(
        b"Content-Length: 20", b"Content-Length: %d" % len(body)
    ) + body
    if what == 0:
        data = data[: rng.randrange(len(data))]
    elif what == 1:
        data += rng.choice((b"x", b"\r\n", b"HTTP/1.1 200 OK\r\n\r\n", SHORT.replace(b"\n", b"\r\n"), rng.randbytes(9)))
    elif what == 2:
        data = b"HTTP/1.1 10%d X\r\n\r\n" % rng.randrange(4) + data
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randrange(4)))
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True) if a < b]
    return sends(*pieces, then=rng.choice(("end", "end", "end", "stall", "")))


async def outcome(it: Asker) -> tuple[Any, ...]:
    """Return what comes of a request: status, headers, body, error."""
    try:
        found = await it.get()
    except ArtifactsError as error:
        return None, None, b"", type(error), str(error)
    if isinstance(found, WholeBody):
        return found.response.status, found.response.headers, bytes(found.body), None, ""
    body = b""
    try:
        while chunk := await found.read_chunk():
            body += chunk
    except ArtifactsError as error:
        return found.response.status, found.response.headers, body, type(error), str(error)
    finally:
        found.close()
    return found.response.status, found.response.headers, body, None, ""


async def pair(seed: int) -> bool:
    """Compare one exchange; whether a lane received the response itself.

    Raises:
        AssertionError: they differ.
    """
    found = []
    lane = False
    for fast in (True, False):
        script = exchange(random.Random(seed))  # noqa: S311 - the same for both
        async with asking(script, fast_paths=fast, timeouts=QUICK) as it:
            found.append(await outcome(it))
            lane = lane or (fast and bool(it.lanes._all))
            assert len(it.server.heads) == 1, seed
    (status, headers, body, *error), (their_status, their_headers, their_body, *their_error) = found
    if status is None:  # aiohttp may see what is wrong before a head ends that never does
        error = their_error = [error[0] is None, their_error[0] is None]
        assert not any(error), seed
    assert (status, headers, error) == (their_status, their_headers, their_error), seed
    # Of a body that breaks, aiohttp loses what it has not handed out yet.
    assert body == their_body or (error[0] is not None and body.startswith(their_body)), seed
    return lane


async def pairs(seeds: range) -> int:
    """Compare exchanges; how many of them a lane received, and may use its connection again."""
    return sum([await pair(seed) for seed in seeds])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=JumpLoop) as runner:
        count, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
        print(count, "exchanges,", runner.run(pairs(range(first, first + count))), "by lanes, no difference")  # noqa: T201
