"""The guide to logging names the records that there are, with their levels, their loggers and their fields."""

from __future__ import annotations

import json
import logging
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import ArtifactExpiredError, Limits
from tests.kits import examples
from tests.kits.transfer import REPO, client_for

if TYPE_CHECKING:
    from pathlib import Path

    from gh_artifacts_async.testing import FakeGitHub, FakeRun

pytestmark = pytest.mark.once

PAGE = examples.PAGES_BY_NAME["logging"]


def table() -> dict[str, tuple[str, set[str], set[str]]]:
    """Return each event's level, loggers and fields, as the page has them."""
    found: dict[str, tuple[str, set[str], set[str]]] = {}
    text = PAGE.read_text(encoding="utf-8")
    for event, level, logger, said in re.findall(r"^\| `(\w+)` \| ([A-Z]+) \| (.*?) \| (.*) \|$", text, re.MULTILINE):
        fields = set(re.findall(r"`(gh_\w+)`", said)) or found["artifact_done"][2]
        found[event] = level, {"api", "transfer"} if logger == "both" else {logger.strip("`")}, fields
    return found


async def everything_happens(github: FakeGitHub, run: FakeRun, folder: Path) -> None:
    """Bring about an event of each kind."""
    docs = github.add_artifact(run, "docs", size=300_000)
    expired = github.add_artifact(run, "expired", expired=True)
    github.faults.status(None, 502, where="api")
    github.faults.secondary_limit(retry_after=5)
    github.faults.cut(docs, at=1000)
    async with client_for(github, limits=Limits(points_per_minute=8)) as client:
        artifact = await client.get_artifact(REPO, docs)
        for _ in range(2):
            await client.download(artifact, folder, if_exists="skip")
        with pytest.raises(ArtifactExpiredError):
            await client.download(await client.get_artifact(REPO, expired), folder)
        for _ in range(8):
            await client.count_artifacts(REPO)


async def test_the_records_are_those_of_the_table(
    github: FakeGitHub, run: FakeRun, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each record has the level, one of the loggers and the fields that the table says, and no event is missing."""
    caplog.set_level(logging.DEBUG, "gh_artifacts_async")
    await everything_happens(github, run, tmp_path)
    seen: dict[str, list[logging.LogRecord]] = defaultdict(list)
    for record in caplog.records:
        if record.name.startswith("gh_artifacts_async"):
            seen[vars(record)["gh_event"]].append(record)
    expected = table()
    assert seen.keys() == expected.keys()
    for event, (level, loggers, fields) in expected.items():
        for record in seen[event]:
            assert record.levelname == level
            assert record.name.rpartition(".")[2] in loggers
            assert {name for name in vars(record) if name.startswith("gh_")} - {"gh_event"} == fields, event
    assert {record.name.rpartition(".")[2] for record in seen["request"]} == {"api", "transfer"}
    assert not any("token" in record.getMessage() or "sig=" in record.getMessage() for record in caplog.records)


def test_the_formatter_writes_objects() -> None:
    """The formatter of the page writes an object with a record's fields, and nothing else of it."""
    (block,) = (it.source for it in examples.examples(PAGE) if "class Lines" in it.source)
    names: dict[str, Any] = {}
    exec(block.partition("\n\n\nhandler")[0], names)  # noqa: S102  our own documentation
    record = logging.makeLogRecord({"msg": "saved %s", "args": ("a",), "levelname": "INFO", "gh_size": 3, "x": "y"})
    assert json.loads(names["Lines"]().format(record)) == {"level": "INFO", "message": "saved a", "gh_size": 3}
