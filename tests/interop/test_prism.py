"""Prism, which makes up answers from GitHub's description: the client reads them, or says what is wrong where."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import ArtifactsClient, Limits, ResponseShapeError, RetryPolicy, UnexpectedResponseError
from tests.kits.descriptions import document, resolved
from tests.kits.interop import REPO, free_port, program, running

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.realtime,
    pytest.mark.counterpart("prism"),
    pytest.mark.timeout(300),
]

ANSWERS = 300
TOKEN = "canary-T0ken"
ID = 7
"""Of what is asked for; GitHub answers with the same."""

UNHURRIED = Limits(points_per_minute=None, mutation_interval=None)


def served(*, links: bool) -> dict[str, Any]:
    """Return the description that Prism serves.

    As GitHub does, it answers in the media type that was asked for, and with what was asked for: a made-up id would be
    another artifact's. Links are an example of the description's, so they lead to another host.
    """
    whole = document("github.com")
    for methods in whole["paths"].values():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                operation["responses"][status] = _answer(
                    operation["operationId"], resolved(answer, whole), whole, links=links
                )
    return whole


def _answer(name: str, found: dict[str, Any], whole: dict[str, Any], *, links: bool) -> dict[str, Any]:
    answer = json.loads(json.dumps(found))
    if not links:
        answer.get("headers", {}).pop("Link", None)
    content = answer.get("content", {})
    if "application/json" in content:
        schema = resolved(content["application/json"].get("schema", {}), whole)
        content["application/json"] = {"schema": _asked_for(name, json.loads(json.dumps(schema)), whole)}
        content["application/vnd.github+json"] = content["application/json"]
    return answer


def _asked_for(name: str, schema: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    only = {"type": "integer", "enum": [ID]}
    if name in {"actions/get-artifact", "actions/get-workflow-run"}:
        schema["properties"]["id"] = only
    elif "artifacts" in name or "jobs" in name:
        items = next(each for each in schema["properties"].values() if each["type"] == "array")
        items["items"] = json.loads(json.dumps(resolved(items["items"], whole)))
        fields = items["items"]["properties"]
        if "jobs" in name:
            fields["run_id"] = only
        else:
            fields["workflow_run"]["properties"]["id"] = only
            fields["size_in_bytes"]["minimum"] = 0  # else one artifact would spoil nearly every page
    return schema


def _serve(folder: Path, *, links: bool) -> Generator[str]:
    (folder / "served.json").write_text(json.dumps(served(links=links)), encoding="utf-8")
    port = free_port()
    command = [
        program("prism"),
        "mock",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--dynamic",
        "--errors",
        "served.json",
    ]
    output = folder / "output"

    def ready() -> bool:
        return b"is listening" in output.read_bytes()

    with running(command, folder, output, ready):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """Prism, whose listings have one page."""
    yield from _serve(tmp_path_factory.mktemp("prism"), links=False)


@pytest.fixture
def linking(tmp_path: Path) -> Generator[str]:
    """Prism, whose listings link to api.github.com."""
    yield from _serve(tmp_path, links=True)


@pytest.fixture
async def client(prism: str) -> AsyncGenerator[ArtifactsClient]:
    """A client of Prism, in a hurry."""
    async with ArtifactsClient(TOKEN, base_url=prism, limits=UNHURRIED, retry=RetryPolicy(attempts=1)) as made:
        yield made


async def all_of(listing: Any) -> list[Any]:
    """Return all items of a listing."""
    return [item async for item in listing]


OPERATIONS: dict[str, Callable[[ArtifactsClient], Awaitable[Any]]] = {
    "list_artifacts_for_repo": lambda client: all_of(client.list_artifacts(REPO)),
    "list_workflow_run_artifacts": lambda client: all_of(client.list_run_artifacts(REPO, ID)),
    "get_artifact": lambda client: client.get_artifact(REPO, ID),
    "delete_artifact": lambda client: client.delete_artifact(REPO, ID),
    "download_artifact": lambda client: client.get_download_url(REPO, ID),
    "list_workflow_runs_for_repo": lambda client: all_of(client.list_workflow_runs(REPO)),
    "list_workflow_runs": lambda client: all_of(client.list_workflow_runs(REPO, workflow="ci.yml")),
    "get_workflow_run": lambda client: client.get_workflow_run(REPO, ID),
    "list_jobs_for_workflow_run": lambda client: all_of(client.list_run_jobs(REPO, ID)),
    "list_repos_for_org": lambda client: all_of(client.list_repositories("octo-org")),
    "get_artifact_retention": lambda client: client.get_artifact_retention(REPO),
    "set_artifact_retention": lambda client: client.set_artifact_retention(REPO, 30),
}


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_whatever_is_described_is_read(client: ArtifactsClient, operation: str) -> None:
    """A value; or an error that names the path of a size below 0, which the schema allows and GitHub cannot have."""
    refused = []
    for _ in range(ANSWERS):
        try:
            await OPERATIONS[operation](client)
        except ResponseShapeError as error:
            refused.append(str(error))
    if operation == "get_artifact":
        assert 0 < len(refused) < ANSWERS
        assert {text.partition(": ")[2] for text in refused} == {"expected a size of 0 or more at $.size_in_bytes"}
    else:
        assert refused == []


async def test_a_next_page_elsewhere_is_refused(linking: str) -> None:
    """The description's example of a Link leads to api.github.com: the token goes there only if that is the API."""
    async with ArtifactsClient(TOKEN, base_url=linking, limits=UNHURRIED, retry=RetryPolicy(attempts=1)) as client:
        for listing in (
            client.list_artifacts(REPO),
            client.list_run_artifacts(REPO, ID),
            client.list_workflow_runs(REPO),
            client.list_repositories("octo-org"),
        ):
            with pytest.raises(UnexpectedResponseError, match=r"api\.github\.com") as caught:
                await all_of(listing)
            assert TOKEN not in str(caught.value)
        assert client.statistics.api_requests == 4
