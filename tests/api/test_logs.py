"""The log: each line as an operator reads it, the fields beside it, and silence for whoever has not set it up."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import attrs
import pytest

from gh_artifacts_async import ArtifactsClient, ArtifactsError, StoragePolicy
from gh_artifacts_async.api import logs
from gh_artifacts_async.events import (
    Event,
    Pacing,
    RequestAnswered,
    TransferDelivered,
    TransferFailed,
    TransferFinished,
)
from tests.kits.sampling import mostly_slow
from tests.kits.transfer import INLINE_SIZE, ONE_TRY, REPO, add, client_for, fetch, get
from tests.models.test_models import ARTIFACT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gh_artifacts_async.testing import FakeGitHub

ROOT = Path(__file__).parents[2]
ARTIFACTS = f"/repos/{REPO}/actions/artifacts"


class Lines(logging.Handler):
    """Keeps the records of the package, and shows them with what differs from run to run left out."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def lines(self) -> list[str]:
        """Level, logger, and the text: one port, duration, request id and wait is like another."""
        found = []
        for record in self.records:
            said = re.sub(r"127\.0\.0\.1:\d+", "HOST", record.getMessage())
            said = re.sub(r"in \d+\.\d{3} s", "in T s", said)
            said = re.sub(r"in \d+\.\d s", "in W s", said)
            said = re.sub(r"request id [0-9A-Za-z:-]+", "request id ID", said)
            said = re.sub(r" HOST/(?!repos)[^:? ]+", " HOST/BLOB", said)
            found.append(f"{record.levelname} {record.name.removeprefix('gh_artifacts_async.')} {said}")
        return found


@pytest.fixture
def log() -> Iterator[Lines]:
    """The log at its lowest level, which a test may raise again."""
    logger, lines = logging.getLogger("gh_artifacts_async"), Lines()
    logger.addHandler(lines)
    logger.setLevel(logging.DEBUG)
    yield lines
    logger.removeHandler(lines)
    logger.setLevel(logging.NOTSET)


def at_info() -> None:
    """Leave the requests out."""
    logging.getLogger("gh_artifacts_async").setLevel(logging.INFO)


@pytest.mark.github_com("limits")
async def test_each_request(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, log: Lines) -> None:
    """One line for each: API and storage, without the query, which is a secret, and the artifact that was saved."""
    artifact_id = add(github, size=INLINE_SIZE)
    await fetch(client, artifact_id, tmp_path)
    left = client.rate_limit.remaining
    assert log.lines == [
        f"DEBUG api GET HOST{ARTIFACTS}/{artifact_id}: 200 in T s, request id ID, {left + 1} remaining",
        f"DEBUG api GET HOST{ARTIFACTS}/{artifact_id}/zip: 302 in T s, request id ID, {left} remaining",
        "DEBUG transfer GET HOST/BLOB: 200 in T s, request id ID",
        f"INFO transfer artifact {artifact_id} 'docs' of {REPO}: saved, {INLINE_SIZE} bytes: {tmp_path / 'docs.zip'}",
    ]
    assert all("?" not in record.getMessage() and "sig=" not in repr(vars(record)) for record in log.records)


@pytest.mark.github_com("limits")
async def test_the_fields_of_a_request(github: FakeGitHub, client: ArtifactsClient, log: Lines) -> None:
    """What the line says is on the record too, under names of its own."""
    artifact_id = add(github)
    await get(client, artifact_id)
    (record,) = log.records
    found = {name: value for name, value in vars(record).items() if name.startswith("gh_")}
    assert found.pop("gh_duration") >= 0
    assert found.pop("gh_request_id") in record.getMessage()
    assert found == {
        "gh_event": "request",
        "gh_kind": "api",
        "gh_method": "GET",
        "gh_host": github.base_url.partition("://")[2],
        "gh_path": f"{ARTIFACTS}/{artifact_id}",
        "gh_status": 200,
        "gh_remaining": client.rate_limit.remaining,
        "gh_error": None,
    }


async def test_a_retry_with_its_reason(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, log: Lines) -> None:
    """A 502 of the API and a cut of storage say what is tried again, when and why; INFO leaves the requests out."""
    at_info()
    artifact_id = add(github)
    github.faults.status(artifact_id, 502, where="api")
    github.faults.cut(artifact_id, at=1000)
    await fetch(client, artifact_id, tmp_path)
    why = "502 Server Error: the server failed; try again later [request id ID]"
    assert log.lines[0] == f"INFO api retrying GET {ARTIFACTS}/{artifact_id} in W s: {why}"
    why = "the connection to HOST failed: it broke before the body was complete"
    assert log.lines[1] == f"INFO transfer retrying artifact {artifact_id} in W s: {why}"
    assert len(log.lines) == 3
    assert (log.records[0].gh_attempt, log.records[1].gh_what) == (1, f"artifact {artifact_id}")
    assert log.records[0].gh_wait <= 0.5


async def test_a_pause(github: FakeGitHub, client: ArtifactsClient, log: Lines) -> None:
    """A rate limit says how long everything waits, and which limit it is."""
    at_info()
    artifact_id = add(github)
    github.faults.secondary_limit(None, times=1, retry_after=90)
    await get(client, artifact_id)
    pause, retry = log.lines
    assert pause == "INFO api requests are paused for 90.0 s: GitHub's secondary rate limit"
    assert retry.startswith(f"INFO api retrying GET {ARTIFACTS}/{artifact_id}: ")
    assert (log.records[0].gh_event, log.records[0].gh_seconds, log.records[0].gh_kind) == ("pause", 90, "secondary")


@pytest.mark.github_com("addresses")
async def test_no_answer(github: FakeGitHub, tmp_path: Path, log: Lines) -> None:
    """A request that got none says why, on the API and at storage; the failed artifact is named."""
    artifact_id = add(github)
    github.faults.no_reply(artifact_id, times=1, where="storage")
    async with client_for(github, retry=ONE_TRY) as client:
        with pytest.raises(ArtifactsError) as caught:
            await fetch(client, artifact_id, tmp_path)
        github.faults.no_reply(artifact_id, times=1, where="api")
        with pytest.raises(ArtifactsError):
            await get(client, artifact_id)
    why = f"{type(caught.value).__name__}: "
    assert log.lines[2].startswith("DEBUG transfer GET HOST/BLOB: no answer after ")
    assert why in log.lines[2]
    assert log.lines[3].startswith(f"INFO transfer artifact {artifact_id} 'docs' of {REPO}: failed: {why}")
    assert log.lines[4].startswith(f"DEBUG api GET HOST{ARTIFACTS}/{artifact_id}: no answer after ")
    assert (log.records[4].gh_status, log.records[4].gh_error) == (None, type(caught.value).__name__)


async def test_hops(github: FakeGitHub, tmp_path: Path, log: Lines) -> None:
    """Each redirect of storage has its line, and none of them shows where it led in full."""
    artifact_id = add(github)
    policy = StoragePolicy(max_redirects=1, allowed_hosts=("127.0.0.1",))
    async with client_for(github, storage=policy) as client:
        signed = await client.get_download_url(REPO, artifact_id)
        github.faults.redirect(artifact_id, signed.url, where="storage")
        await fetch(client, artifact_id, tmp_path)
    statuses = [record.gh_status for record in log.records if getattr(record, "gh_kind", "") == "storage"]
    assert statuses == [302, 200]
    assert all(record.gh_path in signed.redacted for record in log.records[3:5])


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            Pacing(seconds=2.5, reason="points"),
            "requests are held back for 2.5 s: the points of this minute are spent",
        ),
        (
            Pacing(seconds=9.5, reason="primary"),
            "requests are held back for 9.5 s: little is left of GitHub's primary rate limit",
        ),
        (
            TransferFinished(artifact=ARTIFACT, path=Path("x.zip"), size=3, skipped=True),
            f"artifact 11 'Rails' of {REPO}: already there, 3 bytes: x.zip",
        ),
        (TransferFailed(artifact=ARTIFACT, error=KeyboardInterrupt()), "failed: KeyboardInterrupt"),
        (
            TransferFailed(artifact=attrs.evolve(ARTIFACT, name="a\nb", repository=None), error=OSError("full")),
            "artifact 11 'a\\nb': failed: OSError: full",
        ),
        (TransferDelivered(artifact=ARTIFACT, size=5), "artifact 11 'Rails' of octo-org/octo-docs: passed on, 5 bytes"),
        (
            TransferDelivered(artifact=ARTIFACT, size=5, key="k/a"),
            "artifact 11 'Rails' of octo-org/octo-docs: stored, 5 bytes: k/a",
        ),
        (
            TransferDelivered(artifact=ARTIFACT, size=5, key="k/a", skipped=True),
            "artifact 11 'Rails' of octo-org/octo-docs: already there, 5 bytes: k/a",
        ),
    ],
)
def test_other_lines(event: Event, line: str, log: Lines) -> None:
    """What is rare has its line too, and a name cannot break it."""
    logs.write(event)
    (record,) = log.records
    assert line in record.getMessage()
    assert record.levelno == logging.INFO


def test_events_without_a_line(log: Lines) -> None:
    """Progress is for observers; an answer, at INFO, too. Any event may be written."""
    at_info()
    for cls in get_args(Event):
        if cls not in {TransferDelivered, TransferFailed, TransferFinished}:
            logs.write(cls(**dict.fromkeys(attrs.fields_dict(cls), 0)))
    assert {record.gh_event for record in log.records} == {"retry", "pause", "pacing"}
    assert RequestAnswered in get_args(Event)


def test_other_libraries_may_use_the_same_names(log: Lines) -> None:
    """A program whose record factory sets ``request_id`` and ``path`` on every record is not disturbed."""
    factory = logging.getLogRecordFactory()

    def own(*args, **kwargs):
        record = factory(*args, **kwargs)
        record.request_id = record.path = record.event = record.status = "theirs"
        return record

    logging.setLogRecordFactory(own)
    try:
        logs.write(Pacing(seconds=1, reason="x"))
    finally:
        logging.setLogRecordFactory(factory)
    assert log.records[0].event == "theirs"


QUIET = """
import asyncio, contextlib, sys, tempfile
from gh_artifacts_async import ArtifactRef, ArtifactsClient, ArtifactsError, RetryPolicy
from gh_artifacts_async.testing import FakeGitHub
from gh_artifacts_async.testing.loop import JumpLoop

def broken(event):
    raise RuntimeError("no terminal")

async def main(observer):
    async with FakeGitHub() as github:
        number = github.add_artifact(github.add_run("o/r"), "docs", size=50_000)
        github.faults.status(number, 502, where="api")
        github.faults.secondary_limit(None, times=1, retry_after=1)
        github.faults.cut(number, at=1000)
        quick = RetryPolicy(wait_initial=0.01, wait_max=0.02)
        with tempfile.TemporaryDirectory() as folder:
            async with ArtifactsClient("t", base_url=github.base_url, retry=quick, observer=observer) as client:
                await client.download(ArtifactRef("o/r", number), folder)
                with contextlib.suppress(ArtifactsError):
                    await client.download(ArtifactRef("o/r", number), folder)
                done = client.statistics
                print(done.artifacts_done, done.artifacts_failed, sum(done.retries.values()), done.pauses["secondary"])
    print("gh_artifacts_async.api.logs" in sys.modules)

for observer in (None, broken):
    with asyncio.Runner(loop_factory=JumpLoop) as runner:
        runner.run(main(observer))
"""


@pytest.mark.realtime
@pytest.mark.parametrize(
    "setup", mostly_slow(["", "import logging; logging.basicConfig()", "import logging; logging.lastResort = 0"])
)
def test_a_program_without_logging_sees_nothing(setup: str) -> None:
    """Not after retries, a pause, a failure and an observer that raises; with a handler, only that last one is told."""
    ran = subprocess.run(  # noqa: S603  a fixed program
        [sys.executable, "-W", "error", "-c", f"{setup}\n{QUIET}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=60,
    )
    assert ran.stdout == 2 * "1 1 3 1\nFalse\n"
    if "basicConfig" in setup:
        assert ran.stderr.startswith("ERROR:gh_artifacts_async:an observer failed on RequestSent\n")
        assert {line for line in ran.stderr.splitlines() if line.startswith("ERROR")} == {
            f"ERROR:gh_artifacts_async:an observer failed on {name}"
            for name in re.findall(r"failed on (\w+)", ran.stderr)
        }
    else:
        assert ran.stderr == ""


def test_records_are_plain_values(log: Lines) -> None:
    """A JSON formatter can write the fields of any record as they are."""
    logs.write(TransferFinished(artifact=ARTIFACT, path=Path("x.zip"), size=3))
    fields = {name: value for name, value in vars(log.records[0]).items() if name.startswith("gh_")}
    assert json.loads(json.dumps(fields)) == {
        "gh_event": "artifact_done",
        "gh_artifact_id": 11,
        "gh_artifact_name": "Rails",
        "gh_repository": REPO,
        "gh_path": "x.zip",
        "gh_size": 3,
    }
