"""The rules: each has a short name, the error for breaking it, and advice on what to do."""

from __future__ import annotations

from typing import Final

import attrs

from gh_artifacts_async.errors import (
    ArchiveError,
    ArchiveLimitError,
    CorruptArchiveError,
    UnsafeMemberError,
    UnsupportedArchiveError,
)

_DAMAGED: Final = "download it again, unless its digest was verified: then it was uploaded like this"
_AMBIGUOUS: Final = (
    "programs read it in different ways; do not trust it, or have it created again with another archiver"
)
_REPACK: Final = "have the archive created again with another archiver"
_RELATIVE: Final = "create the archive with paths relative to one folder"
_RENAME: Final = "rename the file before it is uploaded"
_RENAME_PORTABLE: Final = f'{_RENAME}, or extract with names="native" on another system than Windows'
_SHORTEN: Final = "shorten its name before it is uploaded"
_SHOWN: Final = 200
_OPTIONS: Final = {"max_ratio": "--max-ratio"}  # of the command line


@attrs.frozen
class Rule:
    """One rule.

    Attributes:
        name: the short name that errors carry.
        error: the exception raised if it is broken.
        advice: what the user can do.
    """

    name: str
    error: type[ArchiveError]
    advice: str


def _corrupt(name: str, advice: str = _AMBIGUOUS) -> Rule:
    return Rule(name, CorruptArchiveError, advice)


def _unsafe(name: str, advice: str = _REPACK) -> Rule:
    return Rule(name, UnsafeMemberError, advice)


def _unsupported(name: str, advice: str) -> Rule:
    return Rule(name, UnsupportedArchiveError, advice)


# The archive as a whole
END_RECORD: Final = _corrupt("end-record", _DAMAGED)
TRAILING_DATA: Final = _corrupt(
    "trailing-data", "have it created without that data, which other programs may read as another zip"
)
AMBIGUOUS_END: Final = _corrupt("ambiguous-end")
TRUNCATED: Final = _corrupt("truncated", _DAMAGED)
ZIP64: Final = _corrupt("zip64")
CENTRAL_DIRECTORY: Final = _corrupt("central-directory")
COUNT: Final = _corrupt("count")
GAP: Final = _corrupt("gap", "have it created as a plain zip, without a program before it or a signature inside it")
OVERLAP: Final = _corrupt("overlap", "no ordinary archiver writes this: do not trust the archive")
MULTI_DISK: Final = _unsupported("multi-disk", "join the parts into one archive")

# One member's headers
EXTRA: Final = _corrupt("extra", _REPACK)
UNICODE_PATH: Final = _corrupt("unicode-path")
LOCAL_HEADER: Final = _corrupt("local-header")
LOCAL_NAME: Final = _corrupt("local-name")
LOCAL_FLAGS: Final = _corrupt("local-flags")
LOCAL_METHOD: Final = _corrupt("local-method")
LOCAL_SIZE: Final = _corrupt("local-size")
LOCAL_CRC: Final = _corrupt("local-crc")
DESCRIPTOR: Final = _corrupt("descriptor")
STORED_SIZE: Final = _corrupt("stored-size")
ENCRYPTED: Final = _unsupported("encrypted", "unpack it with a program that asks for its password")
PATCHED: Final = _unsupported("patched-data", "have it created as an ordinary zip")
MASKED: Final = _unsupported("masked-header", "have it created as an ordinary zip")
METHOD: Final = _unsupported("method", "unpack it with a program that supports it, or have it created with deflate")

# One member's data
CRC: Final = _corrupt("crc", _DAMAGED)
SIZE: Final = _corrupt("size", _DAMAGED)
DATA: Final = _corrupt("data", _DAMAGED)
SURPLUS: Final = _corrupt("surplus-data")
EMPTY_BLOCKS: Final = _corrupt("empty-blocks", "no ordinary archiver writes this: do not trust the archive")

# Names
UTF8: Final = _corrupt("utf8", _REPACK)
EMPTY_NAME: Final = _unsafe("empty-name")
CONTROL: Final = _unsafe("control-character", _RENAME)
BIDI: Final = _unsafe("bidi-control", _RENAME)
BACKSLASH: Final = _unsafe("backslash", "create the archive with slashes between folders, or rename the file")
ABSOLUTE: Final = _unsafe("absolute", _RELATIVE)
DRIVE: Final = _unsafe("drive", _RELATIVE)
TRAVERSAL: Final = _unsafe("traversal", _RELATIVE)
DOT: Final = _unsafe("dot", _RELATIVE)
EMPTY_COMPONENT: Final = _unsafe("empty-component", _RELATIVE)
COMPONENT_LENGTH: Final = _unsafe("component-length", _SHORTEN)
PATH_LENGTH: Final = _unsafe("path-length", _SHORTEN)
DEVICE: Final = _unsafe("device-name", _RENAME_PORTABLE)
TRAILING: Final = _unsafe("trailing-dot-or-space", _RENAME_PORTABLE)
CHARACTER: Final = _unsafe("windows-character", _RENAME_PORTABLE)

# Types and collisions
LINK: Final = _unsafe("link", 'set symlinks="skip" (--symlinks skip) to extract everything else')
SPECIAL_FILE: Final = _unsafe("special-file", "leave it out of the archive")
FOLDER_TYPE: Final = _unsafe("folder-type")
FOLDER_DATA: Final = _unsafe("folder-data")
DUPLICATE: Final = _unsafe("duplicate", "create the archive with every name only once")
FILE_AS_FOLDER: Final = _unsafe("file-as-folder", "create the archive with every name only once")
TWIN: Final = _unsafe(
    "twin", "rename one of the two before they are uploaded, or extract to a case-sensitive file system"
)
DESTINATION: Final = _unsafe("destination", "extract to a file system that can store this name")

RULES: Final[dict[str, Rule]] = {rule.name: rule for rule in list(globals().values()) if isinstance(rule, Rule)}
"""Every rule by its short name; all limits share the name ``"limit"``."""


def printable(name: str) -> str:
    """Escape what must not reach a terminal or a log, and shorten what is too long to read."""
    shown = name if len(name) <= _SHOWN else name[:_SHOWN] + "..."
    if shown.isprintable():
        return shown
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in shown)


def refusal(rule: Rule, what: str, member: str | None = None) -> ArchiveError:
    """Build the error for a broken rule.

    Args:
        rule: the rule.
        what: what is wrong, without a full stop.
        member: the member's name, not escaped.
    """
    if member is None:
        return rule.error(f"{what}; {rule.advice}", rule=rule.name)
    shown = printable(member)
    return rule.error(f'member "{shown}": {what}; {rule.advice}', member=shown, rule=rule.name)


def over_limit(
    value: float, allowed: float, *, limit: str, member: str | None = None, whole: str = "the archive"
) -> ArchiveLimitError:
    """Build the error for a limit of :class:`~gh_artifacts_async.ExtractPolicy`."""
    shown = None if member is None else printable(member)
    where = whole if shown is None else f'member "{shown}"'
    has = f"{value:.0f}" if isinstance(value, int) else f"{value:.1f}"
    text = f"{where} has {limit[4:].replace('_', ' ')} {has}, more than {allowed}"
    option = f" ({_OPTIONS[limit]})" if limit in _OPTIONS else ""
    text += f"; raise ExtractPolicy.{limit}{option} if you trust it"
    return ArchiveLimitError(text, member=shown, limit=limit, value=value)
