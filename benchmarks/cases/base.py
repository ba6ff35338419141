"""The cases: what is prepared for each, and who takes part."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import shlex
import sys
import sysconfig
import time
import zipfile
import zlib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import data, goals
from benchmarks.runner import Plan, Rival, RunError, SkipError
from benchmarks.server import Nginx, SlowAPI, Storage
from benchmarks.tools import HERE, LOG, WORK, find

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from benchmarks.data import Blob, Dataset

    Check = Callable[[], None]
    Options = Mapping[str, object]

SCRIPTS = HERE / "rivals"
AT_ONCE = 16
_GIB = 2**30
_MIB = 2**20


@dataclass(frozen=True)
class Sizes:
    """How big everything is.

    Attributes:
        big: bytes of the one big blob.
        flat: bytes of a smaller and a bigger one, between which memory must not grow.
        small: how many small artifacts; 20 KB each.
        medium: how many middling ones; 1 MB each.
        pages: pages of the listing, 100 artifacts each.
        slow_pages: pages of the listing that comes late.
        mixed: members, unpacked bytes and packed bytes of the zip that is unpacked.
        remote: members, 1 MiB each, of the zip that stays remote.
    """

    big: int = _GIB
    flat: tuple[int, int] = (100_000_000, 4 * _GIB)
    small: int = 2000
    medium: int = 500
    pages: int = 100
    slow_pages: int = 100
    mixed: tuple[int, int, int] = (3260, 482_000_000, 287_000_000)
    remote: int = 1020


FULL = Sizes()
QUICK = Sizes(
    big=128 * _MIB,
    flat=(32 * _MIB, 256 * _MIB),
    small=200,
    medium=50,
    pages=30,
    slow_pages=15,
    mixed=(500, 50_000_000, 30_000_000),
    remote=50,
)
TINY = Sizes(
    big=4 * _MIB,
    flat=(_MIB, 8 * _MIB),
    small=20,
    medium=10,
    pages=3,
    slow_pages=3,
    mixed=(60, 4_000_000, 2_400_000),
    remote=4,
)


@dataclass(frozen=True)
class Bench:
    """What the cases build on.

    Attributes:
        sizes: how big everything is.
        datasets: where data comes from.
        memory: a folder in memory for what is downloaded, where there is one.
        rivals: the Python of the rivals' venv; None if there is none.
        lean: leave out the rivals that no goal names.
    """

    sizes: Sizes
    datasets: data.Datasets
    memory: Path
    rivals: str | None
    lean: bool

    @property
    def disk(self) -> Path:
        """A folder on disk for what is downloaded."""
        return WORK / "out"

    def ours(self, name: str, script: str, options: Options, check: Check | None = None) -> Rival:
        """Return a script of ours, run by this interpreter."""
        return Rival(name, (sys.executable, *_script(script, options)), check=check)

    def theirs(self, name: str, script: str, options: Options, check: Check | None = None) -> Rival:
        """Return a rival's script, run by the rivals' own interpreter."""
        return Rival(name, (self.rivals or "no-venv", *_script(script, options)), (), check)

    def plan(self, case: str, plan: Plan) -> Plan:
        """Leave out what cannot run, and in a lean run what no goal names."""
        named = {plan.subject}
        for goal in goals.GOALS:
            if goal.case == case:
                named |= {goal.subject, goal.rival or plan.subject}
        if self.lean:
            plan.rivals = [rival for rival in plan.rivals if rival.name in named]
        if self.rivals is None:
            plan.skipped |= {r.name: "no venv for the rivals" for r in plan.rivals if r.command[0] == "no-venv"}
        return plan


def _script(script: str, options: Options) -> list[str]:
    return [str(SCRIPTS / script), *(f"{key}={value}" for key, value in options.items() if value is not None)]


def _shell(name: str, line: str, needs: tuple[str, ...], check: Check | None = None) -> Rival:
    return Rival(name, ("sh", "-c", line), needs, check)


@dataclass(frozen=True)
class Case:
    """One benchmark.

    Attributes:
        key: "G1".
        title: what is measured.
        build: prepares it; the block's end stops its servers.
        tools: programs that it cannot do without, or whose rivals would be missed.
        disk: bytes that it may need, data and downloads together.
        warm_up: run each rival once before the rounds that count.
        more_rounds: a factor: short runs need more of them.
    """

    key: str
    title: str
    build: Callable[[Bench], AbstractContextManager[Plan]]
    tools: tuple[str, ...]
    disk: Callable[[Sizes], int]
    warm_up: bool = True
    more_rounds: int = 1


# --- checks -----------------------------------------------------------------------------------------------------------


def _check_blobs(out: Path, blobs: tuple[Blob, ...]) -> Check:
    """Return a check: these files, whole and right, and no others."""

    def check() -> None:
        found = {path.name for path in out.iterdir()}
        if found != {blob.filename for blob in blobs}:
            msg = f"left {len(found)} files instead of {len(blobs)}, e.g. {sorted(found)[:3]}"
            raise RunError(msg)
        for blob in blobs:
            with (out / blob.filename).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != blob.sha256:
                    msg = f"left a wrong {blob.filename}"
                    raise RunError(msg)

    return check


def _check_tree(root: Path, archive: Path) -> Check:
    """Return a check: every member of the archive is there, and right."""

    def check() -> None:
        with zipfile.ZipFile(archive) as zipped:
            members = zipped.infolist()
        for member in members:
            path = root / member.filename
            if not path.is_file() or zlib.crc32(path.read_bytes()) != member.CRC:
                msg = f"did not unpack {member.filename}"
                raise RunError(msg)
        files = sum(path.is_file() for path in root.rglob("*"))
        if files != len(members):
            msg = f"unpacked {files} files instead of {len(members)}"
            raise RunError(msg)

    return check


def _check_member(out: Path, archive: Path) -> Check:
    """Return a check: the one member is there, and right."""

    def check() -> None:
        with zipfile.ZipFile(archive) as zipped:
            right = zipped.read("report.txt")
        path = out / "report.txt"
        if not path.is_file() or path.read_bytes() != right:
            msg = "did not get report.txt"
            raise RunError(msg)

    return check


def _check_help() -> None:
    """Check that the last run printed a help text."""
    if "download" not in (LOG / "stdout").read_text("utf-8"):
        msg = "printed no help"
        raise RunError(msg)


def _require(*tools: str) -> None:
    missing = [tool for tool in tools if find(tool) is None]
    if missing:
        msg = f"{', '.join(missing)} is not here"
        raise SkipError(msg)


@contextmanager
def _nginx(dataset: Dataset, storage: Storage | None = None) -> Iterator[Nginx]:
    _require("nginx")
    data.warm(dataset)
    with Nginx(find("nginx") or "nginx", WORK / "nginx", dataset, storage or Storage()) as server:
        yield server


# --- one big blob -----------------------------------------------------------------------------------------------------


def _curl_download(url: str, ca: str) -> str:
    return f"curl -sSf {ca} {shlex.quote(url)}"


@contextmanager
def _one_blob(bench: Bench, case: str, *, tls: bool, out: Path) -> Iterator[Plan]:
    dataset = bench.datasets.noise_blobs(1, bench.sizes.big)
    with _nginx(dataset, Storage(tls=tls)) as server:
        blob, url = dataset.blobs[0], f"{server.storage}/1.zip"
        check = _check_blobs(out, dataset.blobs)
        ca, cacert = (server.ca_file, f"--cacert {server.ca_file}") if tls else (None, "")
        file, curl = out / blob.filename, _curl_download(url, cacert)
        aria = f"aria2c -q -x4 -s4 --file-allocation=none -d {out} -o {blob.filename}"
        aria += f" --ca-certificate={ca} {url}" if tls else f" {url}"
        ours, naive = {"api": server.api, "out": out, "ca": ca}, {"url": url, "out": out, "ca": ca}
        hashing = naive | {"sha256": blob.sha256}
        rivals = [
            bench.ours("ours", "ours_download.py", ours, check),
            _shell(goals.CURL, f"{curl} -o {file}", ("curl",), check),
            _shell(goals.TEE, f"{curl} | tee {file} | openssl dgst -sha256", ("curl", "openssl"), check),
            _shell("aria2c -x4 -s4 (no hash)", aria, ("aria2c",), check),
            bench.theirs(goals.URLLIB3, "urllib3_download.py", hashing, check),
            bench.theirs(goals.NAIVE, "aiohttp_download.py", naive, check),
            bench.theirs(goals.NAIVE_SHA, "aiohttp_download.py", hashing, check),
        ]
        yield bench.plan(case, Plan(rivals, out, settle=out == bench.disk))


def g1(bench: Bench) -> AbstractContextManager[Plan]:
    """Prepare one big blob over plain HTTP, to a file on disk."""
    return _one_blob(bench, "G1", tls=False, out=bench.disk)


def g2(bench: Bench) -> AbstractContextManager[Plan]:
    """Prepare the same over TLS 1.3, to a file in memory."""
    _require("openssl")
    return _one_blob(bench, "G2", tls=True, out=bench.memory)


@contextmanager
def g1m(bench: Bench) -> Iterator[Plan]:
    """Prepare a smaller and a bigger blob: memory must not grow."""
    out = bench.disk
    with ExitStack() as servers:
        rivals = []
        for number, (name, size) in enumerate(zip(("100 MB", "4 GiB"), bench.sizes.flat, strict=True)):
            dataset = bench.datasets.noise_blobs(1, size)
            data.warm(dataset)
            _require("nginx")
            prefix = WORK / f"nginx-{number}"
            server = servers.enter_context(Nginx(find("nginx") or "nginx", prefix, dataset, Storage()))
            check = _check_blobs(out, dataset.blobs)
            given = {"api": server.api, "out": out}
            rivals.append(bench.ours(f"ours, {name}", "ours_download.py", given, check))
        yield Plan(rivals, out, subject="ours, 4 GiB", limit=120, settle=True)


# --- many -------------------------------------------------------------------------------------------------------------


def _curl_config(folder: Path, api: str, out: Path, blobs: tuple[Blob, ...]) -> Path:
    lines = []
    for blob in blobs:
        lines.append(f'url = "{api}/repos/{data.REPOSITORY}/actions/artifacts/{blob.id}/zip"')
        lines.append(f'output = "{out / blob.filename}"')
    path = folder / "curl.conf"
    path.write_text("\n".join(lines), "utf-8")
    return path


def _aria_input(folder: Path, api: str, out: Path, blobs: tuple[Blob, ...]) -> Path:
    lines = []
    for blob in blobs:
        lines.append(f"{api}/repos/{data.REPOSITORY}/actions/artifacts/{blob.id}/zip")
        lines.append(f"  dir={out}\n  out={blob.filename}")
    path = folder / "aria.txt"
    path.write_text("\n".join(lines), "utf-8")
    return path


@contextmanager
def _many(bench: Bench, case: str, count: int, size: int) -> Iterator[Plan]:
    dataset, out = bench.datasets.noise_blobs(count, size), bench.memory
    with _nginx(dataset) as server:
        check = _check_blobs(out, dataset.blobs)
        curl = _curl_config(WORK, server.api, out, dataset.blobs)
        aria = _aria_input(WORK, server.api, out, dataset.blobs)
        given = {"api": server.api, "manifest": dataset.manifest, "out": out, "at_once": AT_ONCE}
        curl_line = f"curl -sSfL -Z --parallel-max {AT_ONCE} -H 'Authorization: Bearer token' -K {curl} 2>&1"
        aria_line = f"aria2c -q -j{AT_ONCE} --file-allocation=none -i {aria}"
        rivals = [
            bench.ours("ours", "ours_many.py", given, check),
            bench.theirs(goals.NAIVE, "aiohttp_many.py", given, check),
            bench.theirs(goals.NAIVE_SHA, "aiohttp_many.py", given | {"sha256": 1}, check),
            bench.theirs("githubkit", "githubkit_many.py", given, check),
            bench.theirs("githubkit, no cache", "githubkit_many.py", given | {"no_cache": 1}, check),
            bench.theirs(f"PyGithub, {AT_ONCE} threads", "pygithub_many.py", given, check),
            bench.theirs(f"requests, {AT_ONCE} threads", "requests_many.py", given, check),
            bench.theirs("httpx", "httpx_many.py", given, check),
            _shell(f"curl -Z, {AT_ONCE} (no hash)", curl_line, ("curl",), check),
            _shell(f"aria2c -j{AT_ONCE} (no hash)", aria_line, ("aria2c",), check),
        ]
        yield bench.plan(case, Plan(rivals, out))


def g3(bench: Bench) -> AbstractContextManager[Plan]:
    """Prepare many small artifacts."""
    return _many(bench, "G3", bench.sizes.small, 20_000)


def g4(bench: Bench) -> AbstractContextManager[Plan]:
    """Prepare many middling artifacts."""
    return _many(bench, "G4", bench.sizes.medium, 1_000_000)


# --- listings ---------------------------------------------------------------------------------------------------------


@contextmanager
def g5(bench: Bench) -> Iterator[Plan]:
    """Prepare a listing on loopback."""
    dataset = bench.datasets.listing(bench.sizes.pages)
    with _nginx(dataset) as server:
        given = {"api": server.api, "count": len(dataset.blobs)}
        rivals = [
            bench.ours("ours", "ours_list.py", given | {"at_once": 8}),
            bench.ours("ours, sequential", "ours_list.py", given | {"at_once": 1}),
            bench.theirs("githubkit", "githubkit_list.py", given),
            bench.theirs("PyGithub", "pygithub_list.py", given),
        ]
        yield bench.plan("G5", Plan(rivals))


@contextmanager
def g5l(bench: Bench) -> Iterator[Plan]:
    """Prepare a listing whose every page comes 150 ms late."""
    dataset = bench.datasets.listing(bench.sizes.slow_pages)
    with SlowAPI(dataset, 0.150) as server:
        given = {"api": server.api, "count": len(dataset.blobs)}
        rivals = [
            bench.ours("ours, 10 workers", "ours_list.py", given | {"at_once": 10}),
            bench.ours("ours, 32 workers", "ours_list.py", given | {"at_once": 32}),
            bench.ours("ours, sequential", "ours_list.py", given | {"at_once": 1}),
        ]
        yield bench.plan("G5L", Plan(rivals, subject="ours, 10 workers"))


@contextmanager
def g5d(bench: Bench) -> Iterator[Plan]:
    """Prepare pages to be decoded in process."""
    dataset = bench.datasets.listing(bench.sizes.pages)
    given = {"pages": dataset.folder / "api" / "pages", "count": len(dataset.blobs)}
    rivals = [
        bench.ours("ours", "decode_ours.py", given),
        bench.theirs("json + cattrs default", "decode_cattrs.py", given),
        bench.theirs("json + cattrs default, frozen", "decode_cattrs.py", given | {"frozen": 1}),
        bench.theirs("PyGithub construct", "decode_pygithub.py", given),
    ]
    yield bench.plan("G5D", Plan(rivals))


# --- zips -------------------------------------------------------------------------------------------------------------


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
    with _nginx(dataset) as server:
        url, file, tree = f"{server.storage}/1.zip", out / "blob-1.zip", out / "blob-1"
        ours = {"api": server.api, "out": out, "extract": 1}
        inside, flat = _check_tree(tree, archive), _check_tree(out, archive)
        unzip = f"curl -sSf {url} -o {file} && unzip -q {file} -d {tree}"
        seven = f"curl -sSf {url} -o {file} && 7z x -y -bd -o{tree} {file} >/dev/null"
        rivals = [
            bench.ours("ours", "ours_download.py", ours, inside),
            _shell("curl + unzip", unzip, ("curl", "unzip"), inside),
            _shell("curl | bsdtar", f"curl -sSf {url} | bsdtar -xf - -C {out}", ("curl", "bsdtar"), flat),
            _shell("curl + 7z", seven, ("curl", "7z"), inside),
            bench.theirs("urllib + zipfile", "zipfile_extract.py", {"url": url, "out": out}, inside),
        ]
        yield bench.plan("G7", Plan(rivals, out))


@contextmanager
def g7s(bench: Bench) -> Iterator[Plan]:
    """Prepare the same on a link of 40 MiB/s."""
    _client_has("download", "extract")
    dataset, out = bench.datasets.mixed_zip(*bench.sizes.mixed), bench.memory
    archive = dataset.folder / "blobs" / "1.zip"
    with _nginx(dataset, Storage(rate="40m")) as server:
        url, file, tree = f"{server.storage}/1.zip", out / "blob-1.zip", out / "blob-1"
        ours = {"api": server.api, "out": out, "extract": 1}
        inside, bare = _check_tree(tree, archive), _check_blobs(out, dataset.blobs)
        unzip = f"curl -sSf {url} -o {file} && unzip -q {file} -d {tree}"
        rivals = [
            bench.ours("ours", "ours_download.py", ours, inside),
            _shell("curl, bare transfer", f"curl -sSf {url} -o {file}", ("curl",), bare),
            _shell("curl + unzip", unzip, ("curl", "unzip"), inside),
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
    with _nginx(dataset, Storage(rate=rate, log=True)) as server:
        check, file = _check_member(out, archive), out / "blob-1.zip"
        line = f"curl -sSf {server.storage}/1.zip -o {file} && unzip -p {file} report.txt > {out}/report.txt"
        rivals = [
            bench.ours("ours", "ours_member.py", {"api": server.api, "out": out}, check),
            _shell("curl + unzip -p", line, ("curl", "unzip"), check),
        ]
        yield bench.plan(case, Plan(rivals, out, limit=120, extra=_Sent(server.log, archive).figures))


def g8(bench: Bench) -> AbstractContextManager[Plan]:
    """Prepare a zip of which one member is wanted."""
    return _remote(bench, "G8", "")


def g8s(bench: Bench) -> AbstractContextManager[Plan]:
    """Prepare the same on a link of 40 MiB/s."""
    return _remote(bench, "G8S", "40m")


# --- starting ---------------------------------------------------------------------------------------------------------


@contextmanager
def g9(bench: Bench) -> Iterator[Plan]:
    """Prepare imports."""
    theirs = bench.rivals or "no-venv"
    rivals = [
        Rival("ours", (sys.executable, "-c", "from gh_artifacts_async import ArtifactsClient")),
        Rival("import aiohttp", (sys.executable, "-c", "import aiohttp")),
        Rival("import githubkit", (theirs, "-c", "from githubkit import GitHub")),
        Rival("import PyGithub", (theirs, "-c", "from github import Github")),
        Rival("python alone", (sys.executable, "-c", "pass")),
    ]
    plan = Plan(rivals)
    program = Path(sysconfig.get_path("scripts"), "gh-artifacts")
    if importlib.util.find_spec("gh_artifacts_async.cli") is not None and program.exists():
        plan.rivals = [*rivals, Rival("gh-artifacts --help", (str(program), "--help"), check=_check_help)]
    else:
        plan.skipped["gh-artifacts --help"] = "not there yet"
    yield bench.plan("G9", plan)


def _two_blobs(sizes: Sizes) -> int:
    return 2 * sizes.big


def _mixed_bytes(sizes: Sizes) -> int:
    return 2 * sizes.mixed[2] + sizes.mixed[1]


CASES = (
    Case(
        "G1",
        "one big blob, plain HTTP, to a file on disk",
        g1,
        ("nginx", "curl", "openssl", "aria2c"),
        _two_blobs,
    ),
    Case(
        "G1M",
        "memory: a 100 MB blob, a 4 GiB blob",
        g1m,
        ("nginx",),
        lambda sizes: sizes.flat[0] + 2 * sizes.flat[1],
        warm_up=False,
    ),
    Case(
        "G2",
        "one big blob, TLS 1.3, to a file in memory",
        g2,
        ("nginx", "curl", "openssl", "aria2c"),
        _two_blobs,
    ),
    Case(
        "G3",
        "small artifacts (20 KB), the API's redirect included, 16 at once",
        g3,
        ("nginx", "curl", "aria2c"),
        lambda sizes: 2 * 30_000 * sizes.small,
    ),
    Case(
        "G4",
        "middling artifacts (1 MB), the API's redirect included, 16 at once",
        g4,
        ("nginx", "curl", "aria2c"),
        lambda sizes: 2_000_000 * sizes.medium,
    ),
    Case("G5", "a listing, 100 artifacts a page", g5, ("nginx",), lambda sizes: 600_000 * sizes.pages),
    Case(
        "G5L",
        "a listing whose pages come 150 ms late",
        g5l,
        (),
        lambda sizes: 600_000 * sizes.slow_pages,
        warm_up=False,
    ),
    Case("G5D", "decoding a listing in process", g5d, (), lambda sizes: 600_000 * sizes.pages),
    Case(
        "G7",
        "a mixed zip: download, verify, unpack, in memory",
        g7,
        ("nginx", "curl", "unzip", "bsdtar", "7z"),
        _mixed_bytes,
    ),
    Case("G7S", "the same on a link of 40 MiB/s", g7s, ("nginx", "curl", "unzip"), _mixed_bytes, warm_up=False),
    Case(
        "G8",
        "one 1 MiB member of a big remote zip",
        g8,
        ("nginx", "curl", "unzip"),
        lambda sizes: 2 * _MIB * sizes.remote,
    ),
    Case(
        "G8S",
        "the same on a link of 40 MiB/s",
        g8s,
        ("nginx", "curl", "unzip"),
        lambda sizes: 2 * _MIB * sizes.remote,
        warm_up=False,
    ),
    Case("G9", "starting: imports and --help", g9, (), lambda _: 0, more_rounds=3),
)
