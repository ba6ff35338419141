"""Every document of the fake's is one that githubkit's models take: they are made from GitHub's description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async.testing import FakeGitHub
from tests.kits.apptoken import keys
from tests.kits.interop import REPO, missing

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = [pytest.mark.slow, pytest.mark.realtime, pytest.mark.counterpart("githubkit")]

OWNER, NAME = REPO.split("/")
HERE = {"owner": OWNER, "repo": NAME}
RUN, RERUN = 700, 701
# githubkit's operation (without "async_"), and its arguments besides the repository.
DOCUMENTS: list[tuple[str, dict[str, Any]]] = [
    ("actions.list_artifacts_for_repo", {}),
    ("actions.list_workflow_run_artifacts", {"run_id": RUN}),
    ("actions.get_artifact", {"artifact_id": 90}),
    ("actions.get_artifact", {"artifact_id": 91}),
    ("actions.get_artifact", {"artifact_id": 92}),
    ("actions.list_workflow_runs_for_repo", {}),
    ("actions.list_workflow_runs_for_repo", {"created": "2020-01-01..2020-01-02", "exclude_pull_requests": True}),
    ("actions.list_workflow_runs", {"workflow_id": "ci.yml"}),
    ("actions.get_workflow_run", {"run_id": RUN}),
    ("actions.get_workflow_run", {"run_id": RERUN}),
    ("actions.get_workflow_run_attempt", {"run_id": RERUN, "attempt_number": 1}),
    ("actions.list_jobs_for_workflow_run", {"run_id": RUN}),
    ("actions.list_jobs_for_workflow_run", {"run_id": RERUN, "filter_": "all"}),
    ("actions.list_jobs_for_workflow_run_attempt", {"run_id": RERUN, "attempt_number": 1}),
    ("actions.get_job_for_workflow_run", {"job_id": "of RUN"}),
    ("checks.list_annotations", {"check_run_id": "of RUN"}),
    ("actions.list_repo_workflows", {}),
    ("actions.get_workflow", {"workflow_id": "ci.yml"}),
    ("repos.get", {}),
    ("repos.get_branch", {"branch": "main"}),
    ("pulls.get", {"pull_number": 7}),
    ("pulls.get", {"pull_number": 8}),
    ("pulls.get", {"pull_number": 9}),
    ("actions.get_artifact_and_log_retention_settings_repository", {}),
    ("repos.list_for_org", {"org": OWNER}),
    ("repos.list_for_user", {"username": OWNER}),
    ("rate_limit.get", {}),
    ("meta.get", {}),
    ("meta.get_all_versions", {}),
]
OF_AN_APP = [("apps.get_repo_installation", HERE), ("apps.get_org_installation", {"org": OWNER})]


def fill(github: FakeGitHub) -> None:
    """Add what is usual, and what is odd: what runs, what failed, what has no branch, no time, no run.

    A run of a fork that was deleted is left out: GitHub gives it no repository, against its own description.
    """
    run = github.add_run(REPO, id=RUN, conclusion="failure", pull_requests=[7], jobs=["build", "test"])
    github.add_run(REPO, id=RERUN, branch=None, status="queued", attempt=2)
    github.add_run(REPO, head_repository="fork-er/octo-docs", event="pull_request", actor="hubot")
    for number, head in ((7, "same"), (8, "fork-er/octo-docs"), (9, None)):
        github.add_pull_request(REPO, number, head_sha=f"{number}a" * 20, head_repository=head)
    github.add_artifact(run, "docs", id=90)
    github.add_artifact(run, "old", id=91, expired=True, kind="v3")
    github.add_artifact(
        run, "odd", id=92, created_at=None, updated_at=None, expires_at=None, digest=None, workflow_run=False
    )


@pytest.fixture
async def github() -> AsyncGenerator[FakeGitHub]:
    """A GitHub with all of that."""
    async with FakeGitHub() as it:
        fill(it)
        yield it


def kit(github: FakeGitHub, who: Any) -> Any:
    """Return githubkit."""
    try:
        from githubkit import GitHub
    except ImportError as error:
        missing("githubkit", f"githubkit cannot be imported here: {error}")
    return GitHub(who, base_url=f"{github.base_url}/", http_cache=False, auto_retry=False)


async def ask(rest: Any, operation: str, arguments: dict[str, Any]) -> Any:
    """Return the answer to an operation, after its model has been made of it."""
    group, _, name = operation.partition(".")
    answer = await getattr(getattr(rest, group), f"async_{name}")(**arguments)
    assert answer.status_code in {200, 201}
    return answer.parsed_data


async def test_documents(github: FakeGitHub):
    """Each document that a token gets."""
    job = github.scenario.runs[RUN].job_id(1)
    async with kit(github, "token") as client:
        for operation, arguments in DOCUMENTS:
            given = {name: job if value == "of RUN" else value for name, value in arguments.items()}
            about = operation.partition(".")[0] in {"actions", "checks", "pulls"} or operation.startswith("repos.get")
            assert await ask(client.rest, operation, {**HERE, **given} if about else given) is not None
    known = {record.endpoint for record in github.requests}
    assert len(known) == len({operation for operation, _ in DOCUMENTS})
    assert None not in known


async def test_documents_of_an_app(github: FakeGitHub):
    """Each document that an App gets, by a JSON Web Token whose signature is checked."""
    installation = github.add_installation(77, [REPO])
    github.set_app_keys(77, keys().public)
    async with kit(github, None) as nobody:  # which says first whether it is here
        from githubkit import AppAuthStrategy

        client = nobody.with_auth(AppAuthStrategy(app_id=77, private_key=keys().private))
        async with client:
            for operation, arguments in OF_AN_APP:
                assert (await ask(client.rest, operation, arguments)).id == installation.id
            narrowed = {"installation_id": installation.id, "repositories": [NAME]}
            issued = await ask(client.rest, "apps.create_installation_access_token", narrowed)
            assert issued.token.startswith("ghs_")
