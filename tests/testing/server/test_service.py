"""The operations about the service itself."""

from __future__ import annotations

import pytest

from gh_artifacts_async.testing import FakeGitHub
from tests.kits.probe import Probe


@pytest.mark.parametrize(
    ("github", "version", "listed"),
    [
        ("github.com", None, ["2022-11-28", "2026-03-10"]),
        ("ghes-3.8", "3.8.0", None),
        ("ghes-3.21", "3.21.0", None),
    ],
    indirect=["github"],
)
async def test_meta_and_versions(github: FakeGitHub, probe: Probe, version: str | None, listed: list[str]) -> None:
    """GitHub lists its API versions; Enterprise Server names its own version instead."""
    meta = (await probe.api("//meta")).json
    assert meta.get("installed_version") == version
    assert ("actions" in meta) is (version is None)
    got = await probe.api("//versions")
    assert (got.status, got.json if got.status == 200 else None) == (200 if listed else 404, listed)
    assert [record.endpoint for record in github.requests] == ["meta/get", "meta/get-all-versions"]


async def test_rate_limit(probe: Probe) -> None:
    """The rate limit can be asked for without being spent."""
    first = (await probe.api("//rate_limit")).json["resources"]
    assert (first["core"]["used"], first["search"]["limit"]) == (0, 30)
    assert (await probe.api("//rate_limit")).json["resources"] == first
