"""GitHub's description as the judge of the whole suite: a pytest plugin, which tests/conftest.py loads.

Each answer that a FakeGitHub in this process gives, and each request that the SDK sends to it, is held to GitHub's
OpenAPI description (tests/contract): by default the first 20 of each operation and status, with ``--contract=all``
every one. What is not as described fails the test.

Judged are the fake's own answers: what a scripted fault makes of one is not, since it is made afterwards. A request is
the SDK's if its ``User-Agent`` says so; what a test sends by hand may be wrong on purpose. A test that makes the fake
itself lie, through its data, says why: ``@pytest.mark.not_as_described("…")``.
"""

from __future__ import annotations

import contextlib
import functools
from collections import Counter
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async.testing.server.api import Api
from tests.kits.descriptions import version_for
from tests.kits.judging import Exchange, Judge

if TYPE_CHECKING:
    from collections.abc import Generator

    from aiohttp import web

    from gh_artifacts_async.testing.server.api import Matched
    from gh_artifacts_async.testing.server.responses import Response

FIRST = 20
_AGENT = "gh-artifacts-async/"
_MARK = "not_as_described"
_JUDGE = pytest.StashKey[Judge]()
_COUNTS = pytest.StashKey[list[tuple[Counter[tuple[str, int]], Counter[tuple[str, int]]]]]()
_watching: Judge | None = None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--contract``."""
    parser.addoption(
        "--contract",
        choices=["first", "all", "off"],
        default="first",
        help=f"hold the first {FIRST} requests of each operation and their answers to GitHub's description, or all",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Watch every fake of this process."""
    config.addinivalue_line(
        "markers", f"{_MARK}(reason): makes the fake answer what GitHub's description does not allow"
    )
    config.stash[_COUNTS] = []
    chosen = config.getoption("--contract")
    if chosen != "off":
        config.stash[_JUDGE] = judge = Judge(most=None if chosen == "all" else FIRST)
        stack = contextlib.ExitStack()
        stack.enter_context(watching(judge))
        config.add_cleanup(stack.close)


@contextlib.contextmanager
def watching(judge: Judge) -> Generator[Judge]:
    """Let ``judge`` see what all fakes answer within the block, in place of the one that did so before."""
    global _watching  # noqa: PLW0603  one for the process, as the class that is watched
    before, _watching = _watching, judge
    with pytest.MonkeyPatch.context() as patch:
        if before is None:
            patch.setattr(Api, "own_answer", _seen_by_the_judge(Api.own_answer))
        try:
            yield judge
        finally:
            _watching = before


def _seen_by_the_judge(own_answer: Any) -> Any:
    @functools.wraps(own_answer)
    async def answer(api: Api, request: web.Request, matched: Matched) -> Response:
        response = await own_answer(api, request, matched)
        judge, endpoint = _watching, matched.endpoint
        # GitHub's description has no HEAD; what names no User-Agent is refused by what stands in front of the API.
        described = request.method != "HEAD" and "User-Agent" in request.headers
        if judge is not None and endpoint is not None and described:
            profile = api.backend.scenario.profile
            if judge.wants((version_for(profile.name), endpoint, response.status)):
                body = await request.read() if request.body_exists else b""
                judge.put(_exchange(request, response, profile, endpoint, body))
        return response

    return answer


def _exchange(request: web.Request, response: Response, profile: Any, endpoint: str, body: bytes) -> Exchange:
    return Exchange(
        profile=profile.name,
        endpoint=endpoint,
        ours=request.headers.get("User-Agent", "").startswith(_AGENT),
        method=request.method,
        path=request.raw_path.partition("?")[0].removeprefix(profile.prefix),
        query=tuple(request.query.items()),
        content_type=request.content_type,
        body=body,
        status=response.status,
        headers=response.headers,
        answer=response.body.read(response.start, response.end),
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Judge what the test and its fixtures have sent; a test that failed for another reason gets it as a section."""
    try:
        result = yield
    except BaseException:
        item.add_report_section("call", "GitHub's description", "\n".join(_verdict(item)))
        raise
    _fail(item)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Judge what fixtures have sent at their end."""
    result = yield
    _fail(item)
    return result


def _verdict(item: pytest.Item) -> list[str]:
    judge = item.config.stash.get(_JUDGE, None)
    texts = [] if judge is None else judge.verdict()
    return [] if item.get_closest_marker(_MARK) else texts


def _fail(item: pytest.Item) -> None:
    texts = _verdict(item)
    if texts:
        more = "" if len(texts) == 1 else f"\n(and {len(texts) - 1} more)"
        pytest.fail(f"not as GitHub describes it:\n{texts[0]}{more}", pytrace=False)


# --- what was judged: counted in each process of pytest-xdist, shown by the one that reports


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the counts to the process that reports."""
    judge = session.config.stash.get(_JUDGE, None)
    if judge is None:
        return
    output = getattr(session.config, "workeroutput", None)
    if output is None:
        session.config.stash[_COUNTS].append((judge.judged, judge.undescribed))
    else:
        both = (judge.judged, judge.undescribed)
        output["contract"] = [[(*key, count) for key, count in found.items()] for found in both]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the counts of one of pytest-xdist's workers."""
    found = getattr(node, "workeroutput", {}).get("contract")
    if found:
        judged, undescribed = (Counter({(name, status): n for name, status, n in rows}) for rows in found)
        node.config.stash[_COUNTS].append((judged, undescribed))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """With ``--contract=all``, show how much of what was judged."""
    if config.getoption("--contract") != "all":
        return
    judged, undescribed = Counter[tuple[str, int]](), Counter[tuple[str, int]]()
    for counts in config.stash[_COUNTS]:
        judged += counts[0]
        undescribed += counts[1]
    terminalreporter.section("held to GitHub's description")
    for found, note in ((judged, ""), (undescribed, "  not described")):
        for (name, status), count in sorted(found.items()):
            terminalreporter.line(f"{count:8,} {status} {name}{note}")
    terminalreporter.line(
        f"openapi-core {version('openapi-core')}: {judged.total():,} exchanges judged, "
        f"{undescribed.total():,} not described"
    )
