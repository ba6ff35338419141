from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async.archive import RULES, audit_reader, name_tree
from gh_artifacts_async.archive.names import check_name, decode_name, encode_name, fold
from gh_artifacts_async.archive.readers import BytesReader
from gh_artifacts_async.archive.rules import over_limit, printable, refusal
from gh_artifacts_async.errors import ArchiveError, UnsafeMemberError
from gh_artifacts_async.settings import ExtractPolicy
from tests.kits.archives import FOLDER, Entry, build

NATIVE = ExtractPolicy()
PORTABLE = ExtractPolicy(names="portable")


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "empty-name"),
        ("/", "absolute"),
        ("/etc/passwd", "absolute"),
        ("//host/share", "absolute"),
        ("..", "traversal"),
        ("../a", "traversal"),
        ("a/../b", "traversal"),
        ("a/..", "traversal"),
        ("a/../", "traversal"),
        (".", "dot"),
        ("././a", "dot"),
        ("./.", "dot"),
        ("./../a", "traversal"),
        (".//a", "absolute"),
        (".//", "empty-component"),
        ("a/./b", "dot"),
        ("a//b", "empty-component"),
        ("a//", "empty-component"),
        ("a\\b", "backslash"),
        ("\\\\host\\share\\a", "backslash"),
        ("C:a", "drive"),
        ("c:/a", "drive"),
        ("./C:a", "drive"),
        ("a\0.txt", "control-character"),
        ("a\nb", "control-character"),
        ("a\x1b[31m", "control-character"),
        ("a\x7f", "control-character"),
        ("a\x85b", "control-character"),
        ("a\u202egpj.exe", "bidi-control"),
        ("a\u2066b", "bidi-control"),
        ("n" * 256, "component-length"),
        ("\u00e9" * 128, "component-length"),
        ("/".join(["n" * 200] * 21), "path-length"),
    ],
)
def test_names_that_no_policy_takes(name, rule):
    """They lead out, mean another thing elsewhere, forge a log, or fit no file system."""
    for policy in (NATIVE, PORTABLE):
        with pytest.raises(UnsafeMemberError) as caught:
            check_name(name, policy)
        assert caught.value.rule == rule
        assert caught.value.member == printable(name)
        assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "a/",
        "./",
        "./a",
        "./a/b/",
        "a/b/c.tar.gz",
        "...",
        "..a",
        "a..",
        ".hidden/.git/config",
        " leading",
        "-rf",
        "~/x",
        "$HOME",
        "%TEMP%",
        "node_modules/@types/node",
        "1:2",
        "ab:c",
        "caf\u00e9",
        "\u65e5\u672c/\u00e9.txt",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467.png",
        "\u200fabc",
        "n" * 255,
        "/".join(["n" * 200] * 20),
    ],
)
def test_names_that_are_legal(name):
    """Dots, blanks, dashes and joiners are ordinary characters."""
    check_name(name, NATIVE)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("CON", "device-name"),
        ("nul.txt", "device-name"),
        ("d/COM1.log", "device-name"),
        ("lpt9/x", "device-name"),
        ("COM\u00b9", "device-name"),
        ("aux .c", "device-name"),
        ("conin$", "device-name"),
        ("a.txt:stream", "windows-character"),
        ("a?", "windows-character"),
        ('a"b', "windows-character"),
        ("a.", "trailing-dot-or-space"),
        ("a /b", "trailing-dot-or-space"),
        ("a./", "trailing-dot-or-space"),
    ],
)
def test_names_that_only_the_portable_policy_refuses(name, rule):
    """Windows could not create them, or would create another."""
    check_name(name, NATIVE)
    with pytest.raises(UnsafeMemberError) as caught:
        check_name(name, PORTABLE)
    assert caught.value.rule == rule


@pytest.mark.parametrize("name", ["console", "com10", "com0", "nullable.txt", "auxiliary/x", " lead", "a.b", "~x"])
def test_names_that_only_look_like_devices(name):
    """A device is the whole name before the first dot."""
    check_name(name, PORTABLE)


@given(st.text(max_size=40))
def test_a_name_that_is_taken_is_a_plain_relative_path(name):
    """Whatever passes has only honest components, and decodes from what it encodes to."""
    try:
        check_name(name, NATIVE)
    except ArchiveError:
        return
    parts = name.removeprefix("./").removesuffix("/").split("/")
    assert name == "./" or all(part not in {"", ".", ".."} for part in parts)
    assert not any(unicodedata.category(char) == "Cc" or char == "\\" for char in name)


@given(st.binary(max_size=40))
def test_code_page_437_takes_every_byte(raw):
    """Decoding loses nothing, so that local and central names can be compared."""
    assert encode_name(decode_name(raw, utf8=False), utf8=False) == raw


def test_names_marked_as_utf8_must_be(refuse):
    """Bit 11 with other bytes is a contradiction."""
    refuse(build(Entry(b"caf\xe9.txt", b"x", flags=0x800)), "utf8")
    assert decode_name("é".encode(), utf8=True) == "é"


@pytest.mark.parametrize(
    ("one", "other"),
    [("A", "a"), ("\u00c9", "e\u0301"), ("\u212a", "k"), ("stra\u00dfe", "STRASSE"), ("\u03a3", "\u03c2")],
)
def test_folding_finds_what_some_file_system_takes_for_one(one, other):
    """Case and normalisation, in any combination."""
    assert fold(one) == fold(other)


def test_printable_escapes_and_cuts():
    """No control character reaches a terminal, and no message is endless."""
    assert printable("a\x1b\u202eb") == "a\\x1b\\u202eb"
    assert printable("é" * 201) == "é" * 200 + "..."


def test_errors_say_what_to_do():
    """Each rule has an advice, and each error its rule and member."""
    for name, rule in RULES.items():
        error = refusal(rule, "it is wrong", "x\ny")
        assert isinstance(error, rule.error)
        assert (error.rule, error.member) == (name, "x\\ny")
        assert str(error) == f'member "x\\ny": it is wrong; {rule.advice}'
    assert str(over_limit(12.34, 10, limit="max_ratio")).startswith("the archive has ratio 12.3, more than 10; raise")
    assert over_limit(3, 2, limit="max_depth", member="a\n").member == "a\\n"


# --- names together ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "rule"),
    [
        ([Entry("a", b"1"), Entry("a", b"1")], "duplicate"),
        ([Entry("a"), Entry("a")], "duplicate"),
        ([Entry("a", b"1"), Entry("a/b")], "file-as-folder"),
        ([Entry("a/b"), Entry("a", b"1")], "file-as-folder"),
        ([Entry("a/b/c"), Entry("a/b", b"1")], "file-as-folder"),
        ([Entry("a", b"1"), Entry("a/", attributes=FOLDER)], "duplicate"),
        ([Entry("a/", attributes=FOLDER), Entry("a", b"1")], "duplicate"),
        ([Entry("a/", attributes=FOLDER), Entry("a")], "duplicate"),
        ([Entry("a"), Entry("a/b"), Entry("a/", attributes=FOLDER)], "duplicate"),
        ([Entry("a"), Entry("a/b"), Entry("a")], "duplicate"),
        ([Entry("a/b"), Entry("a"), Entry("a")], "duplicate"),
        ([Entry("a", b"1"), Entry("a/b/", attributes=FOLDER)], "file-as-folder"),
    ],
)
def test_two_members_are_never_in_one_place(entries, rule, refuse):
    """The same name twice, or a file where a folder is needed, in any order."""
    refuse(build(*entries), rule)


def test_names_may_begin_with_the_current_folder(unpack, refuse):
    """Some archivers write ``./`` before every name, and as a name; it is the destination, and hides no second name."""
    data = build(
        Entry("./", attributes=FOLDER), Entry("./a", b"1"), Entry("./d/", attributes=FOLDER), Entry("./d/f", b"2")
    )
    assert unpack(data, PORTABLE) == {"a": b"1", "d/": b"", "d/f": b"2"}
    assert audit_reader(BytesReader(data))["./d/f"].path == "d/f"
    refuse(build(Entry("./a", b"1"), Entry("a", b"2")), "duplicate")
    refuse(build(Entry("./a", b"1"), Entry("a/b", b"2")), "file-as-folder")
    refuse(build(Entry("./aux", b"1")), "device-name", PORTABLE)


def test_folders_may_be_named_twice_or_not_at_all(unpack):
    """Both are harmless, and archivers do both."""
    data = build(Entry("d/", attributes=FOLDER), Entry("d/", attributes=FOLDER), Entry("x/y/z", b"z"))
    assert unpack(data) == {"d/": b"", "x/": b"", "x/y/": b"", "x/y/z": b"z"}


@pytest.mark.parametrize("order", [["d", "d/b.json"], ["d/b.json", "d"], ["d/e/f", "d/b.json", "d/e", "d"]])
def test_the_official_uploaders_folders_are_folders(order, unpack):
    """It writes a folder as an empty file without a slash, before or after what lies in it."""
    entries = [Entry(name, b"{}" if name.endswith(("json", "f")) else b"", flags=8) for name in order]
    data = build(*entries)
    archive = audit_reader(BytesReader(data))
    assert archive["d"].is_dir
    assert not archive["d/b.json"].is_dir
    assert archive.folder_path(archive["d"].folder) == "d"
    assert unpack(data)["d/b.json"] == b"{}"


def test_an_empty_file_alone_stays_a_file(unpack):
    """Only what lies in it makes it a folder."""
    assert unpack(build(Entry("d"), Entry("e", b"1"))) == {"d": b"", "e": b"1"}


@pytest.mark.parametrize(
    ("names", "twins"),
    [
        (["a.txt", "A.txt"], ("a.txt", "A.txt")),
        (["d/x", "D/y"], ("d", "D")),
        (["q", "d/e/x", "d/E/x/z"], ("d/e", "d/E")),
        (["caf\u00e9", "cafe\u0301"], ("caf\u00e9", "cafe\u0301")),
        (["d/x", "e/X"], None),
    ],
)
def test_twins_are_told_and_refused_where_they_matter(names, twins, refuse):
    """Folders count as well as files; which file system folds them is for the destination to say."""
    data = build(*(Entry(name) for name in names))
    assert audit_reader(BytesReader(data)).twins == twins
    if twins:
        refuse(data, "twin", PORTABLE)
    else:
        assert audit_reader(BytesReader(data), PORTABLE).twins is None


def test_hashes_that_are_the_same_by_chance_are_no_twins(monkeypatch):
    """The quick look compares hashes only; the second look compares names."""
    monkeypatch.setattr(name_tree, "hash", lambda _: 0, raising=False)
    assert audit_reader(BytesReader(build(Entry("a"), Entry("b"))), PORTABLE).twins is None
