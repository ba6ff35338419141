"""The table of questions and requests in the docs: each row is asked, and its requests are counted."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gh_artifacts_async import ArtifactQuery
from tests.kits.api import REPO
from tests.kits.transfer import client_for

PAGE = Path(__file__).parents[2] / "docs/howto/select.md"
ROWS = re.findall(r"^\| (.+?) \| `(.+?)` \| (\d+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)
RUNS = 900


def fill(github):
    """Build the repository that the table is about; return the names that its queries use."""

    def run(minute, *names, **values):
        when = START + timedelta(minutes=minute)
        given = {"workflow": "ci.yml", "workflow_name": "Tests", "created_at": when, **values}
        made = github.add_run(REPO, **given)
        ids = [github.add_artifact(made, name, created_at=when, size=118, digest=None) for name in names]
        return made, ids

    run(-60, "coverage", branch="old")
    for number in range(3):
        run(-50 + number, "log", branch="old")
    for number in range(RUNS - 20):
        run(number, "coverage", "wheels", branch=f"dev-{number % 40}")
    for number in range(3):
        run(RUNS + 200 + number, branch="dev-7", workflow="docs.yml")
    run(-25, "coverage", branch="main")
    rerun, _ = run(-30, "rare", "rare", branch="main")
    for attempt in (2, 3):
        started = START + timedelta(minutes=-30 + attempt)
        rerun = github.update_run(rerun, attempt=attempt, run_started_at=started)
        github.add_artifact(rerun, "rare", created_at=started + timedelta(seconds=5), size=118, digest=None)
    run(-20, "coverage", head_sha="5" * 40, branch="topic", event="pull_request")
    github.add_pull_request(REPO, 7, head_sha="5" * 40)
    one, ids = run(-10, "coverage", "wheels", "wheels-2", branch="topic")
    for number in range(8):
        run(-9 + number, "coverage", branch="topic")
    return {"RUN": one.id, "RERUN": rerun.id, "ARTIFACT": ids[0]}


@pytest.mark.once
@pytest.mark.github_com("filters")
async def test_a_question_takes_so_many_requests(github):
    """No more, and no fewer; the plan tells the same, and something is found where something is."""
    names = fill(github)
    for question, query, requests in ROWS:
        asked = ArtifactQuery(**eval(f"dict({query})", {"__builtins__": {"dict": dict}}, names))  # noqa: S307 - our docs
        async with client_for(github) as client:  # one that remembers no answer
            github.forget_requests()
            found = [artifact async for artifact in client.find_artifacts(REPO, asked)]
            assert len(github.requests_to("api")) == int(requests), question
            assert bool(found) == ("nothing" not in question), question
            assert len((await client.explain(REPO, asked)).requests) == int(requests), question


def test_the_table_is_read():
    """A row that the pattern misses would not be tested."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    assert len(ROWS) == len(lines) - 2 == 17
