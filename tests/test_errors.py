"""Errors keep their arguments, through pickle, copy and ``except*``."""

from __future__ import annotations

import copy
import errno
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from gh_artifacts_async import errors
from gh_artifacts_async.errors import ArtifactsError, BulkError
from gh_artifacts_async.models import ArtifactRef, WorkflowRun

ANSWER = {
    "status": 418,
    "request_id": "0000:1111",
    "documentation_url": "https://docs.github.com/rest",
    "request": "GET /repos/o/r/actions/artifacts/7",
}
LIMIT = {**ANSWER, "retry_after": 61.5, "reset_at": datetime(2026, 1, 2, tzinfo=UTC)}
MEMBER = {"member": "../x", "rule": "dotdot"}

ARGUMENTS: dict[str, dict[str, Any]] = {
    "TransportError": {"host": "api.github.com"},
    "ConnectionFailedError": {"host": "api.github.com"},
    "BudgetUnavailableError": {"host": "localhost:6379"},
    "CertificateError": {"host": "api.github.com"},
    "ProxyError": {"host": "api.github.com", "status": 407},
    "RequestTimeoutError": {"host": "api.github.com"},
    "APIError": ANSWER,
    "BadRequestError": ANSWER,
    "AuthenticationError": ANSWER,
    "PermissionDeniedError": {**ANSWER, "accepted_permissions": "actions=read", "sso_url": "https://github.com/sso"},
    "NotFoundError": ANSWER,
    "ArtifactExpiredError": ANSWER,
    "RateLimitError": LIMIT,
    "PrimaryRateLimitError": LIMIT,
    "SecondaryRateLimitError": LIMIT,
    "ServerError": ANSWER,
    "UnexpectedResponseError": {"wrong_address": True},
    "ResponseShapeError": {"path": "$.artifacts[3].id"},
    "IncompleteDownloadError": {"expected": 10, "received": 4},
    "DigestMismatchError": {"algorithm": "sha256", "expected": "00" * 32, "actual": "11" * 32},
    "SlowTransferError": {"rate": 12.5, "minimum": 1024.0},
    "StorageError": {"status": 503, "code": "ServerBusy"},
    "ObjectStoreError": {"key": "ci/docs.zip"},
    "ObjectStoreUnavailableError": {"key": "ci/docs.zip"},
    "DestinationExistsError": {"filename": "out/Rails.zip"},
    "OutOfSpaceError": {"filename": "out/Rails.zip", "errno": errno.EDQUOT, "needed": 100, "free": 10},
    "DuplicateArtifactsError": {"artifacts": (ArtifactRef("o/r", 1), ArtifactRef("o/r", 2))},
    "WaitTimeoutError": {"missing": ("Rails",), "run": WorkflowRun(id=7, status="queued")},
    "RunFailedError": {"run": WorkflowRun(id=7, conclusion="failure")},
    "ArchiveError": MEMBER,
    "CorruptArchiveError": MEMBER,
    "MergeConflictError": {**MEMBER, "path": "x", "artifacts": (ArtifactRef("o/r", 1), ArtifactRef("o/r", 2))},
    "UnsafeMemberError": MEMBER,
    "UnsupportedArchiveError": MEMBER,
    "ArchiveLimitError": {**MEMBER, "limit": "max_members", "value": 1_000_001},
}
NUMBERS = {
    "DestinationExistsError": (errno.EEXIST, "out/Rails.zip"),
    "OutOfSpaceError": (errno.EDQUOT, "out/Rails.zip"),
}
SECOND_BASES = {
    "ConfigurationError": ValueError,
    "ClientClosedError": RuntimeError,
    "RequestTimeoutError": TimeoutError,
    "WaitTimeoutError": TimeoutError,
    "DestinationExistsError": FileExistsError,
    "OutOfSpaceError": OSError,
    "MemberNotFoundError": KeyError,
    "BulkError": ExceptionGroup,
}


def everything(base: type[ArtifactsError] = ArtifactsError) -> list[type[ArtifactsError]]:
    """Return ``base`` and all classes below it in ``errors``."""
    below = [cls for child in base.__subclasses__() for cls in everything(child)]
    return [base, *(cls for cls in below if cls.__module__ == errors.__name__)]


def build(cls: type[ArtifactsError], message: str = "what happened") -> ArtifactsError:
    """Make one, with every argument it takes."""
    if issubclass(cls, BulkError):
        return cls(message, [ValueError("one"), errors.NotFoundError("two", status=404)])
    return cls(message, **ARGUMENTS.get(cls.__name__, {}))


def facts(error: BaseException) -> dict[str, Any]:
    """Return everything an error holds, in a form that can be compared."""
    held = {name: value for name, value in vars(error).items() if name != "__notes__"}
    parts = [facts(part) for part in error.exceptions] if isinstance(error, BaseExceptionGroup) else []
    numbers = (error.errno, error.strerror, error.filename) if isinstance(error, OSError) else ()
    return {"class": type(error), "text": str(error), "held": held, "parts": parts, "numbers": numbers}


CLASSES = sorted(set(everything()), key=lambda cls: cls.__name__)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_survives(cls):
    """Pickle and copy rebuild the same error; str is the message; OSErrors have their errno and filename."""
    error = build(cls)
    assert str(error).startswith("what happened")
    for name, value in ARGUMENTS.get(cls.__name__, {}).items():
        assert getattr(error, name) == value
    if issubclass(cls, OSError):
        assert (error.errno, error.filename) == NUMBERS.get(cls.__name__, (None, None))
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert facts(pickle.loads(pickle.dumps(error, protocol))) == facts(error)  # noqa: S301  our own bytes
    for again in (copy.copy(error), copy.deepcopy(error)):
        assert again is not error
        assert facts(again) == facts(error)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_is_caught_by_star(cls):
    """``except*`` finds each class in a group, and ``raise … from`` chains as with any exception."""
    caught: list[BaseException] = []
    error = build(cls)
    try:
        raise ExceptionGroup(
            "several", [error if not isinstance(error, BulkError) else error.exceptions[1], KeyError()]
        )
    except* ArtifactsError as group:
        caught.extend(group.exceptions)
    except* KeyError:
        pass
    assert [type(each) for each in caught] == [cls if cls is not BulkError else errors.NotFoundError]


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if cls is not BulkError], ids=lambda cls: cls.__name__)
def test_every_error_can_be_made_without_arguments(cls):
    """No argument is required, so that a test can raise any of them."""
    assert str(cls()) == cls().message


@pytest.mark.parametrize(("name", "base"), SECOND_BASES.items())
def test_second_bases(name, base):
    """Errors that derive from a class of the standard library are caught by it."""
    assert issubclass(getattr(errors, name), base)


def test_the_tree_is_drawn_as_it_stands():
    """The module's docstring names every class once, below its parent."""
    drawn: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").split("::\n\n", 1)[1].split("\n\n", 1)[0].splitlines():
        words = line.replace("│", " ").replace("├", " ").replace("└", " ")
        if words.strip():
            drawn.append((len(words) - len(words.lstrip()), words.split()[0].split("(")[0]))
    assert sorted(name for _, name in drawn) == [cls.__name__ for cls in CLASSES]
    above: dict[int, str] = {}
    for depth, name in drawn:
        above = {d: n for d, n in above.items() if d < depth}
        parents = [base.__name__ for base in getattr(errors, name).__bases__]
        if above:
            assert above[max(above)] in parents
        above[depth] = name


def test_default_messages_say_what_happened():
    """Without a message, an error builds one from its fields."""
    assert str(errors.APIError(status=500, request="GET /x")) == "GET /x was answered with HTTP 500"
    assert str(errors.IncompleteDownloadError(expected=10, received=4)) == "only 4 of 10 bytes arrived"
    assert str(errors.IncompleteDownloadError(received=4)) == "only 4 bytes arrived"
    assert str(errors.StorageError(status=503, code="ServerBusy")) == "storage answered with HTTP 503 (ServerBusy)"
    assert str(errors.StorageError(status=503)) == "storage answered with HTTP 503"
    assert "max_members: 5" in str(errors.ArchiveLimitError(limit="max_members", value=5))
    assert "member ../x" in str(errors.UnsafeMemberError(member="../x", rule="dotdot"))
    assert "$.id" in str(errors.ResponseShapeError(path="$.id"))
    assert "sha256" in str(errors.DigestMismatchError())
    assert "bytes/s" in str(errors.SlowTransferError(rate=1.0, minimum=2.0))


def test_a_group_shows_its_first_failures():
    """The text of a BulkError stays short, however many failed."""
    group = BulkError("5 of 9 artifacts failed", [ValueError(str(number)) for number in range(5)])
    assert str(group) == "5 of 9 artifacts failed: 0; 1; 2; and 2 more"
    assert str(BulkError("1 of 9 artifacts failed", [ValueError("0")])) == "1 of 9 artifacts failed: 0"


def test_a_group_splits_into_groups_of_its_class():
    """``split``, ``subgroup``, ``derive`` and ``except*`` keep BulkError and its message."""
    not_found = errors.NotFoundError("gone", status=404)
    group = BulkError("some failed", [ValueError("x"), not_found])
    group.add_note("a note")
    matching, rest = group.split(errors.NotFoundError)
    assert type(matching) is type(rest) is BulkError
    assert matching.message == rest.message == "some failed"
    assert matching.exceptions == (not_found,)
    assert matching.__notes__ == ["a note"]
    assert type(group.subgroup(ValueError)) is BulkError
    caught: list[BaseException] = []

    def handle_what_is_gone() -> None:
        try:
            raise group
        except* errors.NotFoundError as gone:
            caught.append(gone)

    with pytest.raises(BulkError) as left:
        handle_what_is_gone()
    assert [type(each) for each in caught] == [BulkError]
    assert [type(each) for each in left.value.exceptions] == [ValueError]
