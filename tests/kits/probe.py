"""A bare client to look at the fake with: it follows nothing, retries nothing and tells what it saw."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Self

import aiohttp
import attrs
from multidict import CIMultiDictProxy
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gh_artifacts_async.testing import FakeGitHub

REPO = "octo-org/octo-docs"
API_HEADERS = {"Authorization": "Bearer t0ken", "Accept": "application/vnd.github+json"}


def links(header: str) -> dict[str, str]:
    """Return rel -> URL of a Link header."""
    return {rel: url for url, rel in re.findall(r'<([^>]*)>; rel="(\w+)"', header)}


@attrs.frozen
class Got:
    """An answer, as far as it came."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    error: Exception | None = None

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Probe:
    """Talks to both hosts of a fake, each request over a connection of its own."""

    def __init__(self, github: FakeGitHub) -> None:
        self.github = github
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the client."""
        connector = aiohttp.TCPConnector(force_close=True)
        self._session = aiohttp.ClientSession(
            connector=connector, auto_decompress=False, skip_auto_headers=["Accept-Encoding"]
        )
        # Off, as in aiohttp's own test client: it sends a GET whose connection ends without an answer a second time.
        self._session._retry_connection = False
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the client."""
        await self.session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        assert self._session is not None
        return self._session

    async def request(self, method: str, url: str | URL, headers: Mapping[str, str] | None = None, **more: Any) -> Got:
        """Return the answer; of a body that breaks, the part that came and the error."""
        url = URL(url, encoded=True) if isinstance(url, str) else url
        async with self.session.request(method, url, headers=headers, allow_redirects=False, **more) as response:
            body, error = bytearray(), None
            try:
                async for chunk in response.content.iter_any():
                    body += chunk
            except aiohttp.ClientError as broken:
                error = broken
            return Got(response.status, response.headers, bytes(body), error)

    async def api(
        self, path: str = "", method: str = "GET", headers: Mapping[str, str] | None = None, **more: Any
    ) -> Got:
        """Ask the API for something below the repository, or for ``path`` itself if it begins with two slashes."""
        path = path[1:] if path.startswith("//") else f"/repos/{REPO}{path}"
        return await self.request(method, self.github.base_url + path, {**API_HEADERS, **(headers or {})}, **more)

    async def walk(self, path: str) -> list[int]:
        """Return the ids on all pages of a listing, by following ``next``."""
        ids: list[int] = []
        got = await self.api(path)
        while True:
            (entries,) = (value for value in got.json.values() if isinstance(value, list))
            ids += [entry["id"] for entry in entries]
            url = links(got.headers.get("Link", "")).get("next")
            if url is None:
                return ids
            got = await self.request("GET", url, API_HEADERS)

    async def sign(self, artifact: int) -> str:
        """Return a fresh signed URL."""
        got = await self.api(f"/actions/artifacts/{artifact}/zip")
        assert (got.status, got.body) == (302, b"")
        return got.headers["Location"]

    async def fetch(self, artifact: int, **headers: str) -> Got:
        """Sign and get; ``Range`` and the like as keywords, with _ for -."""
        return await self.get(await self.sign(artifact), **headers)

    async def get(self, url: str, **headers: str) -> Got:
        """Get a signed URL."""
        return await self.request("GET", url, {name.replace("_", "-"): value for name, value in headers.items()})
