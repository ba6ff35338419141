"""JSON becomes models: strictly, and with the path of what is wrong."""

from __future__ import annotations

import contextlib
import copy
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async.api import decode, strict
from gh_artifacts_async.errors import ResponseShapeError
from gh_artifacts_async.models import ArtifactRun, Digest, RepositoryName
from gh_artifacts_async.protocol.links import PageLinks
from tests.kits.api import ARTIFACT, page

CONTRACT = Path(__file__).parent.parent / "contract"
REPO = RepositoryName("octo-org", "octo-docs")
LINKS = PageLinks(next_url="https://api.github.com/x?page=2", next_page=2, stated=True)
DELETED = object()


def document(name):
    """Return one of GitHub's own documents."""
    return json.loads((CONTRACT / f"{name}.json").read_text(encoding="utf-8"))


# --- GitHub's own examples


@pytest.mark.parametrize("version", ["github.com", "ghes-3.4", "ghes-3.8", "ghes-3.19"])
def test_githubs_examples_of_artifacts(version):
    """All versions of the server; only github.com has digests."""
    examples = document(f"{version}.artifacts")["components"]["examples"]
    found = strict.artifact_page(examples["artifact-paginated"]["value"], REPO, LINKS)
    assert found.total_count == 2
    assert found.next_page == 2
    assert [artifact.name for artifact in found.artifacts] == ["Rails", "Test output"]
    one = strict.artifact(examples["artifact"]["value"], REPO)
    assert one.repository == REPO
    assert one.size_in_bytes == 556
    assert one.created_at == datetime(2020, 1, 10, 14, 59, 22, tzinfo=UTC)
    assert one.run_id == (None if version == "ghes-3.4" else 2332938)  # its example has none
    assert (one.digest is not None) is (version == "github.com")


def test_githubs_examples_of_runs():
    """A run, and a page of them; GitHub's own ``repository`` object is not taken for the name."""
    examples = document("workflow-runs.examples")
    run = strict.workflow_run(examples["workflow-run"], REPO)
    assert (run.id, run.event, run.status, run.conclusion) == (30433642, "push", "queued", None)
    assert run.repository == REPO
    found = strict.run_page(examples["workflow-run-paginated"], REPO, LINKS)
    assert found.total_count == 1
    assert found.runs[0].head_sha == "acb5820ced9479c074f688cc328bf03f341a511d"
    assert found.next_page == 2


# --- what may be missing, null, or more


@pytest.mark.parametrize("field", ["node_id", "created_at", "expires_at", "updated_at", "digest", "workflow_run"])
def test_what_may_be_null(field):
    """Times, digest and run."""
    assert getattr(strict.artifact({**ARTIFACT, field: None}, REPO), field) is None


@pytest.mark.parametrize("field", ["digest", "workflow_run", "node_id", "created_at", "expires_at", "updated_at"])
def test_what_may_be_missing(field):
    """What older servers do not have."""
    data = {key: value for key, value in ARTIFACT.items() if key != field}
    assert getattr(strict.artifact(data, REPO), field) is None


@pytest.mark.parametrize(
    ("given_run", "run"),
    [
        ({}, ArtifactRun()),
        ({"id": 9, "head_branch": None, "head_repository_id": None}, ArtifactRun(id=9)),
        ({"id": 9, "attempt": 2}, ArtifactRun(id=9)),
    ],
)
def test_no_field_of_an_artifacts_run_is_required(given_run, run):
    """GitHub promises none of them."""
    assert strict.artifact({**ARTIFACT, "workflow_run": given_run}, REPO).workflow_run == run


def test_unknown_fields_are_ignored():
    """Also one that is called like a field of ours."""
    found = strict.artifact({**ARTIFACT, "new": {"x": [1]}, "repository": {"full_name": "other/one"}}, REPO)
    assert found == strict.artifact(dict(ARTIFACT), REPO)
    assert found.repository == REPO


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-10T14:59:22Z", datetime(2026, 1, 10, 14, 59, 22, tzinfo=UTC)),
        ("2026-01-10T14:59:22.5+02:00", datetime(2026, 1, 10, 12, 59, 22, 500_000, tzinfo=UTC)),
        ("2026-01-10T14:59:22-07:00", datetime(2026, 1, 10, 14, 59, 22, tzinfo=timezone(timedelta(hours=-7)))),
    ],
)
def test_times_are_aware_utc(text, moment):
    """Whatever the zone they came in."""
    found = strict.artifact({**ARTIFACT, "created_at": text}, REPO).created_at
    assert found == moment
    assert found.tzinfo is UTC


def test_digests():
    """Lower case, and an unknown algorithm is no error."""
    assert strict.artifact({**ARTIFACT, "digest": "sha256:" + "AB" * 32}, REPO).digest == Digest("sha256", "ab" * 32)
    assert not strict.artifact({**ARTIFACT, "digest": "sha512:" + "ab" * 64}, REPO).digest.verifiable


def test_ids_beyond_32_bits():
    """GitHub has passed them."""
    assert strict.artifact({**ARTIFACT, "id": 10_338_854_604}, REPO).id == 10_338_854_604


# --- what is refused


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("id", "7", "expected int, got str"),
        ("id", 7.0, "expected int, got float"),
        ("id", True, "expected int, got bool"),
        ("id", None, "expected int, got NoneType"),
        ("id", DELETED, "required field missing"),
        ("node_id", 5, "expected str, got int"),
        ("name", None, "expected str, got NoneType"),
        ("name", ["x"], "expected str, got list"),
        ("name", DELETED, "required field missing"),
        ("size_in_bytes", "1", "expected int, got str"),
        ("size_in_bytes", -1, "expected a size of 0 or more"),
        ("size_in_bytes", DELETED, "required field missing"),
        ("url", DELETED, "required field missing"),
        ("archive_download_url", DELETED, "required field missing"),
        ("expired", "false", "expected bool, got str"),
        ("expired", 0, "expected bool, got int"),
        ("expired", DELETED, "required field missing"),
        ("created_at", 5, "expected a time, got int"),
        ("created_at", "yesterday", "expected an ISO 8601 time with a zone"),
        ("created_at", "2026-01-10T14:59:22", "expected an ISO 8601 time with a zone"),
        ("created_at", "0001-01-01T00:00:00+10:00", "expected an ISO 8601 time"),
        ("digest", 5, "expected a digest, got int"),
        ("workflow_run", [], "expected an object, got list"),
        ("workflow_run", "x", "expected an object, got str"),
    ],
)
def test_a_wrong_field_is_named_by_its_path(field, value, said):
    """Nothing is coerced; the path says where, alone and in a page."""
    wrong = {**ARTIFACT, field: value}
    if value is DELETED:
        del wrong[field]
    with pytest.raises(ResponseShapeError) as caught:
        strict.artifact(copy.deepcopy(wrong), REPO)
    assert caught.value.path == f"$.{field}"
    assert said in str(caught.value)
    with pytest.raises(ResponseShapeError) as caught:
        strict.artifact_page({"total_count": 3, "artifacts": [dict(ARTIFACT), dict(ARTIFACT), wrong]}, REPO, LINKS)
    assert caught.value.path == f"$.artifacts[2].{field}"


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"workflow_run": {"id": "9"}}, "$.workflow_run.id"),
        ({"workflow_run": {"head_branch": 5}}, "$.workflow_run.head_branch"),
    ],
)
def test_paths_go_all_the_way_down(data, path):
    """Into the run of an artifact."""
    with pytest.raises(ResponseShapeError) as caught:
        strict.artifact({**ARTIFACT, **data}, REPO)
    assert caught.value.path == path
    assert path in str(caught.value)


@pytest.mark.parametrize("data", [None, [], "x", 5, True, [dict(ARTIFACT)]])
@pytest.mark.parametrize("read", ["artifact", "workflow_run", "artifact_page", "run_page"])
@pytest.mark.parametrize("module", [strict, decode], ids=["strict", "decode"])
def test_a_document_of_another_kind(data, read, module):
    """A list, a string, null: an error at the root, whichever way it comes."""
    more = (LINKS,) if read.endswith("page") else ()
    with pytest.raises(ResponseShapeError) as caught:
        getattr(module, read)(copy.deepcopy(data), REPO, *more)
    assert caught.value.path == "$"
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({}, "$"),
        ({"total_count": 1}, "$"),
        ({"artifacts": []}, "$"),
        ({"total_count": "1", "artifacts": []}, "$.total_count"),
        ({"total_count": 1, "artifacts": None}, "$.artifacts"),
        ({"total_count": 1, "artifacts": {}}, "$.artifacts"),
        ({"total_count": 1, "artifacts": "Rails"}, "$.artifacts"),
        ({"total_count": 1, "artifacts": [None]}, "$.artifacts[0]"),
        ({"total_count": 1, "artifacts": ["x"]}, "$.artifacts[0]"),
    ],
)
def test_pages_that_are_none(data, path):
    """Each part of a page is required."""
    with pytest.raises(ResponseShapeError) as caught:
        strict.artifact_page(data, REPO, LINKS)
    assert caught.value.path.startswith(path)


def test_an_empty_page():
    """Nothing is not wrong."""
    assert strict.artifact_page(page(), REPO, PageLinks()).artifacts == ()
    assert strict.run_page({"total_count": 0, "workflow_runs": []}, REPO, PageLinks()).runs == ()


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from([*ARTIFACT, "artifacts", "total_count"]), inner)
    ),
    max_leaves=12,
)


@given(json_values)
def test_no_document_breaks_it(data):
    """Any JSON is a model or a ResponseShapeError."""
    for read, more in ((strict.artifact, ()), (strict.artifact_page, (LINKS,)), (strict.run_page, (LINKS,))):
        with contextlib.suppress(ResponseShapeError):
            read(copy.deepcopy(data), REPO, *more)


# --- what is around artifacts


def test_githubs_example_of_a_run_has_its_neighbours():
    """Actor, head repository and both ids."""
    run = strict.workflow_run(document("workflow-runs.examples")["workflow-run"], REPO)
    assert (run.actor, str(run.head_repository)) == ("octocat", "octo-org/octo-repo")
    assert (run.repository_id, run.head_repository_id, run.is_fork) == (1296269, 217723378, True)
    assert run.pull_requests == ()


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"actor": 5}, "$.actor"),
        ({"actor": {"login": 5}}, "$.actor.login"),
        ({"repository": []}, "$.repository"),
        ({"repository": {"id": "1"}}, "$.repository.id"),
        ({"head_repository": {"full_name": 5}}, "$.head_repository.full_name"),
        ({"pull_requests": {}}, "$.pull_requests"),
        ({"pull_requests": [{"number": 1}, {}]}, "$.pull_requests[1]"),
    ],
)
def test_paths_of_a_runs_neighbours(data, path):
    """Where they are in GitHub's document."""
    with pytest.raises(ResponseShapeError) as caught:
        strict.workflow_run({"id": 9, **data}, REPO)
    assert caught.value.path.startswith(path)


def test_a_page_of_jobs():
    """Everything but the id may be missing or null."""
    whole = {
        "id": 7,
        "run_id": 9,
        "run_attempt": 2,
        "name": "build",
        "status": "completed",
        "conclusion": "success",
        "started_at": "2026-01-10T14:59:22Z",
        "completed_at": None,
        "labels": ["ubuntu-latest", "x64"],
        "html_url": "https://github.com/x",
        "runner_name": "one",
        "steps": [],
    }
    found = strict.job_page({"total_count": 9, "jobs": [whole, {"id": 8, "name": None}]}, LINKS)
    assert (found.total_count, found.next_page) == (9, 2)
    assert found.jobs[0].started_at == datetime(2026, 1, 10, 14, 59, 22, tzinfo=UTC)
    assert found.jobs[0].labels == ("ubuntu-latest", "x64")
    assert (found.jobs[1].id, found.jobs[1].name, found.jobs[1].labels) == (8, None, ())


def test_a_page_of_workflows():
    """Id, name, path and state."""
    whole = {"id": 1, "name": "CI", "path": ".github/workflows/ci.yml", "state": "active"}
    found = strict.workflow_page({"total_count": 1, "workflows": [whole]}, PageLinks())
    assert [(one.id, one.name, one.path, one.state) for one in found.workflows] == [tuple(whole.values())]


def test_a_page_of_repositories():
    """A list without a total; a name that GitHub does not allow is left out."""
    data = [{"id": 1, "full_name": "octo-org/octo-docs"}, {"id": 2, "full_name": "a/b/c"}]
    found = strict.repository_page(data, LINKS)
    assert [(one.id, str(one.name)) for one in found.repositories] == [(1, "octo-org/octo-docs")]
    assert found.next_page == 2


@pytest.mark.parametrize(
    ("read", "data", "path"),
    [
        ("job_page", {"total_count": 1, "jobs": [{"id": 7, "labels": "abc"}]}, "$.jobs[0].labels"),
        ("job_page", {"total_count": 1, "jobs": [{"id": "7"}]}, "$.jobs[0].id"),
        ("workflow_page", {"total_count": 1}, "$"),
        ("repository_page", {"total_count": 1}, "$"),
        ("repository_page", [{"id": 1}], "$[0]"),
    ],
)
def test_wrong_pages(read, data, path):
    """Named by their paths."""
    with pytest.raises(ResponseShapeError) as caught:
        getattr(strict, read)(data, LINKS)
    assert caught.value.path.startswith(path)


def test_a_pull_request_and_retention():
    """The commit; both numbers of days."""
    assert strict.pull_request({"number": 7, "head": {"sha": "ab"}, "x": 1}).head_sha == "ab"
    assert strict.artifact_retention({"days": 30, "maximum_allowed_days": 90}).maximum_allowed_days == 90
    for read, data in ((strict.pull_request, {"number": 7, "head": None}), (strict.artifact_retention, {"days": 30})):
        with pytest.raises(ResponseShapeError):
            read(data)
