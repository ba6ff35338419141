"""GitHub's description judges the suite: what it finds fails the test, what was wrong on purpose does not."""

from __future__ import annotations

import json
from importlib.metadata import version

import pytest

from gh_artifacts_async.api import endpoints
from gh_artifacts_async.errors import ArtifactsError
from gh_artifacts_async.models import RepositoryName
from gh_artifacts_async.protocol import requests
from gh_artifacts_async.testing import FakeGitHub
from gh_artifacts_async.testing.server import artifacts
from gh_artifacts_async.testing.server.rendering import Renderer
from gh_artifacts_async.testing.server.responses import Response
from tests.kits import contract
from tests.kits.apptoken import app_token
from tests.kits.descriptions import VERSIONS, document, version_for
from tests.kits.judging import Exchange, Judge, look
from tests.kits.probe import REPO, Probe

pytest_plugins = ["pytester"]

NAME = RepositoryName("octo-org", "octo-docs")


@pytest.fixture(scope="module", autouse=True)
def _imported():
    """Import what judges before ``pytester`` is set up: what is imported under it is forgotten, but for the caches."""
    bad = Exchange(
        profile="github.com",
        endpoint="actions/list-artifacts-for-repo",
        ours=True,
        method="GET",
        path=f"/repos/{REPO}/actions/artifacts",
        query=(),
        content_type="",
        body=b"",
        status=200,
        headers={"Content-Type": "application/json"},
        answer=b"{}",
    )
    assert look(bad)[1]


@pytest.fixture
def judge():
    """A judge of this test's own, which sees everything."""
    with contract.watching(Judge()) as made:
        yield made


@pytest.fixture
async def probe(github):
    """Requests by hand."""
    async with Probe(github) as made:
        yield made


def spoil(monkeypatch, **changes):
    """Let the fake render artifacts with other fields; None leaves one out."""
    honest = Renderer.artifact

    def wrong(renderer, artifact):
        document = {**honest(renderer, artifact), **changes}
        return {name: value for name, value in document.items() if value is not None}

    monkeypatch.setattr(Renderer, "artifact", wrong)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"expired": None}, "'expired' is a required property at $.artifacts[0]"),
        ({"id": "11"}, "type 'integer' at $.artifacts[0].id, not '11'"),
        ({"created_at": "yesterday"}, "format 'date-time' at $.artifacts[0].created_at, not 'yesterday'"),
        ({"workflow_run": []}, "type 'object' at $.artifacts[0].workflow_run, not 'list'"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
async def test_a_wrong_answer_is_found(github, run, probe, judge, monkeypatch, changes, said):
    """A field that is missing or of another type: operation, status, where and what."""
    github.add_artifact(run, "docs")
    spoil(monkeypatch, **changes)
    await probe.api("/actions/artifacts")
    (text,) = judge.verdict()
    assert text.startswith(
        "GET /repos/octo-org/octo-docs/actions/artifacts: 200, which is actions/list-artifacts-for-repo"
    )
    assert "refuses the answer" in text
    assert said in text


async def test_a_success_that_is_not_described_is_found(github, run, judge, session, monkeypatch):
    """GitHub describes how each operation succeeds; a 200 in the place of a 204 is no answer of its."""
    monkeypatch.setattr(artifacts, "Response", lambda _status: Response(200))
    await endpoints.delete_artifact(session, NAME, github.add_artifact(run, "docs"))
    (text,) = judge.verdict()
    assert "refuses the answer: no 200 among 204" in text


@pytest.mark.parametrize("profile", VERSIONS)
async def test_each_version_has_its_own_description(judge, monkeypatch, profile):
    """A field that the version requires is missed in all of them, through gzip as well."""
    spoil(monkeypatch, archive_download_url=None)
    async with FakeGitHub(profile) as github, Probe(github) as probe:
        number = github.add_artifact(github.add_run(REPO), "docs")
        await probe.api(f"/actions/artifacts/{number}", headers={"Accept-Encoding": "gzip"})
    (text,) = judge.verdict()
    assert f"({profile}) refuses the answer: InvalidData: 'archive_download_url' is a required property at $" in text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ((("per_page", "500"),), "maximum 100 at $, not 500"),
        ((("page", "two"),), "Query parameter error: page"),
        ((("label", "docs"),), "there is no parameter 'label'"),
        ((("name", "a"), ("name", "b")), "the parameter 'name' is there 2 times"),
    ],
    ids=["too many", "no number", "unknown", "twice"],
)
async def test_a_wrong_request_is_found(github, session, run, judge, query, said):
    """The SDK's own request, as it went over the wire."""
    github.add_artifact(run, "docs")
    request = requests.list_artifacts_for_repo(NAME)._replace(query=query)
    await session.send(request)
    (text,) = judge.verdict()
    assert "(github.com) refuses the request: " in text
    assert said in text


async def test_a_wrong_body_is_found(github, session, judge):
    """What is sent with a request is described too."""
    github.add_run(REPO)
    request = requests.Request("set", f"/repos/{REPO}/actions/permissions/artifact-and-log-retention", "PUT")
    with pytest.raises(ArtifactsError):
        await session.send(request._replace(body=b'{"days": "all"}', answer="nothing"))
    (text,) = judge.verdict()
    assert "refuses the request: Request body validation error: type 'integer' at $.days, not 'all'" in text


async def test_what_a_test_sends_by_hand_may_be_wrong(github, run, probe, judge):
    """It is not the SDK's; the answer to it is judged nevertheless."""
    github.add_artifact(run, "docs")
    await probe.api("/actions/artifacts?per_page=500&bogus=1")
    assert judge.verdict() == []
    assert judge.judged == {("actions/list-artifacts-for-repo", 200): 1}


async def test_what_a_fault_makes_is_not_the_fakes_own(github, session, run, judge):
    """A scripted answer may be anything."""
    number = github.add_artifact(run, "docs")
    github.faults.status(None, 200, times=None, where="api")
    with pytest.raises(ArtifactsError):
        await endpoints.get_artifact(session, NAME, number)
    assert judge.verdict() == []
    assert judge.judged == {("actions/get-artifact", 200): 1}


async def test_what_is_not_described_is_counted(probe, judge):
    """Refusals and operations without a schema, of which there is nothing to say."""
    await probe.api("/actions/artifacts/404")
    await probe.api("/pulls/1")
    assert judge.verdict() == []
    assert judge.undescribed == {("actions/get-artifact", 404): 1, ("pulls/get", 404): 1}


async def test_no_message_holds_a_token(github, probe, judge, monkeypatch):
    """Neither what was refused nor what was sent."""
    installation = github.add_installation(7, [REPO])
    path = f"/app/installations/{installation.id}/access_tokens"
    monkeypatch.setattr("gh_artifacts_async.testing.server.apps.iso", lambda _: None)
    got = await probe.api(f"/{path}", "POST", headers={"Authorization": f"Bearer {app_token(github)}"})
    (text,) = judge.verdict()
    assert "type 'string' at $.expires_at, not None" in text
    assert got.json["token"] not in text
    assert '"token": "***"' in text


async def test_the_first_of_each_kind_are_judged(github, run, probe, monkeypatch):
    """Of each operation and status so many; of one with a fault all, so that a second run finds it again."""
    github.add_artifact(run, "docs")
    with contract.watching(Judge(most=2)) as judge:
        for _ in range(3):
            await probe.api("/actions/artifacts")
        assert (judge.verdict(), judge.judged.total()) == ([], 2)
        await probe.api("")
        assert (judge.verdict(), judge.judged.total()) == ([], 3)
    spoil(monkeypatch, name=None)
    with contract.watching(Judge(most=1)) as judge:
        for _ in range(2):
            await probe.api("/actions/artifacts")
            assert len(judge.verdict()) == 1


def test_versions_between_have_the_description_before_them():
    """The latest that is not later."""
    profiles = ["github.com", "ghes-3.4", "ghes-3.7", "ghes-3.8", "ghes-3.18", "ghes-3.19", "ghes-3.22"]
    found = [version_for(profile) for profile in profiles]
    assert found == ["github.com", "ghes-3.4", "ghes-3.4", "ghes-3.8", "ghes-3.8", "ghes-3.19", "ghes-3.19"]
    assert [json.loads(json.dumps(document(version)))["openapi"] for version in VERSIONS] == ["3.0.3"] * 4


VIOLATION = """
    import asyncio
    import aiohttp
    import pytest
    from gh_artifacts_async.testing import FakeGitHub
    from gh_artifacts_async.testing.server.rendering import Renderer

    async def ask():
        async with FakeGitHub() as github, aiohttp.ClientSession() as session:
            github.add_artifact(github.add_run("o/r"), "docs")
            async with session.get(f"{github.base_url}/repos/o/r/actions/artifacts") as answer:
                assert answer.status == 200

    @pytest.fixture(autouse=True)
    def wrong(monkeypatch):
        monkeypatch.setattr(Renderer, "artifact", lambda *_: {})

    @pytest.fixture
    def late():
        yield
        asyncio.run(ask())

    def test_answers(): asyncio.run(ask())
    def test_fails():
        asyncio.run(ask())
        raise LookupError
    def test_ends(late): pass
    @pytest.mark.not_as_described("it is about nothing")
    def test_on_purpose(): asyncio.run(ask())
"""


@pytest.mark.parametrize("option", ["first", "all", "off"])
def test_a_violation_fails_its_test(pytester, option):
    """The one that caused it, or its fixture's end; not one that says why it does so."""
    pytester.makepyfile(VIOLATION)
    with contract.watching(Judge()):  # this process's own judge is not to see it
        arguments = ("--disable-plugin-autoload", "-p", "tests.kits.contract", f"--contract={option}")
        result = pytester.runpytest_inprocess(*arguments)
    lines = result.stdout.fnmatch_lines
    said = ["not as GitHub describes it:", "GET /repos/o/r/actions/artifacts: 200*"]
    if option == "off":
        result.assert_outcomes(passed=3, failed=1)
        return
    result.assert_outcomes(passed=2, failed=2, errors=1)
    lines(["*ERROR at teardown of test_ends*", *said])
    lines(["*_ test_answers _*", *said])
    lines(["*LookupError*", "*GitHub's description*", said[1]])
    shown = f"openapi-core {version('openapi-core')}: 4 exchanges judged, 0 not described"
    assert (shown in result.outlines) is (option == "all")
