"""Never run: what a user's type checker must make of the low level."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, assert_type

from gh_artifacts_async import (
    Artifact,
    ArtifactPage,
    ArtifactRetention,
    ExtractedMember,
    ExtractPolicy,
    Sender,
    SignedURL,
    WorkflowRun,
)
from gh_artifacts_async.api import (
    Document,
    GitHubSession,
    Location,
    Nothing,
    Request,
    Result,
    delete_artifact,
    get_artifact,
    get_artifact_and_log_retention_settings_repository,
    get_download_url,
    get_pull_request,
    get_workflow_run,
    get_workflow_run_attempt,
    list_artifacts_for_repo,
    list_jobs_for_workflow_run,
    list_repo_workflows,
    list_repos_for_org,
    list_repos_for_user,
    list_workflow_run_artifacts,
    list_workflow_runs,
    set_artifact_and_log_retention_settings_repository,
)
from gh_artifacts_async.archive import (
    RULES,
    TAIL,
    ArchiveDirectory,
    BytesReader,
    Extraction,
    FileReader,
    Folder,
    Member,
    MemberTable,
    NeedMore,
    Reader,
    Rule,
    audit,
    audit_directory,
    audit_headers,
    audit_reader,
    check_descriptor,
    check_local_header,
    extract,
    extract_all,
    header_length,
    inflate_member,
    parse_tail,
    read_member,
)
from gh_artifacts_async.models import RunPage
from gh_artifacts_async.models.neighbours import (
    JobPage,
    PullRequest,
    Repository,
    RepositoryPage,
    Workflow,
    WorkflowPage,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


async def low_level() -> None:
    """The endpoint coroutines."""
    async with GitHubSession("t", base_url="https://api.github.com") as session:
        page = await list_artifacts_for_repo(session, "o/r", per_page=10, page=2)
        assert_type(page.artifacts, tuple[Artifact, ...])
        assert_type(page.next_page, int | None)
        assert_type(await get_artifact(session, "o/r", 7), Artifact)


async def every_operation(session: GitHubSession) -> None:
    """One coroutine an operation, named as in GitHub's documentation."""
    assert_type(await list_workflow_run_artifacts(session, "o/r", 7, name="x", direction="desc"), ArtifactPage)
    assert_type(await delete_artifact(session, "o/r", 7), None)
    assert_type(await get_download_url(session, "o/r", 7), SignedURL)
    assert_type(await get_workflow_run(session, "o/r", 7), WorkflowRun)
    assert_type(await get_workflow_run_attempt(session, "o/r", 7, 1), WorkflowRun)
    assert_type(await list_workflow_runs(session, "o/r", workflow="ci.yml", page=2), RunPage)
    jobs = await list_jobs_for_workflow_run(session, "o/r", 7, attempts="all")
    assert_type(jobs, JobPage)
    workflows = await list_repo_workflows(session, "o/r")
    assert_type(workflows, WorkflowPage)
    assert_type(workflows.workflows, tuple[Workflow, ...])
    assert_type(await get_pull_request(session, "o/r", 3), PullRequest)
    for page in (await list_repos_for_org(session, "octo-org"), await list_repos_for_user(session, "octocat")):
        assert_type(page, RepositoryPage)
        assert_type(page.repositories, tuple[Repository, ...])
    assert_type(await get_artifact_and_log_retention_settings_repository(session, "o/r"), ArtifactRetention)
    await set_artifact_and_log_retention_settings_repository(session, "o/r", 30)
    session.check_usable()
    await session.aclose()


async def own_request(session: GitHubSession, sender: Sender) -> str:
    """An operation that the package does not have."""
    assert_type(await session.send(Request("list_tags", "/repos/o/r/tags", query=(("page", "2"),))), Result)
    match await sender.send(Request("delete_tag", "/repos/o/r/tags/x", "DELETE", answer="nothing")):
        case Document(data=data):
            return str(data)
        case Location(signed_url=url):
            return url.redacted
        case Nothing():
            return ""


def one_call(path: Path) -> None:
    """Audit and extract."""
    found = audit(path, ExtractPolicy(max_depth=3))
    assert_type(found, ArchiveDirectory)
    assert_type(found.get("a"), Member | None)
    assert_type(found.folders, tuple[Folder, ...])
    assert_type(found.folder_path(0), str)
    assert_type(found["a"].path, str)
    assert_type(found.files, MemberTable)
    assert_type([member.name for member in found], list[str])
    assert_type("a" in found, bool)
    assert_type(extract(path, "folder", if_exists="replace", durable=True), list[ExtractedMember])
    assert_type(RULES["overlap"], Rule)


class OwnReader:
    """Bytes from anywhere."""

    @property
    def size(self) -> int:
        """How many."""
        return 0

    def read_at(self, offset: int, length: int, /) -> bytes:
        """Return some of them."""
        del offset, length
        return b""


def readers(data: bytes) -> Iterator[Reader]:
    """Each of them is a Reader."""
    yield OwnReader()
    yield BytesReader(data)
    with FileReader("x.zip") as reader:
        assert_type(reader.read_at(0, 4), bytes)
        yield reader
        reader.close()


def tables(table: MemberTable) -> None:
    """Members by number, by name and one after the other."""
    assert_type(table[0], Member)
    assert_type(table[1:], MemberTable)
    assert_type(table.files(), MemberTable)
    assert_type(table.find("a"), Member | None)
    assert_type([*table.names(), *(member.base_name for member in table.at([1]))], list[str])
    assert_type(list(table.in_file_order()), list[Member])
    assert_type(list(table.extents()), list[tuple[int, int]])
    assert_type(list(table.summaries()), list[tuple[str, int, bool]])


def in_pieces(reader: Reader, tail: bytes, folder: Path) -> list[ExtractedMember]:
    """An archive that is elsewhere."""
    parsed = parse_tail(tail[-TAIL:], reader.size)
    if isinstance(parsed, NeedMore):
        assert_type(parsed.start, int)
        parsed = audit_directory(reader)
    assert_type(parsed, ArchiveDirectory)
    assert_type(audit_reader(reader), ArchiveDirectory)
    audit_headers(reader, parsed)
    member = parsed["a"]
    length = header_length(tail[:30]) + check_local_header(member, tail)
    assert_type(length, int)
    check_descriptor(member, tail)
    assert_type(b"".join(inflate_member(member, [tail])) + b"".join(read_member(reader, member)), bytes)
    with Extraction(parsed, folder, members=(member,)) as extraction:
        extraction.write_member(member, [tail])
        extraction.extract_members(reader, extraction.selected)
        extraction.read_through([tail])
        extract_all(extraction, reader, threads=1)
        assert_type(extraction.staged, Path)
        extraction.stop()
        extraction.abort()
        return extraction.commit()
