"""The project itself: what is tracked, what is pinned, and what every test says about itself."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent

# Put together from pieces, so that this file does not find itself.
REGISTRIES = [
    "py" + "pi.org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "npm" + "js.com",
    "registry." + "yarnpkg.com",
    "crates" + ".io",
    "proxy." + "golang.org",
    "ana" + "conda.org",
    "deb." + "debian.org",
    "archive." + "ubuntu.com",
]
PLACES = [f"{place}/" for place in {ROOT.resolve(), Path.home()} if len(place.parts) > 1]
PATTERN = re.compile("|".join(map(re.escape, REGISTRIES + PLACES)).encode())


def tracked() -> list[Path]:
    """Return the files that git tracks; skip the test where there is no git checkout."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(  # noqa: S603  a fixed command
        [git, "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True
    )
    paths = [ROOT / name.decode() for name in listed.stdout.split(b"\0") if name]
    return [path for path in paths if path.is_file()]


def test_no_tracked_file_names_a_registry_or_a_place_of_one_machine():
    """Who clones this installs from where they choose, and finds no path of somebody's machine."""
    found = [
        f"{path.relative_to(ROOT)}: {match.group().decode()}"
        for path in tracked()
        for match in PATTERN.finditer(path.read_bytes())
    ]
    assert not found


def test_no_line_is_kept_from_coverage():
    """Nothing in the package hides from the coverage report, and no marker is left for later."""
    hidden = re.compile("prag" + "ma: no|TO" + "DO|FIX" + "ME|XX" + "X|noqa(?!:)|type: ignore(?!\\[)")
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in sorted((ROOT / "gh_artifacts_async").rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if hidden.search(line)
    ]
    assert not found


def test_every_test_says_what_it_tests():
    """Each test function has a docstring, and its first line is a sentence."""
    silent = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                said = (ast.get_docstring(node) or "").split("\n\n")[0].strip()
                if not said.endswith((".", "?", "!", '"', "”")):
                    silent.append(f"{path.relative_to(ROOT)}: {node.name}")
    assert not silent


def requirements(project: dict) -> list[Requirement]:
    """Return every requirement of the project: core, extras, and the group dev with what it includes."""
    groups = project["dependency-groups"]

    def of_group(name: str) -> list[str]:
        found: list[str] = []
        for entry in groups[name]:
            found += of_group(entry["include-group"]) if isinstance(entry, dict) else [entry]
        return found

    extras = project["project"]["optional-dependencies"].values()
    texts = [*project["project"]["dependencies"], *(text for extra in extras for text in extra), *of_group("dev")]
    return [Requirement(text) for text in texts]


def test_the_pins_fit_the_project():
    """Every requirement has a pin in constraints/dev.txt that satisfies it (else: make constraints)."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pins: dict[str, list[str]] = {}
    pinned = (ROOT / "constraints/dev.txt").read_text(encoding="utf-8")
    for name, version in re.findall(r"^([a-z0-9._-]+)==([^ ]+)", pinned, re.MULTILINE):
        pins.setdefault(canonicalize_name(name), []).append(version)
    for requirement in requirements(project):
        versions = pins.get(canonicalize_name(requirement.name), [])
        assert versions, f"{requirement} has no pin"
        assert all(requirement.specifier.contains(version) for version in versions), f"{requirement}: {versions}"


def test_dependencies_have_floors_and_no_caps():
    """Each dependency of the package names the oldest version that was tested, and none is capped."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for text in [*project["dependencies"], *(t for extra in project["optional-dependencies"].values() for t in extra)]:
        assert [spec.operator for spec in Requirement(text).specifier] == [">="], text


def test_the_changelog_knows_the_version():
    """CHANGELOG.md has a place for what is new."""
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
