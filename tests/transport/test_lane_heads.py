"""The strict language of lanes: what it accepts, what it leaves to aiohttp, and that both read the same."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from hypothesis import given
from yarl import URL

from gh_artifacts_async.transport.lane_heads import may_become_head, parse_head, request_fields, split_url
from tests.kits import lane_fuzz

if TYPE_CHECKING:
    from collections.abc import Generator

VISIBLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E)


def head(*lines: str, start: str = "HTTP/1.1 200 OK") -> bytes:
    """Return a head with these lines."""
    return "".join(f"{line}\r\n" for line in (start, *lines, "")).encode("latin-1")


@pytest.fixture
def loop() -> Generator[asyncio.AbstractEventLoop]:
    """Return a loop that does not run."""
    made = asyncio.new_event_loop()
    yield made
    made.close()


@pytest.mark.parametrize("data", lane_fuzz.HEADS, ids=["github", "azure", "s3", "short"])
def test_real_heads(data):
    """They are all in the language."""
    found = parse_head(data)
    assert found is not None
    assert found.keep
    assert len(found.headers) == data.count(b"\r\n") - 2
    assert all(name == name.lower() for name in found.headers)


def test_what_a_head_says():
    """Names in lower case, values without the white space before them, several Link headers as one."""
    found = parse_head(
        head(
            "Content-Length: 12",
            "LINK:<a>",
            "X: \t a b",
            "link: <b>",
            "Empty:",
            "Via: a",
            "Via: b",
            start="HTTP/1.1 302 ",
        )
    )
    assert found is not None
    assert found.status == 302
    assert found.length == 12
    assert found.headers == {"content-length": "12", "link": "<a>, <b>", "x": "a b", "empty": "", "via": "b"}


@pytest.mark.parametrize("name", ["Server", "Alt-Svc", "Strict-Transport-Security", "X-Cache", "Via"])
def test_what_a_reverse_proxy_adds_to(name):
    """A second one of what nobody reads, as Caddy sends ``Server``, keeps no head out of the language."""
    found = parse_head(head("Content-Length: 12", f"{name}: Caddy", f"{name}: github.com"))
    assert found is not None
    assert (found.length, found.headers[name.lower()]) == (12, "github.com")


@pytest.mark.parametrize("value", ["a ", "a\t", "a b \t"])
def test_white_space_after_a_value(value):
    """Aiohttp 3.14.3 counts it to the value, later versions do not: such a head is not in the language."""
    assert parse_head(head("Content-Length: 12", f"X: {value}")) is None


@pytest.mark.parametrize(
    ("line", "keep"),
    [("Connection: close", False), ("Connection: Close", False), ("Connection: Keep-Alive", True), ("X: y", True)],
)
def test_whether_the_connection_stays(line, keep):
    """It does unless the server says that it closes it."""
    found = parse_head(head("Content-Length: 1", line))
    assert found is not None
    assert found.keep is keep


@pytest.mark.parametrize(
    "line",
    [
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: identity",
        "Content-Encoding: gzip",
        "Content-Encoding: ",
        "Trailer: ETag",
        "Upgrade: h2c",
        "Proxy-Connection: close",
        "Connection: upgrade",
        "Connection: close, x",
        "Content-Length: 1",
        "ETag: a\r\nETag: a",
        "X : y",
        " X: y",
        "X: a\r\n b",
        "X: a\nY: b",
        "X: a\rb",
        "X: a\0b",
        "X: \x7f",
        "X: \xe4",
        "X",
        ": y",
        "X: " + "y" * 8000,
        "X: y\r\n" * 8000 + "Y: z",
        "\r\n".join(f"X-{number}: y" for number in range(100)),
    ],
    ids=lambda line: repr(line[:30]),
)
def test_heads_that_are_left_to_aiohttp(line):
    """Each of them would be in the language without this line."""
    assert parse_head(head("Content-Length: 1")) is not None
    assert parse_head(head("Content-Length: 1", line)) is None


@pytest.mark.parametrize("length", ["", "-1", "+1", "01", "1,1", "1 1", "0x1", "1e1", "1.0", "1" * 16, "\xb2"])
def test_lengths_that_are_left_to_aiohttp(length):
    """One number without a sign, of at most 15 digits."""
    assert parse_head(head(f"Content-Length: {length}")) is None


@pytest.mark.parametrize(
    "start",
    [
        "HTTP/1.0 200 OK",
        "HTTP/1.1 200",
        "HTTP/1.1  200 OK",
        "HTTP/1.1 099 OK",
        "HTTP/1.1 600 OK",
        "HTTP/1.1 2000 OK",
        "",
    ],
)
def test_status_lines_that_are_left_to_aiohttp(start):
    """HTTP/1.1, three digits, and a reason, which may be empty."""
    assert parse_head(head("Content-Length: 1", start=start)) is None


@pytest.mark.parametrize("data", lane_fuzz.HEADS, ids=["github", "azure", "s3", "short"])
def test_the_beginning_of_a_real_head(data):
    """It may become one, wherever it is cut."""
    assert all(may_become_head(data[:end]) for end in range(len(data)))


@pytest.mark.parametrize(
    "data",
    [b"h", b"HTTP/1.0", b"HTTP/1.1 200 OK\n", b"HTTP/1.1 2\rx", b"HTTP/1.1 \0", b"\r\n", b"HTTP/1.1 200 OK\r\n \r\nX"],
)
def test_the_beginning_of_something_else(data):
    """It is given to aiohttp at once, which may see an end or an error where a lane would wait."""
    assert not may_become_head(data)


@given(st.integers(min_value=0))
def test_aiohttp_reads_what_a_lane_accepts_in_the_same_way(seed):
    """Status, headers, body, and whether the connection stays, of heads that are real or nearly so."""
    made = asyncio.new_event_loop()
    try:
        rng = random.Random(seed)  # noqa: S311 - a seed that can be given again
        for _ in range(10):
            lane_fuzz.check(rng, made)
    finally:
        made.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 104))
def test_aiohttp_reads_the_same_of_many_more(seed, loop):
    """The same for 20,000 heads; about a quarter of them a lane accepts."""
    rng = random.Random(seed)  # noqa: S311 - a seed that can be given again
    assert sum(lane_fuzz.check(rng, loop) for _ in range(20_000)) > 2000


def test_the_fuzz_as_a_program(capsys):
    """It says how many cases there were."""
    lane_fuzz.main(50, 7)
    assert capsys.readouterr().out.startswith("seed 7: 50 cases, ")


# --- requests


@given(st.text(VISIBLE, max_size=40), st.text(VISIBLE, max_size=40))
def test_the_target_is_what_aiohttp_sends(path, query):
    """Byte for byte, or the URL is left to aiohttp."""
    url = f"http://h.example:81/{path}?{query}"
    parts = split_url(url)
    if "#" not in url and query:
        assert parts is not None
    if parts is not None:
        assert parts == ("http://h.example:81", URL(url, encoded=True).raw_path_qs)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://h/", "https://h"),
        ("https://a.b-c.d0/x", "https://a.b-c.d0"),
        ("http://[::1]:80/x", "http://[::1]:80"),
        ("https://u@h/", None),
        ("https://H/", None),
        ("https://h./", None),
        ("https://h:/", None),
        ("https://h:0/", None),
        ("https://h", None),
        ("https://h?x", None),
        ("https://h/#", None),
        ("https://h/?", None),
        ("https://h/ ", None),
        ("https://h/\n", None),
        ("https://h/\xe4", None),
        ("https://\xe4/", None),
        ("ftp://h/", None),
        ("", None),
    ],
)
def test_origins(url, origin):
    """Anything that is not plain is left to aiohttp."""
    found = split_url(url)
    assert (None if found is None else found[0]) == origin


def test_request_fields():
    """What is given, in its order, and defaults that are not."""
    defaults = {"Accept": "*/*", "Accept-Encoding": "gzip"}
    assert request_fields({"X": "y", "accept": "z"}, defaults) == "X: y\r\naccept: z\r\nAccept-Encoding: gzip\r\n"


@pytest.mark.parametrize(
    "headers",
    [{"X": "a\nb"}, {"X\r": "a"}, {"X": "\x01"}, {"Host": "h"}, {"cookie": "x"}, {"X": "1", "x": "2"}],
    ids=str,
)
def test_request_fields_that_are_left_to_aiohttp(headers):
    """Those that it refuses, merges or changes."""
    assert request_fields(headers, {}) is None
