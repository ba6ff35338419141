"""Any JSON as an answer of GitHub's: the fast decoder and the strict one return equal values or refuse alike."""

from __future__ import annotations

import copy
import json
import random
from typing import TYPE_CHECKING, Any

from gh_artifacts_async.api import decode, strict
from gh_artifacts_async.errors import ResponseShapeError, UnexpectedResponseError
from gh_artifacts_async.models import RepositoryName
from gh_artifacts_async.protocol.links import PageLinks
from tests.fuzz.inputs import taken
from tests.fuzz.tally import note
from tests.kits import documents

if TYPE_CHECKING:
    from collections.abc import Callable

REPO = RepositoryName.parse("octo-org/octo-docs")
LINKS = PageLinks(next_page=2, stated=True)
ARTIFACT = documents.ARTIFACT | {"expires_at": "2020-03-21T14:59:22.123456+02:00"}
RUN = documents.RUN
GITEA = ARTIFACT | {"node_id": None, "archive_download_url": "https://gitea.example/api/v1/repos/o/r/actions/1/zip"}
DOCUMENTS: list[Any] = [
    ARTIFACT,
    GITEA,
    {"total_count": 2, "artifacts": [ARTIFACT, ARTIFACT | {"digest": None, "workflow_run": None}]},
    RUN,
    {"total_count": 1, "workflow_runs": [RUN, {"id": 1}]},
    {"total_count": 1, "jobs": [{"id": 1, "labels": ["ubuntu"], "started_at": "2020-01-22T19:33:08Z"}]},
    {"total_count": 1, "workflows": [{"id": 1, "name": "CI"}]},
    [{"id": 1, "full_name": "octo-org/octo-docs"}],
    {"number": 3, "head": {"sha": "acb5820"}},
    {"days": 90, "maximum_allowed_days": 400},
]
STRUCTURED = 0.85
ANSWERS = (ResponseShapeError, UnexpectedResponseError)

PAIRS: list[tuple[Callable[[Any], Any], Callable[[Any], Any]]] = [
    (lambda it: decode.artifact(it, REPO), lambda it: strict.artifact(it, REPO)),
    (lambda it: decode.artifact_page(it, REPO, LINKS), lambda it: strict.artifact_page(it, REPO, LINKS)),
    (lambda it: decode.workflow_run(it, REPO), lambda it: strict.workflow_run(it, REPO)),
    (lambda it: decode.run_page(it, REPO, LINKS), lambda it: strict.run_page(it, REPO, LINKS)),
]
SINGLE: list[Callable[[Any], Any]] = [
    lambda it: strict.job_page(it, LINKS),
    lambda it: strict.workflow_page(it, LINKS),
    lambda it: strict.repository_page(it, LINKS),
    strict.pull_request,
    strict.artifact_retention,
]
_KEYS = sorted({key for it in (ARTIFACT, RUN, ARTIFACT["workflow_run"]) for key in it} | {"total_count", "artifacts"})  # type: ignore[attr-defined]
WORDS = tuple(f'"{key}"'.encode() for key in _KEYS)
WORDS += (b"null", b"true", b"NaN", b"-Infinity", b"1e999", b"\\ud800", b"\\u0000", b"-0", b"0.0")
WORDS += (b"99999999999999999999",)
VALUES: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2**63,
        -(2**64),
        10**30,
        1.0,
        -0.0,
        1e300,
        float("inf"),
        float("nan"),
        "",
        "1",
        "\0",
    ),
    *([], {}, [[]], [None], {"id": 1}, {"": None}, "sha256:", "sha256:" + "0" * 64, "SHA256:" + "F" * 64, "md5:00"),
    *("sha256:" + " 0" * 32, "sha256:" + "0" * 63 + " ", "sha256:" + "0" * 62 + "é", ":", "a:", "\ud800", "x" * 300),
    *("2020-01-10T14:59:22Z", "2020-01-10T14:59:22", "2020-01-10", "0001-01-01T00:00:00+23:59", "20200110T145922Z"),
    *(
        "9999-12-31T23:59:59-00:01",
        "2020-W02-5T14:59:22,5+00:00:01",
        "2020-01-10 14:59:22+0000",
        "24:00",
        "a/b",
        "a/b/c",
    ),
    *("https://gitea.example/api/v1/repos/", "octo-org/octo-docs", "../..", "octo-org/..", {"full_name": 1}, [1, "a"]),
]


def seeds() -> list[bytes]:
    """Return each document for each decoder of its kind, and for some others."""
    kinds = len(PAIRS) + len(SINGLE)
    found = [bytes([kind]) + json.dumps(document).encode() for kind in range(kinds) for document in DOCUMENTS]
    return [*found, b"\0[]", b"\1{}", b"\2null", b"\3" + b"[" * 500]


def fuzz(data: bytes) -> None:
    """Decode a document in both ways."""
    kind, body = taken(data, [*range(len(PAIRS) + len(SINGLE))])
    try:
        first, second = json.loads(body), json.loads(body)  # the decoders put the repository in
    except (ValueError, RecursionError):
        note("no JSON")
        return
    if kind >= len(PAIRS):
        _outcome(SINGLE[kind - len(PAIRS)], first)
        return
    fast, slow = PAIRS[kind]
    ours, theirs = _outcome(fast, first), _outcome(slow, second)
    assert type(ours) is type(theirs)
    assert repr(ours) == repr(theirs)  # equal, and of the same types in every field: True is 1 and 1.0
    if not isinstance(ours, Exception):
        assert ours == theirs
        assert hash(ours) == hash(theirs)


def _outcome(decoder: Callable[[Any], Any], document: Any) -> Any:
    try:
        found = decoder(document)
    except ANSWERS as error:
        note(f"{type(error).__name__}")
        assert str(error).isprintable() or "\\" in str(error) or not str(error).isascii()
        return error
    note(f"accepted: {type(found).__name__}")
    return found


# --- changes of a document


def mutate(rng: random.Random, data: bytes) -> bytes:
    """Change values in a document; some become what another field should have."""
    head = data[:1] or b"\0"
    if rng.random() < 0.1:
        head = bytes([rng.randrange(len(PAIRS) + len(SINGLE))])
    try:
        document = json.loads(data[1:])
    except (ValueError, RecursionError):
        document = rng.choice(DOCUMENTS)
    if rng.random() < 0.05:
        document = rng.choice(DOCUMENTS)
    document = json.loads(json.dumps(document))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        document = _changed(rng, document)
    return head + json.dumps(document, ensure_ascii=rng.random() < 0.9).encode("utf-8", "replace")


def _changed(rng: random.Random, value: Any, depth: int = 0) -> Any:
    if not isinstance(value, dict | list) or not value or depth > 20 or rng.random() < 0.05:
        return copy.deepcopy(rng.choice(VALUES))
    if isinstance(value, list):
        at = rng.randrange(len(value))
        if rng.random() < 0.1:
            return [*value, copy.deepcopy(rng.choice((value[at], rng.choice(VALUES))))]
        value[at] = _changed(rng, value[at], depth + 1)
        return value
    key = rng.choice(list(value))
    what = rng.random()
    if what < 0.1:
        del value[key]
    elif what < 0.15:
        value[rng.choice(_KEYS)] = copy.deepcopy(rng.choice((value[key], rng.choice(VALUES))))
    else:
        value[key] = _changed(rng, value[key], depth + 1)
    return value
