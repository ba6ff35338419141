"""Where an artifact goes: names, layouts, hostile ones too."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async import (
    Artifact,
    ArtifactRef,
    ArtifactRun,
    ArtifactsClient,
    ConfigurationError,
    DestinationExistsError,
    DownloadResult,
    RepositoryName,
    WorkflowRun,
)
from gh_artifacts_async.protocol.filenames import Destination
from gh_artifacts_async.testing import FakeGitHub, FakeRun
from gh_artifacts_async.transfer.disk import layouts
from tests.kits.transfer import INLINE_SIZE, REPO, add, fetch_all, listed, names


def single(artifact: Artifact, folder: Path, filename: str | None) -> Destination:
    """Return the place of a single download."""
    return Destination(folder=folder, stem=filename or artifact.name, exact=filename is not None)


HOME = Path("/srv/someone/artifacts")
HOSTILE = [
    "..",
    "../x",
    "../../etc/passwd",
    "/etc/passwd",
    "a/b",
    "a\\b",
    ".",
    "",
    " ",
    "a\x00b",
    "a\nb",
    "C:\\x",
    "\\\\unc\\x",
]
HOSTILE += [
    "con",
    "NUL.txt",
    "a:b",
    "x" * 400,
    "é" * 200,
    "\u202egnp.exe",
    "name.",
    "name ",
    "\x7f",
    "..\\..\\x",
    "~",
    "-rf",
]


def artifact(name: str = "docs", **values: Any) -> Artifact:
    """Make an artifact of that name."""
    values = {
        "repository": RepositoryName("octo-org", "octo-docs"),
        "workflow_run": ArtifactRun(id=42, head_branch="topic/a b", head_sha="0" * 40),
        "created_at": datetime(2026, 7, 9, 23, 59, tzinfo=UTC),
        **values,
    }
    return Artifact(
        id=7, node_id="n", name=name, size_in_bytes=1, url="u", archive_download_url="d", expired=False, **values
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [("docs", "docs.zip"), ("docs.zip", "docs.zip"), ("Docs.ZIP", "Docs.ZIP"), ("a.tar", "a.tar.zip")],
)
def test_single_zip(name: str, expected: str) -> None:
    """A zip is named after its artifact, with one .zip."""
    assert single(artifact(name), HOME, None).path() == HOME / expected


def test_single_raw() -> None:
    """A raw file keeps the name storage gives it, or its artifact's."""
    place = single(artifact("report.html"), HOME, None)
    assert (
        place.raw_path("attachment; filename=\"x.html\"; filename*=UTF-8''r%C3%A9sum%C3%A9.html")
        == HOME / "résumé.html"
    )
    assert place.raw_path(None) == HOME / "report.html"
    assert place.path("raw", None) == HOME / "report.html"
    assert place.path("zip", None) == HOME / "report.html.zip"


@pytest.mark.parametrize("kind", ["zip", "raw"])
def test_filename(kind: Any) -> None:
    """A file name that the caller chose is taken whole."""
    place = single(artifact(), HOME, "mine.bin")
    assert place.path(kind, 'attachment; filename="theirs.bin"') == HOME / "mine.bin"


def test_layout_id() -> None:
    """The layout "id" puts the id behind the name; a raw file keeps its type."""
    assert layouts.by_layout(artifact(), HOME, "id").path() == HOME / "docs-7.zip"
    assert layouts.by_layout(artifact("a.txt"), HOME, "id").raw_path('x; filename="b.txt"') == HOME / "a-7.txt"
    assert layouts.by_layout(artifact(".x"), HOME, "id").raw_path(None) == HOME / ".x-7"
    assert layouts.by_layout(artifact("plain"), HOME, "id").raw_path(None) == HOME / "plain-7"


def test_layout_name() -> None:
    """The layout "name" is that of a single download."""
    assert layouts.by_layout(artifact(), HOME, "name") == single(artifact(), HOME, None)


def test_layout_template() -> None:
    """A template makes folders of its slashes, and of no others."""
    layout = "{owner}/{repo}/{branch}/{run_id}/{date}-{sha}-{name}-{id}"
    place = layouts.by_layout(artifact(), HOME, layout)
    assert place.path() == HOME / "octo-org/octo-docs/topic_a b/42" / f"2026-07-09-{'0' * 40}-docs-7.zip"
    assert place.raw_path('x; filename="theirs"').name == f"2026-07-09-{'0' * 40}-docs-7"


def test_layout_template_of_nothing() -> None:
    """What an artifact does not say has a word in its place."""
    bare = artifact(workflow_run=None, created_at=None, repository=None)
    place = layouts.by_layout(bare, HOME, "{owner}/{repo}/{branch}/{run_id}/{date}/{sha}/{name}")
    assert place.path() == HOME / "no-owner/no-repo/no-branch/no-run/no-date/no-sha/docs.zip"
    for run in (None, WorkflowRun(id=42)):
        place = layouts.by_layout(bare, HOME, "{workflow}/{event}/{run_number}/{attempt}/{name}", run)
        assert place.path() == HOME / "no-workflow/no-event/no-run-number/no-attempt/docs.zip"


@pytest.mark.parametrize(
    ("layout", "run", "attempt"),
    [
        ("{run_number}/{name}", True, False),
        ("{attempt}/{name}", True, True),
        ("{run_id}/{name}", False, False),
        ("id", False, False),
        (str, False, False),
    ],
)
def test_what_a_layout_needs(layout: Any, run: bool, attempt: bool) -> None:  # noqa: FBT001
    """Each costs requests, which no other layout makes."""
    assert (layouts.needs_run(layout), layouts.needs_attempt(layout)) == (run, attempt)


def test_layout_callable() -> None:
    """A callable gives a relative path, whose parts are made safe."""
    assert (
        layouts.by_layout(artifact(), HOME, lambda it: f"{it.run_id}/con/{it.name}").path() == HOME / "42/_con/docs.zip"
    )
    assert layouts.by_layout(artifact(), HOME, lambda _: "a\\b").path() == HOME / "a/b.zip"


@pytest.mark.parametrize("answer", ["", ".", "..", "../x", "a/../b", "/abs", "a//b", "a/", "a\\..\\b"])
def test_layout_callable_that_leaves(answer: str) -> None:
    """A callable's path that leaves the directory is a ConfigurationError."""
    with pytest.raises(ConfigurationError, match="not a relative path inside"):
        layouts.by_layout(artifact(), HOME, lambda _: answer)


@pytest.mark.parametrize("answer", [None, 7, b"a", ["a"]])
def test_layout_callable_without_a_path(answer: Any) -> None:
    """A callable that has forgotten to return a path is a ConfigurationError, and no file called None."""
    with pytest.raises(ConfigurationError, match="which is no path"):
        layouts.by_layout(artifact(), HOME, lambda _: answer)


def test_layout_callable_with_a_pure_path() -> None:
    """A callable may return a path object."""
    given: Any = lambda it: PurePosixPath("a") / it.name  # noqa: E731
    assert layouts.by_layout(artifact(), HOME, given).path() == HOME / "a/docs.zip"


@pytest.mark.parametrize("layout", ["name", "id", "{name}", "{branch}/{run_id}/{name}-{id}", str])
def test_layouts_that_are_good(layout: Any) -> None:
    """Known layouts pass."""
    layouts.check_layout(layout)


@pytest.mark.parametrize(
    "layout",
    ["", "names", "{", "{unknown}", "{name!r}", "{name:>10}", "{0}", "{}", "{name.__class__}", "{name[0]}", 7, None],
)
def test_layouts_that_are_not(layout: Any) -> None:
    """Unknown fields, and those that reach into objects, are a ConfigurationError before anything is fetched."""
    with pytest.raises(ConfigurationError, match="layout must be"):
        layouts.check_layout(layout)


def _inside(path: Path, depth: int) -> None:
    parts = path.relative_to(HOME).parts
    assert len(parts) == depth
    for part in parts:
        assert part not in {"", ".", ".."}
        assert not set(part) & set('/\\\0<>:"|?*')
        assert len(part.encode()) <= 255


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(name: str) -> None:
    """A hostile artifact or branch name, or Content-Disposition, stays one part of the path."""
    it = artifact(name, workflow_run=ArtifactRun(head_branch=name))
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    for place in (single(it, HOME, None), layouts.by_layout(it, HOME, "id")):
        _inside(place.path(), 1)
        _inside(place.raw_path(f'attachment; filename="{quoted}"'), 1)
        _inside(place.raw_path(None), 1)
    _inside(layouts.by_layout(it, HOME, "{branch}/{name}").path(), 2)


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_name(name: str, header: str) -> None:
    """Whatever the name and whatever the header, the file is in the folder."""
    it = artifact(name, workflow_run=ArtifactRun(head_branch=header))
    place = single(it, HOME, None)
    _inside(place.path(), 1)
    _inside(place.raw_path(header), 1)
    _inside(layouts.by_layout(it, HOME, "{branch}/{name}").path(), 2)
    _inside(layouts.by_layout(it, HOME, "id").path(), 1)


@given(st.text(alphabet=string.ascii_letters + string.digits + "-_.", min_size=1, max_size=100))
def test_harmless_names_stay(name: str) -> None:
    """A name that needs no change gets none."""
    path = single(artifact(f"a{name}z"), HOME, None).path()
    assert path.name in {f"a{name}z", f"a{name}z.zip"}


@pytest.mark.parametrize("name", ["x" * 250, "é" * 150, "y" * 250 + ".html"])
def test_an_over_long_name_keeps_its_id(name: str) -> None:
    """Under the layout "id" the name is cut, not the id: two artifacts of one long name keep places of their own."""
    twins = [attrs.evolve(artifact(name), id=number) for number in (1234567, 1234568)]
    places = [layouts.by_layout(twin, HOME, "id") for twin in twins]
    assert len({place.path() for place in places}) == 2
    assert len({place.raw_path(None) for place in places}) == 2
    assert all("123456" in place.path().name and len(place.path().name.encode()) < 255 for place in places)


# --- of a collection


async def test_collision_in_a_collection(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Two artifacts of a collection with one place are an error before anything is requested."""
    for _ in range(2):
        add(github, "twin", size=INLINE_SIZE)
    artifacts = await listed(client)
    github.forget_requests()
    for subjects in (
        artifacts,
        tuple(artifacts),
        set(artifacts),
        dict.fromkeys(artifacts),
        {it.id: it for it in artifacts}.values(),
    ):
        with pytest.raises(DestinationExistsError, match="layout='id'"):
            await fetch_all(client, subjects, tmp_path, layout="name")
    assert not github.requests
    assert len(await fetch_all(client, artifacts, tmp_path)) == 2
    assert names(tmp_path) == {f"twin-{artifact.id}.zip" for artifact in artifacts}


async def test_collision_from_an_iterator(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """From an iterator, or by reference, the second becomes a failed outcome."""
    ids = [add(github, "twin", size=INLINE_SIZE) for _ in range(2)]
    artifacts = await listed(client)
    for folder, subjects in (("iterator", iter(artifacts)), ("refs", [ArtifactRef(REPO, it) for it in ids])):
        outcomes = await fetch_all(client, subjects, tmp_path / folder, layout="name")
        assert sorted(outcome.ok for outcome in outcomes) == [False, True]
        (failed,) = [outcome.error for outcome in outcomes if not outcome.ok]
        assert isinstance(failed, DestinationExistsError)


async def test_collision_of_names_that_only_storage_knows(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """Two raw artifacts that storage calls alike are not written over each other."""
    for number in range(2):
        add(github, f"raw-{number}", raw=("same.txt", b"%d" % number * 10))
    outcomes = await fetch_all(client, await listed(client), tmp_path, if_exists="replace", layout="name")
    assert sorted(outcome.ok for outcome in outcomes) == [False, True]
    (done,) = [outcome.value for outcome in outcomes if outcome.value]
    assert done.path.read_bytes() == github.content(done.artifact.id)


async def test_layouts(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A template, or a callable, says where each artifact goes."""
    one = github.add_run(REPO, branch="topic/x")
    it = github.add_artifact(one, "docs", files={"a": "b"})
    await fetch_all(client, await listed(client), tmp_path, layout="{branch}/{run_id}/{name}")
    await fetch_all(client, await listed(client), tmp_path, layout=lambda artifact: f"mine/{artifact.id}")
    assert names(tmp_path) == {f"topic_x/{one.id}/docs.zip", f"mine/{it}.zip"}


@pytest.mark.github_com("digest")
async def test_a_template_by_workflow(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """The run of each artifact is asked for once, and its workflow's name is a folder."""
    for workflow, branch in (("ci.yml", "main"), ("docs.yml", "topic/x")):
        repo_run = github.add_run(REPO, workflow=workflow, workflow_name=workflow.upper(), branch=branch)
        for name in ("one", "two"):
            github.add_artifact(repo_run, name, files={"a.txt": b"a"})
    artifacts = await listed(client)
    outcomes = await fetch_all(client, artifacts, tmp_path, layout="{workflow}/{branch}/{run_id}/{name}")
    assert all(outcome.ok for outcome in outcomes)
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.zip")}
    runs = {artifact.run_id for artifact in artifacts}
    assert len(found) == 4
    assert {place.split("/")[0] for place in found} == {"CI.YML", "DOCS.YML"}
    assert {place.split("/")[1] for place in found} == {"main", "topic_x"}
    asked = [record for record in github.requests if "/runs/" in record.path]
    assert len(asked) == len(runs) == 2


def re_run(github: FakeGitHub, attempts: int) -> tuple[FakeRun, list[int]]:
    """Add a run with an artifact of one name from each of its attempts, an hour apart."""
    start = github.clock.now().replace(microsecond=0) - timedelta(hours=8)
    its_run, ids = github.add_run(REPO, run_number=33, created_at=start), []
    for number in range(1, attempts + 1):
        began = start + timedelta(hours=number - 1)
        if number > 1:
            its_run = github.update_run(its_run, attempt=number, run_started_at=began)
        uploaded = began + timedelta(minutes=5)
        ids.append(github.add_artifact(its_run, "docs", files={"a": str(number)}, created_at=uploaded))
    return its_run, ids


@pytest.mark.parametrize(("attempts", "asked"), [(1, []), (2, []), (4, [3, 2])])
async def test_a_template_by_attempt(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, attempts: int, asked: list[int]
) -> None:
    """Twins of re-runs are told apart; the run is asked for once, and each attempt that matters once."""
    its_run, ids = re_run(github, attempts)
    artifacts = await listed(client)
    github.forget_requests()
    outcomes = await fetch_all(client, artifacts, tmp_path, layout="{run_number}/{attempt}/{name}")
    found = {outcome.unwrap().path.relative_to(tmp_path).as_posix(): outcome.artifact.id for outcome in outcomes}
    assert found == {f"33/{number}/docs.zip": it for number, it in enumerate(ids, start=1)}
    prefix = github.scenario.profile.prefix
    url = f"{prefix}/repos/{REPO}/actions/runs/{its_run.id}"
    runs = [record.path for record in github.requests_to("api") if "/runs/" in record.path]
    assert runs == [url, *(f"{url}/attempts/{number}" for number in asked)]


async def test_no_attempt_is_asked_for_where_no_layout_needs_it(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """Another field of the run costs one request a run, however often it was re-run."""
    re_run(github, 4)
    artifacts = await listed(client)
    github.forget_requests()
    await fetch_all(client, artifacts, tmp_path, layout="{run_number}/{name}-{id}")
    assert sum("/runs/" in record.path for record in github.requests_to("api")) == 1
    assert len(names(tmp_path)) == 4


@pytest.mark.github_com("digest")
@pytest.mark.parametrize("extract", [False, True])
@pytest.mark.parametrize("content_type", ["text/html", "application/octet-stream"])
async def test_a_raw_file_under_storages_own_name_is_skipped(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, content_type: str, *, extract: bool
) -> None:
    """A raw file whose name only storage tells is known again when storage has told it."""
    github.add_artifact(github.add_run(REPO), "rawname", raw=("other.bin", b"bytes"), content_type=content_type)
    for skipped in (False, True):
        (outcome,) = await fetch_all(client, await listed(client), tmp_path, layout="name", extract=extract)
        assert isinstance(outcome.value, DownloadResult), outcome.error
        assert outcome.value.skipped is skipped
        assert outcome.value.path == tmp_path / "other.bin"
    (tmp_path / "other.bin").write_bytes(b"mine!")
    (outcome,) = await fetch_all(client, await listed(client), tmp_path, layout="name", extract=extract)
    assert isinstance(outcome.error, DestinationExistsError)
    assert (tmp_path / "other.bin").read_bytes() == b"mine!"
    assert [path.name for path in tmp_path.iterdir()] == ["other.bin"]


@pytest.mark.parametrize("extract", [False, True])
async def test_a_raw_file_is_skipped_under_the_default_layout(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, *, extract: bool
) -> None:
    """Two raw files that storage gives the same name have places of their own, and the second run fetches nothing."""
    for number in range(2):
        github.add_artifact(github.add_run(REPO), "rawname", raw=("other.bin", b"%d" % number))
    for skipped in (False, True):
        outcomes = await fetch_all(client, await listed(client), tmp_path, extract=extract)
        assert [outcome.unwrap().skipped for outcome in outcomes] == [skipped, skipped]
        for outcome in outcomes:
            assert f"-{outcome.artifact.id}" in outcome.value.path.name
            assert outcome.value.path.read_bytes() == github.content(outcome.artifact.id)


@pytest.mark.parametrize("folder", [".", "..", "/", "a.", "x/y", "x:"])
@pytest.mark.parametrize("extract", [False, True])
def test_a_place_is_the_path_as_a_string(folder, extract):
    """Claims compare strings, so a place is written as pathlib writes it, whatever the folder ends with."""
    destination = Destination(folder=Path(folder), stem="docs")
    assert destination.place(extract=extract) == str(Path(folder) / ("docs" if extract else "docs.zip"))
    assert destination.path(extract=extract) == Path(destination.place(extract=extract))
