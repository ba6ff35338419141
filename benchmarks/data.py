"""The data that is downloaded: made once, the same everywhere, kept in ``.work/data``."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import uuid
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import IO

_MIB = 2**20
_PER_PAGE = 100
REPOSITORY = "bench/data"
_FIXED = (2026, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Blob:
    """One artifact as storage has it.

    Attributes:
        id: GitHub's number.
        name: the artifact's.
        size: bytes.
        sha256: hexadecimal.
    """

    id: int
    name: str
    size: int
    sha256: str

    @property
    def filename(self) -> str:
        """What it is called once downloaded."""
        return f"{self.name}.zip"


@dataclass(frozen=True)
class Dataset:
    """A folder with ``blobs/`` for storage, ``api/`` for the API and ``manifest.json`` for the rivals.

    Attributes:
        folder: where it is.
        blobs: what it holds.
    """

    folder: Path
    blobs: tuple[Blob, ...]

    @property
    def manifest(self) -> Path:
        """The list of all blobs: id, name, size, sha256."""
        return self.folder / "manifest.json"

    @property
    def pages(self) -> int:
        """How many pages the listing has."""
        return max(1, -(-len(self.blobs) // _PER_PAGE))


def noise(seed: str, size: int) -> Iterator[bytes]:
    """Yield ``size`` bytes that nothing compresses, the same for the same seed."""
    source = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    while size > 0:
        yield source.randbytes(min(size, _MIB))
        size -= _MIB


def prose(seed: str, size: int) -> bytes:
    """Return ``size`` bytes that compress about as well as a log does."""
    source = random.Random(seed)  # noqa: S311
    letters = "etaoinshrdlcumwfgypbvk"
    words = ["".join(source.choices(letters, k=source.randint(2, 10))) for _ in range(2000)]
    weights = [1 / (rank + 3) for rank in range(len(words))]
    part = " ".join(source.choices(words, weights, k=min(size, 2 * _MIB) // 4 + 1)).encode()
    while len(part) < size:
        part += " ".join(source.choices(words, weights, k=_MIB // 4)).encode()
    return part[:size]


def artifact_document(blob: Blob) -> dict[str, Any]:
    """Return GitHub's JSON of an artifact (https://docs.github.com/en/rest/actions/artifacts)."""
    url = f"https://api.github.com/repos/{REPOSITORY}/actions/artifacts/{blob.id}"
    return {
        "id": blob.id,
        "node_id": f"MDg6QXJ0aWZhY3Q{blob.id}",
        "name": blob.name,
        "size_in_bytes": blob.size,
        "url": url,
        "archive_download_url": f"{url}/zip",
        "expired": False,
        "digest": f"sha256:{blob.sha256}",
        "created_at": "2026-01-10T14:59:22Z",
        "expires_at": "2026-04-10T14:59:22Z",
        "updated_at": "2026-01-10T14:59:23Z",
        "workflow_run": {
            "id": 2332938,
            "repository_id": 1296269,
            "head_repository_id": 1296269,
            "head_branch": "main",
            "head_sha": "328faa0536e6fef19753d9d91dc96a9931694ce3",
        },
    }


class Datasets:
    """Makes data sets, or finds those made before."""

    def __init__(self, folder: Path) -> None:
        """Keep everything below ``folder``."""
        self._folder = folder

    def noise_blobs(self, count: int, size: int) -> Dataset:
        """Return ``count`` blobs of noise."""

        def make(folder: Path) -> list[Blob]:
            return [_noise_blob(folder, number, size) for number in range(1, count + 1)]

        return self._made(f"noise-{count}x{size}", make)

    def listing(self, pages: int) -> Dataset:
        """Return a listing of so many full pages, without a blob behind it."""

        def make(_folder: Path) -> list[Blob]:
            numbers = range(1, pages * _PER_PAGE + 1)
            return [Blob(n, f"build-{n}", n * 977, hashlib.sha256(b"%d" % n).hexdigest()) for n in numbers]

        return self._made(f"listing-{pages}", make)

    def mixed_zip(self, members: int, unpacked: int, packed: int) -> Dataset:
        """Return one zip as a build leaves it: many small files, few big ones, part text, part packed already."""

        def make(folder: Path) -> list[Blob]:
            path = folder / "blobs" / "1.zip"
            _write_mixed(path, members, unpacked, packed)
            return [_described(path, 1)]

        return self._made(f"mixed-{members}-{unpacked}-{packed}", make)

    def mixed_zips(self, count: int, members: int, unpacked: int, packed: int) -> Dataset:
        """Return so many such zips, each of other content."""

        def make(folder: Path) -> list[Blob]:
            paths = [folder / "blobs" / f"{number}.zip" for number in range(1, count + 1)]
            for path in paths:
                _write_mixed(path, members, unpacked, packed, seed=f"{path.stem}/")
            return [_described(path, number) for number, path in enumerate(paths, 1)]

        return self._made(f"mixed-{count}x{members}-{unpacked}-{packed}", make)

    def remote_zip(self, members: int) -> Dataset:
        """Return one zip of so many 1 MiB members of noise, and ``report.txt`` in their midst."""

        def make(folder: Path) -> list[Blob]:
            path = folder / "blobs" / "1.zip"
            _write_remote(path, members)
            return [_described(path, 1)]

        return self._made(f"remote-{members}", make)

    def _made(self, name: str, make: Callable[[Path], list[Blob]]) -> Dataset:
        """Make a data set under another name, and rename it once it is whole."""
        folder = self._folder / name
        if not folder.exists():
            print(f"making {name} ...", flush=True)
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = self._folder / f".{name}-{uuid.uuid4().hex}"
            try:
                (draft / "blobs").mkdir(parents=True)
                _write_api(draft, make(draft))
                draft.rename(folder)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        blobs = tuple(Blob(**entry) for entry in json.loads((folder / "manifest.json").read_text("utf-8")))
        return Dataset(folder, blobs)


def warm(dataset: Dataset) -> None:
    """Read all blobs once, so that storage serves from memory in the first round too."""
    for path in (dataset.folder / "blobs").iterdir():
        with path.open("rb", buffering=0) as file:
            while file.read(8 * _MIB):
                pass


def _noise_blob(folder: Path, number: int, size: int) -> Blob:
    digest = hashlib.sha256()
    with (folder / "blobs" / f"{number}.zip").open("wb") as file:
        for chunk in noise(f"blob {number}", size):
            digest.update(chunk)
            file.write(chunk)
    return Blob(number, f"blob-{number}", size, digest.hexdigest())


def _described(path: Path, number: int) -> Blob:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Blob(number, f"blob-{number}", path.stat().st_size, digest)


def _write_api(folder: Path, blobs: list[Blob]) -> None:
    """Write what the API answers, page by page and artifact by artifact, and the manifest."""
    pages, artifacts = folder / "api" / "pages", folder / "api" / "artifacts"
    pages.mkdir(parents=True)
    artifacts.mkdir()
    documents = [artifact_document(blob) for blob in blobs]
    for number in range(max(1, -(-len(blobs) // _PER_PAGE))):
        part = documents[number * _PER_PAGE : (number + 1) * _PER_PAGE]
        page = {"total_count": len(blobs), "artifacts": part}
        (pages / f"{number + 1}.json").write_text(json.dumps(page, separators=(",", ":")), "utf-8")
    for document in documents:
        (artifacts / f"{document['id']}.json").write_text(json.dumps(document), "utf-8")
    (folder / "manifest.json").write_text(json.dumps([blob.__dict__ for blob in blobs]), "utf-8")


# --- zips -------------------------------------------------------------------------------------------------------------


class _Unseekable:
    """A file that can only be written on: zipfile then writes data descriptors, as GitHub's uploader does."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


def _entry(name: str, method: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _FIXED)
    entry.compress_type = method
    entry.external_attr = 0o100644 << 16
    return entry


def member_sizes(members: int, unpacked: int) -> list[int]:
    """Return the members' sizes: most are small, a tenth is middling, a few hold more than half of it all."""
    source = random.Random("sizes")  # noqa: S311
    big = max(2, members // 326)
    middling = members // 13
    small = members - big - middling
    scale = unpacked / 482e6 * 3260 / members
    sizes = [int(2 ** source.uniform(9, 16) * scale) for _ in range(small)]
    sizes += [int(source.uniform(200e3, 1e6) * scale) for _ in range(middling)]
    left = unpacked - sum(sizes)
    sizes += [left // big] * big
    source.shuffle(sizes)
    return sizes


def _write_mixed(path: Path, members: int, unpacked: int, packed: int, seed: str = "") -> None:
    sample = prose("sample", _MIB)
    ratio = len(zlib.compress(sample, 6)) / len(sample)
    as_text = int((unpacked - packed) / (1 - ratio))
    written = 0
    with path.open("wb") as raw, zipfile.ZipFile(cast("IO[bytes]", _Unseekable(raw)), "w") as archive:
        for number, size in enumerate(member_sizes(members, unpacked)):
            text = written + size <= as_text
            written += size if text else 0
            name = f"build/part-{number % 40:02}/{number:05}.{'log' if text else 'bin'}"
            body = prose(seed + name, size) if text else b"".join(noise(seed + name, size))
            archive.writestr(_entry(name, zipfile.ZIP_DEFLATED), body, compresslevel=6)


def _write_remote(path: Path, members: int) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(members):
            if number == members // 2:
                archive.writestr(_entry("report.txt", zipfile.ZIP_DEFLATED), prose("report", _MIB), compresslevel=6)
            archive.writestr(_entry(f"data/{number:05}.bin", zipfile.ZIP_STORED), b"".join(noise(f"{number}", _MIB)))
