"""Listings as other servers sent them, byte by byte: without end, with odd items, with links to elsewhere."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import ArtifactsClient, errors
from gh_artifacts_async.api import endpoints
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.protocol import responses
from tests.kits.api import ARTIFACT, QUICK, REPO, page

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

Answer = tuple[dict[str, Any] | bytes, str | None]
"""A body, and the URL of the next page; ``{base}`` in it is the server's own."""


class Pages:
    """A server that answers page N with what a function makes of N."""

    def __init__(self, answer: Callable[[int], Answer]) -> None:
        self.answer = answer
        self.base = ""
        self.asked: list[int] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, and close."""
        head = await reader.readuntil(b"\r\n\r\n")
        number = int((re.search(rb"[?&]page=(\d+)", head) or [b"", b"1"])[1])
        self.asked.append(number)
        content, following = self.answer(number)
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        lines = ["HTTP/1.1 200 OK", "Content-Type: application/json", f"Content-Length: {len(body)}"]
        if following is not None:
            lines.append(f'Link: <{following.format(base=self.base)}>; rel="next"')
        writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode() + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def served(answer: Callable[[int], Answer]) -> AsyncGenerator[tuple[Pages, ArtifactsClient]]:
    """Yield a server of pages and a client of it."""
    pages = Pages(answer)
    server = await asyncio.start_server(pages.serve, "127.0.0.1", 0)
    pages.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, ArtifactsClient("token", base_url=pages.base, limits=QUICK) as client:
        yield pages, client


def next_page(number: int) -> str:
    """Return a link to the next page, on the server itself."""
    return f"{{base}}/repositories/1/actions/artifacts?per_page=10&page={number + 1}"


async def walk(client: ArtifactsClient, **arguments: Any) -> list[int]:
    """Return the ids that a listing gives."""
    async with aclosing(client.list_artifacts(REPO, per_page=10, **arguments)) as found:
        return [artifact.id async for artifact in found]


# --- row 5: listings without end


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("limit", [None, 5])
async def test_row_5_the_same_page_for_ever(concurrency: int, limit: int | None) -> None:
    """Three of three items were seen, and the pages lead on: the walk ends after a few of them."""
    async with served(lambda number: (page(1, 2, 3), next_page(number))) as (pages, client):
        assert await walk(client, concurrency=concurrency, limit=limit) == [1, 2, 3]
    assert len(pages.asked) <= 10


TOTALS = {
    "too high": lambda _: 1000,
    "growing": lambda number: number * 1000,
    "falling": lambda number: max(10**6 - 1000 * number, 4),
    "sawing": lambda number: 50 if number % 2 else 20,
    "huge": lambda number: 10 ** (18 + number % 2),
}


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("items", [(), (1, 2, 3)])
@pytest.mark.parametrize("total", TOTALS.values(), ids=TOTALS)
async def test_row_5_totals_that_promise_more(
    total: Callable[[int], int], items: tuple[int, ...], concurrency: int
) -> None:
    """Pages without a new item, whatever their totals do, are an error within a few requests."""
    requests = iter(range(1, 10**6))

    def answer(number: int) -> Answer:
        return page(*items, total=total(next(requests))), next_page(number)

    async with served(answer) as (pages, client):
        with pytest.raises(errors.UnexpectedResponseError, match="lead"):
            await walk(client, limit=5, concurrency=concurrency)
    assert len(pages.asked) <= 30


async def test_row_5_without_a_link_too() -> None:
    """The total alone leads on."""
    async with served(lambda _: (page(1, 2, 3, total=10**9), None)) as (pages, client):
        with pytest.raises(errors.UnexpectedResponseError, match="read already"):
            await walk(client)
    assert len(pages.asked) <= 10


async def test_row_5_cursors_that_never_end() -> None:
    """Links without a page number, each another one."""
    cursors = iter(range(10**6))

    def answer(_: int) -> Answer:
        return page(1, total=9), f"{{base}}/repositories/1/actions/artifacts?after={next(cursors)}"

    async with served(answer) as (pages, client):
        with pytest.raises(errors.UnexpectedResponseError, match="read already"):
            await walk(client)
    assert len(pages.asked) <= 10


@pytest.mark.parametrize("change", ["behind", "front", "added"])
async def test_row_5_genuine_changes_complete(change: str) -> None:
    """Many items deleted or added in the middle of a walk make many known pages, and the walk still completes."""
    items = list(range(500, 0, -1))
    stayed = set(items)
    requests = iter(range(10**6))

    def answer(number: int) -> Answer:
        if next(requests) == 30:
            if change == "added":
                items[:0] = range(701, 500, -1)
            else:
                gone = items[:200] if change == "front" else items[300:]
                stayed.difference_update(gone)
                items[:] = [item for item in items if item in stayed]
        shown = items[(number - 1) * 10 : number * 10]
        return page(*shown, total=len(items)), next_page(number) if number * 10 < len(items) else None

    async with served(answer) as (_, client):
        found = await walk(client)
    assert len(found) == len(set(found))
    assert set(found) >= stayed


async def test_row_5_runs_whose_created_is_ignored() -> None:
    """A server that ignores ``created`` sends the same thousand runs for each window: the second ends the listing."""

    def answer(number: int) -> Answer:
        first = (number - 1) * 100
        runs = [
            {"id": 1 + first + at, "created_at": f"2026-01-{1 + (next(moves) % 28):02}T00:00:00Z"} for at in range(100)
        ]
        return {"total_count": 1000, "workflow_runs": runs}, next_page(number) if number < 10 else None

    moves = iter(range(10**9))
    async with served(answer) as (pages, client), aclosing(client.list_workflow_runs(REPO, branch="main")) as found:
        assert len([run async for run in found]) == 1000
    assert len(pages.asked) == 20


# --- row 17: odd items


@pytest.fixture(params=["orjson", "json"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Parse with orjson, and without."""
    if request.param == "json":
        monkeypatch.setitem(sys.modules, "orjson", None)
    else:
        pytest.importorskip("orjson")
    chosen = vars(responses)["_loads"]  # chosen once a process
    chosen.cache_clear()
    yield
    chosen.cache_clear()


HASH = "A" * 64
LISTED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "digest empty": ({"digest": ""}, {"verifiable": False}),
    "digest without a colon": ({"digest": "deadbeef"}, {"verifiable": False}),
    "digest too short": ({"digest": "sha256:abc"}, {"verifiable": False}),
    "digest not hex": ({"digest": "sha256:" + "z" * 64}, {"verifiable": False}),
    "digest of upper case": ({"digest": f"SHA256:{HASH}"}, {"verifiable": True, "hex": HASH.lower()}),
    "sha512": ({"digest": "sha512:" + "0" * 128}, {"verifiable": False}),
    "no node_id": ({"node_id": ...}, {"node_id": None}),
    "node_id null": ({"node_id": None}, {"node_id": None}),
    "no created_at": ({"created_at": ...}, {"created_at": None}),
    "no updated_at": ({"updated_at": ...}, {"updated_at": None}),
    "no expires_at": ({"expires_at": ...}, {"expires_at": None}),
    "lone surrogate": ({"name": "bad \ud800 name"}, {"name": "bad \ud800 name"}),
    "lone low surrogate": ({"name": "\udfff"}, {"name": "\udfff"}),
    "id beyond 2**63": ({"id": 2**63 + 1}, {"id": 2**63 + 1}),
    "id beyond 2**64": ({"id": 2**64 + 1}, {"id": 2**64 + 1}),
    "run id beyond 2**64": ({"workflow_run": {"id": 2**70}}, {"run_id": 2**70}),
}


def odd(fields: dict[str, Any]) -> dict[str, Any]:
    """Return a page of an ordinary artifact and an odd one; ``...`` drops a field."""
    item = {key: value for key, value in {**ARTIFACT, "id": 8, **fields}.items() if value is not ...}
    return {"total_count": 2, "artifacts": [{**ARTIFACT, "id": 7}, item]}


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(("fields", "known"), LISTED.values(), ids=LISTED)
async def test_row_17_listed(fields: dict[str, Any], known: dict[str, Any]) -> None:
    """One odd field loses neither the page nor the artifact, with and without orjson alike."""
    async with served(lambda _: (odd(fields), None)) as (_, client), aclosing(client.list_artifacts(REPO)) as found:
        usual, item = [artifact async for artifact in found]
    assert usual.id == 7
    assert {key: getattr(item.digest if key in {"verifiable", "hex"} else item, key) for key in known} == known


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "negative size": ({"size_in_bytes": -1}, "size_in_bytes"),
    "30 February": ({"created_at": "2024-02-30T00:00:00Z"}, "created_at"),
    "hour 25": ({"expires_at": "2024-02-03T25:00:00Z"}, "expires_at"),
    "year 0": ({"updated_at": "0000-01-01T00:00:00Z"}, "updated_at"),
    "id as text": ({"id": "8"}, "id"),
    "no name": ({"name": ...}, "name"),
}


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(("fields", "path"), REFUSED.values(), ids=REFUSED)
async def test_row_17_refused(fields: dict[str, Any], path: str) -> None:
    """What cannot be right is an error that names the path."""
    async with served(lambda _: (odd(fields), None)) as (_, client):
        with pytest.raises(errors.ResponseShapeError, match="unexpected shape") as caught:
            await walk(client)
    assert caught.value.path == f"$.artifacts[1].{path}"


# --- row 18: a foreign link


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_row_18_a_foreign_link_matters_only_when_it_is_followed(concurrency: int) -> None:
    """A limit that is reached first is no error, nor is a single page; a walk names the foreign origin."""
    link = "https://user:pw@evil.example:8443/artifacts?page=2&sig=secret"
    async with served(lambda _: (page(1, 2, 3, total=9), link)) as (pages, client):
        assert await walk(client, limit=3, concurrency=concurrency) == [1, 2, 3]
        async with GitHubSession("token", base_url=pages.base) as session:
            single = await endpoints.list_artifacts_for_repo(session, REPO, per_page=3)
        assert (len(single.artifacts), single.next_page) == (3, 2)
        with pytest.raises(errors.UnexpectedResponseError, match=r"https://\*\*\*@evil\.example:8443;") as caught:
            await walk(client, concurrency=concurrency)
    assert "secret" not in str(caught.value)
    assert "pw" not in str(caught.value)
    assert set(pages.asked) <= {1}
