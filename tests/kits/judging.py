"""Whether a request to GitHub and its answer are as GitHub's OpenAPI description has them."""

from __future__ import annotations

import functools
import gzip
import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import attrs

from tests.kits.descriptions import document, origin, resolved, version_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openapi_core import OpenAPI

    from tests.kits.descriptions import Document

_SHOWN = 400
_RENAMED = re.compile(r"/repositories/\d+(?=/|\Z)")
_SECRET = re.compile("token|key|secret|password", re.IGNORECASE)
_QUERY = re.compile(r"(https?://[^\s\"?]+\?)[^\s\"]*")


@attrs.frozen
class Exchange:
    """One request to the API, and what was answered.

    Attributes:
        profile: the GitHub that the fake imitates.
        endpoint: GitHub's operation id, as the fake has it.
        ours: the SDK sent it, and not a test by hand.
        method: e.g. ``GET``.
        path: as on the wire, after the prefix, without the query.
        query: names and values, decoded.
        content_type: of the request's body.
        body: of the request.
        status: of the answer.
        headers: of the answer.
        answer: the answer's body, as it was sent.
    """

    profile: str
    endpoint: str
    ours: bool
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    content_type: str
    body: bytes = attrs.field(repr=False)
    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    answer: bytes = attrs.field(repr=False)

    @property
    def kind(self) -> tuple[str, str, int]:
        """The description, the operation and the status."""
        return (version_for(self.profile), self.endpoint, self.status)

    @property
    def plain_answer(self) -> bytes:
        """The answer's body without its coding."""
        return gzip.decompress(self.answer) if self.headers.get("Content-Encoding") == "gzip" else self.answer


@attrs.define
class Judge:
    """Collects exchanges while a test runs, and judges them when it has ended: the test's own timing stays.

    Attributes:
        most: how many exchanges of each operation and status are judged; None: all of them.
        judged: operation and status -> how many were.
        undescribed: the same, where the description has no such operation or no such refusal: nothing to hold it to.
    """

    most: int | None = None
    judged: Counter[tuple[str, int]] = attrs.field(factory=Counter)
    undescribed: Counter[tuple[str, int]] = attrs.field(factory=Counter)
    _seen: Counter[tuple[str, str, int]] = attrs.field(factory=Counter)
    _faulty: set[tuple[str, str, int]] = attrs.field(factory=set)
    _waiting: list[Exchange] = attrs.field(factory=list)

    def wants(self, kind: tuple[str, str, int]) -> bool:
        """Count an exchange of this kind, and return whether it is to be judged."""
        self._seen[kind] += 1
        # A test that found a fault and runs again must find it again.
        return self.most is None or self._seen[kind] <= self.most or kind in self._faulty

    def put(self, exchange: Exchange) -> None:
        """Keep an exchange for the verdict."""
        self._waiting.append(exchange)

    def verdict(self) -> list[str]:
        """Judge what is waiting, and return what is wrong with it, a text for each."""
        waiting, self._waiting = self._waiting, []
        texts = []
        for exchange in waiting:
            described, found = look(exchange)
            (self.judged if described else self.undescribed)[exchange.endpoint, exchange.status] += 1
            if found:
                self._faulty.add(exchange.kind)
                texts += found
        return texts


def look(exchange: Exchange) -> tuple[bool, list[str]]:
    """Return whether the description knows the operation and the status, and what it says against the exchange."""
    version = version_for(exchange.profile)
    described = _operations(version).get(exchange.endpoint)
    if described is None:
        return False, []
    template, operation = described
    path = _RENAMED.sub("/repos/octo-org/octo-docs", exchange.path, count=1)
    if not re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
        return True, [_text(exchange, "the path", f"{exchange.path} is not {template}", "")]
    request = _request(exchange, version, path)
    found = []
    if exchange.ours:
        said = [*_unknown(exchange, operation, version), *_said(lambda: _api(version).validate_request(request))]
        sent = f"{urlencode(exchange.query)} {_shown(exchange.body)}"
        found += [_text(exchange, "the request", reason, sent) for reason in said]
    if str(exchange.status) not in operation["responses"]:
        if exchange.status >= 300:  # which the description often leaves out
            return False, found
        reason = f"no {exchange.status} among {', '.join(operation['responses'])}"
        return True, [*found, _text(exchange, "the answer", reason, "")]
    plain = exchange.plain_answer
    answer = _answer(exchange, plain)
    said = [*_said(lambda: _api(version).validate_response(request, answer)), *_bare(exchange, operation, plain)]
    return True, found + [_text(exchange, "the answer", reason, _shown(plain)) for reason in said]


@functools.cache
def _whole(version: str) -> Document:
    return document(version)


@functools.cache
def _api(version: str) -> OpenAPI:
    from openapi_core import OpenAPI

    return OpenAPI.from_dict(_whole(version))


@functools.cache
def _operations(version: str) -> dict[str, tuple[str, Document]]:
    """Return operation id -> path template and description."""
    paths = _whole(version)["paths"]
    return {found["operationId"]: (path, found) for path, methods in paths.items() for found in methods.values()}


def _request(exchange: Exchange, version: str, path: str) -> Any:
    from openapi_core.testing import MockRequest
    from werkzeug.datastructures import MultiDict

    host, _, prefix = origin(version).partition("/api/")
    return MockRequest(
        host,
        exchange.method,
        f"/api/{prefix}{path}" if prefix else path,
        args=MultiDict(exchange.query),
        data=exchange.body or None,
        content_type=exchange.content_type,
    )


def _answer(exchange: Exchange, plain: bytes) -> Any:
    from openapi_core.testing import MockResponse

    kind = exchange.headers.get("Content-Type", "")
    return MockResponse(plain, exchange.status, headers=dict(exchange.headers), content_type=kind)


def _unknown(exchange: Exchange, operation: Document, version: str) -> Iterator[str]:
    """Yield the parameters that no version describes; older servers ignore what a later one knows."""
    known = {parameter["name"] for parameter in _parameters(operation, version)}
    latest = _operations("github.com").get(exchange.endpoint)
    if latest is not None:
        known |= {parameter["name"] for parameter in _parameters(latest[1], "github.com")}
    for name in sorted({name for name, _ in exchange.query} - known):
        yield f"there is no parameter {name!r}"
    for name, times in Counter(name for name, _ in exchange.query).items():
        if times > 1:
            yield f"the parameter {name!r} is there {times} times"


def _parameters(operation: Document, version: str) -> list[Document]:
    return [resolved(parameter, _whole(version)) for parameter in operation.get("parameters", [])]


def _bare(exchange: Exchange, operation: Document, plain: bytes) -> Iterator[str]:
    """Yield what is wrong with an answer for which the description has no content: openapi-core does not look."""
    described = resolved(operation["responses"][str(exchange.status)], _whole(version_for(exchange.profile)))
    if "content" not in described and plain:
        yield "it has no body"


def _said(check: Callable[[], object]) -> list[str]:
    """Return openapi-core's objections; none is an empty list."""
    from openapi_core.exceptions import OpenAPIError

    try:
        check()
    except OpenAPIError as error:
        return _reasons(error)
    return []


def _reasons(error: BaseException) -> list[str]:
    first, link = str(error).partition(": Value ")[0], error
    while True:
        found = [_schema(each, first) for each in getattr(link, "schema_errors", ())]
        if found:
            return list(dict.fromkeys(found))
        if link.__cause__ is None:
            return [first if link is error else f"{first}: {_masked(str(link))}"]
        link = link.__cause__


def _schema(error: Any, first: str) -> str:
    """Say what a schema demands, and where, without repeating a document in which there may be a secret."""
    where = error.json_path
    if error.validator in {"required", "additionalProperties"}:
        return f"{first}: {error.message} at {where}"
    given = error.instance if isinstance(error.instance, str | int | float | None) else type(error.instance).__name__
    given = "***" if _SECRET.search(where) else given
    return f"{first}: {error.validator} {_brief(error.validator_value)} at {where}, not {_masked(repr(given))}"


def _brief(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= _SHOWN // 2 else f"{shown[: _SHOWN // 2]}…"


def _shown(body: bytes) -> str:
    """Return a body for a message: no token, no signature, not all of it."""
    try:
        text = json.dumps(_without_secrets(json.loads(body)), ensure_ascii=False)
    except ValueError:
        text = repr(body) if body else ""
    text = _masked(text)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _without_secrets(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    if isinstance(value, dict):
        return {key: "***" if _SECRET.search(key) else _without_secrets(item) for key, item in value.items()}
    return value


def _masked(text: str) -> str:
    return _QUERY.sub(r"\1***", text)


def _text(exchange: Exchange, what: str, reason: str, sent: str) -> str:
    lines = [
        f"{exchange.method} {exchange.path}: {exchange.status}, which is {exchange.endpoint}",
        f"  GitHub's description ({version_for(exchange.profile)}) refuses {what}: {reason}",
    ]
    return "\n".join([*lines, f"  sent: {sent.strip()}"] if sent.strip() else lines)
