"""The part file: claimed by one only, never trusted, and gone when it has its final name."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from gh_artifacts_async import DestinationExistsError, OutOfSpaceError
from gh_artifacts_async.transfer.disk import partfile
from gh_artifacts_async.transfer.disk.leftovers import scan, state_paths, sweep
from gh_artifacts_async.transfer.disk.partfile import PartFile
from gh_artifacts_async.transfer.disk.partstate import PartState, load, resumable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STATE = PartState(artifact_id=7, repository="octo-org/octo-docs", size_in_bytes=100, digest=f"sha256:{'0' * 64}")
DATA = bytes(range(100))


@pytest.fixture
def opened() -> Iterator[list[PartFile]]:
    """Close what a test leaves open."""
    parts: list[PartFile] = []
    yield parts
    for part in parts:
        part.discard()


@pytest.fixture
def make(tmp_path: Path, opened: list[PartFile]) -> Any:
    """Return what makes part files of one folder."""

    def make(state: PartState = STATE, stem: str = "docs") -> PartFile:
        opened.append(PartFile(tmp_path, stem, state))
        return opened[-1]

    return make


def leave(part: PartFile, data: bytes = DATA[:60], **facts: Any) -> Path:
    """Let a part be left behind by an earlier run in good order."""
    part.start()
    part.learn(etag='"tag"', total=100, **facts)
    part.append([data])
    part.release(resumable=True)
    return part.path


def names(folder: Path) -> set[str]:
    """Return what is in a folder."""
    return {path.name for path in folder.iterdir()}


def test_from_start_to_final_name(make: Any, tmp_path: Path) -> None:
    """Bytes are appended and hashed, can be read at both ends, and get their name with nothing left besides."""
    part = make()
    assert not part.is_open
    part.start()
    part.append([DATA[:10], memoryview(DATA)[10:]])
    assert (part.offset, part.hexdigest) == (100, hashlib.sha256(DATA).hexdigest())
    assert (part.read(4), part.read(4, from_end=True), part.read(1000)) == (DATA[:4], DATA[-4:], DATA)
    part.append([b"more"])
    part.save_state()
    part.commit(tmp_path / "docs.zip", replace=False, durable=False)
    assert (tmp_path / "docs.zip").read_bytes() == DATA + b"more"
    assert names(tmp_path) == {"docs.zip"}
    assert not part.is_open


def test_reading_does_not_move(make: Any) -> None:
    """What is read in between does not change where bytes are written."""
    part = make()
    part.start()
    for byte in DATA:
        part.append([bytes([byte])])
        part.read(3)
        part.read(3, from_end=True)
    assert part.read(100) == DATA


def test_names(make: Any, tmp_path: Path) -> None:
    """A part is hidden, says whose it is, and has a token of its own."""
    first, second = make(), make()
    first.start()
    second.start()
    assert first.path.name.startswith(".docs.7.")
    assert first.path.name.endswith(".part")
    assert first.path != second.path
    assert set(scan(tmp_path)) == {".docs.7."} == {first.prefix}


def test_sidecar_holds_no_secret(make: Any) -> None:
    """What is written down beside a part is what the bytes belong to, and no address."""
    path = leave(make(), content_type="application/zip", disposition='attachment; filename="x.zip"')
    text = path.with_name(path.name + ".json").read_text()
    assert set(json.loads(text)) == {
        "version",
        "artifact_id",
        "repository",
        "size_in_bytes",
        "digest",
        "etag",
        "total",
        "content_type",
        "disposition",
        "hashed",
    }
    assert "://" not in text
    assert "?" not in text


def test_taken_over(make: Any, tmp_path: Path) -> None:
    """A later part continues with the bytes and the state of an earlier one, under its own name."""
    left = leave(make(), content_type="application/zip")
    part = make()
    assert part.adopt(scan(tmp_path)[part.prefix])
    assert (part.offset, part.state.etag, part.state.total) == (60, '"tag"', 100)
    assert part.state.content_type == "application/zip"
    assert part.hexdigest == hashlib.sha256(DATA[:60]).hexdigest()
    assert not left.exists()
    part.append([DATA[60:]])
    assert part.read(100) == DATA


def test_of_many_claimers_one_wins(make: Any, tmp_path: Path) -> None:
    """However many try at once, one gets the part, the others find nothing."""
    for _ in range(20):
        left = leave(make())
        claimers = [make() for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(lambda part, left=left: part.adopt([left]), claimers))
        assert won.count(True) == 1
        for part in claimers:
            part.discard()
    assert not names(tmp_path)


def test_held_by_a_living_process(make: Any) -> None:
    """A part that is being written is not taken, and not swept away."""
    living = make()
    living.start()
    living.learn(etag='"tag"', total=100)
    living.append([DATA[:10]])
    living.save_state()
    left = leave(make(), DATA[:60])
    part = make()
    assert part.adopt([living.path, left])
    assert living.path.exists()
    assert part.offset == 60


def test_the_longest_is_taken(make: Any, tmp_path: Path) -> None:
    """The longest part that can be used is taken, the others are removed with their sidecars."""
    paths = [leave(make(), DATA[:size]) for size in (20, 60, 40)]
    paths[1].with_name(paths[1].name + ".json").unlink()
    part = make()
    assert part.adopt(paths)
    assert part.offset == 40
    assert names(tmp_path) == {part.path.name, part.path.name + ".json"}


OTHERS = [
    attrs.evolve(STATE, artifact_id=8),
    attrs.evolve(STATE, repository="octo-org/other"),
    attrs.evolve(STATE, size_in_bytes=99),
    attrs.evolve(STATE, digest=None),
    attrs.evolve(STATE, digest=f"sha256:{'1' * 64}"),
]


@pytest.mark.parametrize("other", OTHERS)
def test_of_another_artifact(make: Any, tmp_path: Path, other: PartState) -> None:
    """A part whose sidecar means another artifact, or another version of it, is not used."""
    left = leave(make(other))
    part = make()
    assert not part.adopt([left])
    assert not names(tmp_path)
    assert not part.is_open


def _sidecar(left: Path, **changes: Any) -> None:
    path = left.with_name(left.name + ".json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"etag": None},
        {"etag": 7},
        {"total": "100"},
        {"total": 59},
        {"unknown": 1},
        {"hashed": [1]},
        {"hashed": ["a", "b"]},
        {"hashed": 7},
        {"digest": 7},
        {"content_type": 7},
        {"disposition": ["x"]},
    ],
)
def test_damaged_sidecar(make: Any, tmp_path: Path, changes: Any) -> None:
    """A sidecar that makes no sense makes the part useless, not the program fail."""
    left = leave(make())
    _sidecar(left, **changes)
    part = make()
    assert not part.adopt([left])
    assert not names(tmp_path)


def test_deep_sidecar(make: Any) -> None:
    """A sidecar made to exhaust the parser does no harm."""
    left = leave(make())
    left.with_name(left.name + ".json").write_text("[" * 60_000)
    assert not make().adopt([left])


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: b"x" + data[1:], lambda data: data + b"x", lambda _: b""]
)
def test_changed_without_digest(make: Any, damage: Any) -> None:
    """Without GitHub's digest our own, of the orderly end, finds every change."""
    state = attrs.evolve(STATE, digest=None)
    left = leave(make(state))
    assert make(state).adopt([left])
    left = leave(make(state))
    left.write_bytes(damage(left.read_bytes()))
    assert not make(state).adopt([left])


def test_killed_without_digest(make: Any) -> None:
    """Without GitHub's digest, a part without an orderly end (kill -9) is not trusted; with it, it is."""
    for state, usable in ((attrs.evolve(STATE, digest=None), False), (STATE, True)):
        left = leave(make(state))
        _sidecar(left, hashed=None)
        assert make(state).adopt([left]) is usable


def test_link_as_part(make: Any, tmp_path: Path) -> None:
    """A symbolic link in a part's place is not followed."""
    (tmp_path / "victim").write_bytes(DATA)
    link = tmp_path / ".docs.7.abcd.part"
    link.symlink_to(tmp_path / "victim")
    assert not make().adopt([link])
    assert (tmp_path / "victim").read_bytes() == DATA


def test_gone(make: Any, tmp_path: Path) -> None:
    """A candidate that is gone by now cannot be adopted."""
    assert not make().adopt([tmp_path / ".docs.7.abcd.part"])


def test_stopped(make: Any, tmp_path: Path) -> None:
    """An adoption that is stopped leaves everything for a later run."""
    left = leave(make())
    part = make()
    part.stop()
    assert not part.adopt([left])
    assert names(tmp_path) == {left.name, left.name + ".json"}


def test_stopped_while_it_hashes(make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in the middle of hashing; the part then has its new name."""
    left = leave(make())
    part = make()
    real = os.lseek
    monkeypatch.setattr(partfile.os, "lseek", lambda *args: (part.stop(), real(*args))[1])
    assert not part.adopt([left])
    monkeypatch.undo()
    assert names(tmp_path) == {part.path.name, part.path.name + ".json"}
    again = make()
    assert again.adopt([part.path])
    assert again.offset == 60


def test_full_disk_keeps_what_was_taken_over(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full when a part is taken over does not cost the part."""
    left = leave(make())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    part = make()
    monkeypatch.setattr(type(left), "write_text", full)
    try:
        taken = part.adopt([left])
    except OutOfSpaceError:
        taken = False
    part.release(resumable=True)
    monkeypatch.undo()
    again = make()
    assert again.adopt([part.path]) or taken
    assert again.offset == 60


@pytest.mark.parametrize(
    ("resumable", "data", "etag", "kept"),
    [
        (True, DATA, '"tag"', True),
        (False, DATA, '"tag"', False),
        (True, b"", '"tag"', False),
        (True, DATA, None, False),
    ],
)
def test_release(make: Any, tmp_path: Path, *, resumable: bool, data: bytes, etag: str | None, kept: bool) -> None:
    """A part is kept if it can be resumed: some bytes, an ETag, and no failure of the content."""
    part = make()
    part.release(resumable=True)
    part.start()
    part.learn(etag=etag)
    part.append([data])
    part.release(resumable=resumable)
    assert not part.is_open
    assert names(tmp_path) == ({part.path.name, part.path.name + ".json"} if kept else set())


def test_release_on_a_full_disk(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sidecar that cannot be written at the end is no error, and what was there before still serves."""
    part = make()
    part.start()
    part.learn(etag='"tag"', total=100)
    part.save_state()
    part.append([DATA[:60]])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(part.path), "write_text", full)
    part.release(resumable=True)
    monkeypatch.undo()
    assert make().adopt([part.path])


def test_discard_and_start_again(make: Any, tmp_path: Path) -> None:
    """A fresh start is a fresh file, under another name and with nothing of the old state."""
    part = make()
    part.discard()
    part.start()
    part.learn(etag='"tag"', total=100)
    part.append([DATA])
    part.save_state()
    old = part.path
    part.start()
    assert part.path != old
    assert (part.offset, part.state) == (0, STATE)
    assert part.hexdigest == hashlib.sha256(b"").hexdigest()
    assert names(tmp_path) == {part.path.name}


def _removed(part: PartFile) -> None:
    part.path.unlink()


def _swapped(part: PartFile) -> None:
    part.path.unlink()
    part.path.write_bytes(b"x" * 100)


def _grown(part: PartFile) -> None:
    with part.path.open("ab") as file:
        file.write(b"x")


def _cut(part: PartFile) -> None:
    os.truncate(part.path, 50)


@pytest.mark.parametrize("how", [_removed, _swapped, _grown, _cut])
def test_commit_of_what_was_taken_away(make: Any, tmp_path: Path, how: Any) -> None:
    """A part that is gone, or is not what was written, never gets the final name."""
    part = make()
    part.start()
    part.append([DATA])
    how(part)
    with pytest.raises(FileNotFoundError):
        part.commit(tmp_path / "docs.zip", replace=True, durable=False)
    assert not (tmp_path / "docs.zip").exists()


def test_commit_does_not_replace(make: Any, tmp_path: Path) -> None:
    """Without replace an older file stays, and the part is still there."""
    (tmp_path / "docs.zip").write_bytes(b"older")
    part = make()
    part.start()
    part.append([DATA])
    with pytest.raises(DestinationExistsError):
        part.commit(tmp_path / "docs.zip", replace=False, durable=False)
    assert (tmp_path / "docs.zip").read_bytes() == b"older"
    assert part.is_open
    part.commit(tmp_path / "docs.zip", replace=True, durable=False)
    assert (tmp_path / "docs.zip").read_bytes() == DATA


def test_durable(make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Durable means: the file is fsynced before the rename, its folder after."""
    steps: list[str] = []
    put, fsync = partfile.put_in_place, os.fsync
    monkeypatch.setattr(
        partfile, "put_in_place", lambda *args, **kwargs: (steps.append("rename"), put(*args, **kwargs))
    )
    monkeypatch.setattr(os, "fsync", lambda descriptor: (steps.append("fsync"), fsync(descriptor)))
    part = make()
    part.start()
    part.append([DATA])
    part.commit(tmp_path / "docs.zip", replace=False, durable=True)
    assert steps == ["fsync", "rename", "fsync"]


def test_durable_on_a_full_disk(make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that turns out to be full at fsync is OutOfSpaceError, and no final name."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    part = make()
    part.start()
    with pytest.raises(OutOfSpaceError):
        part.commit(tmp_path / "docs.zip", replace=False, durable=True)
    assert not (tmp_path / "docs.zip").exists()


def test_full_disk_in_the_middle(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fitted is kept and hashed; the error says what was missing."""
    part = make()
    part.start()
    part.learn(etag='"tag"', total=100)
    real, free = os.write, [30]

    def write(descriptor: int, data: memoryview) -> int:
        if not free[0]:
            raise OSError(28, "No space left on device")
        fits = min(free[0], len(data))
        free[0] -= fits
        return real(descriptor, data[:fits])

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(OutOfSpaceError) as caught:
        part.append([DATA])
    monkeypatch.undo()
    assert (part.offset, part.hexdigest) == (30, hashlib.sha256(DATA[:30]).hexdigest())
    assert (caught.value.needed, caught.value.filename) == (70, str(part.path))


def test_full_disk_at_the_start(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk without space for a file at all is OutOfSpaceError; needed is unknown where the total is."""
    part = make()
    with monkeypatch.context() as patched:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        patched.setattr(os, "open", full)
        with pytest.raises(OutOfSpaceError):
            part.start()
    part.start()
    assert part._missing() is None


def test_windows(make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an open file cannot be renamed, claiming is the rename alone, and a commit closes first."""
    left, other = leave(make()), leave(make(), DATA[:10])
    monkeypatch.setattr(partfile.os, "name", "nt")
    part = make()
    assert part.adopt([left, other])
    assert not make().adopt([left])
    part.append([DATA[60:]])
    part.commit(tmp_path / "docs.zip", replace=False, durable=False)
    monkeypatch.undo()
    assert names(tmp_path) == {"docs.zip"}


def test_parts_that_cannot_be_removed(make: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What cannot be swept away is left, without an error."""
    left, other = leave(make()), leave(make(), DATA[:10])

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "no")

    part = make()
    monkeypatch.setattr(type(left), "rename", refuse)
    assert not part.adopt([left])
    monkeypatch.undo()
    assert part.adopt([left])
    monkeypatch.setattr(type(left), "unlink", refuse)
    sweep(other, part.path)
    part.discard()
    monkeypatch.undo()
    assert names(tmp_path) > set()


# --- holes


def leave_holes(part: PartFile, *, beyond: bytes = b"?" * 10) -> Path:
    """Let a part be left as a killed process leaves one that it was writing out of order."""
    part.start(etag='"tag"', total=100)
    part.save_state()
    part.append([DATA[:40]])
    part.write_ahead(80, [beyond])
    part._close()
    return part.path


def test_holes_are_no_bytes(make: Any) -> None:
    """Of a part with holes, a later run adopts what is before the first of them, and cuts off the rest."""
    left = leave_holes(make())
    assert (left.stat().st_size, resumable(left, STATE)) == (90, 60)
    part = make()
    assert part.adopt([left])
    assert (part.offset, part.path.stat().st_size, part.hexdigest) == (40, 40, hashlib.sha256(DATA[:40]).hexdigest())
    assert part.state.frontier is None
    part.append([DATA[40:70]])
    part._close()  # killed again, without holes this time
    again = make()
    assert again.adopt([part.path])
    assert again.offset == 70
    again.append([DATA[70:]])
    assert again.path.read_bytes() == DATA


def test_nothing_but_holes(make: Any, tmp_path: Path) -> None:
    """A part whose first byte is missing is removed."""
    part = make()
    part.start(etag='"tag"', total=100)
    part.write_ahead(50, [DATA[50:]])
    part._close()
    assert resumable(part.path, STATE) is None
    assert not make().adopt([part.path])
    assert names(tmp_path) == set()


def test_a_finished_file_keeps_its_bytes(make: Any, tmp_path: Path) -> None:
    """A part with a second name is a finished file: it is never cut, whatever its state says."""
    left = leave_holes(make())
    finished = tmp_path / "docs.zip"
    finished.hardlink_to(left)
    assert not make().adopt([left])
    assert finished.stat().st_size == 90


def test_a_clean_end_leaves_no_holes(make: Any) -> None:
    """A part that is released is as long as what counts of it, and its state says nothing of a frontier."""
    part = make()
    part.start(etag='"tag"', total=100)
    part.append([DATA[:40]])
    part.write_ahead(80, [DATA[80:]])
    part.append([DATA[40:45]])
    part.release(resumable=True)
    assert part.path.read_bytes() == DATA[:45]
    assert load(state_paths(part.path)[0]) == attrs.evolve(part.state, frontier=None)


def test_a_file_that_cannot_be_cut(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the rest cannot be cut off, the state still says where the holes begin."""

    def broken(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    part = make()
    part.start(etag='"tag"', total=100)
    part.append([DATA[:40]])
    part.write_ahead(80, [DATA[80:]])
    with monkeypatch.context() as patch:
        patch.setattr(os, "ftruncate", broken)
        part.release(resumable=True)
    state = load(state_paths(part.path)[0])
    assert state is not None
    assert (state.frontier, part.path.stat().st_size) == (40, 100)
    again = make()
    assert again.adopt([part.path])
    assert again.offset == 40


def test_the_frontier_is_noted_now_and_then(make: Any) -> None:
    """It is saved again only once it is farther by a good deal, since that costs a file."""
    part = make()
    part.start(etag='"tag"', total=100)
    part.note_frontier(every=0)
    assert part.state.frontier is None  # nothing is beyond it
    part.write_ahead(80, [DATA[80:]])
    part.append([DATA[:30]])
    part.note_frontier(every=50)
    assert part.state.frontier == 0
    part.append([DATA[30:60]])
    part.note_frontier(every=50)
    assert part.state.frontier == 60
