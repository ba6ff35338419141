"""GitHub's objects accept what GitHub accepts, and nothing else."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async import models
from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.models import (
    Artifact,
    ArtifactPage,
    ArtifactRef,
    ArtifactRun,
    Digest,
    RateLimit,
    RepositoryName,
    WorkflowRun,
    check_id,
)

OWNERS = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,37}[A-Za-z0-9])?", fullmatch=True)
NAMES = st.from_regex(r"[A-Za-z0-9._-]{1,100}", fullmatch=True).filter(lambda name: name not in {".", ".."})
HEX = st.text("0123456789abcdefABCDEF", min_size=64, max_size=64)

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ARTIFACT = Artifact(
    id=11,
    node_id="MDg6QXJ0aWZhY3QxMQ==",
    name="Rails",
    size_in_bytes=556,
    url="https://api.github.com/repos/octo-org/octo-docs/actions/artifacts/11",
    archive_download_url="https://api.github.com/repos/octo-org/octo-docs/actions/artifacts/11/zip",
    expired=False,
    created_at=WHEN,
    digest=Digest("sha256", "0" * 64),
    workflow_run=ArtifactRun(id=2332938, head_branch="main"),
    repository=RepositoryName("octo-org", "octo-docs"),
)
VALUES = [
    ARTIFACT,
    ArtifactPage(total_count=1, artifacts=(ARTIFACT,), next_page=2),
    ArtifactRef("octo-org/octo-docs", 11, "Rails"),
    WorkflowRun(id=7, created_at=WHEN),
    RateLimit(limit=5000, remaining=4999, reset_at=WHEN),
]


@given(owner=OWNERS, name=NAMES)
def test_a_repository_name_comes_back_as_it_was(owner, name):
    """Parsing and printing are each other's inverse."""
    parsed = RepositoryName.parse(f"{owner}/{name}")
    assert (parsed.owner, parsed.name, str(parsed)) == (owner, name, f"{owner}/{name}")
    assert RepositoryName.parse(parsed) is parsed


@given(st.text())
def test_a_repository_name_is_one_path_of_two_parts_or_refused(text):
    """An accepted name can be part of a URL's path as it is: two parts, none of them ``.`` or ``..``."""
    try:
        parsed = RepositoryName.parse(text)
    except ConfigurationError:
        return
    owner, name = str(parsed).split("/")
    assert owner
    assert name not in {"", ".", ".."}
    assert set(owner + name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "o",
        "o/",
        "/r",
        "o/r/x",
        "o/..",
        "o/.",
        "../r",
        "-o/r",
        "o/r?x=1",
        "o/r#x",
        "o/r\n",
        "o\n/r",
        "o/r ",
        "ö/r",
        "o/r\u0661",
        "o/" + "r" * 101,
        None,
        7,
        ("o", "r"),
    ],
)
def test_what_is_no_repository_name(text):
    """Everything else is rejected before any request, with the form that is expected."""
    with pytest.raises(ConfigurationError, match="OWNER/NAME"):
        RepositoryName.parse(text)


@given(st.integers(min_value=1))
def test_an_id_is_any_positive_whole_number(value):
    """Ids have no upper bound."""
    assert check_id(value, "artifact_id") == value


@given(st.one_of(st.integers(max_value=0), st.booleans(), st.floats(), st.text(), st.none()))
def test_what_is_no_id(value):
    """Zero, negatives, True, floats and strings are rejected; the error names the argument."""
    with pytest.raises(ConfigurationError, match="artifact_id"):
        check_id(value, "artifact_id")


@given(HEX)
def test_a_digest_is_lower_case(digits):
    """GitHub's digest compares as lower-case hex, however it was written."""
    digest = Digest.parse(f"SHA256:{digits}")
    assert str(digest) == f"sha256:{digits.lower()}"
    assert digest == Digest("sha256", digits.lower())
    assert digest.verifiable


@given(st.text())
def test_a_digest_is_read_or_refused(text):
    """Whatever comes, it is a digest that prints back, or a ValueError."""
    try:
        digest = Digest.parse(text)
    except ValueError:
        return
    assert str(digest) == text.lower() or digest.algorithm != "sha256"
    assert Digest.parse(str(digest)) == digest


@pytest.mark.parametrize("text", ["", ":", "sha256", "sha256:", ":00", "sha256:" + "0" * 63, "sha256:" + "g" * 64])
def test_what_is_no_digest(text):
    """Without an algorithm, or with a sha256 of another length, it is an error."""
    with pytest.raises(ValueError, match="digest"):
        Digest.parse(text)


def test_an_unknown_algorithm_is_unverifiable_not_wrong():
    """A digest with an unknown algorithm is kept, and is not verifiable."""
    digest = Digest.parse("blake3:abcd")
    assert str(digest) == "blake3:abcd"
    assert not digest.verifiable


def test_a_run_id_is_none_where_github_did_not_send_it():
    """Both the run and its id may be absent."""
    assert ARTIFACT.run_id == 2332938
    assert attrs.evolve(ARTIFACT, workflow_run=None).run_id is None
    assert attrs.evolve(ARTIFACT, workflow_run=ArtifactRun()).run_id is None


def test_a_reference_takes_a_name_or_its_text():
    """A reference takes the repository as text; the id is checked at once."""
    ref = ArtifactRef(repo="octo-org/octo-docs", id=7)
    assert ref == ArtifactRef(RepositoryName("octo-org", "octo-docs"), 7)
    assert ref.name is None
    with pytest.raises(ConfigurationError):
        ArtifactRef("octo-org/octo-docs", 0)
    with pytest.raises(ConfigurationError):
        ArtifactRef("octo-docs", 7)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_models_are_frozen_hashable_and_picklable(value):
    """Every model is hashable, picklable and frozen."""
    assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301  our own bytes
    assert copy.deepcopy(value) == value
    assert hash(copy.deepcopy(value)) == hash(value)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        value.id = 1


def test_every_model_is_frozen():
    """No class was forgotten."""
    classes = [cls for cls in vars(models).values() if isinstance(cls, type) and attrs.has(cls)]
    assert len(classes) == 9
    assert all(cls.__setattr__ is not object.__setattr__ for cls in classes)


@pytest.mark.parametrize(
    ("own", "head", "fork"), [(1, 1, False), (1, 2, True), (1, None, True), (None, 1, True), (None, None, True)]
)
def test_an_unknown_head_repository_counts_as_a_fork(own, head, fork):
    """Only two known ids that are equal say that it is none."""
    assert models.WorkflowRun(id=1, repository_id=own, head_repository_id=head).is_fork is fork


@pytest.mark.parametrize("text", ["octo-org", "a/b/c", "", "/x"])
def test_a_name_that_is_received(text):
    """One that GitHub does not allow is none."""
    assert RepositoryName.received(text) is None
    assert RepositoryName.received("octo-org/octo-docs") == RepositoryName("octo-org", "octo-docs")
