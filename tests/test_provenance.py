"""Whose each file is and under which license: REUSE.toml says it for every file, and no line of it is idle."""

from __future__ import annotations

import fnmatch
import re
import tomllib
from pathlib import Path

import pytest

from tests.test_project import tracked

pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent
TEXTS = re.compile(r"LICENSE|REUSE\.toml|LICENSES/[A-Za-z0-9.-]+\.txt")
"""What needs no line of its own, by the specification: the licenses' texts, and the table."""
# Put together from pieces, so that this file does not find itself.
NOTICE = re.compile(
    rb"(?i)\bcopy" + rb"right (?:\(c\)|\xc2\xa9|[12]\d{3})|\bS" + rb"PDX-(?!FileCopy|License-Identifier)\w+:"
)


def table() -> list[dict]:
    """Return the lines of the table, with their paths as a list."""
    found = tomllib.loads((ROOT / "REUSE.toml").read_text(encoding="utf-8"))
    assert found["version"] == 1
    return [{**it, "path": [it["path"]] if isinstance(it["path"], str) else it["path"]} for it in found["annotations"]]


def pattern(glob: str) -> re.Pattern[str]:
    """Return what a path of the table matches, by REUSE 3.3: ``*`` within a folder, ``**`` across folders."""
    return re.compile("".join({"**": ".*", "*": "[^/]*"}.get(it, re.escape(it)) for it in re.split(r"(\*+)", glob)))


def names() -> list[str]:
    """Return the paths of the tracked files that need a line."""
    found = (path.relative_to(ROOT).as_posix() for path in tracked())
    return [name for name in found if not TEXTS.fullmatch(name)]


def holder(name: str) -> dict | None:
    """Return the line that counts for a file: the last one that matches."""
    return next((it for it in reversed(table()) if any(pattern(glob).fullmatch(name) for glob in it["path"])), None)


def test_every_file_has_a_license_and_a_holder():
    """A new folder, or a file beside the others, needs a line in REUSE.toml."""
    lines = [([pattern(glob) for glob in it["path"]], it) for it in table()]
    without = [name for name in names() if not any(it.fullmatch(name) for globs, _ in lines for it in globs)]
    assert without == []
    assert all(it["SPDX-FileCopyrightText"] and it["SPDX-License-Identifier"] for it in table())


def test_every_path_in_the_table_is_of_some_file():
    """What has left the repository leaves the table too."""
    found = names()
    idle = [glob for it in table() for glob in it["path"] if not any(map(pattern(glob).fullmatch, found))]
    assert idle == []


def test_the_texts_are_those_of_the_licenses_in_use():
    """LICENSES has one text for each license that the table names, and no other; ours is LICENSE."""
    used = {it["SPDX-License-Identifier"] for it in table()}
    assert {path.stem for path in (ROOT / "LICENSES").iterdir()} == used
    ours = (ROOT / "LICENSE").read_text(encoding="utf-8").splitlines()
    theirs = (ROOT / "LICENSES/MIT.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in ours if not line.startswith("Copyright")] == [
        line for line in theirs if not line.startswith("Copyright")
    ]


@pytest.mark.parametrize(
    ("name", "license_", "holder_"),
    [
        ("tests/contract/github.com.artifacts.json", "MIT", "GitHub, Inc."),
        ("tests/contract/README.md", "MIT", "2026 gh_artifacts_async contributors"),
        ("tests/zips/good.zip", "CC0-1.0", "2026 gh_artifacts_async contributors"),
        ("constraints/dev.txt", "CC0-1.0", "NONE"),
    ],
)
def test_what_is_not_ours_is_said(name, license_, holder_):
    """The last line that matches counts, so that an exception stands below the rule."""
    assert (ROOT / name).is_file()
    found = holder(name)
    assert found
    assert (found["SPDX-License-Identifier"], found["SPDX-FileCopyrightText"]) == (license_, holder_)


def test_no_file_says_otherwise():
    """No file holds a notice of its own, as something copied in from elsewhere would."""
    found = [path.relative_to(ROOT).as_posix() for path in tracked() if NOTICE.search(path.read_bytes())]
    assert [name for name in found if not fnmatch.fnmatch(name, "LICENSE*")] == []
