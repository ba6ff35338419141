"""Names of members: what is accepted stays inside its folder, on this system and (portable) on Windows."""

from __future__ import annotations

import ntpath
import posixpath
import unicodedata
import zlib
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from gh_artifacts_async.archive.name_tree import NameTree, PlacedFile
from gh_artifacts_async.archive.names import (
    apply_unicode_path,
    canonical,
    check_name,
    check_portable,
    decode_name,
    relative_path,
)
from gh_artifacts_async.archive.rules import printable
from gh_artifacts_async.errors import ArchiveError
from gh_artifacts_async.protocol.filenames import fold
from gh_artifacts_async.settings import ExtractPolicy
from tests.fuzz.inputs import taken
from tests.fuzz.tally import note

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 600
POLICIES = [ExtractPolicy(), ExtractPolicy(names="portable"), ExtractPolicy(max_depth=2), ExtractPolicy(max_members=3)]
WORDS: tuple[bytes, ...] = (
    b"../",
    b"./",
    b"/",
    b"\\",
    b"C:",
    b"CON",
    b"nul.txt",
    b"COM\xc2\xb9",
    b"conin$",
    b"a" * 256,
)
WORDS += (b"\xcd\x85", b"\xcc\x93", b"\xce\x86", b"\xce\xac", b"\xe1\xbe\xb4", b"\xc4\xb0", b"\xcc\x87")
WORDS += (b"\xe2\x80\xae", b"\n", b"|", b"\xcc\x81", b"e\xcc\x81", b"\xc3\xa9", b"\xe2\x84\xaa", b"k", b"\xc3\x9f")
WORDS += (b"ss", b"\xff", b" ", b".", b"a/", b"a\n", b"A\n", b"\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9")
WORDS += (b"\xed\xa0\x80", b"~1", b":$DATA", b"<", b"?", b"*", b'"', b"aux.")


def seeds() -> list[bytes]:
    """Return names, a line each: of one archive together."""
    names = [
        *(
            "a.txt\nd/b.txt\nd/",
            "A\na",
            "é\ne\u0301",
            "d\nd/x\n",
            "d/\nd",
            "./a\na",
            "../a",
            "/a",
            "C:x",
            "a\\b",
            "CON\nx/nul.txt",
            "com9\nLPT1.x",
        ),
        *(
            "a//b",
            "a/./b",
            ".",
            "..",
            "./",
            "",
            " ",
            "a ",
            "a.",
            "x" * 256,
            "d/" * 200 + "x",
            "straße\nSTRASSE",
            "k\n\u212a",
            "a\tb",
        ),
    ]
    return [bytes([number]) + name.encode() for name in names for number in range(len(POLICIES))] + [
        b"\1d\x82.txt\n\xff/\xfe"
    ]


def fuzz(data: bytes) -> None:
    """Decode names, check each, and put them into one tree."""
    policy, rest = taken(data, POLICIES)
    accepted = []
    for raw in rest.split(b"\n")[:8]:
        for utf8, unix in ((True, False), (False, True), (False, False)):
            name = _decoded(raw, utf8=utf8, unix=unix)
            if name is not None and _accepted(name, policy):
                accepted.append(name)
                break
    folded = [fold(name) for name in accepted]
    assert [fold(name) for name in folded] == folded
    caseless = [unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold()) for name in accepted]
    assert len(set(zip(caseless, folded, strict=True))) == len(set(caseless)) == len(set(folded))
    _tree(accepted, policy)


def _decoded(raw: bytes, *, utf8: bool, unix: bool) -> str | None:
    try:
        name = decode_name(raw, utf8=utf8, unix=unix)
    except ArchiveError as error:
        assert str(error).isprintable()
        return None
    assert name == raw.decode("utf-8" if utf8 or (unix and _is_utf8(raw)) or raw.isascii() else "cp437")
    for field in (b"", raw[:4], b"\1" + zlib.crc32(raw).to_bytes(4, "little") + raw[::-1], b"\1\0\0\0\0" + raw):
        try:
            again = apply_unicode_path(raw, name, field, utf8=utf8)
        except ArchiveError as error:
            assert str(error).isprintable()
            continue
        assert again == name or not (utf8 or raw.isascii())
    return name


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _accepted(name: str, policy: ExtractPolicy) -> bool:
    try:
        check_name(name, policy)
    except ArchiveError as error:
        note(f"refused: {error.rule}")
        assert str(error).isprintable()
        return False
    note("accepted")
    path = relative_path(name)
    assert "\0" not in path
    assert "\\" not in path
    assert not any(unicodedata.category(char) == "Cc" for char in path)
    joined = posixpath.normpath(posixpath.join("/base/out", path))
    assert joined == "/base/out" + (f"/{path}" if path else "")
    assert not PurePosixPath(path).is_absolute()
    assert all(0 < len(part.encode()) <= 255 for part in path.split("/") if path)
    assert printable(name)
    if policy.names == "portable":
        check_portable(name)
        assert ntpath.normpath(ntpath.join("X:\\base\\out", path)) == (
            "X:\\base\\out\\" + path.replace("/", "\\")
        ).rstrip("\\")
        windows = PureWindowsPath(path)
        assert (windows.drive, windows.root) == ("", "")
        for part in path.split("/"):
            assert not part or part[-1] not in ". "
            stem = part.partition(".")[0].rstrip(" ").upper()
            assert stem not in {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
            assert not (stem[:3] in {"COM", "LPT"} and stem[3:] in {*"123456789", "\u00b9", "\u00b2", "\u00b3"})
            assert not set(part) & set('<>:"|?*')
    return True


def _tree(names: list[str], policy: ExtractPolicy) -> None:
    """In a tree each name has its own place; which twins there are depends on nothing but the names."""
    tree = NameTree(policy)
    files: list[PlacedFile] = []
    try:
        for number, name in enumerate(names):
            if name.endswith("/") or name == "./":
                tree.add_folder(name)
            else:
                files.append(PlacedFile(number, tree.add_file(name), name, empty=True))
        tree.resolve(lambda: files)
    except ArchiveError as error:
        note(f"tree: {error.rule}")
        assert error.rule in {"duplicate", "twin", "file-as-folder", "limit"}
        if error.rule == "duplicate":
            paths = [relative_path(name) for name in names]
            assert len(set(paths)) < len(paths)
        return
    note("a tree")
    places = [canonical(file.name) for file in files]
    assert len(set(places)) == len(places)
    folders = {place for name in names for place in _above(canonical(name))}
    assert {_path(tree, number) for number in range(1, len(tree.folders))} == folders
    everything = {fold_path(place) for place in {*places, *folders}}
    assert (tree.twins is not None) == (len(everything) < len({*places, *folders}))
    assert tree.twins is None or policy.names != "portable"


def fold_path(path: str) -> str:
    """Fold every component."""
    return "/".join(map(fold, path.split("/")))


def _above(path: str) -> Iterable[str]:
    parts = path.split("/")[:-1]
    return ("/".join(parts[: count + 1]) for count in range(len(parts)))


def _path(tree: NameTree, number: int) -> str:
    parts = []
    while number > 0:
        number, name = tree.folders[number]
        parts.append(name)
    return "/".join(reversed(parts))
