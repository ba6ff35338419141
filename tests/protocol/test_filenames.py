"""What arrived, and what it may be called."""

from __future__ import annotations

import io
import unicodedata
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.protocol.filenames import (
    END_RECORD_REACH,
    check_filename,
    disposition_filename,
    ends_as_zip,
    kind_by_magic,
    kind_by_name,
    kind_by_type,
    raw_filename,
    safe_component,
    zip_filename,
)


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("application/zip", "zip"),
        ("Application/ZIP; charset=binary", "zip"),
        ("application/x-zip-compressed", "zip"),
        ("application/zip-compressed", "zip"),
        (None, None),
        ("", None),
        (" ; x", None),
        ("application/octet-stream", None),
        ("binary/octet-stream", None),
        ("application/gzip", "raw"),
        ("text/plain; charset=utf-8", "raw"),
        ("application/zip2", "raw"),
        ("application/x-zip", "zip"),
        ("multipart/x-zip", "zip"),
        ("zip", "zip"),
        ("Zip", "zip"),
        ("octets", None),
        ("text/", None),
        ("/plain", None),
        ("text plain", None),
        ("a/b/c", None),
    ],
)
def test_the_content_type_decides(content_type, kind):
    """Zip types are zips, no type and octet-stream leave it to the bytes, the rest is raw."""
    assert kind_by_type(content_type) == kind


@pytest.mark.parametrize(
    ("disposition", "kind"),
    [
        ('attachment; filename="pip-24.2-py3-none-any.whl"', "raw"),
        ('attachment; filename="app.JAR"', "raw"),
        ("attachment; filename*=UTF-8''caf%C3%A9.apk", "raw"),
        ('attachment; filename="Rails.zip"', None),
        ('attachment; filename="Rails.ZIP"', None),
        ('attachment; filename="LICENSE"', None),
        ('attachment; filename=".whl"', None),
        ('attachment; filename="x."', None),
        ("attachment", None),
        ("", None),
        (None, None),
    ],
)
def test_where_the_type_cannot_tell_an_extension_does(disposition, kind):
    """An extension other than .zip is a raw file's; without one only the bytes can tell."""
    assert kind_by_name(disposition) == kind


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"PK\x03\x04", "zip"),
        (b"PK\x05\x06", "zip"),
        (b"PK\x03", "raw"),
        (b"PK\x01\x02", "raw"),
        (b"", "raw"),
        (b"\x1f\x8b", "raw"),
    ],
)
def test_the_magic_decides(head, kind):
    """A local header, or the end record of an empty archive."""
    assert kind_by_magic(head) == kind


def _zip(comment=b"", files=("a",)):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in files:
            archive.writestr(zipfile.ZipInfo(name), "x")  # its time is 1980: a test's name must not depend on the clock
        archive.comment = comment
    return out.getvalue()


@pytest.mark.parametrize(
    ("padding", "whole"),
    [(b"", True), (bytes(1), True), (bytes(64 * 1024), True), (bytes(64 * 1024 + 1), False), (b"x", False)],
)
@pytest.mark.parametrize("comment", [b"", b"made\0by hand", b"\0\0"])
def test_padding_after_the_end_record(padding, whole, comment):
    """NUL bytes, at most 64 KiB, as bsdtar pads what it writes to a pipe; anything else is no end."""
    assert ends_as_zip((_zip(comment) + padding)[-END_RECORD_REACH:]) is whole


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (_zip(), True),
        (_zip(files=()), True),
        (_zip(b"a comment"), True),
        (_zip(b"PK\x05\x06 in a comment"), True),
        (_zip(b"x" * 65535), True),
        (_zip() + b"tail", False),
        (_zip()[:-1], False),
        (_zip(b"comment")[:-1], False),
        (b"", False),
        (b"PK\x05\x06", False),
        (b"\x00" * 100, False),
    ],
)
def test_the_end_of_a_zip(data, whole):
    """A zip that is truncated, or followed by other bytes, is recognised by its end record."""
    assert ends_as_zip(data[-END_RECORD_REACH:]) is whole


@given(st.binary(max_size=200), st.integers(1, 199))
def test_a_cut_zip_is_seen(comment, cut):
    """No cut within the end record or its comment goes unnoticed."""
    data = _zip(comment.replace(b"PK", b"pk"))
    assert ends_as_zip(data)
    assert not ends_as_zip(data[: -min(cut, len(comment) + 21)])


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, None),
        ("", None),
        ("attachment", None),
        ("inline; size=5", None),
        ("attachment; filename=a.txt", "a.txt"),
        ('attachment; filename="a b.txt"', "a b.txt"),
        ('attachment;filename="a;b.txt";size=5', "a;b.txt"),
        ('attachment; filename="a\\"b\\\\c.txt"', "c.txt"),
        ("attachment; FILENAME = a.txt ; x=y", "a.txt"),
        ("filename=a.txt", "a.txt"),
        ("attachment; filename*=UTF-8''%e2%82%ac%20rates.txt", "€ rates.txt"),
        ("attachment; filename*=utf-8'en'a%2Etxt", "a.txt"),
        ("attachment; filename*=ISO-8859-1''%A3.txt", "£.txt"),
        ("attachment; filename=\"fallback.txt\"; filename*=UTF-8''%E2%82%AC.txt", "€.txt"),
        ("attachment; filename*=UTF-8''%E2%82%AC.txt; filename=fallback.txt", "€.txt"),
        ("attachment; filename=x.txt; filename*=UTF-8''%FF", "x.txt"),
        ("attachment; filename=x.txt; filename*=UTF-8''\udcff.txt", "x.txt"),
        ("attachment; filename*=iso-8859-1''\udcff.txt", None),
        ("attachment; filename*=UTF-8''文件.txt", "文件.txt"),
        ("attachment; filename=x.txt; filename*=KOI8-R''%C1", "x.txt"),
        ("attachment; filename=x.txt; filename*=nonsense", "x.txt"),
        ("attachment; filename=x.txt; filename*=UTF-8''", "x.txt"),
        ("attachment; filename=first.txt; filename=second.txt", "first.txt"),
        ('attachment; xfilename="no.txt"', None),
        ('attachment; title="filename=no.txt"; filename=yes.txt', "yes.txt"),
        ("attachment; filename=\"filename*=UTF-8''no\"", "filename*=UTF-8''no"),
        ('attachment; filename="/etc/passwd"', "passwd"),
        ('attachment; filename="..\\\\..\\\\a.txt"', "a.txt"),
        ("attachment; filename*=UTF-8''..%2F..%2Fa.txt", "a.txt"),
        ('attachment; filename=".."', None),
        ("attachment; filename*=UTF-8''%2E%2E", None),
        ('attachment; filename="a/"', None),
        ('attachment; filename=""', None),
        ('attachment; filename="', '"'),
        ('attachment; filename="Ã¼.txt"', "ü.txt"),
        ('attachment; filename="ü.txt"', "ü.txt"),
        ('attachment; filename="\udcfc.txt"', "\udcfc.txt"),
        ('attachment; filename="文件.txt"', "文件.txt"),
    ],
)
def test_file_names_of_storage(value, name):
    """RFC 6266: filename* before filename, the last component alone, whatever the quoting."""
    assert disposition_filename(value) == name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Rails", "Rails"),
        ("a b (1).txt", "a b (1).txt"),
        (".hidden", ".hidden"),
        ("文件", "文件"),
        ("", "_"),
        (".", "_"),
        ("..", "__"),
        ("a/b\\c", "a_b_c"),
        ("/", "_"),
        ("a\x00b\nc\x7f", "a_b_c_"),
        ('a<b>c:d"e|f?g*h', "a_b_c_d_e_f_g_h"),
        ("a.", "a_"),
        ("a ", "a_"),
        ("a. .", "a___"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("con .txt", "_con .txt"),
        ("com1", "_com1"),
        ("com¹.x", "_com¹.x"),
        ("console", "console"),
        ("com10", "com10"),
        ("a\u202etxt.exe", "a_txt.exe"),
        ("a\ud800b", "a_b"),
        ("x" * 300, "x" * 200),
        ("x" * 300 + ".txt", "x" * 196 + ".txt"),
        ("x" * 300 + "." + "y" * 20, "x" * 200),
        ("." + "x" * 300, "." + "x" * 199),
        ("é" * 150, "é" * 100),
        ("x" * 199 + " " + "y" * 50, "x" * 199 + "_"),
        ("x" * 199 + "." + "y" * 50, "x" * 199 + "_"),
    ],
)
def test_safe_names(name, safe):
    """Close to what it was, and safe on every system."""
    assert safe_component(name) == safe


names = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from([".", " ", "/", "\\", "..", "con", "NUL", "x" * 100, "é" * 60, ".zip", "\n", "\ud800", ":"])
    ).map("".join),
)


@given(names)
def test_a_safe_name_is_one_component(name):
    """No separators, no dots alone, no control characters, not too long, nothing Windows drops or keeps to itself."""
    safe = safe_component(name)
    assert safe not in {"", ".", ".."}
    assert not set(safe) & set('<>:"/\\|?*')
    assert not any(unicodedata.category(char) in {"Cc", "Cs"} for char in safe)
    assert safe == safe.rstrip(" .")
    assert len(safe.encode()) <= 255
    assert safe.partition(".")[0].rstrip(" ").upper() not in {"CON", "NUL", "AUX", "PRN", "COM1", "LPT9"}


@given(names)
def test_making_safe_twice_changes_nothing(name):
    """A safe name is kept as it is."""
    safe = safe_component(name)
    assert safe_component(safe) == safe


@given(st.from_regex(r"[A-Za-z0-9äöü_-][A-Za-z0-9äöü _.+=,@!()-]{0,60}[A-Za-z0-9äöü_-]", fullmatch=True))
def test_ordinary_names_are_kept(name):
    """What needs no change gets none."""
    if name.partition(".")[0].rstrip(" ").upper() not in {"CON", "NUL", "AUX", "PRN"} and not name[
        :3
    ].upper().startswith(("COM", "LPT")):
        assert safe_component(name) == name


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Rails", "Rails.zip"),
        ("site.zip", "site.zip"),
        ("site.ZIP", "site.ZIP"),
        ("a/b", "a_b.zip"),
        ("..", "__.zip"),
        ("con", "_con.zip"),
        ("x" * 300, "x" * 200 + ".zip"),
        ("x" * 300 + ".zip", "x" * 196 + ".zip"),
    ],
)
def test_names_of_zips(name, file):
    """The artifact's name and one ``.zip``."""
    assert zip_filename(name) == file


@given(names)
def test_names_of_zips_fit(name):
    """Whatever the artifact is called, its file's name is safe and ends as a zip's."""
    file = zip_filename(name)
    assert not set(file) & set('<>:"/\\|?*\n')
    assert file.lower().endswith(".zip")
    assert len(file.encode()) <= 204


@pytest.mark.parametrize(
    ("disposition", "file"),
    [
        (None, "report.html"),
        ("attachment; filename=other.html", "other.html"),
        ("attachment; filename=..", "report.html"),
        ('attachment; filename="a:b?.txt"', "a_b_.txt"),
    ],
)
def test_names_of_raw_files(disposition, file):
    """Storage's name, else the artifact's own."""
    assert raw_filename("report.html", disposition) == file


@pytest.mark.parametrize("name", ["a", "a b.zip", "文件", ".x", "a:b"])
def test_the_callers_own_name_is_kept(name):
    """The caller knows the system."""
    assert check_filename(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a\x00", "a\n", "\ud800", None, 5])
def test_the_callers_own_name_must_be_one(name):
    """A folder in it, or nothing to see, is a mistake."""
    with pytest.raises(ConfigurationError):
        check_filename(name)
