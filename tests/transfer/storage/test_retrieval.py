"""The requests for one artifact: the same errors, after the same attempts, whoever takes the bytes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async import ArtifactsError, RequestRetried
from tests.kits.transfer import WORKER_SIZE, Seen, add, client_for, get

if TYPE_CHECKING:
    from collections.abc import Callable

    from gh_artifacts_async.testing.faults.script import Faults

FAULTS: dict[str, Callable[[Faults, int], object]] = {
    "cut": lambda faults, it: faults.cut(it, at=100, times=None),
    "no reply": lambda faults, it: faults.no_reply(it, times=None),
    "stall": lambda faults, it: faults.stall(it, at=100, times=None),
    "503": lambda faults, it: faults.status(it, 503, times=None),
    "404": lambda faults, it: faults.status(it, 404, times=None),
    "403": lambda faults, it: faults.status(it, 403, times=None),
    "expired": lambda faults, it: faults.expire_url(it, times=None),
    "gzip": lambda faults, it: faults.gzip(it, times=None),
    "garbage": lambda faults, it: faults.garbage(it, times=None),
    "slow": lambda faults, it: faults.drip(it, times=None),
}


async def _read(client, artifact):
    async with client.open_stream(artifact) as stream:
        return [chunk async for chunk in stream]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_file_and_a_stream_fail_alike(github, tmp_path, fault):
    """The class, the text, and the retries before it."""
    found = []
    for way in ("file", "stream"):
        github.faults.clear()
        artifact_id = add(github, size=WORKER_SIZE)
        FAULTS[fault](github.faults, artifact_id)
        seen = Seen()
        async with client_for(github, observer=seen) as client:
            artifact = await get(client, artifact_id)
            call = client.download(artifact, tmp_path, connections=1) if way == "file" else _read(client, artifact)
            with pytest.raises(ArtifactsError) as caught:
                await call
        text = re.sub(r"\d+", "N", str(caught.value))
        found.append((type(caught.value), text, len(seen.of(RequestRetried))))
    assert found[0] == found[1]
