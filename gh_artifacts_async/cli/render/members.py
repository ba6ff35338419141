"""What is in an archive, as lines: a table of a million rows would take longer than reading the archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from gh_artifacts_async.cli.render import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gh_artifacts_async import Member, RemoteArchive

_TIME = "%Y-%m-%d %H:%M"
_WIDTH = 9
_TIME_WIDTH = 16


def head() -> Text:
    """Return the heading."""
    return Text(_line("SIZE", "PACKED", "MODIFIED (UTC)", "NAME"), style="bold", no_wrap=True, overflow="ignore")


def body(archive: RemoteArchive) -> str:
    """Return a line a member, names last and whole, and one for all of them."""
    lines = [*_rows(archive), _total(archive)]
    return "".join(f"{line}\n" for line in lines)


def _rows(archive: RemoteArchive) -> Iterator[str]:
    for member in archive.members:
        if member.is_dir:
            yield _line("-", "-", _time(member), text.escaped(f"{member.name.removesuffix('/')}/"))
        else:
            sizes = text.size(member.size), text.size(member.compressed_size)
            yield _line(*sizes, _time(member), text.escaped(member.name))
    for link in archive.directory.skipped:
        yield _line("link", "-", _time(link), text.escaped(link.name))


def _total(archive: RemoteArchive) -> str:
    directory = archive.directory
    files = len(directory.files)
    kinds = {"file": files, "folder": len(directory) - files, "link": len(directory.skipped)}
    said = [text.count(number, kind) for kind, number in kinds.items() if number or kind == "file"]
    return _line(text.size(directory.total_size), text.size(directory.total_compressed_size), "", ", ".join(said))


def _line(size: str, packed: str, time: str, name: str) -> str:
    return f"{size:>{_WIDTH}}  {packed:>{_WIDTH}}  {time:<{_TIME_WIDTH}}  {name}"


def _time(member: Member) -> str:
    return "-" if member.mtime is None else f"{member.mtime:{_TIME}}"


def cost(archive: RemoteArchive) -> str:
    """Return one line about what was fetched."""
    fetched, requests = text.size(archive.bytes_fetched), text.count(archive.requests, "request")
    if archive.ranged:
        return f"fetched {fetched} of {text.size(archive.directory.size)} in {requests}"
    return f"fetched the whole archive ({fetched} in {requests}), since its storage does not support ranges"
