"""What GitHub's description allows is read: by both decoders, to the same values, or by neither."""

from __future__ import annotations

import copy
import json
import re

import pytest
from hypothesis import HealthCheck, given, settings

from gh_artifacts_async.api import decode, strict
from gh_artifacts_async.errors import ResponseShapeError
from gh_artifacts_async.models import RepositoryName
from gh_artifacts_async.protocol.installations import read_installation_id, read_token
from gh_artifacts_async.protocol.links import PageLinks
from gh_artifacts_async.protocol.responses import Document
from tests.kits.descriptions import VERSIONS, document
from tests.kits.judging import Exchange, look
from tests.kits.sampling import mostly_slow
from tests.kits.schemas import answers

FEW, MANY = 20, 100
REPO = RepositoryName("octo-org", "octo-docs")
LINKS = PageLinks(next_url=None, next_page=None, stated=False)
TWICE = {
    "actions/get-artifact": ("artifact", (REPO,)),
    "actions/list-artifacts-for-repo": ("artifact_page", (REPO, LINKS)),
    "actions/get-workflow-run": ("workflow_run", (REPO,)),
    "actions/list-workflow-run-artifacts": ("artifact_page", (REPO, LINKS)),
    "actions/get-workflow-run-attempt": ("workflow_run", (REPO,)),
    "actions/list-workflow-runs": ("run_page", (REPO, LINKS)),
    "actions/list-workflow-runs-for-repo": ("run_page", (REPO, LINKS)),
}
"""Operation -> function of both decoders, and its arguments."""

ONCE = {
    "actions/list-jobs-for-workflow-run": ("job_page", (LINKS,)),
    "actions/list-repo-workflows": ("workflow_page", (LINKS,)),
    "repos/list-for-org": ("repository_page", (LINKS,)),
    "repos/list-for-user": ("repository_page", (LINKS,)),
    "actions/get-artifact-and-log-retention-settings-repository": ("artifact_retention", ()),
}
"""Operation -> function of the strict decoder, which is the only one for it."""

PLAIN_TIME = re.compile(r"(\d{4})-\d\d-\d\dT\d\d:\d\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
VERSION = {version: document(version) for version in VERSIONS}


def named(methods, operation):
    """Whether one of a path's methods is this operation."""
    return any(each["operationId"] == operation for each in methods.values())


def cases(operations):
    """Return each version's operations, as far as its description has them."""
    paths = {version: VERSION[version]["paths"].values() for version in VERSIONS}
    return [
        (version, name) for version in VERSIONS for name in operations if any(named(ms, name) for ms in paths[version])
    ]


def at(data, path):
    """Return what is at a JSON path such as ``$.artifacts[0].size_in_bytes``."""
    for name, number in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        data = data[name] if name else data[int(number)]
    return data


def read(function, data, arguments):
    """Return what a decoder makes of a document of its own, or its error as text and path."""
    try:
        return function(copy.deepcopy(data), *arguments)
    except ResponseShapeError as error:
        return str(error), error.path


def could_be_refused(value):
    """Whether GitHub's schema allows more than GitHub could mean: a negative size, a time that datetime cannot hold."""
    if isinstance(value, int):
        return value < 0
    time = PLAIN_TIME.fullmatch(value)
    return time is None or not 1 < int(time[1]) < 9999  # at both ends the zone decides


def ids(found):
    """Return the ids of a model, or of those on a page."""
    pages = [getattr(found, name) for name in ("artifacts", "runs", "jobs", "workflows") if hasattr(found, name)]
    return [each.id for each in pages[0]] if pages else [found.id]


def ids_in(data):
    """Return the ids of a document, or of those on a page."""
    pages = [value for value in data.values() if isinstance(value, list)] if "total_count" in data else [[data]]
    return [each["id"] for each in pages[0]]


def check(version, operation, table, data):
    """Hold the decoders to one document."""
    name, arguments = table[operation]
    found = read(getattr(strict, name), data, arguments)
    if table is TWICE:
        assert read(getattr(decode, name), data, arguments) == found, version
    if isinstance(found, tuple):
        text, path = found
        assert text.endswith(f" at {path}")
        assert could_be_refused(at(data, path)), found
    elif name not in {"repository_page", "artifact_retention"}:
        assert ids(found) == ids_in(data)


def hold(version, operation, status, check_one, most):
    """Try so many answers that a version describes."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]

    @settings(max_examples=most, suppress_health_check=slow)
    @given(answers(operation, status, VERSION[version]))
    def holds(data):
        check_one(data)

    holds()


def tries(operations):
    """Return parameters: some operations with few examples, and slowly all of all versions with many."""
    quick = [("github.com", name, FEW) for name in [*operations][:3]]
    return mostly_slow([*quick, *((*case, MANY) for case in cases(operations))], quick=len(quick))


@pytest.mark.parametrize(("version", "operation", "most"), tries(TWICE))
def test_both_decoders_read_what_is_described(version, operation, most):
    """Equal values, or the same refusal of what is no size and no time."""
    hold(version, operation, 200, lambda data: check(version, operation, TWICE, data), most)


@pytest.mark.parametrize(("version", "operation", "most"), tries(ONCE))
def test_the_strict_decoder_reads_what_is_described(version, operation, most):
    """A value, or the path of what is no time."""
    hold(version, operation, 200, lambda data: check(version, operation, ONCE, data), most)


@pytest.mark.parametrize("most", mostly_slow([FEW, MANY]))
def test_a_token_is_read_or_there_is_none(most):
    """None for an end that is no time with a zone."""

    def check_one(data):
        found = read_token(Document(data))
        if found is None:
            assert could_be_refused(data["expires_at"])
        else:
            assert found.secret.reveal() == data["token"]

    hold("github.com", "apps/create-installation-access-token", 201, check_one, most)


@pytest.mark.parametrize("most", mostly_slow([FEW, MANY]))
@pytest.mark.parametrize("operation", ["apps/get-repo-installation", "apps/get-org-installation"])
def test_an_installation_has_its_id(operation, most):
    """None for what is no id."""

    def check_one(data):
        assert read_installation_id(Document(data)) == (data["id"] if data["id"] > 0 else None)

    hold("github.com", operation, 200, check_one, most)


@pytest.mark.parametrize("operation", mostly_slow([*TWICE, *ONCE], quick=0))
def test_what_is_made_up_is_described(operation):
    """The judge of the suite takes it, so the properties above are about what GitHub's description allows."""

    def check_one(data):
        path = next(path for path, methods in VERSION["github.com"]["paths"].items() if named(methods, operation))
        sent = Exchange(
            profile="github.com",
            endpoint=operation,
            ours=False,
            method="GET",
            path=re.sub(r"\{\w+\}", "1", path),
            query=(),
            content_type="",
            body=b"",
            status=200,
            headers={"Content-Type": "application/json"},
            answer=json.dumps(data).replace(":60Z", ":59Z").encode(),  # openapi-core knows no leap seconds
        )
        assert look(sent) == (True, [])

    hold("github.com", operation, 200, check_one, FEW)
