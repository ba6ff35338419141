"""The documented shape, decoded fast; anything else is left to strict.py."""

import copy
import pickle
import weakref
from datetime import UTC, datetime

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gh_artifacts_async.api import decode, strict
from gh_artifacts_async.errors import ResponseShapeError
from gh_artifacts_async.models import Artifact, ArtifactRun, Digest, RepositoryName
from gh_artifacts_async.protocol.links import PageLinks
from tests.kits.documents import ARTIFACT, RUN

REPO = RepositoryName("octo-org", "octo-docs")
ODD: st.SearchStrategy[object] = st.sampled_from(
    [None, True, 0, -1, 1.0, "", "11", "2020-01-10", "2020-01-10T14:59:22", "sha256:zz", "md5:00", [], {}]
)
PARTS: st.SearchStrategy[object] = st.one_of(
    st.dictionaries(
        st.sampled_from(["id", "full_name", "login", "number"]),
        st.sampled_from([None, True, 1, 1.0, "octocat", "octocat/x", "o/n/x", "", [], {}]),
    ),
    st.lists(st.sampled_from([None, 5, {}, {"number": 7}, {"number": None}, {"number": True}, {"number": "7"}])),
    ODD,
)


def either(read, document):
    """What a function returns for a document; None if it refuses it."""
    try:
        return read(copy.deepcopy(document), REPO)
    except (ResponseShapeError, *decode._NOT_AS_DOCUMENTED):
        return None


@pytest.fixture
def no_cattrs(monkeypatch):
    """Make sure that what a test decodes is decoded fast."""
    for name in ("artifact", "artifact_page", "workflow_run", "run_page"):
        monkeypatch.delattr(strict, name)


def changed(fields: dict[str, object], run: dict[str, object], dropped: set[str]) -> dict[str, object]:
    """The usual document with some fields changed, and some left out."""
    document = copy.deepcopy(ARTIFACT) | fields
    if isinstance(document["workflow_run"], dict):
        document["workflow_run"] |= run
    return {key: value for key, value in document.items() if key not in dropped}


@given(
    st.dictionaries(st.sampled_from(list(ARTIFACT)), ODD, max_size=3),
    st.dictionaries(st.sampled_from(list(ARTIFACT["workflow_run"])), ODD, max_size=2),
    st.sets(st.sampled_from(list(ARTIFACT)), max_size=2),
)
def test_both_ways_make_the_same_of_every_artifact(fields, run, dropped):
    """What is decoded fast equals what cattrs makes of it; what cattrs refuses is never decoded fast."""
    document = changed(fields, run, dropped)
    fast, slow = either(decode._artifact, document), either(strict.artifact, document)
    assert fast is None or fast == slow
    if slow is not None and not fields and not run:
        assert fast == slow
    assert either(decode.artifact, document) == slow


@given(
    st.dictionaries(st.sampled_from(list(RUN)), ODD, max_size=4),
    st.dictionaries(st.sampled_from(["repository", "head_repository", "actor", "pull_requests"]), PARTS, max_size=2),
    st.sets(st.sampled_from(list(RUN)), max_size=9),
)
@example({}, {"repository": {"id": None, "full_name": True}}, set())
def test_both_ways_make_the_same_of_every_run(fields, parts, dropped):
    """Runs, too."""
    document = {key: value for key, value in (RUN | fields | parts).items() if key not in dropped}
    fast, slow = either(decode._workflow_run, document), either(strict.workflow_run, document)
    assert fast == slow
    assert either(decode.workflow_run, document) == slow


@pytest.mark.usefixtures("no_cattrs")
def test_the_documented_artifact_is_decoded_fast():
    """Into real, frozen, hashable values."""
    found = decode.artifact(ARTIFACT, REPO)
    assert hash(found) == hash(decode.artifact(ARTIFACT, REPO))
    assert found.digest == Digest("sha256", "ab" * 32)
    assert found.expires_at == datetime(2020, 3, 21, 12, 59, 22, tzinfo=UTC)
    assert found.repository == REPO
    with pytest.raises(AttributeError):
        found.name = "other"


@pytest.mark.usefixtures("no_cattrs")
def test_the_documented_pages_are_decoded_fast():
    """Artifacts and runs, with the number of the next page."""
    links = PageLinks(next_page=2)
    artifacts = decode.artifact_page({"total_count": 9, "artifacts": [ARTIFACT, ARTIFACT]}, REPO, links)
    assert (artifacts.total_count, len(artifacts.artifacts), artifacts.next_page) == (9, 2, 2)
    runs = decode.run_page({"total_count": 9, "workflow_runs": [RUN]}, REPO, links)
    assert (runs.total_count, runs.next_page) == (9, 2)
    assert runs.runs == (decode.workflow_run(RUN, REPO),)
    assert runs.runs[0].updated_at == datetime(2020, 1, 22, 18, 33, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "digest",
    ["sha256:" + "a" * 62 + "  ", "sha256:" + "g" * 64, "sha256:" + "a" * 63, "sha256", "", "sha256:" + "é" * 64],
)
def test_a_malformed_digest_is_not_verifiable(digest):
    """A digest of the right length that is not hexadecimal does not slip through, and none loses the artifact."""
    found = decode.artifact(ARTIFACT | {"digest": digest}, REPO)
    assert found == strict.artifact(copy.deepcopy(ARTIFACT) | {"digest": digest}, REPO)
    assert str(found.digest) == digest
    assert not found.digest.verifiable


def test_a_page_with_one_odd_item_names_it():
    """One odd item sends the whole page to cattrs, whose error names the path."""
    data = {"total_count": 2, "artifacts": [copy.deepcopy(ARTIFACT), copy.deepcopy(ARTIFACT) | {"id": "11"}]}
    with pytest.raises(ResponseShapeError) as caught:
        decode.artifact_page(data, REPO, PageLinks())
    assert caught.value.path == "$.artifacts[1].id"


@pytest.mark.parametrize("run", [{}, {"id": None}, None])
@pytest.mark.usefixtures("no_cattrs")
def test_no_field_of_an_artifacts_run_is_required(run):
    """GitHub promises none of them."""
    run_of = decode.artifact(ARTIFACT | {"workflow_run": run}, REPO).workflow_run
    assert run_of is None if run is None else run_of.id is None


def test_what_is_decoded_is_frozen_and_of_its_own_class():
    """Nothing is left of the objects that were filled in: fields cannot be set, and copies and pickles are equal."""
    found = decode.artifact(ARTIFACT, REPO)
    for value, kind in ((found, Artifact), (found.digest, Digest), (found.workflow_run, ArtifactRun)):
        assert type(value) is kind
        assert repr(value).startswith(f"{kind.__name__}(")
        for name in ("id", "hex", "unknown"):
            with pytest.raises((attrs.exceptions.FrozenInstanceError, AttributeError)):
                setattr(value, name, 1)
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            del value.__class__
        assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301 - our own
        assert copy.copy(value) == attrs.evolve(value) == value
        assert weakref.ref(value)() is value
