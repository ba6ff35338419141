"""The usual artifact, read fast."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async.api import decode, strict
from gh_artifacts_async.errors import ResponseShapeError
from gh_artifacts_async.models import Artifact, Digest, RepositoryName
from gh_artifacts_async.protocol.links import PageLinks

REPO = RepositoryName("octo-org", "octo-docs")
USUAL = {
    "id": 10338854604,
    "node_id": "MDg6QXJ0aWZhY3QxMQ==",
    "name": "Rails",
    "size_in_bytes": 556,
    "url": "https://api.github.com/repos/octo-org/octo-docs/actions/artifacts/11",
    "archive_download_url": "https://api.github.com/repos/octo-org/octo-docs/actions/artifacts/11/zip",
    "expired": False,
    "created_at": "2020-01-10T14:59:22Z",
    "expires_at": "2020-03-21T14:59:22+02:00",
    "updated_at": None,
    "digest": "sha256:" + "Ab" * 32,
    "workflow_run": {
        "id": 2332938,
        "repository_id": 1296269,
        "head_repository_id": 1296269,
        "head_branch": "main",
        "head_sha": "328faa0536e6fef19753d9d91dc96a9931694ce3",
    },
}
ODD: st.SearchStrategy[object] = st.sampled_from(
    [None, True, 0, -1, 1.0, "", "11", "2020-01-10", "2020-01-10T14:59:22", "sha256:zz", "md5:00", [], {}]
)


def judged(item: object) -> Artifact | None:
    """What the converter alone makes of an item; None where it refuses it."""
    document = copy.deepcopy(item)
    try:
        strict._tagged([document], REPO)
        return strict._structure(document, Artifact)
    except ResponseShapeError:
        return None


def changed(fields: dict[str, object], run: dict[str, object], dropped: set[str]) -> dict[str, object]:
    """The usual document with some fields changed, and some left out."""
    document = copy.deepcopy(USUAL) | fields
    if isinstance(document["workflow_run"], dict):
        document["workflow_run"] |= run
    return {key: value for key, value in document.items() if key not in dropped}


@given(
    st.dictionaries(st.sampled_from(list(USUAL)), ODD, max_size=3),
    st.dictionaries(st.sampled_from(list(USUAL["workflow_run"])), ODD, max_size=2),
    st.sets(st.sampled_from(list(USUAL)), max_size=2),
)
def test_both_ways_make_the_same_of_every_document(fields, run, dropped):
    """What is read fast equals what the converter makes; what the converter refuses is never read fast."""
    document = changed(fields, run, dropped)
    fast, strict = decode.usual_artifact(document, REPO), judged(document)
    assert fast is None or fast == strict
    if strict is not None and not fields and not run:
        assert fast == strict


def test_the_usual_document_is_read_fast():
    """The documented form takes the fast way, and gives real, frozen, hashable values."""
    found = decode.usual_artifact(USUAL, REPO)
    assert found == judged(USUAL)
    assert hash(found) == hash(judged(USUAL))
    assert found.digest == Digest("sha256", "ab" * 32)
    with pytest.raises(AttributeError):
        found.name = "other"


@pytest.mark.parametrize(
    "digest",
    ["sha256:" + "a" * 62 + "  ", "sha256:" + "g" * 64, "sha256:" + "a" * 63, "sha256", 7, "sha256:" + "é" * 64],
)
def test_a_digest_that_is_none_is_refused_both_ways(digest):
    """A digest of the right length that is no hexadecimal number does not slip through."""
    document = USUAL | {"digest": digest}
    assert decode.usual_artifact(document, REPO) is None
    assert judged(document) is None


def test_a_listing_with_one_odd_item_names_it():
    """One odd item sends the whole page to the converter, which names the path."""
    data = {"total_count": 2, "artifacts": [copy.deepcopy(USUAL), copy.deepcopy(USUAL) | {"id": "11"}]}
    with pytest.raises(ResponseShapeError) as caught:
        strict.artifact_page(data, REPO, PageLinks())
    assert caught.value.path == "$.artifacts[1].id"


@pytest.mark.parametrize("data", [[], None, {"total_count": "2", "artifacts": []}, {"total_count": 1, "artifacts": {}}])
def test_a_listing_of_another_shape_is_refused(data):
    """What is no listing at all is judged by the converter."""
    with pytest.raises(ResponseShapeError):
        strict.artifact_page(json.loads(json.dumps(data)), REPO, PageLinks())


@pytest.mark.parametrize("run", [{}, {"id": None}, None])
def test_a_run_without_fields_is_usual(run):
    """GitHub promises none of the run's fields."""
    document = USUAL | {"workflow_run": run}
    assert decode.usual_artifact(document, REPO) == judged(document)
