"""What a user or an environment gives as text: sizes, times, paths, queries, remotes, proxies, faults."""

from __future__ import annotations

import os
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from unittest import mock

from yarl import URL

from gh_artifacts_async.cli import amounts
from gh_artifacts_async.cli.repo import ids, parse_remote, split, split_directory, web_host
from gh_artifacts_async.cli.waiting import moment_or_cursor
from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.fs import paths
from gh_artifacts_async.models import Digest, RepositoryName, parse_timestamp
from gh_artifacts_async.protocol.requests import split_origin
from gh_artifacts_async.testing.faults import text as faults
from gh_artifacts_async.transport.proxies import checked_proxy, environment_proxy, proxy_place
from tests.fuzz.inputs import taken, text
from tests.fuzz.tally import note

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 512
WORDS: tuple[bytes, ...] = (
    b"30d",
    b"1.5h",
    b"400MB",
    b"1GiB",
    b"all",
    b"min",
    b" ",
    b".",
    b"0",
    b"9" * 30,
    b"\xd9\xa1",
    b"e5",
    b"-1",
)
WORDS += (b"inf", b"nan", b"W", b"o/r/latest;branch=main", b"?workflow=ci.yml&branch=x", b"%2F", b"%", b";", b"=")
WORDS += (b"/runs/1/", b"ghartifacts://", b"..", b"*", b"git@github.com:o/r.git", b"https://github.com/o/r")
WORDS += (b"ssh://", b"user:p%40ss@", b"socks5://", b"proxy.example:3128", b"[::1]", b"cut,at=1000", b"status=503")
WORDS += (b"=always", b"artifact=1", b'headers={"a":1}', b"2026-10-09T12:00:00Z", b"sha256:", b"\xff", b"\0")


def seeds() -> list[bytes]:
    """Return some of each kind for each reader."""
    given = [
        *(
            "30d",
            "12 h",
            "1.5GiB",
            "400MB",
            "0",
            "all",
            "17",
            "ci.yml",
            "2026-10-09T12:00:00+02:00",
            "20261009",
            "1.abc",
        ),
        *(
            "o/r",
            "o/r/1/a/b.txt",
            "o/r/runs/7/name/x",
            "ghartifacts://o/r/latest;branch=a%2Fb/x?event=push",
            "o/r/latest;x=1",
        ),
        *(
            "git@github.com:octo-org/octo-docs.git",
            "https://user@ghes.example:8443/o/r.git",
            "ssh://git@ssh.github.com:443/o/r",
        ),
        *(
            "http://proxy.example:3128",
            "http://us%C3%A9r:p%40ss@[::1]:1",
            "socks5://x",
            "cut",
            "cut=2,at=1000",
            "stall,artifact=x",
        ),
        *("sha256:" + "aB" * 32, "md5:0", "o/..", "-/x", "a" * 101, "", "*.example,.local,127.0.0.0/8"),
    ]
    return [bytes([number]) + one.encode() for one in given for number in range(len(READERS))]


def fuzz(data: bytes) -> None:
    """Let one of the readers read."""
    reader, rest = taken(data, READERS)
    note(f"{reader.__name__}: {reader(text(rest))}")


def _period(given: str) -> str:
    try:
        found = amounts.period("--older-than", given)
    except ConfigurationError as error:
        assert "--older-than" in str(error)
        return "refused"
    assert timedelta() <= found <= timedelta(days=365_000)
    assert re.fullmatch(r"[0-9.]+ ?(?:s|min|h|d|w)", given, re.IGNORECASE)
    return "read"


def _size(given: str) -> str:
    try:
        found = amounts.size("--max-size", given)
    except ConfigurationError:
        return "refused"
    assert found >= 0
    assert re.fullmatch(r"[0-9.]+ ?(?:[kmgt]i?)?b?", given, re.IGNORECASE)
    return "read"


def _numbers(given: str) -> str:
    number = amounts.whole(given)
    assert number is None or (number >= 1 and given.lstrip("0") == str(number))
    assert amounts.workflow(given) == (number or given)
    try:
        assert amounts.limit(given) == (None if given == "all" else number)
        assert ids([given, given]) == (number,)
    except ConfigurationError:
        return "refused"
    return "read"


def _moment(given: str) -> str:
    found = moment_or_cursor(given)
    if isinstance(found, datetime):
        assert found.tzinfo is not None
    else:
        assert found == given
    try:
        assert parse_timestamp(given).utcoffset() == timedelta()
    except (ValueError, OverflowError):
        return "refused"
    return "read"


def _path(given: str) -> str:
    try:
        stripped = paths.strip(given)
        assert paths.strip(stripped) == stripped or "?" in stripped or stripped.startswith("ghartifacts:")
        place = paths.parse(stripped)
    except (FileNotFoundError, ConfigurationError):
        return "refused"
    assert place.path == stripped
    assert stripped.startswith(place.base)
    if place.kind == "artifact":
        assert place.artifact_id or place.name or place.member or stripped.endswith("/") or "//" in stripped
        assert place.repository == RepositoryName.parse("/".join(stripped.split("/")[:2]))
    paths.is_view(stripped)
    paths.names_itself(stripped, given[-9:])
    return place.kind


def _remote(given: str) -> str:
    for words in ([given], given.split(" "), []):
        try:
            split(words, after=1)
            split_directory(words, None)
        except ConfigurationError:
            continue
    found = parse_remote(given)
    if found is None:
        return "refused"
    host, repo = found
    assert split_origin(f"https://{host}/") is not None
    assert RepositoryName.parse(str(repo)) == repo
    web_host(f"https://{host}")
    return "read"


def _proxy(given: str) -> str:
    try:
        found = checked_proxy(given)
    except ConfigurationError as error:
        assert "p%40ss" not in str(error)
        return "refused"
    place = proxy_place(found)
    assert place
    assert "@" not in place
    assert proxy_place(given) == place
    theirs, (origin, _) = URL(found), split_origin(f"{found.partition('://')[0]}://{place}") or (None, None)
    assert origin is not None
    assert (theirs.scheme, theirs.raw_host, theirs.port) == tuple(origin) or place.startswith("[")
    assert bool(theirs.user) == bool(found.partition("://")[2].rpartition("@")[0].partition(":")[0])
    return "read"


def _environment(given: str) -> str:
    proxy, _, excepted = given.replace("\0", "").partition(" ")
    variables = {"HTTPS_PROXY": proxy, "NO_PROXY": excepted}
    with mock.patch.dict(os.environ, variables, clear=True):
        try:
            found = environment_proxy("https://api.github.com/x")
        except ConfigurationError:
            return "refused"
    return "none" if found is None else "read"


def _fault(given: str) -> str:
    try:
        faults.read(given)
    except ValueError as error:
        assert str(error)
        return "refused"
    return "read"


def _digest(given: str) -> str:
    found = Digest.received(given)
    assert str(found).lower() == given.lower() or not found.algorithm
    assert not found.verifiable or re.fullmatch(r"[0-9a-f]{64}", found.hex)
    name = RepositoryName.received(given)
    if name is not None:
        assert str(name) == given
        assert re.fullmatch(r"[A-Za-z0-9_-]+/[A-Za-z0-9._-]+", given)
    return "read" if found.verifiable or name else "kept"


READERS: list[Callable[[str], str]] = [
    *(_period, _size, _numbers, _moment, _path, _remote, _proxy, _environment, _fault, _digest),
]
