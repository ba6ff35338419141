"""JSON by orjson, where it is installed, and by the standard library: the same values, or both refuse."""

from __future__ import annotations

import json
import random
from typing import Any

from gh_artifacts_async.protocol.responses import _loads
from tests.fuzz.tally import note
from tests.fuzz.targets.decode import DOCUMENTS, VALUES
from tests.fuzz.targets.decode import _changed as changed

LONGEST = 4096
WORDS: tuple[bytes, ...] = (
    b"null",
    b"true",
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"-0",
    b"-0.0",
    b"0.1",
    b"18446744073709551616",
)
WORDS += (b"-9223372036854775809", b"\\ud800", b"\\ud83d\\ude00", b"\\u0000", b"\xed\xa0\x80", b"\xef\xbb\xbf")
WORDS += (b"\xff\xfe", b"1E5", b"01", b"1.", b".5", b"+1", b"{", b"[", b"9" * 30, b"0." + b"1" * 30, b"1e-400")
WORDS += (b"123456789012345678901234567890e-10", b'"', b"\\", b",", b":", b"]", b"}", b"\x7f", b"/")


def seeds() -> list[bytes]:
    """Return documents of GitHub's, and values that parsers treat differently."""
    values = [json.dumps(value).encode() for value in (*DOCUMENTS, *VALUES)]
    return [
        *values,
        b"[" * 400 + b"]" * 400,
        b" [1 , 2 ]\r\n",
        "é\u2028".join('""').encode(),
        b'{"a":1,"a":2}',
        b"[1e22, 1e23, 5e-324]",
    ]


def fuzz(data: bytes) -> None:
    """Parse bytes in both ways."""
    ours, theirs = _parsed(_loads(), data), _parsed(json.loads, data)
    if isinstance(ours, Exception) or isinstance(theirs, Exception):
        note("refused")
        assert isinstance(ours, Exception)
        assert isinstance(theirs, Exception)
        return
    note("parsed")
    _same(ours, theirs)


def _same(ours: Any, theirs: Any) -> None:
    """The values are equal; an integer of more than 64 bits may be a float, unless it is a field of an object."""
    assert type(ours) is type(theirs) or (type(ours) is float and type(theirs) is int and abs(theirs) >= 2**63)
    if isinstance(ours, list):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            _same(one, other)
    elif isinstance(ours, dict):
        assert list(ours) == list(theirs)
        for name, value in ours.items():
            assert type(value) is type(theirs[name])
            _same(value, theirs[name])
    else:
        assert ours == theirs or type(ours) is not type(theirs) or ours != ours  # noqa: PLR0124 - NaN


def _parsed(loads: Any, data: bytes) -> Any:
    try:
        return loads(data)
    except (ValueError, RecursionError) as error:
        return error


def mutate(rng: random.Random, data: bytes) -> bytes:
    """Change values in the document."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        document = rng.choice(DOCUMENTS)
    return json.dumps(changed(rng, json.loads(json.dumps(document))), ensure_ascii=rng.random() < 0.5).encode(
        "utf-8", "surrogatepass"
    )
