"""The page on scale: what it counts is counted here, and what it computes is computed."""

from __future__ import annotations

import re
from math import ceil
from pathlib import Path

import pytest

from gh_artifacts_async import ArtifactsClient

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "scale.md"
REPOSITORIES, WITH, EACH, NEW = 10_000, 2_000, 200, 0.01
LISTING = ceil(REPOSITORIES / 100) + (REPOSITORIES - WITH) + WITH * ceil(EACH / 100)
FIRST = LISTING + WITH * EACH
NIGHTLY = LISTING + round(WITH * EACH * NEW)


def _rows() -> dict[str, tuple[int, str, str]]:
    text = PAGE.read_text(encoding="utf-8")
    found = re.findall(r"(?m)^\| (.+?) \| ([\d,]+) (?:requests|points) \| ([\d.]+ h) \| ([\d.]+ h) \|$", text)
    return {what: (int(hourly.replace(",", "")), first, nightly) for what, hourly, first, nightly in found}


@pytest.mark.once
def test_the_table_is_computed():
    """Requests by the allowance of an hour."""
    rows = _rows()
    assert len(rows) == 5
    for hourly, first, nightly in rows.values():
        assert (first, nightly) == (f"{FIRST / hourly:.1f} h", f"{NIGHTLY / hourly:.1f} h")
    assert f"{FIRST:,} requests | every night, {NIGHTLY:,} requests" in PAGE.read_text(encoding="utf-8")
    assert f"{LISTING:,} of the {NIGHTLY:,}" in PAGE.read_text(encoding="utf-8")


@pytest.mark.github_com("limits")
@pytest.mark.parametrize("count", [0, 3, 100, 130])
async def test_a_repository_costs_its_pages_and_a_request_for_each_artifact(github, tmp_path, count):
    """The second run costs its pages alone."""
    run = github.add_run("octo-org/octo-docs")
    for number in range(count):
        github.add_artifact(run, f"docs-{number}", size=200, seed=number)
    pages = max(1, ceil(count / 100))
    async with ArtifactsClient("token", base_url=github.base_url) as client:
        await client.mirror("octo-org/octo-docs", tmp_path)
        assert client.statistics.api_requests == pages + count
        await client.mirror("octo-org/octo-docs", tmp_path)
        assert client.statistics.api_requests == 2 * pages + count


@pytest.mark.github_com("limits")
async def test_a_hundred_repositories_are_listed_by_one_request(github):
    """As many as a page has."""
    for number in range(100):
        github.add_run(f"octo-org/repo-{number}")
    async with ArtifactsClient("token", base_url=github.base_url) as client:
        assert len([name async for name in client.list_repositories("octo-org")]) == 100
        assert client.statistics.api_requests <= 2
