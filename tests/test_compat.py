"""aioresponses works with this aiohttp."""

from __future__ import annotations

import aiohttp
import pytest


@pytest.mark.parametrize("size", [0, 11, 128 * 1024 + 1, 3 * 2**20])
async def test_a_body_of_any_size_is_answered(mocked, size):
    """A mocked answer arrives whole, also where a real one would pause its transport (128 KiB)."""
    mocked.get("https://api.github.com/x", body=bytes(size), headers={"X-A": "b"})
    async with aiohttp.ClientSession() as session, session.get("https://api.github.com/x") as response:
        assert response.status == 200
        assert response.headers["X-A"] == "b"
        assert len(await response.read()) == size


async def test_a_body_can_be_read_in_chunks(mocked):
    """Chunked reading works on mocked answers too."""
    mocked.get("https://api.github.com/x", status=404, body=b"a" * 200_000)
    async with aiohttp.ClientSession() as session, session.get("https://api.github.com/x") as response:
        assert response.status == 404
        assert sum([len(chunk) async for chunk in response.content.iter_chunked(1000)]) == 200_000
