"""Results: what carries a secret never shows it by accident, and outcomes tell success from failure."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import pprint
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gh_artifacts_async.errors import BulkError, NotFoundError
from gh_artifacts_async.models import ArtifactRef
from gh_artifacts_async.results import (
    ExtractedMember,
    Failure,
    MergeResult,
    Outcome,
    Secret,
    SignedURL,
    Success,
    raise_for_failures,
)
from tests.models.test_models import ARTIFACT

TOKEN = "ghs_" + "s3cr3t" * 6
QUERY = "se=2026-01-01T00%3A10%3A00Z&sig=s3cr3t%2Fs3cr3t%3D"
URL = f"https://productionresultssa0.blob.core.windows.net/actions-results/a/b.zip?{QUERY}"
WHEN = datetime(2026, 1, 1, 0, 10, tzinfo=UTC)


def secret() -> Secret:
    """Return a fresh secret."""
    return Secret(TOKEN)


def signed(url: str = URL) -> SignedURL:
    """Return a fresh signed URL."""
    return SignedURL(url, expires_at=WHEN, lifetime=600.0)


def shown(value: Any) -> list[str]:
    """Return everything that commonly prints a value, or what holds it."""
    texts = [
        repr(value),
        str(value),
        f"{value}",
        f"{value!r:>80}",
        f"{value!s}",
        f"{value!a}",
        f"{value:>80}",
        "%s %r" % (value, value),  # noqa: UP031  this form too
        "{0} {0!r}".format(value),  # noqa: UP032  and this one
        repr([value]),
        repr({"x": value}),
        pprint.pformat([value]),
        str(dir(value)),
        str(getattr(value, "__dict__", {})),
        json.dumps({"x": value}, default=str),
        logging.LogRecord("x", 10, "x", 1, "%s %r", (value, value), None).getMessage(),
    ]
    texts += [repr(getattr(value, name)) for name in type(value).__slots__]
    return texts


@pytest.mark.parametrize("value", [secret(), signed()], ids=["Secret", "SignedURL"])
def test_nothing_prints_it(value):
    """No repr, str, format, log line or attribute listing holds the secret."""
    for text in shown(value):
        assert "s3cr3t" not in text
        assert "sig=" not in text


@pytest.mark.parametrize("value", [secret(), signed()], ids=["Secret", "SignedURL"])
def test_it_is_not_pickled(value):
    """A secret does not go into a file or to another process by accident."""
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(value)


@pytest.mark.parametrize("value", [secret(), signed()], ids=["Secret", "SignedURL"])
def test_it_has_no_dict(value):
    """``vars`` finds nothing."""
    with pytest.raises(TypeError):
        vars(value)


def test_a_traceback_with_locals_does_not_show_it():
    """Error reporters print every frame's locals; a frame that holds a Secret and a SignedURL stays silent."""

    def fails(token: Secret, url: SignedURL) -> None:
        raise ValueError(f"cannot use {token} for {url}")

    try:
        fails(secret(), signed())
    except ValueError as error:
        report = traceback.TracebackException.from_exception(error, capture_locals=True)
        own = [frame for frame in report.stack if frame.name == "fails"]
        assert own[0].locals is not None
        assert set(own[0].locals) == {"token", "url"}
        assert "s3cr3t" not in "".join(report.format())
    else:
        pytest.fail("no error")


def test_the_secret_itself_is_there_for_who_asks():
    """``reveal()`` and ``.url`` give it byte for byte."""
    assert secret().reveal() == TOKEN
    assert signed().url == URL


def test_equality_and_hash_go_by_the_secret():
    """Two of the same are the same, and nothing else is."""
    assert secret() == secret()
    assert hash(secret()) == hash(secret())
    assert secret() != Secret("other")
    assert secret() != TOKEN
    assert signed() == signed()
    assert hash(signed()) == hash(signed())
    assert signed() != signed(URL + "&x=1")
    assert signed() != URL


def test_copies_are_the_same_value():
    """Copying what holds a secret neither fails nor shows it."""
    assert copy.copy(secret()) == secret()
    assert copy.copy(signed()) == signed()
    assert copy.deepcopy(signed()) == signed()
    assert copy.deepcopy({"token": secret()}) == {"token": secret()}


@pytest.mark.parametrize(
    ("url", "redacted", "host"),
    [
        (URL, URL.partition("?")[0] + "?***", "productionresultssa0.blob.core.windows.net"),
        ("https://h:8443/p", "https://h:8443/p", "h:8443"),
        ("https://h/p#frag", "https://h/p", "h"),
        ("https://h/p#frag?sig=s3cr3t", "https://h/p?***", "h"),
        ("https://h/p?a=1#b", "https://h/p?***", "h"),
        ("https://h?sig=s3cr3t", "https://h?***", "h"),
        ("https://u:s3cr3t@h/p?x", "https://h/p?***", "h"),
        ("https://h/a@b?x", "https://h/a@b?***", "h"),
        ("https://[::1]:10/p?x", "https://[::1]:10/p?***", "[::1]:10"),
        ("", "", ""),
    ],
)
def test_redacted_forms(url, redacted, host):
    """Scheme, host and path are left; query, fragment and userinfo are not."""
    value = signed(url)
    assert (value.redacted, value.host, str(value)) == (redacted, host, redacted)
    assert redacted in repr(value)
    assert "2026-01-01T00:10:00+00:00" in repr(value)


def test_a_signed_url_cannot_be_changed():
    """A signed URL is immutable."""
    for name in ("expires_at", "lifetime", "url"):
        with pytest.raises(AttributeError):
            setattr(signed(), name, None)


FAILURE = Failure(artifact=ARTIFACT, error=NotFoundError("gone", status=404))


def test_a_success():
    """A success has a value, no error, and gives the value when unwrapped."""
    outcome: Outcome[int] = Success(artifact=ARTIFACT, value=1)
    assert (outcome.ok, outcome.value, outcome.error, outcome.unwrap()) == (True, 1, None, 1)
    assert outcome.artifact is ARTIFACT
    assert outcome == Success(artifact=ARTIFACT, value=1) != Success(artifact=ARTIFACT, value=2)
    assert len({outcome, Success(artifact=ARTIFACT, value=1)}) == 1


def test_a_failure():
    """A failure has an error, no value, and raises the error when unwrapped."""
    assert (FAILURE.ok, FAILURE.value) == (False, None)
    with pytest.raises(NotFoundError) as caught:
        FAILURE.unwrap()
    assert caught.value is FAILURE.error


def test_a_none_result_is_a_success():
    """What returns nothing, such as a delete, is a success with the value None."""
    outcome: Outcome[None] = Success(artifact=ARTIFACT, value=None)
    assert outcome.ok
    assert outcome.unwrap() is None


@pytest.mark.parametrize("outcome", [Success(artifact=ARTIFACT, value=(1, 2)), FAILURE])
def test_outcomes_are_frozen_and_travel(outcome):
    """Neither field nor flag can be changed; pickle and copy give the same kind with the same artifact."""
    for name in ("artifact", "value", "error", "ok"):
        with pytest.raises(AttributeError):
            setattr(outcome, name, None)
    for again in (pickle.loads(pickle.dumps(outcome)), copy.deepcopy(outcome)):  # noqa: S301  our own bytes
        assert type(again) is type(outcome)
        assert (again.artifact, again.ok, again.value) == (ARTIFACT, outcome.ok, outcome.value)
        assert str(again.error) == str(outcome.error)


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [
        (Success(artifact=ARTIFACT, value=None), f"<Success {ARTIFACT.id} {ARTIFACT.name!r}: NoneType>"),
        (
            Success(artifact=ArtifactRef("o/r", 7), value=ExtractedMember(name="a", size=1, path=Path("x/a"))),
            f"<Success 7: {Path('x/a')}>",
        ),
        (FAILURE, f"<Failure {ARTIFACT.id} {ARTIFACT.name!r}: NotFoundError: gone>"),
        (Failure(artifact=ArtifactRef("o/r", 7), error=ValueError("a\nb")), "<Failure 7: ValueError: a b>"),
    ],
)
def test_the_repr_names_artifact_and_result(outcome, shown):
    """The repr says which artifact it is about, and the file or the error."""
    assert repr(outcome) == shown


def test_the_repr_is_one_short_line():
    """Long names and messages, and those of many lines, do not make it longer."""
    artifact = ArtifactRef("o/r", 7, "n\n" * 1000)
    for outcome in (
        Failure(artifact=artifact, error=ValueError("line\n" * 1000)),
        Success(artifact=artifact, value=ExtractedMember(name="a", size=1, path=Path("p\n" * 1000))),
    ):
        assert "\n" not in repr(outcome)
        assert len(repr(outcome)) < 400


def test_failures_are_raised_together():
    """``raise_for_failures`` says how many of how many failed, and returns if none did."""
    good = Success(artifact=ARTIFACT, value=1)
    raise_for_failures([])
    raise_for_failures([good, good])
    with pytest.raises(BulkError) as caught:
        raise_for_failures(iter([good, FAILURE, good]))
    assert str(caught.value) == "1 of 3 artifacts failed: gone"
    assert caught.value.exceptions == (FAILURE.error,)


def test_a_merge_result_is_a_value(tmp_path):
    """Equal results are equal, and one survives pickle."""
    member = ExtractedMember(name="a", size=1, path=tmp_path / "a")
    result = MergeResult(path=tmp_path, members=(member,), artifacts=(ARTIFACT,), bytes_fetched=7)
    again = pickle.loads(pickle.dumps(result))  # noqa: S301 - our own bytes
    assert again == result
    assert hash(again) == hash(result)
    assert not result.skipped
