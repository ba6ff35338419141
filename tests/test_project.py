"""The project itself: what is tracked, what is pinned, and what every test says about itself."""

from __future__ import annotations

import ast
import itertools
import re
import shutil
import statistics
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "gh_artifacts_async"
LONGEST_MODULE = 420  # lines; the tree of errors stays in one module, however long it grows
LONGEST_FUNCTION = 64  # lines, without the docstring
MEDIAN_FUNCTION = 8

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
    """Nothing ties a clone to one package index, or names a path of one machine."""
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
        module = ast.parse(path.read_text(encoding="utf-8"))
        classes = [node for node in module.body if isinstance(node, ast.ClassDef)]
        for node in itertools.chain(module.body, *(found.body for found in classes)):
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
    for name, version in re.findall(r"^([a-z0-9._-]+)(?:\[[^]]+\])?==([^ ]+)", pinned, re.MULTILINE):
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


# --- the package's source


@cache
def modules() -> dict[str, str]:
    """Return the source of every module, by its path in the package."""
    return {
        path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))
    }


def without_docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines a function has, from its ``def`` to its end, less its docstring."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node) is None:
        return lines
    docstring = node.body[0]
    return lines - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


@cache
def function_lengths() -> dict[str, int]:
    """Return the length of every function, by module, name and line."""
    return {
        f"{module}:{node.lineno} {node.name}": without_docstring(node)
        for module, source in modules().items()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_every_module_has_tests_of_its_own():
    """The tests mirror the package: a/b.py is tested by tests/a/test_b.py."""
    named = [Path(module) for module in modules() if not module.rpartition("/")[2].startswith("__")]
    missing = {path.as_posix() for path in named if not (ROOT / "tests" / path.with_name(f"test_{path.name}")).exists()}
    assert sorted(missing) == []


def test_no_module_is_long():
    """Each module fits into a reader's head, and is split before it does not."""
    lengths = {module: source.count("\n") for module, source in modules().items() if module != "errors.py"}
    assert {module: length for module, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_functions_are_short():
    """No function is long, and half of them have a few lines only."""
    lengths = function_lengths()
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}
    assert statistics.median(lengths.values()) <= MEDIAN_FUNCTION


def test_dependencies_that_left_are_mentioned_nowhere():
    """What the package no longer depends on is named in the changelog alone."""
    left = ["stam" + "ina", "aio" + "limiter"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = {Requirement(text).name for text in project["dependencies"]}
    assert not required & set(left)
    found = re.compile("|".join(left).encode())
    names = [path.relative_to(ROOT).as_posix() for path in tracked() if found.search(path.read_bytes())]
    assert [name for name in names if name != "CHANGELOG.md"] == []


def test_the_page_on_architecture_names_every_part():
    """Its order of packages is the one that import-linter checks, and its table has every part of the package."""
    page = (ROOT / "docs/explanation/architecture.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = (it["layers"] for it in project["tool"]["importlinter"]["contracts"] if it["type"] == "layers")
    shown = page.partition("```text\n")[2].partition("```")[0].splitlines()
    assert [sorted(row.split(" | ")) for row in shown] == [sorted(row.split(" | ")) for row in layers]
    table = page.partition("## Who may import whom")[0]
    named = set(re.findall(r"`([a-z_.]+)`", "".join(line.split("|")[1] for line in table.splitlines() if "|" in line)))
    parts = {module.partition("/")[0].removesuffix(".py") for module in modules()} - {"__init__", "__main__"}
    assert parts <= named
    places = {name: PACKAGE / name.replace(".", "/") for name in named}
    assert [name for name, place in places.items() if not (place.exists() or place.with_suffix(".py").exists())] == []


# --- the files for contributors


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "RELEASING.md", "SECURITY.md"])
def test_contributors_are_not_sent_astray(page):
    """Each path, link and make target that a page for contributors names exists."""
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    paths = re.findall(r"`((?:gh_artifacts_async|tests|docs|constraints)/[a-z_/.]*)`", text)
    examples = {"gh_artifacts_async/a/b.py", "tests/a/test_b.py"}
    assert [path for path in {*links, *paths} - examples if not (ROOT / path).exists()] == []
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {target for target in re.findall(r"(?:`|\$ |^)make ([a-z-]+)", text, re.MULTILINE) if target != "help"}
    assert [target for target in targets if f"\n{target}:" not in makefile] == []


def test_the_workflow_runs_what_anyone_can_run():
    """CI calls .ci/run on the three systems and every Python, reads the repository only, and pins its actions."""
    yaml = pytest.importorskip("yaml")
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    job = workflow["jobs"]["check"]
    assert {name.partition("-")[0] for name in job["strategy"]["matrix"]["os"]} == {"ubuntu", "macos", "windows"}
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["classifiers"]
    promised = {text.rpartition(" ")[2] for text in classifiers if re.search(r":: 3\.\d+$", text)}
    assert promised <= set(job["strategy"]["matrix"]["python"])
    steps = job["steps"]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]) for step in steps if "uses" in step)


def test_hooks_call_make():
    """The hooks for pre-commit run targets of the Makefile, with the pinned tools, and nothing from elsewhere."""
    yaml = pytest.importorskip("yaml")
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for hook in config["repos"][0]["hooks"]:
        command, *_, target = hook["entry"].split()
        assert command == "make"
        assert f"\n{target}:" in makefile
