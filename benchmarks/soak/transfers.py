"""Transfers of every kind, one after the other, each result compared with what is known of the artifact."""

from __future__ import annotations

import asyncio
import hashlib
import random
import shutil
import traceback
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gh_artifacts_async import Artifact, ArtifactRef, ArtifactsError

from benchmarks.soak.catalogue import REPOSITORY, Entry

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from gh_artifacts_async import ArtifactsClient, DownloadResult, IfExists

DEADLINE = 120.0
"""Seconds after which a transfer hangs: several times what all attempts may take together."""

_FILES, _FOLDERS, _MANY = "files", "folders", "many"
_IF_EXISTS: tuple[IfExists, ...] = ("error", "skip", "replace")
_MOST_TOLD = 20  # mistakes that are told in full
_CANCELLED = 0.02
_MANY_AT_ONCE = 5
_BUSY = 0.05  # seconds until a look for a free artifact again


class WrongError(Exception):
    """A result that is not what it should be."""


@dataclass
class Tally:
    """What became of the transfers.

    Attributes:
        done: kind of transfer -> how many succeeded.
        failed: class of error -> how many failed with it.
        cancelled: how many were cancelled on purpose.
        bytes: that were compared.
        ways: how bodies were received -> how many.
        wrong: results that are not what they should be.
        hung: transfers that took longer than the deadline.
        broken: exceptions that no caller should see.
    """

    done: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    cancelled: int = 0
    bytes: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    hung: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def tell(self, kind: list[str], text: str) -> None:
        """Keep a mistake; the first ones are printed at once."""
        kind.append(text)
        if len(kind) <= _MOST_TOLD:
            print(text, flush=True)


class Soak:
    """The transfers of some clients, which differ in the ways that bodies take.

    Attributes:
        tally: what became of them.
    """

    def __init__(
        self,
        clients: Sequence[ArtifactsClient],
        borrowing: ArtifactsClient,
        entries: Sequence[Entry],
        folder: Path,
        *,
        tells: bool = False,
    ) -> None:
        """Write below ``folder``; ``tells``: print every failure. The first of the clients does most."""
        self.tally = Tally()
        self._tells = tells
        self._clients = clients
        self._client = clients[0]
        self._borrowing = borrowing
        self._entries = {entry.id: entry for entry in entries}
        self._free = set(self._entries)
        self._folder = folder
        self._kinds: dict[str, tuple[float, Callable[[random.Random], Awaitable[object]]]] = {
            "download": (10, self._download),
            "extract": (4, self._extract),
            "download_many": (2, self._many),
            "read_member": (4, self._read_member),
            "open_archive": (2, self._open_archive),
            "get_artifact": (6, self._get),
            "list_artifacts": (2, self._list),
            "list_run_artifacts": (2, self._list_run),
        }

    async def work(self, seed: str, until: float) -> None:
        """Transfer one thing after the other until the loop's time is ``until``."""
        source = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        weights = [weight for weight, _ in self._kinds.values()]
        while asyncio.get_running_loop().time() < until:
            name = source.choices(list(self._kinds), weights)[0]
            await self._watched(name, source)

    async def _watched(self, name: str, source: random.Random) -> None:
        """Do one thing and keep what became of it."""
        cancel = source.random() < _CANCELLED
        deadline = asyncio.timeout(source.random() if cancel else DEADLINE)
        try:
            async with deadline:
                await self._kinds[name][1](source)
        except WrongError as error:
            self.tally.tell(self.tally.wrong, f"wrong: {name}: {error}")
        except ArtifactsError as error:
            self._failed(name, error)
        except TimeoutError as error:
            if cancel and deadline.expired():
                self.tally.cancelled += 1
            else:
                where = "".join(traceback.format_tb((error.__cause__ or error).__traceback__)[-6:])
                self.tally.tell(self.tally.hung, f"hung: {name}\n{where}")
        except Exception:  # noqa: BLE001 - whatever it is, it is told
            self.tally.tell(self.tally.broken, f"broken: {name}\n{traceback.format_exc()}")
        else:
            self.tally.done[name] += 1

    def _failed(self, name: str, error: ArtifactsError) -> None:
        self.tally.failed[type(error).__name__] += 1
        if self._tells:
            print(f"failed: {name}: {type(error).__name__}: {error}", flush=True)

    # --- what to transfer

    @asynccontextmanager
    async def _some(self, source: random.Random, count: int = 1, *, zips: bool = False) -> AsyncIterator[list[Entry]]:
        """Give artifacts that nobody else is writing, once there are any: a place has room for one."""
        while not (free := sorted(number for number in self._free if self._entries[number].is_zip or not zips)):  # noqa: ASYNC110
            await asyncio.sleep(_BUSY)
        taken = source.sample(free, min(count, len(free)))
        self._free -= set(taken)
        try:
            yield [self._entries[number] for number in taken]
        finally:
            self._free |= set(taken)

    def _chosen(self, source: random.Random, entries: Sequence[Entry]) -> ArtifactsClient:
        """Return a client; a borrowed session may use connections with surplus answers, which only a digest shows."""
        return source.choice([*self._clients, *([self._borrowing] if all(entry.digest for entry in entries) else [])])

    async def _subject(self, source: random.Random, entry: Entry) -> Artifact | ArtifactRef:
        if source.random() < 0.5:  # noqa: PLR2004 - either is as good
            return ArtifactRef(REPOSITORY, entry.id)
        return await self._got(entry)

    # --- the API

    async def _get(self, source: random.Random) -> None:
        await self._got(self._entries[source.choice(list(self._entries))])

    async def _got(self, entry: Entry) -> Artifact:
        artifact = await self._client.get_artifact(REPOSITORY, entry.id)
        _compare(artifact, entry)
        return artifact

    async def _list(self, source: random.Random) -> None:
        size, ahead = source.choice((7, 10, 30, 100)), source.choice((1, 4))
        listing = self._client.list_artifacts(REPOSITORY, per_page=size, concurrency=ahead)
        await self._listed(listing, self._entries)

    async def _list_run(self, source: random.Random) -> None:
        run = source.choice(list(self._entries.values())).run
        expected = {number: entry for number, entry in self._entries.items() if entry.run == run}
        size, ahead = source.choice((3, 5, 10, 100)), source.choice((1, 4))
        listing = self._client.list_run_artifacts(REPOSITORY, run, per_page=size, concurrency=ahead)
        await self._listed(listing, expected)

    async def _listed(self, listing: AsyncIterable[Artifact], expected: Mapping[int, Entry]) -> None:
        """Compare a listing with what it should be.

        Raises:
            WrongError: one is missing, comes twice, or is not one of them.
        """
        seen: Counter[int] = Counter()
        async for artifact in listing:
            if artifact.id not in expected:
                msg = f"a listing has artifact {artifact.id}, which is not of it"
                raise WrongError(msg)
            _compare(artifact, expected[artifact.id])
            seen[artifact.id] += 1
        if seen != Counter(expected.keys()):
            msg = f"a listing of {len(expected)} gave {seen.total()}, {len(seen)} different ones"
            raise WrongError(msg)

    # --- files

    async def _download(self, source: random.Random) -> None:
        async with self._some(source) as (entry,):
            place = self._folder / _FILES / entry.filename
            if_exists = source.choice(_IF_EXISTS)
            if source.random() < 0.7 or if_exists == "error":  # noqa: PLR2004 - the others have nothing to do
                place.unlink(missing_ok=True)
            artifact = await self._subject(source, entry)
            client, connections = self._chosen(source, [entry]), source.choice((None, None, 4))
            try:
                result = await client.download(artifact, place.parent, if_exists=if_exists, connections=connections)
            finally:
                if place.exists():  # also after a failure, what is there has to be right
                    await self._check_file(place, entry)
            await self._check(result, entry, place)

    async def _extract(self, source: random.Random) -> None:
        async with self._some(source, zips=True) as (entry,):
            place = self._folder / _FOLDERS / entry.name
            if_exists = source.choice(_IF_EXISTS)
            if source.random() < 0.7 or if_exists == "error":  # noqa: PLR2004
                shutil.rmtree(place, ignore_errors=True)
            artifact = await self._subject(source, entry)
            try:
                await self._client.download(artifact, place.parent, extract=True, if_exists=if_exists)
            finally:
                if place.exists():
                    await self._check_folder(place, entry)

    async def _many(self, source: random.Random) -> None:
        async with self._some(source, _MANY_AT_ONCE) as entries:
            artifacts = [ArtifactRef(REPOSITORY, entry.id) for entry in entries]
            folder = self._folder / _MANY
            if_exists = source.choice(_IF_EXISTS[1:])
            client = self._chosen(source, entries)
            async with client.download_many(artifacts, folder, concurrency=3, if_exists=if_exists) as outcomes:
                async for outcome in outcomes:
                    if outcome.ok:
                        await self._check(outcome.value, self._entries[outcome.artifact.id])
                        if source.random() < 0.7:  # noqa: PLR2004
                            outcome.value.path.unlink()
                    elif isinstance(outcome.error, ArtifactsError):
                        self._failed("download_many", outcome.error)
                    else:
                        raise outcome.error

    async def _check(self, result: DownloadResult, entry: Entry, place: Path | None = None) -> None:
        """Compare a result with its artifact, byte by byte.

        Raises:
            WrongError: they differ.
        """
        _compare(result.artifact, entry)
        self.tally.ways[result.way or "none"] += 1
        found = (result.size, None if result.digest is None else result.digest.hex)
        skipped = result.skipped and not entry.digest
        if not skipped and found != (entry.size, entry.sha256):
            msg = f"{entry.name}: the result says {found}"
            raise WrongError(msg)
        if place is not None and result.path != place:
            msg = f"{entry.name}: it is at {result.path.name}"
            raise WrongError(msg)
        await self._check_file(result.path, entry)

    async def _check_file(self, path: Path, entry: Entry) -> None:
        found = await asyncio.to_thread(_sha256, path)
        self.tally.bytes += entry.size
        if found != entry.sha256:
            path.unlink()  # noqa: ASYNC240 - counted once, and not taken for the artifact by what comes next
            msg = f"{entry.name} ({'with' if entry.digest else 'without'} digest): other bytes in {path.name}"
            raise WrongError(msg)

    async def _check_folder(self, place: Path, entry: Entry) -> None:
        found = await asyncio.to_thread(_hashes, place)
        self.tally.bytes += entry.size
        if found != entry.members:
            shutil.rmtree(place)  # as above
            msg = f"{entry.name}: the folder has other files, or other bytes in them"
            raise WrongError(msg)

    # --- members of archives that stay remote

    async def _read_member(self, source: random.Random) -> None:
        entry = self._a_zip(source)
        name = source.choice(list(entry.members))
        self._check_member(entry, name, await self._client.read_member(await self._subject(source, entry), name))

    async def _open_archive(self, source: random.Random) -> None:
        entry = self._a_zip(source)
        async with self._client.open_archive(await self._subject(source, entry)) as archive:
            for name in source.sample(list(entry.members), min(3, len(entry.members))):
                self._check_member(entry, name, await archive.read(name))

    def _a_zip(self, source: random.Random) -> Entry:
        return source.choice([entry for entry in self._entries.values() if entry.is_zip])

    def _check_member(self, entry: Entry, name: str, data: bytes) -> None:
        self.tally.bytes += len(data)
        if hashlib.sha256(data).hexdigest() != entry.members[name]:
            msg = f"{entry.name} ({'with' if entry.digest else 'without'} digest): other bytes in {name}"
            raise WrongError(msg)

    # --- the end

    async def settle(self) -> list[str]:
        """Fetch everything, now that nothing goes wrong; return what is on disk besides.

        Raises:
            ArtifactsError: a transfer failed.
        """
        finals: set[Path] = set()
        for number, entry in enumerate(self._entries.values()):
            if_exists = _IF_EXISTS[1 + number % 2]
            for folder, extract in ((_FILES, False), (_FOLDERS, True)):
                if entry.is_zip or not extract:
                    artifact, place = ArtifactRef(REPOSITORY, entry.id), self._folder / folder
                    result = await self._client.download(artifact, place, extract=extract, if_exists=if_exists)
                    finals.add(await self._final(result, entry))
        everything = [ArtifactRef(REPOSITORY, number) for number in self._entries]
        async with self._client.download_many(everything, self._folder / _MANY) as outcomes:
            async for outcome in outcomes:
                result = outcome.unwrap()
                finals.add(await self._final(result, self._entries[outcome.artifact.id]))
        return leftovers(self._folder, finals)

    async def _final(self, result: DownloadResult, entry: Entry) -> Path:
        try:
            await (self._check_file if result.members is None else self._check_folder)(result.path, entry)
        except WrongError as error:
            self.tally.tell(self.tally.wrong, f"wrong, in the end: {error}")
        return result.path


def leftovers(folder: Path, finals: set[Path]) -> list[str]:
    """Return what is below a folder besides finished files and folders, and their records."""
    known = finals | {path.with_name(f".{path.name}.gh-artifacts.json") for path in finals}
    found = (path for path in folder.rglob("*") if not path.is_dir())
    return sorted(str(path.relative_to(folder)) for path in found if not known & {path, *path.parents})


def _compare(artifact: Artifact, entry: Entry) -> None:
    """Compare what the API says of an artifact with what it should.

    Raises:
        WrongError: they differ.
    """
    digest = None if artifact.digest is None else artifact.digest.hex
    found = (artifact.id, artifact.name, artifact.size_in_bytes, artifact.run_id, digest)
    expected = (entry.id, entry.name, entry.listed, entry.run, entry.sha256 if entry.digest else None)
    if found != expected:
        msg = f"asked for artifact {entry.id} ({entry.name}), got {artifact.id} ({artifact.name})"
        raise WrongError(msg)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hashes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): _sha256(path) for path in files}
