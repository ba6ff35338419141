"""Member names: how they are decoded, which are safe to create, and which are equal on some file systems."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Final

from gh_artifacts_async.archive import rules
from gh_artifacts_async.archive.rules import over_limit, refusal

if TYPE_CHECKING:
    from gh_artifacts_async.settings import ExtractPolicy

MAX_COMPONENT: Final = 255
"""The longest path component in bytes that common file systems can store (NAME_MAX)."""

MAX_PATH: Final = 4095
"""The longest path in bytes that the kernel accepts (PATH_MAX without the terminating NUL)."""

# C0, DEL, C1 (log forging, terminal escapes); embeddings, overrides and isolates of Unicode's bidirectional algorithm.
# Joiners and marks stay legal: emoji sequences and Arabic names contain them.
_FORBIDDEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\\]")
_BAD_COMPONENT: Final = re.compile(r"(?:^|/)(\.{0,2})(?:/|$)")
# Nearly every name: no component begins with a dot, and no character is special on any system.
_PLAIN: Final = re.compile(r"(?=.)(?:[\w+@=,~() -][\w+@=,~(). -]*/)*(?:[\w+@=,~() -][\w+@=,~(). -]*)?\Z", re.ASCII)
_DRIVE: Final = re.compile(r"[A-Za-z]:")
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file: the extension does not matter, nor do spaces before it
_DEVICE: Final = re.compile(
    r"(?:^|/)(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[1-9\u00b9\u00b2\u00b3]) *(?:\.[^/]*)?(?:/|$)",
    re.IGNORECASE,
)
_UNICODE_PATH_VERSION: Final = 1
_UNICODE_PATH_HEADER: Final = 5  # the version and the CRC
_TRAILING: Final = re.compile(r"[. ](?:/|$)")
_WINDOWS_CHARACTER: Final = re.compile(r'[<>:"|?*]')


def decode_name(raw: bytes, *, utf8: bool, unix: bool = False) -> str:
    """Decode a name: UTF-8 if bit 11 of the flags is set, else code page 437 (APPNOTE 4.4.4 and appendix D).

    Archivers on Unix store the name's bytes unchanged and mostly leave bit 11 clear, so theirs is UTF-8 if it is valid.

    Args:
        raw: the name as stored.
        utf8: bit 11 is set.
        unix: the archive was made on Unix or macOS.

    Raises:
        CorruptArchiveError: bit 11 is set and the bytes are not UTF-8.
    """
    if utf8 or unix or raw.isascii():
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            if utf8:
                shown = raw.decode("utf-8", "backslashreplace")
                raise refusal(rules.UTF8, "its name is marked as UTF-8, but is not valid UTF-8", shown) from None
    return raw.decode("cp437")


def apply_unicode_path(raw: bytes, name: str, field: bytes, *, utf8: bool) -> str:
    """Return the name that a member has with Info-ZIP's Unicode path extra field, 0x7075 (APPNOTE 4.6.9).

    The field has a version, the CRC of the name it was written for, and a name in UTF-8. It is ignored if that CRC is
    not the CRC of the name in the header: then the member was renamed by a program that does not know the field.

    Args:
        raw: the name in the header, as stored.
        name: the same, decoded.
        field: the extra field's data.
        utf8: bit 11 of the flags is set.

    Raises:
        CorruptArchiveError: the field is malformed, or gives another name to a member whose own name is unambiguous.
    """
    if len(field) < _UNICODE_PATH_HEADER:
        raise refusal(rules.EXTRA, "its Unicode path field is too short", name)
    given = field[_UNICODE_PATH_HEADER:]
    current = field[0] == _UNICODE_PATH_VERSION and int.from_bytes(field[1:5], "little") == zlib.crc32(raw)
    if not current and given != raw:
        return name
    try:
        new = given.decode("utf-8")
    except UnicodeDecodeError:
        if given == raw:
            return name
        raise refusal(rules.UNICODE_PATH, "its Unicode path field is not valid UTF-8", name) from None
    if new != name and (utf8 or raw.isascii()):
        own = "marked as UTF-8" if utf8 else "plain ASCII"
        shown = rules.printable(new)
        raise refusal(
            rules.UNICODE_PATH, f'its Unicode path field renames it to "{shown}", but its name is {own}', name
        )
    return new


def canonical(name: str) -> str:
    """Drop the ``./`` with which some archivers begin every name (``bsdtar -a -cf x.zip .``)."""
    return name.removeprefix("./")


def relative_path(name: str) -> str:
    """Return a name as a relative path with slashes, without a leading ``./`` or a trailing slash."""
    return canonical(name).removesuffix("/")


def check_name(name: str, policy: ExtractPolicy) -> None:
    """Reject a name that is not a plain relative path; a trailing slash marks a folder, a leading ``./`` is ignored.

    Raises:
        UnsafeMemberError: the name breaks a rule.
        ArchiveLimitError: it is nested deeper than ``policy.max_depth`` folders.
    """
    if not _PLAIN.match(name) and name != "./":
        path = canonical(name).removesuffix("/")
        if _FORBIDDEN.search(name) or _BAD_COMPONENT.search(path) or _DRIVE.match(path):
            raise _explain(name, path)
    if len(name) * 4 > MAX_COMPONENT:
        _check_length(name)
    depth = canonical(name).count("/")
    if policy.max_depth is not None and depth > policy.max_depth:
        raise over_limit(depth, policy.max_depth, limit="max_depth", member=name)
    if policy.names == "portable":
        check_portable(name)


def _explain(name: str, path: str) -> Exception:
    if found := _FORBIDDEN.search(name):
        return _explain_character(found[0], name)
    parts = path.split("/")
    reasons = (
        (name == "", rules.EMPTY_NAME, "its name is empty"),
        (_DRIVE.match(path), rules.DRIVE, "its name begins with a drive letter"),
        (path.startswith("/") or name == "/", rules.ABSOLUTE, "its name is an absolute path"),
        (".." in parts, rules.TRAVERSAL, 'its name contains a ".." component'),
        ("." in parts, rules.DOT, 'its name contains a "." component'),
        (True, rules.EMPTY_COMPONENT, "its name contains an empty component"),
    )
    rule, what = next((rule, what) for applies, rule, what in reasons if applies)
    return refusal(rule, what, name)


def _explain_character(char: str, name: str) -> Exception:
    if char == "\\":
        return refusal(rules.BACKSLASH, "its name contains a backslash, which separates folders only on Windows", name)
    if char < "\u0100":
        return refusal(rules.CONTROL, f"its name contains the control character U+{ord(char):04X}", name)
    return refusal(rules.BIDI, f"its name contains U+{ord(char):04X}, which reverses text and so disguises names", name)


def _check_length(name: str) -> None:
    path = name.removesuffix("/")
    if max(len(part.encode()) for part in path.split("/")) > MAX_COMPONENT:
        raise refusal(rules.COMPONENT_LENGTH, f"a component of its name is longer than {MAX_COMPONENT} bytes", name)
    if len(path.encode()) > MAX_PATH:
        raise refusal(rules.PATH_LENGTH, f"its name is longer than {MAX_PATH} bytes", name)


def check_portable(name: str) -> None:
    """Reject a name that Windows would not create, or would create under another name.

    Raises:
        UnsafeMemberError: the name breaks a rule.
    """
    path = canonical(name).removesuffix("/")
    if found := _WINDOWS_CHARACTER.search(path):
        raise refusal(rules.CHARACTER, f"its name contains {found[0]!r}, which Windows does not allow", name)
    if _DEVICE.search(path):
        raise refusal(rules.DEVICE, "its name is a device name on Windows", name)
    if _TRAILING.search(path):
        raise refusal(rules.TRAILING, "a component of its name ends in a dot or a space, which Windows removes", name)
