"""Requests of single ranges: one signed URL for many, and nothing but the range that was asked for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import CertificateError, ConnectionFailedError
from gh_artifacts_async.transfer.storage.range_source import RangeSource, RefusedError
from gh_artifacts_async.transfer.storage.targets import StorageSession, sign
from tests.kits.transfer import add, get

if TYPE_CHECKING:
    from collections.abc import Callable

    from gh_artifacts_async import ArtifactsClient
    from gh_artifacts_async.testing import FakeGitHub
    from gh_artifacts_async.testing.faults.fault import Fault

pytestmark = pytest.mark.github_com("ranges")

SIZE = 100_000


class Asking:
    """A source of one artifact's ranges.

    Attributes:
        github: where it is.
        artifact_id: its id.
        source: what is tested.
        waited: seconds of waiting for GitHub.
    """

    def __init__(self, github: FakeGitHub, artifact_id: int, source: RangeSource, etag: str) -> None:
        self.github = github
        self.artifact_id = artifact_id
        self.source = source
        self.waited: list[float] = []
        self._etag = etag

    async def ask(self, first: int, end: int, total: int = SIZE) -> bytes:
        """Read a range."""
        stream = await self.source.open(first, end, self._etag, total, self.waited.append)
        try:
            found = b""
            while chunk := await stream.read_chunk():
                found += chunk
            return found
        finally:
            stream.close()

    @property
    def signed(self) -> int:
        """How often a URL was signed."""
        return sum(request.path.endswith("/zip") for request in self.github.requests_to("api"))


@pytest.fixture
async def asking(github: FakeGitHub, client: ArtifactsClient) -> Asking:
    """A source that has no URL yet."""
    artifact_id = add(github, size=SIZE)
    context = client._transfers()
    artifact = await get(client, artifact_id)
    stream = await context.storage.open(await sign(client._github, artifact), {})
    etag = stream.response.headers["etag"]
    stream.close()
    return Asking(github, artifact_id, RangeSource(context, artifact), etag)


async def test_one_url_serves_many(asking: Asking, client: ArtifactsClient) -> None:
    """However many ask at once, the URL is signed once; the time that takes is told, since it is not storage's."""
    content = asking.github.content(asking.artifact_id)
    found = await asyncio.gather(*(asking.ask(at, at + 1_000) for at in range(0, SIZE, 10_000)))
    assert found == [content[at : at + 1_000] for at in range(0, SIZE, 10_000)]
    assert asking.signed == 1 + 1
    assert len(asking.waited) == 1
    artifact = await get(client, asking.artifact_id)
    asking.source.use(await sign(client._github, artifact))
    assert await asking.ask(SIZE - 1, SIZE) == content[-1:]
    assert asking.signed == 1 + 2


async def test_a_url_that_nears_its_end_is_not_used(asking: Asking) -> None:
    """Some seconds before a URL expires another one is signed."""
    await asking.ask(0, 1)
    await asyncio.sleep(590)
    await asking.ask(0, 1)
    assert asking.signed == 1 + 1
    await asyncio.sleep(6)
    await asking.ask(0, 1)
    assert asking.signed == 1 + 2


async def test_a_refused_url_is_signed_again_once(asking: Asking) -> None:
    """A URL that storage refuses is replaced at once; if the next is refused too, the range is."""
    await asking.ask(0, 1)
    asking.github.faults.expire_url(asking.artifact_id)
    assert await asking.ask(5, 6) == asking.github.content(asking.artifact_id)[5:6]
    assert asking.signed == 1 + 2
    asking.github.faults.status(asking.artifact_id, 403, times=2)
    with pytest.raises(RefusedError, match="403"):
        await asking.ask(0, 1)


@pytest.mark.parametrize(
    "what",
    [
        lambda faults, it: faults.ignore_range(it),
        lambda faults, it: faults.wrong_content_range(it, f"bytes 10-18/{SIZE}"),
        lambda faults, it: faults.wrong_content_range(it, f"bytes 10-19/{SIZE + 1}"),
        lambda faults, it: faults.wrong_content_range(it, "bytes 10-19/*"),
        lambda faults, it: faults.wrong_length(it, 5),
        lambda faults, it: faults.headers(it, {"ETag": '"another"'}),
        lambda faults, it: faults.status(it, 412),
        lambda faults, it: faults.status(it, 416),
        lambda faults, it: faults.status(it, 429),
        lambda faults, it: faults.status(it, 503),
        lambda faults, it: faults.gzip(it),
        lambda faults, it: faults.redirect(it, "http://203.0.113.9/elsewhere"),
        lambda faults, it: faults.status(it, 404, where="api", endpoint="download-artifact"),
    ],
)
async def test_refusals(asking: Asking, what: Callable[[Any, int], Fault]) -> None:
    """Whatever is not the range that was asked for, of the same bytes, is refused."""
    what(asking.github.faults, asking.artifact_id)
    with pytest.raises(RefusedError):
        await asking.ask(10, 20)
    assert await asking.ask(10, 20) == asking.github.content(asking.artifact_id)[10:20]


async def test_a_missing_etag_is_no_other_one(asking: Asking) -> None:
    """Storage that leaves the ETag out has heeded If-Match; the digest decides in the end."""
    asking.github.faults.headers(asking.artifact_id, {"ETag": None})
    assert await asking.ask(10, 20) == asking.github.content(asking.artifact_id)[10:20]


async def test_no_answer(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that breaks is that; a certificate that is not trusted will not be trusted next time either."""
    asking.github.faults.no_reply(asking.artifact_id)
    with pytest.raises(ConnectionFailedError):
        await asking.ask(0, 1)

    async def untrusted(*_: object, **__: object) -> None:
        msg = "not trusted"
        raise CertificateError(msg, host="storage")

    monkeypatch.setattr(StorageSession, "open", untrusted)
    with pytest.raises(RefusedError, match="not trusted"):
        await asking.ask(0, 1)
