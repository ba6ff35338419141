"""An organization of the fake GitHub, and what a mirror of it has to be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from gh_artifacts_async.testing import FakeGitHub

TOKEN_VARIABLE = "GH_ENTERPRISE_TOKEN"


@attrs.define
class Organization:
    """Repositories with artifacts.

    Attributes:
        names: of the repositories.
        files: what the layout "id" makes of all artifacts: path below the destination -> content.
        ids: of all artifacts.
    """

    names: list[str] = attrs.field(factory=list)
    files: dict[str, bytes] = attrs.field(factory=dict)
    ids: list[int] = attrs.field(factory=list)


def organization(
    github: FakeGitHub, repositories: int, artifacts: int, *, owner: str = "octo-org", large: int = 0, size: int = 0
) -> Organization:
    """Add repositories with artifacts of different contents; ``large`` of all artifacts are raw and of ``size``."""
    made = Organization()
    for repository in range(repositories):
        name = f"{owner}/repo-{repository}"
        made.names.append(name)
        run = github.add_run(name)
        for number in range(artifacts):
            if number == 0 and repository < large:
                added = github.add_artifact(run, "large", size=size, seed=repository)
            else:
                content = f"{name} {number}".encode() * 50
                added = github.add_artifact(run, f"part-{number}", files={"a.txt": content})
            made.ids.append(added)
            made.files[f"{name}/{github.artifact(added).name}-{added}.zip"] = github.content(added)
    return made


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder but those of the mirrors themselves."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".gh-artifacts"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
