"""The members of a remote archive as lines."""

from __future__ import annotations

import pytest

from gh_artifacts_async import ArtifactRef, ArtifactsClient
from gh_artifacts_async.cli.render import members, screen
from tests.kits.archives import FOLDER, Entry, build
from tests.kits.zips import noise

REPO = "octo-org/octo-docs"


async def opened(github, archive: bytes, *, ranges: bool = True) -> tuple[str, str]:
    """Return the lines of an archive, and what it cost to read them."""
    number = github.add_artifact(github.add_run(REPO), "docs", archive=archive)
    if not ranges:
        github.faults.ignore_range(number, times=None)
    async with (
        ArtifactsClient("token", base_url=github.base_url) as client,
        client.open_archive(ArtifactRef(REPO, number)) as remote,
    ):
        return "".join(members.pages(remote, screen.View())), members.cost(remote)


async def test_lines_are_aligned(github):
    """The same columns as the heading; a folder has no size, and a name is escaped."""
    archive = build(Entry("d/", attributes=FOLDER), Entry("d/a\u200f".encode(), b"x" * 2000, flags=1 << 11))
    body, _ = await opened(github, archive)
    assert body.splitlines() == [
        "  SIZE  PACKED  MODIFIED (UTC)    NAME",
        "     -       -  2024-01-01 00:00  d/",
        "2.0 kB  2.0 kB  2024-01-01 00:00  d/a\\u200f",
        "2.0 kB  2.0 kB                    1 file, 1 folder",
    ]


async def test_a_long_archive_comes_part_by_part(github):
    """So that its first members are shown before the last one is looked at; the columns are those of the first."""
    archive = build(*(Entry(f"{number}", b"") for number in range(1000)))
    number = github.add_artifact(github.add_run(REPO), "docs", archive=archive)
    async with (
        ArtifactsClient("token", base_url=github.base_url) as client,
        client.open_archive(ArtifactRef(REPO, number)) as remote,
    ):
        first, last = members.pages(remote, screen.View())
    assert first.splitlines()[1] == "    0 B      0 B  2024-01-01 00:00  0"
    assert len(first.splitlines()) == 1001
    assert last == "    0 B      0 B                    1,000 files\n"


@pytest.mark.github_com("ranges")
async def test_what_it_cost(github):
    """How much of how much was fetched; all of it where storage does not support ranges."""
    archive = build(Entry("a", noise(300_000)))
    _, cost = await opened(github, archive)
    assert cost == "fetched 65.6 kB of 300 kB in 1 request"
    _, cost = await opened(github, archive, ranges=False)
    assert cost.startswith("fetched the whole archive (")
    assert cost.endswith("), since its storage does not support ranges")
