"""The Python examples of the README, the tutorial and the how-to guides run, and type checkers accept them."""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing.resource_tracker
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from gh_artifacts_async import ArtifactQuery, ArtifactsClient, AuthenticationError, NotFoundError, StaticToken
from gh_artifacts_async.testing import FakeGitHub
from tests.kits import examples
from tests.kits.apptoken import keys, minted
from tests.kits.redisserver import redis_server

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

REPO = "octo-org/octo-docs"
NAMES = ("Rails", "coverage", "docs")


def add_artifacts(fake: FakeGitHub) -> None:
    """Add two runs with artifacts of the same names, as nearly every repository has them."""
    for number in range(2):
        run = fake.add_run(REPO, branch="main")
        for name in NAMES:
            fake.add_artifact(run, name, files={"summary.json": b"{}" + b" " * number})


@pytest.fixture
async def github(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncGenerator[FakeGitHub]:
    """A fake GitHub that the environment points to, where names recur; the working directory is a new one."""
    async with FakeGitHub() as fake:
        add_artifacts(fake)
        for variable in ("GH_TOKEN", "GH_HOST", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GITHUB_SERVER_URL"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("GITHUB_API_URL", fake.base_url)
        monkeypatch.setenv("GITHUB_TOKEN", "t0ken")
        monkeypatch.setenv("APP_ID", "7")
        monkeypatch.setenv("APP_PRIVATE_KEY", keys().private.replace("\n", "\\n"))
        fake.add_installation(7, [REPO])
        fake.set_app_keys(7, keys().public)
        monkeypatch.chdir(tmp_path)
        yield fake


@pytest.fixture
async def values(github: FakeGitHub) -> AsyncGenerator[dict[str, object]]:
    """What examples use without defining it."""
    async with ArtifactsClient.from_env() as client:
        artifacts = [artifact async for artifact in client.list_artifacts(REPO)]
        yield {
            "client": client,
            "artifact": artifacts[0],
            "artifacts": artifacts,
            "artifact_id": artifacts[0].id,
            "repo": REPO,
            "token": "t0ken",
        }
        assert github.requests


@pytest.fixture(scope="module")
def obstore() -> None:
    """Start the threads of obstore, which it keeps with their descriptors."""
    import obstore.store

    asyncio.run(obstore.store.MemoryStore().put_async("a", b"a"))


@pytest.fixture(scope="module")
def resource_tracker() -> None:
    """Start what tracks the resources of processes, and is kept with its descriptor."""
    multiprocessing.resource_tracker.ensure_running()


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Undo what examples do to the process's logging."""
    loggers = [logging.getLogger(name) for name in ("", "gh_artifacts_async")]
    before = [(logger.level, logger.handlers[:]) for logger in loggers]
    yield
    for logger, (level, handlers) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.handlers[:] = handlers


def folder(name: str, tmp_path: Path) -> list[str]:
    """Return the files below a folder, by their paths in it."""
    return sorted(path.relative_to(tmp_path / name).as_posix() for path in (tmp_path / name).rglob("*.zip"))


def marked(page: Path) -> object:
    """Return a page as a parameter; a page that needs more than every environment has is tried in one of them."""
    found = examples.examples(page)
    marks = [pytest.mark.once] if any(example.once for example in found) else []
    return pytest.param(page, marks=marks, id=page.stem)


async def run_page(page: Path, values: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every example of a page; compare what it prints."""
    found = examples.examples(page)
    assert found or page.parent.name == "howto"
    certificate = tmp_path / "our-ca.pem"
    trustme.CA().cert_pem.write_to_path(str(certificate))
    names: dict[str, object] = {}
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for number, example in enumerate(found):
        if "RedisBudget" in example.source or "abort_stale_uploads" in example.source:
            continue  # their servers live in real time: see below
        (tmp_path / str(number)).mkdir()
        monkeypatch.chdir(tmp_path if not example.alone else tmp_path / str(number))
        replaced = example.source.replace("/etc/ssl/our-ca.pem", certificate.as_posix())
        replaced = replaced.replace("/srv/bucket", (tmp_path / "bucket").as_posix())
        said = await examples.run(examples.attrs.evolve(example, source=replaced), names, values)
        if example.output is not None:
            assert said == example.output, f"{example.page}:{example.line}"


OBJECT_STORAGE = examples.PAGES_BY_NAME["object-storage"]
ORGANISATION = examples.PAGES_BY_NAME["organization-mirror"]


@pytest.mark.parametrize(
    "page", [marked(page) for page in examples.PAGES if page not in {OBJECT_STORAGE, ORGANISATION}]
)
async def test_they_run(page: Path, values: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every example of a page runs to its end, in its order, and prints what the page says."""
    await run_page(page, values, tmp_path, monkeypatch)


@pytest.mark.once
@pytest.mark.usefixtures("obstore")
async def test_object_storage(values: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every artifact is in the bucket, as it was uploaded."""
    await run_page(OBJECT_STORAGE, values, tmp_path, monkeypatch)
    client, artifacts = values["client"], values["artifacts"]
    assert isinstance(client, ArtifactsClient)
    assert isinstance(artifacts, list)
    bucket = tmp_path / "0" / "bucket"
    assert len(list(bucket.glob("*.zip"))) == len(artifacts)
    for artifact in artifacts:
        assert await client.verify(artifact, bucket / f"{artifact.name}-{artifact.id}.zip")


@pytest.mark.once
@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.usefixtures("obstore", "resource_tracker")
async def test_a_cluster(values: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program starts worker processes, and every artifact of the organization is below its repository's name."""
    await run_page(ORGANISATION, values, tmp_path, monkeypatch)
    artifacts = values["artifacts"]
    assert isinstance(artifacts, list)
    wanted = sorted(f"{REPO}/{it.name}-{it.id}.zip" for it in artifacts)
    assert folder("backup", tmp_path / "0") == folder("bucket", tmp_path) == wanted


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.usefixtures("obstore")
async def test_what_killed_processes_leave_in_a_bucket() -> None:
    """The example aborts an upload that was begun long ago, in a bucket of moto's server."""
    from tests.kits.objectstores import moto_bucket  # which not every environment can import

    (example,) = (it for it in examples.examples(OBJECT_STORAGE) if "abort_stale_uploads" in it.source)
    with moto_bucket() as bucket:
        bucket.s3.create_bucket(Bucket="my-bucket")
        bucket.s3.create_multipart_upload(Bucket="my-bucket", Key="docs.zip")
        end = f'endpoint="{bucket.url}", access_key_id="a", secret_access_key="b")'
        source = example.source.replace('region="eu-central-1")', f'region="us-east-1", {end}')
        assert await examples.run(examples.attrs.evolve(example, source=source), {}, {}) == "aborted docs.zip\n"
        assert "Uploads" not in bucket.s3.list_multipart_uploads(Bucket="my-bucket")


async def test_which_calls_leave_forks_out(github: FakeGitHub, tmp_path: Path) -> None:
    """The calls are those of the table in the guide to forks."""
    run = github.add_run(REPO, branch="main", head_repository="some/one")
    foreign = github.add_artifact(run, "foreign", files={"a.txt": b"a"})
    query = ArtifactQuery(names="foreign", conclusion=None)
    async with ArtifactsClient.from_env() as client:
        assert [it async for it in client.find_artifacts(REPO, query)] == []
        with pytest.raises(NotFoundError):
            await client.read_latest(REPO, query, "a.txt")
        assert (await client.mirror(REPO, tmp_path / "selected", query=query)).fetched == ()
        allowed = ArtifactQuery(names="foreign", conclusion=None, allow_forks=True)
        assert [it.id async for it in client.find_artifacts(REPO, allowed)] == [foreign]
        assert [it.id async for it in client.list_artifacts(REPO, name="foreign")] == [foreign]
        assert [it.id async for it in client.list_run_artifacts(REPO, run.id)] == [foreign]
        assert (await client.wait_for_artifact(REPO, "foreign", timeout=1)).id == foreign
        async with client.watch(REPO, name="foreign", since=datetime(2020, 1, 1, tzinfo=UTC)) as watch:
            assert (await anext(watch)).id == foreign
        everything = await client.mirror(REPO, tmp_path / "all")
        assert foreign in {it.id for it in everything.fetched}


@pytest.mark.realtime
async def test_the_budget_that_processes_share(values: dict[str, object]) -> None:
    """The example runs against a Redis of the test's own."""
    (example,) = (it for it in examples.examples(examples.PAGES_BY_NAME["limits"]) if "RedisBudget" in it.source)
    with redis_server() as url:
        source = example.source.replace("redis://localhost", url)
        assert source != example.source
        await examples.run(examples.attrs.evolve(example, source=source), {}, values)


async def test_the_readme_downloads_all_of_them(values: dict[str, object], tmp_path: Path) -> None:
    """The README's program downloads every artifact, though their names recur, and run again it skips them."""
    program, *_ = examples.examples(examples.ROOT / "README.md")
    artifacts = values["artifacts"]
    assert isinstance(artifacts, list)
    for _ in range(2):
        said = await examples.run(program, {}, values)
        saved = [str(Path("artifacts") / f"{it.name}-{it.id}.zip") for it in artifacts]
        assert sorted(said.splitlines()) == sorted(saved)
    assert folder("artifacts", tmp_path) == sorted(f"{it.name}-{it.id}.zip" for it in artifacts)


async def test_the_readme_asks_a_question(values: dict[str, object], github: FakeGitHub) -> None:
    """From a question to a file's content takes as few requests as it says."""
    *_, question = examples.examples(examples.ROOT / "README.md")
    github.forget_requests()
    said = await examples.run(question, {}, values)
    assert said.endswith(" {} \n")
    assert len(github.requests) <= 6


def documents(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON documents in a text, whatever is printed around them."""
    decoder, at = json.JSONDecoder(), 0
    while (at := text.find("{", at)) >= 0:
        try:
            found, at = decoder.raw_decode(text, at)
        except ValueError:
            at += 1
        else:
            yield found


async def test_opentelemetry(github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The observer of the how-to guide writes spans and metrics of the SDK, and no secret is in them."""
    monkeypatch.chdir(tmp_path)
    (example,) = (it for it in examples.examples(examples.PAGES_BY_NAME["observe"]) if "opentelemetry" in it.source)
    github.faults.status(None, 502, where="api")
    github.faults.secondary_limit(None, times=1, retry_after=60)
    github.faults.cut(None, at=100)
    said = await examples.run(example, {}, {})
    assert said.count("<Success") == 3
    found = list(documents(said))
    spans = [it for it in found if "trace_id" in it.get("context", {})]
    requests = [span for span in spans if "url.path" in span["attributes"]]
    assert len(requests) == len(github.requests)
    assert {span["name"] for span in spans} == {"GET api", "GET storage", "download artifact"}
    statuses = sorted(span["attributes"].get("http.response.status_code", 0) for span in requests)
    assert statuses == [200, 200, 200, 200, 206, 302, 302, 302, 302, 403, 502]
    failed = [span for span in spans if span["status"]["status_code"] == "ERROR"]
    assert {span["attributes"]["http.response.status_code"] for span in failed} == {403, 502}
    assert all(span["start_time"] <= span["end_time"] for span in spans)
    (metrics,) = (it["resource_metrics"][0]["scope_metrics"][0]["metrics"] for it in found if "resource_metrics" in it)
    sums = {metric["name"]: sum(point["value"] for point in metric["data"]["data_points"]) for metric in metrics}
    assert sums == {
        "gh_artifacts.requests": len(requests),
        "gh_artifacts.retries": 3,
        "gh_artifacts.paused": 60,
        "gh_artifacts.artifacts": 3,
    }
    assert "t0ken" not in said
    assert "sig" not in said
    assert "?" not in said


async def test_the_bot_that_is_an_app_step_by_step(github: FakeGitHub, tmp_path: Path) -> None:
    """Create the App, run the bot too early, install the App, run the bot, narrow its rights, revoke its key."""
    github.tokens = set()
    github.scenario.installations.clear()
    bot, fewer, _ = examples.examples(examples.ROOT / "docs" / "howto" / "github-app.md")
    assert bot.is_program
    assert bot.source.count("\n") <= 16
    with pytest.raises(AuthenticationError, match="404 Not Found: the App is not installed there"):
        await examples.run(bot, {}, {})
    github.add_installation(7, [REPO], permissions={"actions": "write", "metadata": "read"})
    said = await examples.run(bot, {}, {})
    assert sorted(said.split()) == sorted(folder("artifacts", tmp_path))
    assert len(said.split()) == 2 * len(NAMES)
    assert minted(github) == 1
    narrowed = examples.attrs.evolve(
        fewer,
        source=f"{fewer.source}async with client:\n"
        f"    found = [it async for it in client.list_artifacts('{REPO}')]\n"
        "    await client.get_download_url(found[0])\n"
        "    try:\n        await client.delete_artifact(found[0])\n"
        "    except Exception as error:\n        print(error)\n",
    )
    assert "Resource not accessible by integration" in await examples.run(narrowed, {}, {"client": None})
    github.set_app_keys(7)
    with pytest.raises(AuthenticationError, match="401 A JSON web token could not be decoded: check the App's ID"):
        await examples.run(bot, {}, {})


def check(command: list[str], folder: Path) -> None:
    """Run a type checker over the examples; fail with what it says."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603  fixed
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.timeout(300)
def test_type_checkers_accept_them(tmp_path: Path) -> None:
    """Mypy and basedpyright, both strict, find nothing in any example."""
    for page in examples.PAGES:
        for number, module in enumerate(examples.modules(examples.examples(page))):
            (tmp_path / f"{page.stem}_{number}.py").write_text(module, encoding="utf-8")
    assert len(list(tmp_path.iterdir())) > len(examples.PAGES)
    for name, text in examples.STUBS.items():
        stub = tmp_path / "typings" / name
        stub.parent.mkdir(parents=True)
        stub.write_text(text, encoding="utf-8")
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "reportUnusedVariable": False}  # client = ...
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    check([sys.executable, "-m", "mypy", "--strict", "--no-incremental", *examples.UNTYPED, "."], tmp_path)
    check([sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable, "."], tmp_path)


def test_the_kit_wraps_fragments() -> None:
    """A fragment becomes a coroutine function with the variables it uses; a program stays one."""
    program = "import asyncio\nasync def main() -> None: ...\nasyncio.run(main())\n"
    whole = examples.Example(page="p", line=1, source=program, output=None, alone=True)
    assert whole.is_program
    assert whole.program == "import asyncio\nasync def main() -> None: ...\n"
    part = examples.Example(page="p", line=1, source="ArtifactsClient(token)\n", output=None, alone=True)
    assert not part.is_program
    assert part.function("f").splitlines()[-3:] == [
        "async def f(token: str) -> None:",
        "    from gh_artifacts_async import ArtifactsClient",
        "    ArtifactsClient(token)",
    ]
    assert StaticToken.__name__ not in part.imports
