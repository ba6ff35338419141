"""Values that a JSON schema of GitHub's description allows, also the odd ones, for hypothesis."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.kits.descriptions import resolved

if TYPE_CHECKING:
    from tests.kits.descriptions import Document

_MANY_FIELDS = 40
"""An object of more fields is filled in with plain values: drawing each of them takes too long."""

_TELLING = {"id", "login", "full_name", "name", "number"}
"""Fields that are drawn nevertheless: those that the SDK reads of large objects."""

INTEGERS = st.one_of(
    st.integers(0, 2**31),
    st.sampled_from([0, 2**31, 2**53 + 1, 2**63 - 1, 2**64 + 1, 10**30, -1, -(2**63)]),
)
STRINGS = st.one_of(
    st.text(max_size=12),
    st.text(string.ascii_letters + string.digits + "-_./:", max_size=30),
    st.sampled_from(["", "x" * 5_000, "ünïcødé \N{OK HAND SIGN}", "\0", "null", "sha256:" + 64 * "A", "sha256:"]),
)
NAMES = st.sampled_from(["octo-org/octo-docs", "octo-org/.github", "octo-org", "a/b/c"]) | STRINGS
URIS = st.sampled_from(["https://api.github.com/x", "https://ghes.example:8443/api/v3/x?y=%20", "ftp://x/y", "urn:x:y"])
DATES = st.one_of(
    st.datetimes().map(lambda when: when.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")),
    st.sampled_from(
        [
            "2026-02-28T23:59:59.999999999Z",
            "2024-02-29T00:00:00.5+14:00",
            "1969-12-31T23:59:59-00:00",
            "0001-01-01T00:00:00Z",
            "0001-01-01T00:00:00+00:01",  # the year 0 in UTC
            "9999-12-31T23:59:59-23:59",  # the year 10000
            "2016-12-31T23:59:60Z",  # a leap second
            "2026-01-01t00:00:00z",
        ]
    ),
)

_SCALARS = {
    "integer": INTEGERS,
    "int64": INTEGERS.filter(lambda number: -(2**63) <= number < 2**63),
    "number": st.floats(allow_nan=False, allow_infinity=False) | INTEGERS,
    "boolean": st.booleans(),
    "string": STRINGS,
    "date-time": DATES,
    "uri": URIS,
    "email": st.just("o@example.org"),
    "date": st.just("2026-01-01"),
}
_ANYTHING = st.none() | st.booleans() | INTEGERS | STRINGS
_PLAIN = {
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "array": [],
    "string": "x",
    "date-time": "2026-01-01T00:00:00Z",
    "uri": "https://api.github.com/x",
    "email": "o@example.org",
    "date": "2026-01-01",
}


def answers(operation: str, status: int, whole: Document) -> st.SearchStrategy[Any]:
    """Return a strategy for what an operation may answer."""
    found = next(each for path in whole["paths"].values() for each in path.values() if each["operationId"] == operation)
    answer = resolved(found["responses"][str(status)], whole)
    return values(answer["content"]["application/json"]["schema"], whole)


def values(schema: Any, whole: Document) -> st.SearchStrategy[Any]:
    """Return a strategy for the values that a schema allows."""
    schema = resolved(schema, whole)
    if schema.get("nullable"):
        return st.none() | values({**schema, "nullable": False}, whole)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    choices = schema.get("oneOf") or schema.get("anyOf")
    if choices:
        return st.one_of([values(each, whole) for each in choices])
    if schema.get("type") == "object":
        return _objects(schema, whole)
    if schema.get("type") == "array":
        return st.lists(values(schema["items"], whole), max_size=3)
    return _scalar(schema, _SCALARS, _ANYTHING)


def _scalar(schema: Document, table: dict[str, Any], otherwise: Any) -> Any:
    found = table.get(schema.get("type", ""), otherwise)
    return table.get(schema.get("format", ""), found)


def _objects(schema: Document, whole: Document) -> st.SearchStrategy[dict[str, Any]]:
    fields = schema.get("properties", {})
    required = {name for name in schema.get("required", ()) if name in fields}
    if len(fields) > _MANY_FIELDS:
        must = {name: values(fields[name], whole) for name in sorted(required & _TELLING)}
        rest = {name: plain(fields[name], whole) for name in sorted(required - _TELLING)}
        made = st.fixed_dictionaries(must).map(lambda drawn: {**rest, **drawn})
    else:
        drawn = {name: values(field, whole) if name != "full_name" else NAMES for name, field in fields.items()}
        must = {name: drawn[name] for name in fields if name in required}
        made = st.fixed_dictionaries(must, optional={name: drawn[name] for name in fields if name not in required})
    if schema.get("additionalProperties", True) is False:
        return made
    extra = st.dictionaries(st.sampled_from(["x_new", "x_later", "url2"]), INTEGERS | STRINGS | st.none(), max_size=1)
    return st.builds(lambda some, more: {**more, **some}, made, extra)


def plain(schema: Any, whole: Document) -> Any:
    """Return one value that a schema allows, the plainest."""
    schema = resolved(schema, whole)
    if schema.get("nullable"):
        return None
    if "enum" in schema:
        return schema["enum"][0]
    choices = schema.get("oneOf") or schema.get("anyOf")
    if choices:
        return plain(choices[0], whole)
    if schema.get("type") == "object":
        fields = schema.get("properties", {})
        return {name: plain(fields[name], whole) for name in schema.get("required", ()) if name in fields}
    return _scalar(schema, _PLAIN, None)
