"""What the tests of the API share: a token nobody may see, a source of tokens, a look at what an error shows."""

from __future__ import annotations

import traceback
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp

from gh_artifacts_async.settings import Limits, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from gh_artifacts_async.api.gate import Gate
    from gh_artifacts_async.protocol.requests import Request

TOKEN = "canary-T0ken-c4nary"
REPO = "octo-org/octo-docs"
API = "https://api.github.com"
HERE = f"{API}/repos/{REPO}/actions"
QUICK = Limits(points_per_minute=None, mutation_interval=None)
ONCE = RetryPolicy(attempts=1)
ARTIFACT: dict[str, Any] = {
    "id": 7,
    "node_id": "MDg6",
    "name": "Rails",
    "size_in_bytes": 556,
    "url": f"{HERE}/artifacts/7",
    "archive_download_url": f"{HERE}/artifacts/7/zip",
    "expired": False,
    "created_at": "2026-01-10T14:59:22Z",
    "expires_at": "2026-04-10T14:59:22Z",
    "updated_at": "2026-01-10T14:59:22Z",
}


@asynccontextmanager
async def slot(gate: Gate, request: Request, *, first: bool = False) -> AsyncGenerator[None]:
    """Pass the gate as the session does."""
    if not gate.enter_at_once(request):
        await gate.enter(request, first=first)
    try:
        yield
    finally:
        gate.leave(request)


def page(*numbers: int, total: int | None = None, name: str = "Rails") -> dict[str, Any]:
    """Return a page of artifacts with these ids."""
    items = [{**ARTIFACT, "id": number, "name": name} for number in numbers]
    return {"total_count": len(items) if total is None else total, "artifacts": items}


class Source:
    """A source of tokens that notes what it is asked, and can get others."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)
        self.calls: list[str] = []
        self.sender: Any = None

    def bind(self, sender: Any) -> None:
        self.calls.append("bind")
        self.sender = sender

    async def token(self) -> str:
        self.calls.append("token")
        return self.tokens[0]

    def invalidate(self, token: str) -> None:
        self.calls.append(f"invalidate {token}")
        if len(self.tokens) > 1:
            self.tokens.remove(token)


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and everything behind it, suppressed or not."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        found = waiting.pop()
        if found is not None and id(found) not in seen:
            seen.add(id(found))
            yield found
            waiting += [found.__cause__, found.__context__]


def shown(error: BaseException) -> str:
    """Return all that an error reporter could print: the traceback with every frame's locals, the whole chain."""
    parts = []
    for link in chain(error):
        report = traceback.TracebackException.from_exception(link, capture_locals=True)
        parts += [*report.format(), repr(link), str(link), repr(link.args), repr(vars(link))]
    return "".join(parts)


def check_silent(error: BaseException, *secrets: str) -> None:
    """Make sure that an error holds no secret, and nothing of aiohttp's."""
    text = shown(error)
    for secret in (TOKEN, *secrets):
        assert secret not in text
    assert "Bearer" not in text
    assert not [link for link in chain(error) if isinstance(link, aiohttp.ClientError)]
