"""What is looked for in a built wheel and sdist, by ``.ci/packages``; here in small ones that are made by hand."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.kits import built_packages, extras_program

pytestmark = pytest.mark.once

WHEEL = "gh_artifacts_async-{version}-py3-none-any.whl"


def metadata() -> str:
    """Return the metadata that a wheel should have."""
    project = built_packages.project()
    lines = [f"Name: {project['name']}", f"Version: {project['version']}", f"Summary: {project['description']}"]
    lines += ["License-Expression: MIT", "License-File: LICENSE", f"Requires-Python: {project['requires-python']}"]
    lines += [f"Classifier: {it}" for it in project["classifiers"]]
    lines += [f"Requires-Dist: {it}" for it in project["dependencies"]]
    for extra, requirements in project["optional-dependencies"].items():
        lines += [f"Provides-Extra: {extra}", *(f"Requires-Dist: {it}; extra == '{extra}'" for it in requirements)]
    readme = (built_packages.ROOT / project["readme"]).read_text(encoding="utf-8")
    return "\n".join([*lines, "Description-Content-Type: text/markdown", "", readme])


def write_wheel(folder: Path, **changes: bytes | None) -> Path:
    """Write a wheel as it should be, with changes: names have __ for /, and None leaves a file out."""
    project = built_packages.project()
    info = f"gh_artifacts_async-{project['version']}.dist-info"
    entry_points = "[console_scripts]\ngh-artifacts = gh_artifacts_async.cli:main\n\n[fsspec.specs]\n"
    entry_points += "ghartifacts = gh_artifacts_async.fs:ArtifactsFileSystem\n"
    package = built_packages.ROOT / "gh_artifacts_async"
    files: dict[str, bytes | None] = {
        f"gh_artifacts_async/{path.relative_to(package).as_posix()}": b"" for path in package.rglob("*.py")
    }
    files |= {
        "gh_artifacts_async/py.typed": b"",
        f"{info}/METADATA": metadata().encode(),
        f"{info}/entry_points.txt": entry_points.encode(),
        f"{info}/licenses/LICENSE": (built_packages.ROOT / "LICENSE").read_bytes(),
    }
    files |= {name.replace("__", "/").replace("INFO", info): content for name, content in changes.items()}
    folder.mkdir(exist_ok=True)
    path = folder / WHEEL.format(version=project["version"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            if content is not None:
                archive.writestr(zipfile.ZipInfo(name), content)
    return path


def write_sdist(folder: Path, names: set[str]) -> Path:
    """Write an sdist of empty files."""
    path = folder / "gh_artifacts_async-1.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in sorted(names):
            archive.addfile(tarfile.TarInfo(f"gh_artifacts_async-1/{name}"), io.BytesIO())
    return path


def test_a_wheel_as_it_should_be(tmp_path: Path):
    """It has every module and py.typed, and its metadata are those of pyproject.toml."""
    assert list(built_packages.wheel_faults(write_wheel(tmp_path))) == []


FAULTS = {
    "a module too much": ({"tests__x.py": b""}, "the wheel has tests/x.py"),
    "py.typed left out": ({"gh_artifacts_async__py.typed": None}, "the wheel lacks gh_artifacts_async/py.typed"),
    "another license": ({"INFO__licenses__LICENSE": b"GPL"}, "the wheel's license is another one"),
    "a command too much": (
        {"INFO__entry_points.txt": b"x = y:z\n"},
        "the wheel's entry_points.txt has x = y:z",
    ),
    "no license in the metadata": (
        {"INFO__METADATA": b"Name: gh-artifacts-async\n\n"},
        "the wheel's License-Expression is [], not ['MIT']",
    ),
    "no dependency": ({"INFO__METADATA": b"Name: x\n\n"}, "the wheel requires []"),
    "no description": ({"INFO__METADATA": b"Name: x\n\nshort"}, "the wheel's description is not README.md"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wheel_with_a_fault(fault, tmp_path: Path):
    """Each is named."""
    changes, said = FAULTS[fault]
    assert any(line.startswith(said) for line in built_packages.wheel_faults(write_wheel(tmp_path, **changes)))


def test_an_sdist_has_what_git_tracks(tmp_path: Path, monkeypatch):
    """What is left out, and what slipped in, is named; where there is no git, nothing is compared."""
    monkeypatch.setattr(built_packages, "tracked", lambda: {"a", "b/c", *(f"d{number}" for number in range(7))})
    sdist = write_sdist(tmp_path, {"a", "PKG-INFO", ".venv/x"})
    assert list(built_packages.sdist_faults(sdist)) == [
        "the sdist has .venv/x",
        "the sdist lacks b/c, d0, d1, d2, d3 and 3 more",
    ]
    monkeypatch.setattr(built_packages, "tracked", lambda: None)
    assert list(built_packages.sdist_faults(sdist)) == []


def test_what_git_tracks(tmp_path: Path, monkeypatch):
    """Files of this checkout; None outside of one."""
    found = built_packages.tracked()
    assert found is None or {"pyproject.toml", "tests/test_packages.py"} <= found
    monkeypatch.setattr(built_packages, "ROOT", tmp_path)
    assert built_packages.tracked() is None


def test_a_second_build(tmp_path: Path, monkeypatch, capsys):
    """It must be the same, byte for byte; that of another hatchling must have the same modules."""
    first, second, oldest = (tmp_path / name for name in ("first", "second", "oldest"))
    for folder in (first, second, oldest):
        write_wheel(folder)
    monkeypatch.setattr(built_packages, "tracked", lambda: {"a"})
    for folder in (first, second):
        (folder / "gh_artifacts_async-1.tar.gz").write_bytes(write_sdist(first, {"a", "PKG-INFO"}).read_bytes())
    write_wheel(oldest, INFO__WHEEL=b"Generator: hatchling 1.27.0")
    assert built_packages.main([str(first), str(second), str(oldest)]) == 0
    write_wheel(second, INFO__WHEEL=b"other")
    write_wheel(oldest, gh_artifacts_async__errors_py=b"other")
    assert built_packages.main([str(first), str(second), str(oldest)]) == 1
    differs, other = capsys.readouterr().out.splitlines()
    assert differs.endswith("byte for byte")
    assert other.endswith("has other modules")


def test_a_build_leaves_one_file_of_a_kind(tmp_path: Path):
    """None, or two, is a fault of the build."""
    with pytest.raises(FileNotFoundError, match=r"has 0 files \*\.whl"):
        built_packages.only(tmp_path, "*.whl")


def test_each_extra_is_tried():
    """The program that .ci/packages runs in each environment knows every extra; the core tells of "speed"."""
    extras = set(built_packages.project()["optional-dependencies"])
    assert extras == {*extras_program.EXTRAS, "speed"}
    assert set(extras_program.BRINGS) <= extras


@pytest.mark.parametrize(
    ("installed", "said"),
    [
        ("", "fs: works without its extra"),
        ("", "app does not name itself: no app"),
        ("app", "app: no app"),
    ],
)
def test_what_is_not_as_expected_is_told(installed, said, monkeypatch, capsys):
    """An extra that works although it is missing, one that does not name itself, and one that does not work."""

    def app() -> None:
        msg = "no app"
        raise ImportError(msg)

    monkeypatch.setattr(extras_program, "core", lambda _: "core")
    monkeypatch.setattr(extras_program, "EXTRAS", {"app": app, "fs": lambda: None})
    monkeypatch.setattr(extras_program, "BRINGS", {})
    assert extras_program.main(installed) == 1
    assert f"  {said}" in capsys.readouterr().err.splitlines()


def test_the_scripts_are_called():
    """What .ci has beside its main script is run by it."""
    main = (built_packages.ROOT / ".ci/run").read_text(encoding="utf-8")
    for script in ("packages", "types"):
        assert f"\n    .ci/{script} " in main
