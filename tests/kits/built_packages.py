"""What must hold of a built wheel and sdist: ``python -m tests.kits.built_packages DIST [OTHER]...``, in .ci/packages.

Each OTHER is a folder with what a second build left: in another place, at another time, or by the oldest hatchling.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import HeaderParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent
PACKAGE = "gh_artifacts_async"


def project() -> dict[str, Any]:
    """Return the table ``project`` of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def only(folder: Path, pattern: str) -> Path:
    """Return the one file that a build leaves of a kind.

    Raises:
        FileNotFoundError: there is none, or more than one.
    """
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        msg = f"{folder} has {len(found)} files {pattern}"
        raise FileNotFoundError(msg)
    return found[0]


def tracked() -> set[str] | None:
    """Return the files that git tracks; None where there is no checkout."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return None
    done = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)  # noqa: S603 - fixed
    names = {name.decode() for name in done.stdout.split(b"\0") if name}
    return {name for name in names if (ROOT / name).is_file()}


def difference(what: str, found: set[str], wanted: set[str]) -> Iterator[str]:
    """Yield a line for what a package has too much, and one for what it lacks."""
    for label, names in (("has", found - wanted), ("lacks", wanted - found)):
        if names:
            yield f"{what} {label} {', '.join(sorted(names)[:5])}" + (f" and {len(names) - 5} more" * (len(names) > 5))


def metadata_faults(text: str) -> Iterator[str]:
    """Yield a line for each field of a wheel's metadata that is not what pyproject.toml says."""
    metadata, wanted = HeaderParser().parsestr(text), project()
    fields = {
        "Name": [wanted["name"]],
        "Version": [wanted["version"]],
        "Summary": [wanted["description"]],
        "License-Expression": [wanted["license"]],
        "License-File": wanted["license-files"],
        "Requires-Python": [wanted["requires-python"]],
        "Classifier": wanted["classifiers"],
        "Provides-Extra": list(wanted["optional-dependencies"]),
        "Description-Content-Type": ["text/markdown"],
    }
    for name, values in fields.items():
        found = metadata.get_all(name, [])
        if sorted(found) != sorted(values):
            yield f"the wheel's {name} is {found}, not {values}"
    core = [it for it in metadata.get_all("Requires-Dist", []) if "extra ==" not in it]
    if sorted(core) != sorted(wanted["dependencies"]):
        yield f"the wheel requires {core}, not {wanted['dependencies']}"
    readme = (ROOT / wanted["readme"]).read_text(encoding="utf-8")
    if str(metadata.get_payload()).strip() != readme.strip():
        yield f"the wheel's description is not {wanted['readme']}"


def wheel_faults(path: Path) -> Iterator[str]:
    """Yield a line for each fault of a wheel."""
    with zipfile.ZipFile(path) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
        wanted = project()
        info = f"{PACKAGE}-{wanted['version']}.dist-info"
        yield from metadata_faults(archive.read(f"{info}/METADATA").decode())
        licenses = [archive.read(f"{info}/licenses/{name}") for name in wanted["license-files"]]
        if licenses != [(ROOT / name).read_bytes() for name in wanted["license-files"]]:
            yield "the wheel's license is another one"
        entry_points = archive.read(f"{info}/entry_points.txt").decode()
        groups = [wanted["scripts"], *wanted["entry-points"].values()]
        lines = {f"{name} = {place}" for group in groups for name, place in group.items()}
        yield from difference("the wheel's entry_points.txt", set(re.findall(r"(?m)^.+ = .+$", entry_points)), lines)
    sources = {f"{PACKAGE}/{it.relative_to(ROOT / PACKAGE).as_posix()}" for it in (ROOT / PACKAGE).rglob("*.py")}
    yield from difference(
        "the wheel", {name for name in names if not name.startswith(info)}, {*sources, f"{PACKAGE}/py.typed"}
    )


def sdist_names(path: Path) -> set[str]:
    """Return the names of an sdist's files, below its folder."""
    with tarfile.open(path) as archive:
        return {it.name.partition("/")[2] for it in archive.getmembers() if it.isfile()}


def sdist_faults(path: Path) -> Iterator[str]:
    """Yield a line for each fault of an sdist: it has what git tracks, so that its tests can be run."""
    files = tracked()
    if files is not None:
        yield from difference("the sdist", sdist_names(path), {*files, "PKG-INFO"})


def contents(path: Path) -> dict[str, bytes]:
    """Return the files of the package in a wheel."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name.startswith(f"{PACKAGE}/")}


def other_faults(folder: Path, other: Path) -> Iterator[str]:
    """Yield a line for each way in which a second build differs: where it made an sdist too, in any byte."""
    wheel, again = only(folder, "*.whl"), only(other, "*.whl")
    if not list(other.glob("*.tar.gz")):  # of another version of hatchling, which signs the wheel with its name
        if contents(wheel) != contents(again):
            yield f"{again} has other modules"
        return
    for pattern in ("*.whl", "*.tar.gz"):
        first, second = only(folder, pattern), only(other, pattern)
        if (first.name, first.read_bytes()) != (second.name, second.read_bytes()):
            yield f"{second} is not {first}, byte for byte"


def main(arguments: list[str]) -> int:
    """Print the faults; the exit code is 1 if there are any."""
    folder, *others = map(Path, arguments)
    found = [*wheel_faults(only(folder, "*.whl")), *sdist_faults(only(folder, "*.tar.gz"))]
    for other in others:
        found += other_faults(folder, other)
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
