"""``gh-artifacts ls`` and ``cat``: a look into a zip that stays with its storage."""

import contextlib
import sys
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar

import attrs
from cyclopts import Parameter

from gh_artifacts_async import Artifact, ArtifactRef, ArtifactsClient, ExtractPolicy, Member, RemoteArchive
from gh_artifacts_async.cli import repo as repositories
from gh_artifacts_async.cli import running
from gh_artifacts_async.cli.context import DOWNLOADING, Context
from gh_artifacts_async.cli.exits import OK, NoMatchError
from gh_artifacts_async.cli.options import Repo
from gh_artifacts_async.cli.output import Output, Printer
from gh_artifacts_async.cli.render import bars, documents, screen
from gh_artifacts_async.cli.render import members as lines
from gh_artifacts_async.cli.repo import Target
from gh_artifacts_async.cli.selection import Selection, select
from gh_artifacts_async.cli.selectors import Selectors
from gh_artifacts_async.errors import ArchiveLimitError, ArtifactExpiredError, ConfigurationError, MemberNotFoundError

T = TypeVar("T")

_LOOK = ExtractPolicy(max_total_bytes=None, max_ratio=None, max_depth=None, symlinks="skip")
"""Nothing is written to disk: how much an archive would unpack to, and where its links lead, does no harm."""

_SHOWN = 3


def ls(
    *words: str,
    repo: Repo = None,
    selectors: Annotated[Selectors, Parameter(name="*")] = Selectors(),  # noqa: B008 - frozen
    output: Annotated[Output, Parameter(name="*")] = Output(),  # noqa: B008 - frozen
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """List the members of a remote zip."""
    selectors.check()
    wanted: int | Selectors = selectors
    if selectors.given:
        argument, _ = repositories.split(words, after=0)
    else:
        argument, rest = repositories.split(words, after=1, instead=" or --name NAME")
        (wanted,) = repositories.ids(rest, by_name=True)
    printer = output.printer()
    target = context.target(argument, repo)
    return running.run(lambda: _if_any(context, wanted, _ls(context, target, wanted, printer))) or OK


def cat(
    *words: str,
    repo: Repo = None,
    selectors: Annotated[Selectors, Parameter(name="*")] = Selectors(),  # noqa: B008 - frozen
    max_bytes: int = 64 * 2**20,
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """Write one member of a remote zip to standard output."""
    if max_bytes < 1:
        msg = f"--max-bytes must be 1 or more, not {max_bytes}"
        raise ConfigurationError(msg)
    selectors.check()
    wanted: int | Selectors = selectors
    if selectors.given:
        argument, name = repositories.split_member(words)
    else:
        argument, (number, name) = repositories.split(words, after=2, instead=" or --name NAME and a MEMBER")
        (wanted,) = repositories.ids([number], by_name=True)
    target = context.target(argument, repo)
    data = running.run(lambda: _if_any(context, wanted, _read(context, target, wanted, name, max_bytes=max_bytes)))
    if data is not None:
        screen.write_bytes(sys.stdout, data)
    return OK


@asynccontextmanager
async def _opened(context: Context, target: Target, wanted: int | Selectors) -> AsyncGenerator[RemoteArchive]:
    """Open the archive; where all of it has to be fetched, which takes long, that is shown."""
    bar = bars.Spinner() if context.live else None
    observers = [] if bar is None else [bar]
    async with context.client(target, *observers, token_for=DOWNLOADING) as client:
        with bar or contextlib.nullcontext():
            artifact = await _one(client, target, wanted)
            async with client.open_archive(artifact, policy=_LOOK) as archive:
                yield archive


async def _one(client: ArtifactsClient, target: Target, wanted: int | Selectors) -> Artifact | ArtifactRef:
    """Return the one artifact that is given by its ID, or that the options select.

    Raises:
        NoMatchError: there is none.
        ConfigurationError: there are several.
    """
    if isinstance(wanted, int):
        return ArtifactRef(target.repo, wanted)
    selected = await select(client, target.repo, Selection(selectors=attrs.evolve(wanted, if_none="error")))
    for failure in selected.failures:
        raise failure.error
    if len(selected.artifacts) > 1:
        some = ", ".join(f"{artifact.name} ({artifact.id})" for artifact in selected.artifacts[:_SHOWN])
        more = ", …" if len(selected.artifacts) > _SHOWN else ""
        msg = f"{len(selected.artifacts)} artifacts match: {some}{more}; choose one with --name, or give its ID"
        raise ConfigurationError(msg)
    return selected.artifacts[0]


async def _if_any(context: Context, wanted: int | Selectors, work: Coroutine[Any, Any, T]) -> T | None:
    """Do something with an artifact; None if none matches, and ``--if-none`` says that is no error."""
    try:
        return await work
    except (NoMatchError, ArtifactExpiredError) as error:
        if isinstance(wanted, int) or wanted.if_none == "error":
            raise
        if wanted.if_none == "warn":
            context.warning(context.sentence(error))
        return None


async def _ls(context: Context, target: Target, wanted: int | Selectors, printer: Printer | None) -> int:
    """Show what is in an archive, and what it took to learn that."""
    async with _opened(context, target, wanted) as archive:
        document = None if printer is None else documents.archive(archive)
        cost = lines.cost(archive)
    if printer is not None:
        printer.document(document)
    else:
        for page in lines.pages(archive, screen.view(sys.stdout)):
            screen.write(sys.stdout, page)
    context.note(cost)
    return OK


async def _read(context: Context, target: Target, wanted: int | Selectors, name: str, *, max_bytes: int) -> bytes:
    """Return one file's bytes.

    Raises:
        MemberNotFoundError: there is no file of that name.
        ArchiveLimitError: it is larger than ``max_bytes``.
        ArtifactsError: it could not be fetched.
    """
    async with _opened(context, target, wanted) as archive:
        if any(link.name == name for link in archive.directory.skipped):
            msg = f"{name!r} is a symbolic link, and links are not followed"
            raise MemberNotFoundError(msg, member=name, rule="link")
        member = archive.directory.get(name)
        if member is None:
            raise MemberNotFoundError(lines.not_found(archive, target.repo, name), member=name, rule="name")
        size = _size(member)
        if size > max_bytes:
            msg = f"{name!r} is {size:,} bytes long, and the limit is {max_bytes:,}; use --max-bytes {size}"
            raise ArchiveLimitError(msg, member=name, rule="max_bytes", limit="max_bytes", value=size)
        data = await archive.read(name, max_bytes=max_bytes + _slack(max_bytes))
        cost = lines.cost(archive)
    if context.options.verbose:
        context.note(cost)
    return data


def _size(member: Member) -> int:
    """Return a member's unpacked bytes; its packed ones where those are more by far."""
    packed = member.compressed_size
    return packed if packed > member.size + _slack(member.size) else member.size


def _slack(size: int) -> int:
    """Return how many more bytes may be packed than unpacked: noise, in blocks with a header each."""
    return size // 1000 + 1024
