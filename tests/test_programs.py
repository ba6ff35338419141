"""The programs of docs/examples/ run against the fake, and cost what the documentation says."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web

from gh_artifacts_async.testing import FakeGitHub
from tests.kits.archives import Entry, build
from tests.kits.programs import EXAMPLES, ROOT, load, name_in_environment
from tests.kits.transfer import REPO
from tests.kits.zips import MIB, make, noise, tree

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

PROGRAMS = ("nixpkgs_review", "error_statistics", "collect_wheels")
SECRET = "It's a Secret to Everybody"
SHA = "c0ffee" + "0" * 34


def row(name: str) -> tuple[str, ...]:
    """Return the cells of a program's row in the table of the guide."""
    page = (ROOT / "docs" / "howto" / "programs.md").read_text(encoding="utf-8")
    (cells,) = re.findall(rf"(?m)^\| \[.*\]\(#{name.replace('_', '-')}\)[^|]*\|(.*)\|$", page)
    return tuple(cell.strip() for cell in cells.split("|"))


@pytest.fixture(autouse=True)
def environment(github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the environment name the fake, and a token."""
    name_in_environment(github, monkeypatch)


def count(github: FakeGitHub) -> tuple[int, int]:
    """Return how many requests went to the API, and how many to storage."""
    return len(github.requests_to("api")), len(github.requests_to("storage"))


# --- three programs of others, rewritten


@pytest.mark.parametrize("name", PROGRAMS)
def test_they_are_short(name: str) -> None:
    """Each has fewer than 40 lines, as many as the guide says, and is included there."""
    lines = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8").count("\n")
    assert lines < 40
    assert row(name)[1] == str(lines)
    page = (ROOT / "docs" / "howto" / "programs.md").read_text(encoding="utf-8")
    assert f"```{{literalinclude}} ../examples/{name}.py" in page


async def test_nixpkgs_review(github: FakeGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    """One member of a large artifact of a fork's run is found by commit, workflow and name."""
    changed = {"rebuildsByPlatform": {"x86_64-linux": ["hello", "nix"], "aarch64-darwin": []}}
    archive = build(
        Entry("outpaths.bin", bytes(20 * MIB)),
        Entry("changed-paths.json", json.dumps(changed).encode()),
        Entry("step-summary.md", noise(100_000)),
    )
    for number in range(40):  # more runs than a page of the original has
        other = github.add_run(REPO, workflow=f"other-{number}.yml", head_sha=SHA, head_repository="someone/nixpkgs")
        github.add_artifact(other, "comparison")
    values: dict[str, Any] = {"head_sha": SHA, "head_repository": "someone/nixpkgs", "event": "pull_request_target"}
    run = github.add_run(REPO, workflow="eval.yml", workflow_name="Eval", **values)
    github.add_artifact(run, "comparison", archive=archive)
    for number in range(40, 80):
        github.add_run(REPO, workflow=f"other-{number}.yml", head_sha=SHA)
    assert await load("nixpkgs_review").main([REPO, SHA]) == 0
    assert capsys.readouterr().out == "x86_64-linux: hello nix\naarch64-darwin: \n"
    assert f"{sum(count(github))} requests" in row("nixpkgs_review")[3]
    assert sum(request.bytes_sent for request in github.requests_to("storage")) < 70_000


async def test_nixpkgs_review_without_a_result(github: FakeGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    """A commit that was not evaluated is said to be, and is the exit code."""
    github.add_run(REPO)
    assert await load("nixpkgs_review").main([REPO, SHA]) == 1
    assert capsys.readouterr().err.startswith(f"no artifact of {REPO} matches ")


async def test_error_statistics(github: FakeGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    """Errors of all artifacts of a run are counted, twins of one name included; what fails is told."""
    run = github.add_run(REPO, workflow="self-scheduled.yml", jobs=("Model tests / bert", "Model tests / gpt2"))
    large = Entry("reports.bin", noise(3 * MIB))

    def reports(job: str, *errors: str) -> bytes:
        lines = "".join(f"src/{job}.py:{at}: {error}\n" for at, error in enumerate(errors)) + "unrelated\n"
        tests = "".join(f"FAILED tests/{job}.py::{at}\n" for at, _ in enumerate(errors))
        texts = {"failures_line.txt": lines, "summary_short.txt": tests + "PASSED x\n", "job_name.txt": job}
        return build(large, *(Entry(name, text.encode()) for name, text in texts.items()), Entry("pad", noise(70_000)))

    github.add_artifact(run, "bert_test_reports", archive=reports("bert", "OutOfMemory", "ValueError: 3: 4"))
    github.add_artifact(run, "bert_test_reports", archive=reports("bert", "OutOfMemory"))
    github.add_artifact(run, "gpt2_test_reports", archive=reports("gpt2", "OutOfMemory"))
    github.add_artifact(run, "passed_test_reports", archive=build(large, Entry("job_name.txt", b"bert")))
    gone = github.add_artifact(run, "expired_test_reports", expired=True)
    program = load("error_statistics")
    assert await program.main([REPO, str(run.id)]) == 1
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0::2] == ["    3 OutOfMemory", "    1 ValueError: 3: 4"]
    assert all(re.fullmatch(r" +tests/(bert|gpt2)\.py::\d https?://\S+", line) for line in lines[1::2])
    assert str(gone) in said.err


async def test_error_statistics_costs_what_the_guide_says(github: FakeGitHub) -> None:
    """A run of 100 artifacts: requests as in the table, and at most 3 % of the bytes."""
    run = github.add_run(REPO)
    files = {
        "reports.bin": noise(4 * MIB),
        "failures_line.txt": b"",
        "summary_short.txt": b"",
        "job_name.txt": b"build",
    }
    archive = make({**files, "pad": noise(70_000)})
    for number in range(100):
        github.add_artifact(run, f"{number}_test_reports", archive=archive, digest="sha256:" + "0" * 64)
    assert await load("error_statistics").main([REPO, str(run.id)]) == 0
    assert f"{sum(count(github))} requests" in row("error_statistics")[3]
    assert github.bytes_sent() < 0.03 * 100 * len(archive)


async def test_collect_wheels(
    github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The program waits for the run and its end, and puts the wheels of more than one page into one folder."""
    monkeypatch.chdir(tmp_path)
    github.add_repository(REPO)
    program = load("collect_wheels")
    values: dict[str, Any] = {"status": "in_progress", "conclusion": None}

    async def build_wheels() -> None:
        await asyncio.sleep(12)
        run = github.add_run(REPO, workflow="wheel-builder.yml", branch="42.0.0", **values)
        await asyncio.sleep(600)
        for number in range(40):
            wheel = f"cryptography-42.0.0-{number}.whl"
            github.add_artifact(run, f"wheel-{number}", archive=make({wheel: noise(100_000, number)}))
        github.update_run(run, status="completed", conclusion="success")

    github.add_run(REPO, workflow="wheel-builder.yml", branch="41.0.0")
    github.forget_requests()
    _, status = await asyncio.gather(build_wheels(), program.main([REPO, "42.0.0", "dist"]))
    assert status == 0
    wheels = {f"cryptography-42.0.0-{number}.whl": noise(100_000, number) for number in range(40)}
    assert tree(tmp_path / "dist") == wheels
    said = capsys.readouterr().out.splitlines()
    assert sorted(said) == sorted(str(Path("dist") / name) for name in wheels)
    polls = [request for request in github.requests_to("api") if request.status == 304]
    counted = len(github.requests) - len(polls)
    assert f"{counted} requests" in row("collect_wheels")[3]
    assert "about 40 polls" in row("collect_wheels")[3]
    assert abs(len(polls) - 40) <= 4


async def test_collect_wheels_of_a_run_that_failed(
    github: FakeGitHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a run that failed nothing is downloaded, and the exit code says so."""
    run = github.add_run(REPO, workflow="wheel-builder.yml", branch="42.0.0", conclusion="failure")
    github.add_artifact(run, "wheel")
    assert await load("collect_wheels").main([REPO, "42.0.0", str(tmp_path / "dist")]) == 1
    assert "ended with failure; nothing was downloaded" in capsys.readouterr().err
    assert not (tmp_path / "dist").exists()


# --- the webhook


@pytest.fixture
async def post() -> AsyncGenerator[Callable[..., Awaitable[tuple[int, str]]]]:
    """Run the service on loopback; post deliveries to it as GitHub does."""
    program = load("webhook")
    runner = web.AppRunner(program.application(SECRET))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession() as session:

        async def deliver(
            payload: Any, event: str | None = "workflow_run", *, sign: str | None = SECRET, body: bytes | None = None
        ) -> tuple[int, str]:
            signed = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
            headers = {} if event is None else {"X-GitHub-Event": event}
            if sign is not None:
                headers["X-Hub-Signature-256"] = f"sha256={hmac.new(sign.encode(), signed, hashlib.sha256).hexdigest()}"
            async with session.post(f"http://{host}:{port}/", data=body or signed, headers=headers) as answer:
                return answer.status, await answer.text()

        yield deliver
    await runner.cleanup()


def delivery(run_id: int, **changes: Any) -> dict[str, Any]:
    """Return a payload, as far as the service looks at it."""
    run = {"id": run_id, "head_repository": {"full_name": REPO}, "conclusion": "success"}
    return {"action": "completed", "workflow_run": run, "repository": {"full_name": REPO}, **changes}


async def test_webhook(github: FakeGitHub, post: Callable[..., Awaitable[tuple[int, str]]]) -> None:
    """A signed delivery is answered with what the run's artifacts report, large ones not downloaded."""
    run = github.add_run(REPO)
    archive = make({"trace.bin": noise(MIB), "d/summary.json": b'{"passed": 7}', "pad": noise(90_000)})
    github.add_artifact(run, "linux", archive=archive)
    github.add_artifact(run, "macos", files={"summary.json": '{"passed": 6}'})
    github.add_artifact(run, "other", files={"a.txt": "a"})
    status, text = await post(delivery(run.id))
    assert status == 200
    assert json.loads(text) == {"run": run.id, "reports": {"linux": {"passed": 7}, "macos": {"passed": 6}}}
    assert github.bytes_sent() < 75_000


@pytest.mark.parametrize(
    "how",
    [
        {"sign": None},
        {"sign": "another secret"},
        {"body": b'{"action": "completed"}'},
        {"sign": None, "event": "ping"},
    ],
    ids=["unsigned", "another secret", "tampered", "unsigned ping"],
)
async def test_webhook_signatures(
    github: FakeGitHub, post: Callable[..., Awaitable[tuple[int, str]]], how: dict[str, Any]
) -> None:
    """Without the right signature of just these bytes, the answer is 401, and nothing is asked of GitHub."""
    run = github.add_run(REPO)
    status, text = await post(delivery(run.id), **how)
    assert (status, text) == (401, "the signature is missing or wrong")
    assert not github.requests


def test_webhook_signature_of_github() -> None:
    """GitHub's own example of a secret, a payload and its signature is accepted; no other bytes or texts are."""
    is_signed = load("webhook").is_signed
    right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert is_signed(SECRET.encode(), b"Hello, World!", right)
    for wrong in (
        "",
        right[7:],
        right[:-1],
        right.upper(),
        right.replace("sha256", "sha1"),
        "sha256=\udcff",
        "sha256=é",
    ):
        assert not is_signed(SECRET.encode(), b"Hello, World!", wrong)
    assert not is_signed(SECRET.encode(), b"Hello, World", right)


@pytest.mark.parametrize(
    ("event", "changes"),
    [
        ("ping", {}),
        (None, {}),
        ("push", {}),
        ("workflow_run", {"action": "requested"}),
        ("workflow_run", {"workflow_run": {"id": 1, "head_repository": {"full_name": "someone/octo-docs"}}}),
        ("workflow_run", {"workflow_run": {"id": 1, "head_repository": None}}),
    ],
)
async def test_webhook_ignores(
    github: FakeGitHub, post: Callable[..., Awaitable[tuple[int, str]]], event: str | None, changes: Any
) -> None:
    """Other events, other actions and runs of forks are taken, and nothing is done."""
    run = github.add_run(REPO)
    assert await post(delivery(run.id, **changes), event) == (204, "")
    assert not github.requests


async def test_webhook_that_is_no_json(github: FakeGitHub, post: Callable[..., Awaitable[tuple[int, str]]]) -> None:
    """A signed form, the other content type that a webhook can have, is answered with what to set."""
    assert await post(b"payload=%7B%7D") == (400, "set the webhook's content type to application/json")
    assert not github.requests


async def test_webhook_in_time(github: FakeGitHub, post: Callable[..., Awaitable[tuple[int, str]]]) -> None:
    """If reading takes longer than GitHub waits, the answer is 202 within its 10 seconds, and reading goes on."""
    run = github.add_run(REPO)
    slow = github.add_artifact(run, "slow", files={"summary.json": "{}"})
    github.faults.slow_headers(slow, seconds=20)
    began = asyncio.get_running_loop().time()
    status, text = await post(delivery(run.id))
    assert (status, json.loads(text)) == (202, {"run": run.id, "status": "reading"})
    assert asyncio.get_running_loop().time() - began < 10
    await asyncio.sleep(30)
    assert [request.status for request in github.requests_to("storage")] == [206]


async def test_webhook_whose_github_fails(github: FakeGitHub, post: Callable[..., Awaitable[tuple[int, str]]]) -> None:
    """An error of GitHub is told in the delivery's log."""
    run = github.add_run(REPO)
    github.tokens = {"another"}
    status, text = await post(delivery(run.id))
    assert status == 502
    assert json.loads(text)["run"] == run.id
    assert "401" in json.loads(text)["error"]


async def test_webhook_of_a_report_that_cannot_be_read(
    github: FakeGitHub, post: Callable[..., Awaitable[tuple[int, str]]]
) -> None:
    """An artifact that has no report is no failure; one whose report cannot be had is, and is not left out."""
    run = github.add_run(REPO)
    github.add_artifact(run, "log", files={"log.txt": "no report"})
    bad = github.add_artifact(run, "broken", archive=b"PK no zip", digest=None)
    status, text = await post(delivery(run.id))
    assert status == 502
    assert json.loads(text).keys() == {"run", "error"}
    assert "broken" in json.loads(text)["error"] or str(bad) in json.loads(text)["error"]


async def test_webhook_of_a_report_that_is_nested_too_deep(
    github: FakeGitHub, post: Callable[..., Awaitable[tuple[int, str]]]
) -> None:
    """What an artifact holds is data, whatever it is: it cannot end the service's answer."""
    run = github.add_run(REPO)
    github.add_artifact(run, "deep", files={"summary.json": "[" * 500_000})
    status, text = await post(delivery(run.id))
    assert (status, json.loads(text)["run"]) == (502, run.id)


def test_webhook_without_a_secret() -> None:
    """Without a secret the service does not start: anyone could sign."""
    with pytest.raises(ValueError, match="WEBHOOK_SECRET"):
        load("webhook").application("")


# --- all of them


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.timeout(300)
def test_type_checkers_accept_them() -> None:
    """Mypy and basedpyright, both strict, find nothing in any program."""
    paths = sorted(str(path) for path in EXAMPLES.glob("*.py"))
    for command in (
        ["-m", "mypy", "--strict", "--no-incremental", "--follow-imports=silent", *paths],
        ["-m", "basedpyright", "--pythonpath", sys.executable, *paths],
    ):
        done = subprocess.run(  # noqa: S603  fixed
            [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
