"""Lanes: what they promise, over raw servers, with and without TLS."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from gh_artifacts_async.errors import CertificateError, ConnectionFailedError, RequestTimeoutError
from gh_artifacts_async.results import Secret
from gh_artifacts_async.settings import Timeouts
from gh_artifacts_async.transport import lanes
from gh_artifacts_async.transport.connections import GuardedConnector
from gh_artifacts_async.transport.http import HttpTransport
from gh_artifacts_async.transport.lanes import IDLE, WholeBody
from tests.kits.api import check_silent
from tests.kits.lanes import CANARY, asking, by_turns, ok, sends
from tests.kits.raw import answer, kept_alive
from tests.kits.sampling import mostly_slow

if TYPE_CHECKING:
    from tests.kits.raw import Script

TLS = pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
MOSTLY_PLAIN = pytest.mark.parametrize("tls", mostly_slow([False, True]))
BODY = bytes(range(256)) * 80
LONG = bytes(range(256)) * 1200
QUICK = Timeouts(connect=5.0, read=5.0, min_rate=None)


# --- which lane


async def test_as_many_lanes_as_requests_at_once():
    """Nothing waits for a lane; afterwards they are all reused."""
    async with asking(sends(ok(BODY))) as it:
        for _ in range(2):
            assert await asyncio.gather(*(it.whole() for _ in range(8))) == [BODY] * 8
        assert it.server.connections == 8


@TLS
async def test_a_server_that_closes(*, tls):
    """``Connection: close`` is understood: such a lane is not used again."""
    async with asking(sends(answer("200 OK", BODY)), tls=tls) as it:
        for _ in range(2):
            assert await it.whole() == BODY
        assert it.server.connections == 2
        assert not it.lanes._all


@MOSTLY_PLAIN
@pytest.mark.parametrize("size", [2, 300_000])
async def test_surplus_bytes_close_the_connection(size, *, tls):
    """A response that nobody asked for is never taken for the next one's, whenever it arrives."""
    surplus = ok(b"not yours")

    async def script(_: str, writer: asyncio.StreamWriter) -> None:
        writer.write(ok(b"a" * size))
        await writer.drain()
        await asyncio.sleep(0.01)
        writer.write(surplus)

    async with asking(script, tls=tls) as it:
        for _ in range(3):
            assert await it.whole() == b"a" * size
            await asyncio.sleep(0.1)
            assert not it.lanes._all
        assert it.server.connections == 3


async def test_surplus_bytes_that_the_loop_has_not_read_yet():
    """Before a lane is used again, the kernel is asked."""
    async with asking(by_turns(sends(ok(b"first")), sends(ok(b"second")))) as it:
        assert await it.whole() == b"first"
        (lane,) = it.lanes._all
        lane._transport.pause_reading()
        task = next(iter(it.server._tasks))
        assert task is not None
        writer = task.get_coro().cr_frame.f_locals["writer"]
        writer.write(ok(b"not yours"))
        await writer.drain()
        assert await it.whole() == b"second"
        assert lane.closed
        assert it.server.connections == 2


async def test_a_lane_that_only_looks_readable(monkeypatch):
    """What the loop reads and is not for a request, such as a session ticket, closes nothing."""
    async with asking(sends(ok(BODY))) as it:
        assert await it.whole() == BODY
        looks = iter([True, False])
        monkeypatch.setattr("gh_artifacts_async.transport.lane_protocol.is_readable", lambda _: next(looks, False))
        assert await it.whole() == BODY
        assert it.server.connections == 1


# --- connections that end


@MOSTLY_PLAIN
@pytest.mark.parametrize("then", ["end", "reset"])
async def test_a_stale_connection_is_replaced(then, *, tls):
    """It ends when the request arrives, before any byte of an answer: asked once more, over a new connection."""
    script = by_turns(sends(ok(b"first")), sends(then=then), sends(ok(b"second")))
    async with asking(script, tls=tls) as it:
        assert await it.whole() == b"first"
        assert await it.whole() == b"second"
        assert (it.server.connections, len(it.server.heads)) == (2, 3)


async def test_a_connection_that_ended_while_it_was_idle():
    """It is not used again, and that costs no request."""

    async def script(_: str, writer: asyncio.StreamWriter) -> None:
        writer.write(ok(BODY))
        await writer.drain()
        asyncio.get_running_loop().call_later(5.0, writer.close)

    async with asking(script) as it:
        assert await it.whole() == BODY
        await asyncio.sleep(6)
        assert not it.lanes._all
        assert await it.whole() == BODY
        assert (it.server.connections, len(it.server.heads)) == (2, 2)


@MOSTLY_PLAIN
@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Le"], ids=["nothing", "half a head"])
async def test_a_new_connection_that_ends_before_its_head(sent, *, tls):
    """The error is that of the ordinary way, and it is asked once."""
    said = []
    for fast in (True, False):
        async with asking(sends(sent, then="end"), tls=tls, fast_paths=fast) as it:
            with pytest.raises(ConnectionFailedError, match="closed without a response") as caught:
                await it.get()
            check_silent(caught.value, CANARY)
            said.append(str(caught.value))
            assert len(it.server.heads) == 1
    assert said[0] == said[1]


async def test_a_reused_connection_that_ends_within_a_head():
    """Some of the answer has come: it is not asked again."""
    async with asking(by_turns(sends(ok(b"first")), sends(b"HTTP/1.1 200", then="end"))) as it:
        await it.whole()
        with pytest.raises(ConnectionFailedError):
            await it.get()
        assert len(it.server.heads) == 2


@TLS
async def test_idle_lanes_are_closed(*, tls):
    """After 15 s, each at its time, by one timer."""
    async with asking(sends(ok(BODY)), tls=tls) as it:
        await asyncio.gather(it.whole(), it.whole())
        await asyncio.sleep(IDLE - 5)
        await it.whole()
        assert len(it.lanes._all) == 2
        await asyncio.sleep(6)
        assert len(it.lanes._all) == 1
        await it.whole()
        await asyncio.sleep(IDLE + 1)
        assert not it.lanes._all
        assert not it.lanes._idle
        assert it.lanes._timer is None
        assert await it.whole() == BODY
        assert it.server.connections == 3


# --- cancelling and closing


@MOSTLY_PLAIN
@pytest.mark.parametrize(
    "script",
    [
        sends(then="stall"),
        sends(b"HTTP/1.1 200 OK\r\n", then="stall"),
        sends(ok(BODY)[:-1], then="stall"),
        sends(ok(LONG)[:-1], then="stall"),
        sends(b"HTTP/1.1 100 Continue\r\n\r\n", then="stall"),
    ],
    ids=["no answer", "in the head", "in the body", "in a lent buffer", "handed over"],
)
@pytest.mark.parametrize("reused", [False, True], ids=["new", "reused"])
async def test_a_cancelled_request(script, reused, *, tls):
    """Its connection is closed; nothing is left, neither a task nor a socket."""
    async with asking(by_turns(sends(ok(b"")), script) if reused else script, tls=tls, timeouts=QUICK) as it:
        if reused:
            await it.whole()
        task = asyncio.create_task(it.get())
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.01)
        assert not it.lanes._all
        assert not it.transport._bare.connector._acquired
        assert len(it.server.heads) == 1 + reused


async def test_cancelled_at_every_step():
    """Wherever a request is when it is cancelled, its connection is closed or idle."""
    async with asking(sends(ok(BODY)), timeouts=QUICK) as it:
        for turns in range(40):
            task = asyncio.create_task(it.get())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            idle = [lane for lanes_ in it.lanes._idle.values() for lane in lanes_ if not lane.closed]
            assert it.lanes._all == set(idle)
            assert len(it.transport._bare.connector._acquired if it.transport._bare else ()) == len(idle)


@TLS
async def test_closing_with_idle_and_busy_lanes(recwarn, *, tls):
    """Those in use fail in words; aiohttp's connector has nothing left, and warns of nothing."""
    async with asking(by_turns(sends(ok(BODY)), sends(ok(BODY)), sends(then="stall")), tls=tls) as it:
        await asyncio.gather(it.whole(), it.whole())
        busy = asyncio.create_task(it.get())
        await asyncio.sleep(0.1)
        connector = it.transport._bare.connector
        await it.transport.aclose()
        with pytest.raises(ConnectionFailedError, match="the connection to storage was closed") as caught:
            await busy
        check_silent(caught.value, CANARY)
        assert not connector._acquired
        assert it.lanes._timer is None
        assert not it.lanes._all
    gc.collect()
    assert not recwarn.list


async def test_closing_while_an_answer_is_read_by_aiohttp():
    """Its connection is the connector's again, which closes it."""
    async with asking(sends(kept_alive("206 X", b"ab")[:-1], then="stall"), timeouts=QUICK) as it:
        found = await it.get()
        assert not isinstance(found, WholeBody)
        assert await found.read_chunk() == b"a"
        await it.transport.aclose()
        with pytest.raises(ConnectionFailedError):
            await found.read_chunk()
        found.close()


# --- who takes a lane


@pytest.mark.parametrize("why", ["fast_paths", "proxy", "trust_env"])
async def test_no_lanes(why):
    """Not if they are off, nor through a proxy, nor if the environment may name one."""
    settings: dict[str, Any] = {
        "fast_paths": {"fast_paths": False},
        "proxy": {"proxy": "http://127.0.0.1:9"},
        "trust_env": {"trust_env": True},
    }[why]
    assert HttpTransport(Timeouts(), **settings)._lanes is None


async def test_a_borrowed_session_has_no_lanes():
    """Idle ones would starve its owner; the request is sent all the same."""
    async with aiohttp.ClientSession() as session, asking(sends(ok(BODY)), session=session) as it:
        assert it.lanes is None
        assert await it.stream() == (200, BODY)


@pytest.mark.parametrize(
    "path",
    ["", "/#x", "/x?", "/a b", "/ä"],
)
async def test_urls_that_aiohttp_sends_in_its_own_way(path):
    """They do not take a lane."""
    async with asking(sends(ok(BODY))) as it:
        found = await it.get(Secret(it.server.url + path))
        assert not isinstance(found, WholeBody)
        found.close()
        assert not it.lanes._all


async def test_userinfo_takes_no_lane():
    """Aiohttp makes credentials of it."""
    async with asking(sends(ok(BODY))) as it:
        url = Secret(it.server.url.replace("://", "://u:p@") + "/")
        found = await it.transport.open_small(url, {}, "h", it.lend)
        assert not isinstance(found, WholeBody)
        found.close()
        assert not it.lanes._all


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\rb", "a\0b"])
async def test_injection_is_refused(value):
    """As aiohttp refuses it: nothing is sent."""
    async with asking(sends(ok(BODY))) as it:
        with pytest.raises(ValueError, match="header"):
            await it.get(**{"X-Y": value})
        assert not it.server.heads


@pytest.mark.parametrize("headers", [{"Cookie": "a=b"}, {"Host": "x"}, {"accept": "a", "Accept": "b"}], ids=str)
async def test_headers_that_aiohttp_looks_at(headers):
    """It sends them."""
    async with asking(sends(ok(BODY))) as it:
        found = await it.get(**headers)
        assert not isinstance(found, WholeBody)
        found.close()
        assert not it.lanes._all


@TLS
async def test_the_same_request_as_the_ordinary_way(*, tls):
    """The server cannot tell them apart: the same line, the same headers in the same order."""
    heads = []
    given = [{}, {"Range": "bytes=1-2", "If-Match": '"ä"'}, {"Accept": "x/y"}]
    async with asking(sends(ok(BODY)), tls=tls, user_agent="me") as it:
        exact = f"{it.server.url}//a/../%7e%2F%c3;x=1/'!$&()*+,=:@\\\"<>^`{{|}}?a=%20b+c&&d=?/~{CANARY}"
        for headers in given:
            for method in (it.transport.open, it.transport.open_small):
                more = (it.lend,) if method == it.transport.open_small else ()
                found = await method(Secret(exact), headers, "h", *more)
                assert isinstance(found, WholeBody) == bool(more)
                if not isinstance(found, WholeBody):
                    found.close()
        heads = it.server.heads
    assert heads[0::2] == heads[1::2]
    assert all(head.splitlines()[1].startswith("Host: 127.0.0.1:") for head in heads)


async def test_a_name_for_the_host():
    """``Host`` is as aiohttp has it, and another name is another lane."""
    async with asking(sends(ok(BODY))) as it:
        port = it.server.url.rpartition(":")[2]
        for name in ("localhost", "127.0.0.1", "localhost"):
            found = await it.transport.open_small(Secret(f"http://{name}:{port}/"), {}, "h", it.lend)
            assert isinstance(found, WholeBody)
        assert [head.splitlines()[1] for head in it.server.heads] == [
            f"Host: localhost:{port}",
            f"Host: 127.0.0.1:{port}",
            f"Host: localhost:{port}",
        ]
        assert it.server.connections == 2


# --- connecting


async def test_failures_to_connect_are_those_of_the_ordinary_way(unused_tcp_port_factory):
    """A closed port and an untrusted certificate: the same errors, without aiohttp's."""
    port = unused_tcp_port_factory()
    async with asking(sends(ok(BODY)), tls=True) as it:
        other = HttpTransport(Timeouts())
        for url in (Secret(f"http://127.0.0.1:{port}/?{CANARY}"), it.url()):
            said = []
            for method, more in ((other.open_small, (it.lend,)), (other.open, ())):
                with pytest.raises(ConnectionFailedError) as caught:
                    await method(url, {}, "h", *more)
                check_silent(caught.value, CANARY)
                said.append((type(caught.value), str(caught.value)))
            assert said[0] == said[1]
        assert said[0][0] is CertificateError
        assert not other._lanes._all
        await other.aclose()


async def test_connecting_that_takes_too_long(monkeypatch):
    """Timeouts.connect, in the words of the ordinary way."""

    async def never(*_: object, **__: object) -> None:
        await asyncio.sleep(10_000)

    async with asking(sends(ok(BODY)), timeouts=QUICK) as it:
        monkeypatch.setattr(aiohttp.TCPConnector, "_create_connection", never)
        with pytest.raises(RequestTimeoutError, match="connecting took longer than Timeouts") as caught:
            await it.get()
        check_silent(caught.value, CANARY)


async def test_a_transport_that_cannot(monkeypatch):
    """Found out once: the connection serves aiohttp, and so do all later ones."""
    monkeypatch.setattr(lanes, "_OF_TRANSPORT", ("set_protocol", "no_such_thing"))
    async with asking(sends(ok(BODY))) as it:
        for _ in range(2):
            assert await it.stream() == (200, BODY)
        assert it.server.connections == 1
        assert not it.lanes.able


async def test_a_test_double_in_place_of_aiohttp(mocked):
    """Its answer is taken as it is."""
    mocked.get("https://storage.example/x?sig=1", body=b"ab", repeat=True)
    transport = HttpTransport(Timeouts())
    for _ in range(2):
        found = await transport.open_small(Secret("https://storage.example/x?sig=1"), {}, "h", bytearray)
        assert not isinstance(found, WholeBody)
        assert await found.read_chunk() == b"ab"
        found.close()
    assert not transport._lanes.able
    await transport.aclose()


async def test_a_fresh_connection_is_no_lane():
    """``open(fresh=True)`` asks over one of its own, and leaves the lanes alone."""
    async with asking(sends(ok(BODY))) as it:
        await it.whole()
        found = await it.transport.open(Secret(it.server.url + "/"), {}, "h", fresh=True)
        assert await found.read_chunk() == BODY
        found.close()
        assert it.server.connections == 2
        assert len(it.lanes._all) == 1


@pytest.fixture(scope="module")
def uvloop() -> Any:
    """Load uvloop; its first loop opens what it keeps for the process."""
    module = pytest.importorskip("uvloop")
    module.new_event_loop().close()
    return module


@pytest.mark.realtime
@MOSTLY_PLAIN
@pytest.mark.parametrize("what", ["small", "long", "handed", "broken", "stale"])
def test_on_uvloop(what, uvloop, *, tls):
    """Its transports are others, and do the same."""
    scripts = {
        "small": (sends(ok(BODY)), BODY),
        "long": (sends(ok(LONG)), LONG),
        "handed": (sends(kept_alive("206 Partial", LONG)), LONG),
        "broken": (sends(ok(LONG)[:-1], then="end"), LONG[:-1]),
        "stale": (by_turns(*in_turn()), BODY),
    }
    script, body = scripts[what]

    async def main() -> None:
        async with asking(script, tls=tls) as it:
            for _ in range(3):
                found = await it.get()
                if isinstance(found, WholeBody):
                    assert found.body == body
                    continue
                arrived = b""
                with_error = False
                try:
                    while chunk := await found.read_chunk():
                        arrived += chunk
                except ConnectionFailedError:
                    with_error = True
                found.close()
                assert arrived == body
                assert with_error == (what == "broken")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def in_turn() -> list[Script]:
    """Return an answer, the end of the connection, and answers."""
    return [sends(ok(BODY)), sends(then="end"), sends(ok(BODY))]


async def test_a_new_connection_on_which_something_has_come_already(monkeypatch):
    """It is closed; aiohttp asks over another one."""
    connect = GuardedConnector.connect

    async def odd(self: Any, *arguments: Any, **more: Any) -> Any:
        connection = await connect(self, *arguments, **more)
        if self not in seen:
            seen.append(self)
            connection.protocol.data_received(b"early")
        return connection

    seen: list[Any] = []
    monkeypatch.setattr(GuardedConnector, "connect", odd)
    async with asking(sends(ok(BODY))) as it:
        assert await it.stream() == (200, BODY)
        assert await it.whole() == BODY
        assert len(it.server.heads) == 2


async def test_closing_while_a_lane_is_looked_at(monkeypatch):
    """The request then fails in words."""
    async with asking(sends(ok(BODY))) as it:
        await it.whole()
        monkeypatch.setattr("gh_artifacts_async.transport.lane_protocol.is_readable", lambda _: True)
        task = asyncio.create_task(it.get())
        await asyncio.sleep(0)
        await it.transport.aclose()
        with pytest.raises(ConnectionFailedError, match="the connection to storage was closed"):
            await task
