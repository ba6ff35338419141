"""What is in an archive: a table that is shown part by part, since an archive may have a million members."""

from __future__ import annotations

import difflib
from itertools import islice
from typing import TYPE_CHECKING

from gh_artifacts_async.cli.render import screen, tables, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gh_artifacts_async import Member, RemoteArchive, RepositoryName

_TIME = "%Y-%m-%d %H:%M"
_AT_ONCE = 1000

COLUMNS = (
    tables.Column("SIZE", right=True, usual=7),
    tables.Column("PACKED", right=True, drop=1, usual=7),
    tables.Column("MODIFIED (UTC)", drop=2, usual=16),
    tables.Column("NAME", easy=30, middle=True),
)


def pages(archive: RemoteArchive, view: screen.View) -> Iterator[str]:
    """Yield lines: one for each member, and one for all of them."""
    table, rows = tables.Table(COLUMNS, view), _rows(archive)
    while some := list(islice(rows, _AT_ONCE)):
        yield table.page(some, more=len(some) == _AT_ONCE)


def _rows(archive: RemoteArchive) -> Iterator[tables.Row]:
    for member in archive.members:
        if member.is_dir:
            yield tables.Row(("-", "-", _time(member), f"{member.name.removesuffix('/')}/"))
        else:
            sizes = text.size(member.size), text.size(member.compressed_size)
            yield tables.Row((*sizes, _time(member), member.name))
    for link in archive.directory.skipped:
        yield tables.Row(("link", "-", _time(link), link.name))
    yield _total(archive)


def _total(archive: RemoteArchive) -> tables.Row:
    directory = archive.directory
    files = len(directory.files)
    kinds = {"file": files, "folder": len(directory) - files, "link": len(directory.skipped)}
    said = [text.count(number, kind) for kind, number in kinds.items() if number or kind == "file"]
    sizes = text.size(directory.total_size), text.size(directory.total_compressed_size)
    return tables.Row((*sizes, "", ", ".join(said)), screen.BOLD)


def _time(member: Member) -> str:
    return "-" if member.mtime is None else f"{member.mtime:{_TIME}}"


def cost(archive: RemoteArchive) -> str:
    """Return one line about what was fetched."""
    fetched, requests = text.size(archive.bytes_fetched), text.count(archive.requests, "request")
    if archive.ranged:
        return f"fetched {fetched} of {text.size(archive.directory.size)} in {requests}"
    return f"fetched the whole archive ({fetched} in {requests}), since its storage does not support ranges"


def not_found(archive: RemoteArchive, repo: RepositoryName, name: str) -> str:
    """Return that there is no such file, which may be meant, and how to see all of them."""
    artifact, near = archive.artifact, _near(archive, name)
    meant = "" if near is None else f"; did you mean {near}?"
    files = len(archive.directory.files)
    said = f"{name!r} is not in artifact {artifact.id} ({artifact.name})"
    if not files:
        return f"{said}, which has no files; gh-artifacts ls {repo} {artifact.id} shows what it has"
    all_of_them = "file" if files == 1 else f"{files:,} files"
    return f"{said}{meant or ';'} gh-artifacts ls {repo} {artifact.id} lists its {all_of_them}"


def _near(archive: RemoteArchive, name: str) -> str | None:
    """Return the file of the same name in another folder, or else one whose name is nearly that."""
    names = [member.name for member in archive.directory.files]
    last = name.rpartition("/")[2]
    same = (one for one in names if one.rpartition("/")[2] == last)
    return next(same, None) or next(iter(difflib.get_close_matches(name, names[:_AT_ONCE], n=1)), None)
