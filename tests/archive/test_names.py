from __future__ import annotations

import unicodedata
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async.archive.names import check_name, decode_name
from gh_artifacts_async.archive.rules import printable
from gh_artifacts_async.errors import ArchiveError, UnsafeMemberError
from gh_artifacts_async.protocol.filenames import fold
from gh_artifacts_async.settings import ExtractPolicy
from tests.kits.archives import Entry, build, unicode_path

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
    """Decoding never fails, and two names are equal only if their bytes are."""
    assert decode_name(raw, utf8=False).encode("cp437") == raw


def test_names_marked_as_utf8_must_be(refuse):
    """Bit 11 with other bytes is a contradiction."""
    refuse(build(Entry(b"caf\xe9.txt", b"x", flags=0x800)), "utf8")
    refuse(build(Entry(b"caf\xe9.txt", b"x", flags=0x800, maker=0)), "utf8")
    assert decode_name("é".encode(), utf8=True) == "é"


CAFE = "café-日本.txt"


@pytest.mark.parametrize(
    ("raw", "maker", "flags", "name"),
    [
        pytest.param(CAFE.encode(), 3, 0, CAFE, id="unix"),
        pytest.param(CAFE.encode(), 19, 0, CAFE, id="macos"),
        pytest.param(CAFE.encode(), 7, 0, CAFE, id="macintosh"),
        pytest.param(CAFE.encode(), 0, 0, CAFE.encode().decode("cp437"), id="dos"),
        pytest.param(CAFE.encode(), 11, 0, CAFE.encode().decode("cp437"), id="ntfs"),
        pytest.param(CAFE.encode(), 0, 0x800, CAFE, id="dos with the flag"),
        pytest.param(b"caf\x82", 3, 0, "café", id="unix, not UTF-8"),
        pytest.param(b"caf\x82", 0, 0, "café", id="dos, not UTF-8"),
        pytest.param(b"\xed\xa0\x80", 3, 0, "φáÇ", id="a surrogate is not UTF-8"),
        pytest.param(b"\xc0\xaf", 3, 0, "└»", id="an overlong slash is not UTF-8"),
    ],
)
def test_names_without_a_flag_are_read_as_their_makers_wrote_them(raw, maker, flags, name, unpack):
    """UTF-8 from Unix and macOS, if it is valid; code page 437 from everything else (APPNOTE appendix D)."""
    assert unpack(build(Entry(raw, b"x", maker=maker, flags=flags))) == {name: b"x"}


@pytest.mark.parametrize(
    ("raw", "field", "name"),
    [
        pytest.param("дир".encode(), {"new": "дир"}, "дир", id="equal to the raw bytes"),
        pytest.param("дир".encode(), {"new": "дир", "crc": 0}, "дир", id="equal, whatever its CRC"),
        pytest.param("дир".encode(), {"new": "дир", "version": 2}, "дир", id="equal, whatever its version"),
        pytest.param(b"caf\x82", {"new": b"caf\x82"}, "café", id="equal, but not UTF-8"),
        pytest.param(b"plain", {"new": "plain"}, "plain", id="equal to an ASCII name"),
        pytest.param(b"new", {"new": "old", "crc": zlib.crc32(b"old")}, "new", id="stale"),
        pytest.param(b"n\x82w", {"new": "../old", "crc": 1}, "néw", id="stale and unsafe"),
        pytest.param(b"new", {"new": "old", "version": 2}, "new", id="unknown version"),
        pytest.param(b"\xa4\xa8\xe0", {"new": "дир"}, "дир", id="matching"),
        pytest.param(b"\x95\x5c", {"new": "表"}, "表", id="matching a raw name with a backslash in it"),
    ],
)
def test_unicode_paths_that_are_taken(raw, field, name, unpack):
    """The field renames a member only if it was written for the very name in the header (APPNOTE 4.6.9)."""
    entry = Entry(raw, b"x", maker=0, attributes=0, extra=unicode_path(raw, **field))
    assert unpack(build(entry)) == {name: b"x"}


@pytest.mark.parametrize(
    ("raw", "flags", "new", "rule", "says"),
    [
        (b"good.txt", 0, "evil.txt", "unicode-path", 'renames it to "evil.txt", but its name is plain ASCII'),
        (b"_____.txt", 0, "привет.txt", "unicode-path", "plain ASCII"),
        (b"a\x82", 0, b"\xff", "unicode-path", "not valid UTF-8"),
        ("é".encode(), 0x800, "è", "unicode-path", "marked as UTF-8"),
        (b"a\x82", 0, "../evil", "traversal", '".."'),
        (b"a\x82", 0, "/etc/passwd", "absolute", "absolute"),
        (b"a\x82", 0, "a\nb", "control-character", "control"),
        (b"a\x82", 0, "", "empty-name", "empty"),
    ],
)
def test_unicode_paths_that_are_rejected(raw, flags, new, rule, says, refuse):
    """A second name for what has one already, or one that breaks a rule."""
    error = refuse(build(Entry(raw, b"x", flags=flags, maker=0, attributes=0, extra=unicode_path(raw, new))), rule)
    assert says in str(error)
    assert "no ordinary archiver" not in str(error)


def test_two_members_are_one_where_a_unicode_path_makes_them_so(refuse):
    """The names that count are compared, not those in the headers."""
    second = Entry(b"b\x82", b"2", maker=0, attributes=0, extra=unicode_path(b"b\x82", "é"))
    refuse(build(Entry("é", b"1"), second), "duplicate")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A", "a"),
        ("\u00c9", "e\u0301"),
        ("\u212a", "k"),
        ("stra\u00dfe", "STRASSE"),
        ("\u0386\u0345\u0301", "\u0386\u0301\u0345"),
        ("\u03a3", "\u03c2"),
    ],
)
def test_folding_finds_what_some_file_system_takes_for_one(one, other):
    """Case and normalisation, in any combination."""
    assert fold(one) == fold(other)
