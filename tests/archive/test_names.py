from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async.archive.names import check_name, decode_name, encode_name, fold
from gh_artifacts_async.archive.rules import printable
from gh_artifacts_async.errors import ArchiveError, UnsafeMemberError
from gh_artifacts_async.settings import ExtractPolicy
from tests.kits.archives import Entry, build

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
