"""What the soak transfers: artifacts of many sizes and kinds, the same for the same seed, known by their hashes."""

from __future__ import annotations

import hashlib
import io
import random
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gh_artifacts_async.testing import make_zip, random_zip

if TYPE_CHECKING:
    from gh_artifacts_async.testing import FakeGitHub

REPOSITORY = "octo-org/soak"
ARTIFACTS = 96
_RUNS = 3
_SMALLEST_ZIP = 118  # bytes
_SPECIAL = ("empty", "empty", "byte", "tiny", "large", "large", "streamed", "streamed", "large", "large")
_USUAL = ("zip", "zip", "files", "files", "raw", "raw", "streamed", "s3")
_LARGE = 12 * 2**20  # may arrive over several connections
_WITHOUT_DIGEST = 0.35


@dataclass(frozen=True)
class Entry:
    """One artifact, as a client has to find it.

    Attributes:
        id: GitHub's number.
        run: its run's.
        name: the artifact's name.
        filename: what it is called once downloaded.
        size: of the stored bytes.
        listed: ``size_in_bytes``.
        sha256: of the stored bytes, hexadecimal.
        digest: whether the listing tells it.
        members: of a zip, member name -> sha256; empty for a raw file.
    """

    id: int
    run: int
    name: str
    filename: str
    size: int
    listed: int
    sha256: str
    digest: bool
    members: dict[str, str] = field(default_factory=dict)

    @property
    def is_zip(self) -> bool:
        """Whether it can be read and extracted as an archive."""
        return bool(self.members)


def populate(github: FakeGitHub, seed: int) -> list[Entry]:
    """Add the artifacts to a fake GitHub and return what they are."""
    source = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    runs = [github.add_run(REPOSITORY).id for _ in range(_RUNS)]
    kinds = [*_SPECIAL, *(source.choice(_USUAL) for _ in range(ARTIFACTS - len(_SPECIAL)))]
    return [_add(github, source, runs[number % _RUNS], number, kind) for number, kind in enumerate(kinds)]


def _add(github: FakeGitHub, source: random.Random, run: int, number: int, kind: str) -> Entry:
    """Add one artifact; of the special ones, every other has a digest."""
    name = f"{kind}-{number}"
    raw, archive = _content(source, number, kind)
    digest = number % 2 == 0 if number < len(_SPECIAL) else source.random() >= _WITHOUT_DIGEST
    digest = digest and kind != "streamed"
    given = None if raw is None else (f"{name}.{source.choice(('bin', 'log', 'tar.gz', 'whl'))}", raw)
    stored_as = {"streamed": "v3", "s3": "s3"}.get(kind)
    artifact_id = github.add_artifact(
        run,
        name,
        raw=given,
        archive=archive,
        digest="auto" if digest else None,
        kind=stored_as,  # type: ignore[arg-type]  # one of its literals
    )
    stored = raw if archive is None else archive
    assert stored is not None  # noqa: S101 - it is one of the two
    return Entry(
        id=artifact_id,
        run=run,
        name=name,
        filename=f"{name}.zip" if given is None else given[0],
        size=len(stored),
        listed=github.artifact(artifact_id).size_in_bytes,
        sha256=hashlib.sha256(stored).hexdigest(),
        digest=digest,
        members={} if archive is None else _members(archive),
    )


def _content(source: random.Random, number: int, kind: str) -> tuple[bytes | None, bytes | None]:
    """Return the bytes of a raw file, or those of a zip."""
    size = {"empty": 0, "byte": 1, "tiny": _SMALLEST_ZIP, "large": _LARGE}.get(kind, int(2 ** source.uniform(7, 22)))
    if kind in {"empty", "byte", "raw"}:
        return source.randbytes(size), None
    if kind == "files":
        return None, make_zip(_files(source, number))
    return None, random_zip(size, number)


def _files(source: random.Random, number: int) -> dict[str, bytes | str]:
    """Return a zip's files: the same names in every zip, so that a mix-up of two shows in the contents alone."""
    files: dict[str, bytes | str] = {"report.txt": f"report {number}\n" * source.randint(1, 20_000)}
    for member in range(source.randint(0, 12)):
        files[f"data/{member:02}.bin"] = source.randbytes(int(2 ** source.uniform(0, 17)))
    return files


def _members(archive: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {member.filename: hashlib.sha256(opened.read(member)).hexdigest() for member in opened.infolist()}
