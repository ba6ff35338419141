"""Every rule an archive can break: its short name, the error it becomes, and what to do about it."""

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

_AGAIN: Final = "download it again; if it stays so, the archive was made like this"
_REPACK: Final = "no ordinary archiver writes this, and readers disagree on it: do not trust the archive"
_RENAME: Final = "rename the file where the artifact is made"
_SHOWN: Final = 200


@attrs.frozen
class Rule:
    """One rule.

    Attributes:
        name: the short name that errors carry.
        error: the class of the refusal.
        advice: what a person can do.
    """

    name: str
    error: type[ArchiveError]
    advice: str


def _corrupt(name: str, advice: str = _REPACK) -> Rule:
    return Rule(name, CorruptArchiveError, advice)


def _unsafe(name: str, advice: str = _RENAME) -> Rule:
    return Rule(name, UnsafeMemberError, advice)


def _unsupported(name: str, advice: str) -> Rule:
    return Rule(name, UnsupportedArchiveError, advice)


# The archive as a whole
END_RECORD: Final = _corrupt("end-record", _AGAIN)
TRAILING_DATA: Final = _corrupt("trailing-data", _AGAIN)
AMBIGUOUS_END: Final = _corrupt("ambiguous-end")
TRUNCATED: Final = _corrupt("truncated", _AGAIN)
ZIP64: Final = _corrupt("zip64")
CENTRAL_DIRECTORY: Final = _corrupt("central-directory")
COUNT: Final = _corrupt("count")
GAP: Final = _corrupt("gap")
OVERLAP: Final = _corrupt("overlap")
MULTI_DISK: Final = _unsupported("multi-disk", "join the parts into one archive")

# One member's headers
EXTRA: Final = _corrupt("extra")
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
PATCHED: Final = _unsupported("patched-data", "pack it again as an ordinary zip")
MASKED: Final = _unsupported("masked-header", "pack it again as an ordinary zip")
METHOD: Final = _unsupported("method", "pack it again with deflate, or unpack it with a program that knows the method")

# One member's data
CRC: Final = _corrupt("crc", _AGAIN)
SIZE: Final = _corrupt("size", _AGAIN)
DATA: Final = _corrupt("data", _AGAIN)
SURPLUS: Final = _corrupt("surplus-data")

# Names
UTF8: Final = _corrupt("utf8")
EMPTY_NAME: Final = _unsafe("empty-name")
CONTROL: Final = _unsafe("control-character")
BIDI: Final = _unsafe("bidi-control")
BACKSLASH: Final = _unsafe("backslash")
ABSOLUTE: Final = _unsafe("absolute")
DRIVE: Final = _unsafe("drive")
TRAVERSAL: Final = _unsafe("traversal")
DOT: Final = _unsafe("dot")
EMPTY_COMPONENT: Final = _unsafe("empty-component")
COMPONENT_LENGTH: Final = _unsafe("component-length")
PATH_LENGTH: Final = _unsafe("path-length")
DEVICE: Final = _unsafe("device-name")
TRAILING: Final = _unsafe("trailing-dot-or-space")
CHARACTER: Final = _unsafe("windows-character")

# Types and collisions
LINK: Final = _unsafe("link", 'set symlinks="skip" to leave links out')
SPECIAL_FILE: Final = _unsafe("special-file")
FOLDER_TYPE: Final = _unsafe("folder-type")
FOLDER_DATA: Final = _unsafe("folder-data")
DUPLICATE: Final = _unsafe("duplicate")
FILE_AS_FOLDER: Final = _unsafe("file-as-folder")
TWIN: Final = _unsafe("twin", "rename one of the two where the artifact is made")
DESTINATION: Final = _unsafe("destination", "unpack to a file system that can hold this name")

RULES: Final[dict[str, Rule]] = {rule.name: rule for rule in list(globals().values()) if isinstance(rule, Rule)}
"""Every rule by its short name; limits have the one name ``"limit"``."""


def printable(name: str) -> str:
    """Escape what a terminal or a log must not get raw, and cut what is too long to read."""
    shown = name if len(name) <= _SHOWN else name[:_SHOWN] + "..."
    if shown.isprintable():
        return shown
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in shown)


def refusal(rule: Rule, what: str, member: str | None = None) -> ArchiveError:
    """Build the error for a broken rule.

    Args:
        rule: the rule.
        what: what is wrong, without a full stop.
        member: the member's name, as the archive has it.
    """
    if member is None:
        return rule.error(f"{what}; {rule.advice}", rule=rule.name)
    shown = printable(member)
    return rule.error(f'member "{shown}": {what}; {rule.advice}', member=shown, rule=rule.name)


def over_limit(value: float, allowed: float, *, limit: str, member: str | None = None) -> ArchiveLimitError:
    """Build the error for a limit of :class:`~gh_artifacts_async.ExtractPolicy`."""
    shown = None if member is None else printable(member)
    where = "the archive" if shown is None else f'member "{shown}"'
    has = f"{value:.0f}" if isinstance(value, int) else f"{value:.1f}"
    text = f"{where} has {limit[4:].replace('_', ' ')} {has}, more than {allowed}"
    text += f"; raise ExtractPolicy.{limit} if you trust it"
    return ArchiveLimitError(text, member=shown, limit=limit, value=value)
