"""Pages of listings and the links between them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gh_artifacts_async.testing import FakeGitHub, FakeRun
from tests.kits.probe import Probe, links

_T0 = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def many(github: FakeGitHub, run: FakeRun) -> list[int]:
    """Seven artifacts, newest first."""
    ids = [github.add_artifact(run, f"n{number}", created_at=_T0 + timedelta(seconds=number)) for number in range(7)]
    return ids[::-1]


@pytest.mark.parametrize("github", ["github.com", "ghes-3.8"], indirect=True)
async def test_pages_are_linked_by_the_repositorys_number(github: FakeGitHub, probe: Probe, many: list[int]) -> None:
    """Following next gives every artifact once; each URL names the number and keeps the query."""
    got = await probe.api("/actions/artifacts?per_page=3&page=2")
    found = links(got.headers["Link"])
    stem = f"{github.base_url}/repositories/1296269/actions/artifacts?per_page=3&page="
    assert found == {"prev": f"{stem}1", "next": f"{stem}3", "last": f"{stem}3", "first": f"{stem}1"}
    assert got.json["total_count"] == 7
    assert await probe.walk("/actions/artifacts?per_page=3") == many


async def test_one_page_has_no_link(probe: Probe, many: list[int]) -> None:
    """Where one page holds all, there is no Link header; the first and last pages lack what leads nowhere."""
    assert "Link" not in (await probe.api("/actions/artifacts")).headers
    assert set(links((await probe.api("/actions/artifacts?per_page=4")).headers["Link"])) == {"next", "last"}
    beyond = await probe.api("/actions/artifacts?per_page=4&page=9")
    assert set(links(beyond.headers["Link"])) == {"prev", "first"}
    assert beyond.json == {"total_count": len(many), "artifacts": []}


@pytest.mark.parametrize(
    ("asked", "given"),
    [("", 30), ("?per_page=0", 30), ("?per_page=x", 30), ("?per_page=500", 100), ("?per_page=" + "9" * 5000, 30)],
)
async def test_page_sizes(github: FakeGitHub, probe: Probe, run: FakeRun, asked: str, given: int) -> None:
    """30 entries unless asked, never more than 100."""
    for number in range(110):
        github.add_artifact(run, f"n{number}")
    got = await probe.api(f"/actions/artifacts{asked}")
    assert len(got.json["artifacts"]) == given


async def test_links_may_come_in_any_order_and_without_last(github: FakeGitHub, probe: Probe, many: list[int]) -> None:
    """GitHub promises neither the order of the parts nor that last is among them."""
    github.set_link_options(shuffle=True, omit_last=True)
    orders = set()
    for _ in range(12):
        header = (await probe.api("/actions/artifacts?per_page=2&page=2")).headers["Link"]
        orders.add(tuple(links(header)))
    assert len(orders) > 1
    assert {frozenset(order) for order in orders} == {frozenset({"prev", "next", "first"})}
    assert await probe.walk("/actions/artifacts?per_page=2") == many
    github.set_link_options(omit_last=True)
    assert "Link" in (await probe.api("/actions/artifacts?per_page=4")).headers
