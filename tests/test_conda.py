"""The recipe for conda says what pyproject.toml says."""

from __future__ import annotations

import importlib
import importlib.util
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

yaml = pytest.importorskip("yaml")
pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent
RECIPE = ROOT / "packaging/conda/recipe.yaml"
CONDA_NAMES = {"isal": "python-isal", "redis": "redis-py"}
"""conda-forge's name of a package, where it is another one."""
NOT_THERE = {"jq"}
"""What conda-forge has under the same name is something else."""
VARIABLE = re.compile(r"\$\{\{ (\w+) \}\}")


def recipe() -> dict[str, Any]:
    """Return the recipe with its context filled in."""
    text = RECIPE.read_text(encoding="utf-8")
    context = yaml.safe_load(text)["context"]
    return yaml.safe_load(VARIABLE.sub(lambda match: context.get(match[1], match[0]), text))


def project() -> dict[str, Any]:
    """Return pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def conda(text: str) -> str:
    """Return a requirement as a recipe has it, extras left out."""
    requirement = Requirement(text)
    name = canonicalize_name(requirement.name)
    return f"{CONDA_NAMES.get(name, name)} {requirement.specifier}"


def test_the_version_is_that_of_the_package():
    """Name, version, summary and license are the package's, and the source is what a build of this version leaves."""
    found, metadata = recipe(), project()["project"]
    assert found["schema_version"] == 1
    assert found["package"] == {"name": metadata["name"], "version": metadata["version"]}
    assert found["about"]["summary"] == metadata["description"]
    assert found["about"]["license"] == metadata["license"]
    assert [found["about"]["license_file"]] == metadata["license-files"]
    assert found["source"]["path"] == f"../../dist/gh_artifacts_async-{metadata['version']}.tar.gz"


def test_the_requirements_are_those_of_the_package():
    """Those of a run are the core dependencies; those of a build are what builds the wheel."""
    found, metadata = recipe()["requirements"], project()
    python = metadata["project"]["requires-python"].removeprefix(">=")
    assert found["run"] == [f"python >={python}", *map(conda, metadata["project"]["dependencies"])]
    assert set(found["host"]) == {f"python {python}.*", "pip", *map(conda, metadata["build-system"]["requires"])}


def test_what_extras_need_is_constrained():
    """Each extra's package that is installed besides must be as new as the extra asks for."""
    extras = project()["project"]["optional-dependencies"].values()
    wanted = {conda(text) for extra in extras for text in extra if Requirement(text).name not in NOT_THERE}
    assert sorted(recipe()["requirements"]["run_constraints"]) == sorted(wanted)


def test_it_is_built_for_every_platform_and_tested():
    """It is noarch, has the command that the wheel has, and its tests import every public module without an extra."""
    found, scripts = recipe(), project()["project"]["scripts"]
    assert found["build"]["noarch"] == "python"
    assert found["build"]["python"]["entry_points"] == [f"{name} = {place}" for name, place in scripts.items()]
    imports = found["tests"][0]["python"]["imports"]
    assert all(importlib.import_module(name) for name in imports)
    assert found["tests"][0]["python"]["pip_check"] is True
    assert "gh-artifacts --help" in found["tests"][1]["script"]


@pytest.mark.skipif(importlib.util.find_spec("rattler_build") is None, reason="py-rattler-build is not installed")
def test_rattler_build_takes_it():
    """The tool that builds from such recipes reads and renders it."""
    rattler_build = importlib.import_module("rattler_build")
    (variant,) = rattler_build.Stage0Recipe.from_file(str(RECIPE)).render(rattler_build.VariantConfig())
    rendered = variant.recipe.to_dict()
    assert rendered["package"] == recipe()["package"]
    assert rendered["requirements"]["run"] == recipe()["requirements"]["run"]
