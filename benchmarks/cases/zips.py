"""Zips: unpacked as they come, or read in part where they are."""

from __future__ import annotations

import inspect
import time
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.cases.base import MIB, Case, nginx, shell
from benchmarks.cases.checks import check_blobs, check_member, check_tree
from benchmarks.runner import Plan, SkipError
from benchmarks.server import Storage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from benchmarks.cases.base import Bench, Sizes


def _client_has(method: str, argument: str | None = None) -> None:
    """Skip the case if the client cannot do this yet."""
    from gh_artifacts_async import ArtifactsClient

    found = getattr(ArtifactsClient, method, None)
    if found is None or (argument is not None and argument not in inspect.signature(found).parameters):
        msg = f"not there yet: ArtifactsClient.{method}" + (f"({argument}=)" if argument else "()")
        raise SkipError(msg)


@contextmanager
def g7(bench: Bench) -> Iterator[Plan]:
    """Prepare a zip that is downloaded and unpacked."""
    _client_has("download", "extract")
    dataset, out = bench.datasets.mixed_zip(*bench.sizes.mixed), bench.memory
    archive = dataset.folder / "blobs" / "1.zip"
    with nginx(bench, dataset) as server:
        url, file, tree = f"{server.storage}/1.zip", out / "blob-1.zip", out / "blob-1"
        ours = {"api": server.api, "out": out, "extract": 1}
        inside, flat = check_tree(tree, archive), check_tree(out, archive)
        unzip = f"curl -sSf {url} -o {file} && unzip -q {file} -d {tree}"
        seven = f"curl -sSf {url} -o {file} && 7z x -y -bd -o{tree} {file} >/dev/null"
        rivals = [
            bench.ours("ours", "ours_download.py", ours, inside),
            shell("curl + unzip", unzip, ("curl", "unzip"), inside),
            shell("curl | bsdtar", f"curl -sSf {url} | bsdtar -xf - -C {out}", ("curl", "bsdtar"), flat),
            shell("curl + 7z", seven, ("curl", "7z"), inside),
            bench.theirs("urllib + zipfile", "zipfile_extract.py", {"url": url, "out": out}, inside),
        ]
        yield bench.plan("G7", Plan(rivals, out))


@contextmanager
def g7s(bench: Bench) -> Iterator[Plan]:
    """Prepare the same on a link of 40 MiB/s."""
    _client_has("download", "extract")
    dataset, out = bench.datasets.mixed_zip(*bench.sizes.mixed), bench.memory
    archive = dataset.folder / "blobs" / "1.zip"
    with nginx(bench, dataset, Storage(rate="40m")) as server:
        url, file, tree = f"{server.storage}/1.zip", out / "blob-1.zip", out / "blob-1"
        ours = {"api": server.api, "out": out, "extract": 1}
        inside, bare = check_tree(tree, archive), check_blobs(out, dataset.blobs)
        unzip = f"curl -sSf {url} -o {file} && unzip -q {file} -d {tree}"
        rivals = [
            bench.ours("ours", "ours_download.py", ours, inside),
            shell("curl, bare transfer", f"curl -sSf {url} -o {file}", ("curl",), bare),
            shell("curl + unzip", unzip, ("curl", "unzip"), inside),
        ]
        yield bench.plan("G7S", Plan(rivals, out))


class _Sent:
    """Counts what storage has sent, by its log, since the last time it was asked."""

    def __init__(self, log: Path, archive: Path) -> None:
        self._log = log
        self._read = 0
        with zipfile.ZipFile(archive) as zipped:
            member = zipped.getinfo("report.txt")
            directory = archive.stat().st_size - zipped.start_dir
        self._least = member.compress_size + directory

    def figures(self) -> dict[str, float]:
        """Return requests, bytes, and the bytes over the packed member and the zip's directory."""
        time.sleep(0.05)  # nginx writes its line after the last byte is sent
        text = self._log.read_text("ascii")
        lines, self._read = text[self._read :].splitlines(), len(text)
        sent = sum(int(line.split()[1]) for line in lines)
        return {"requests": len(lines), "bytes": sent, "bytes_over": sent - self._least}


@contextmanager
def _remote(bench: Bench, case: str, rate: str) -> Iterator[Plan]:
    _client_has("read_member")
    dataset, out = bench.datasets.remote_zip(bench.sizes.remote), bench.memory
    archive = dataset.folder / "blobs" / "1.zip"
    with nginx(bench, dataset, Storage(rate=rate, log=True)) as server:
        check, file = check_member(out, archive), out / "blob-1.zip"
        line = f"curl -sSf {server.storage}/1.zip -o {file} && unzip -p {file} report.txt > {out}/report.txt"
        rivals = [
            bench.ours("ours", "ours_member.py", {"api": server.api, "out": out}, check),
            shell("curl + unzip -p", line, ("curl", "unzip"), check),
        ]
        yield bench.plan(case, Plan(rivals, out, limit=120, extra=_Sent(server.log, archive).figures))


def g8(bench: Bench) -> AbstractContextManager[Plan]:
    """Prepare a zip of which one member is wanted."""
    return _remote(bench, "G8", "")


def g8s(bench: Bench) -> AbstractContextManager[Plan]:
    """Prepare the same on a link of 40 MiB/s."""
    return _remote(bench, "G8S", "40m")


def _mixed_bytes(sizes: Sizes) -> int:
    return 2 * sizes.mixed[2] + sizes.mixed[1]


def _remote_bytes(sizes: Sizes) -> int:
    return 2 * MIB * sizes.remote


G7 = Case(
    "G7",
    "a mixed zip: download, verify, unpack, in memory",
    g7,
    ("nginx", "curl", "unzip", "bsdtar", "7z"),
    _mixed_bytes,
)
G7S = Case("G7S", "the same on a link of 40 MiB/s", g7s, ("nginx", "curl", "unzip"), _mixed_bytes, warm_up=False)
G8 = Case("G8", "one 1 MiB member of a big remote zip", g8, ("nginx", "curl", "unzip"), _remote_bytes)
G8S = Case("G8S", "the same on a link of 40 MiB/s", g8s, ("nginx", "curl", "unzip"), _remote_bytes, warm_up=False)
