"""What must hold of the built documentation; `make docs` runs ``python -m tests.kits.built_docs docs/_build/html``."""

from __future__ import annotations

import functools
import importlib
import inspect
import re
import sys
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import attrs

from gh_artifacts_async.errors import ArtifactsError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent
MODULES = (
    "gh_artifacts_async",
    "gh_artifacts_async.api",
    "gh_artifacts_async.archive",
    "gh_artifacts_async.budgets",
    "gh_artifacts_async.fleet",
    "gh_artifacts_async.stores",
    "gh_artifacts_async.testing",
)
ITS_OWN = {"testing.Clock.begin", "testing.Fault.fits", "testing.Faults.meet"}
"""What only the fake itself calls."""
LEFTOVERS = re.compile(r"attr_dict|<factory>|\bNOTHING\b|<[\w.]+ object at 0x")
"""What a signature shows where its default was not found."""


class Page(HTMLParser):
    """The links of a page, the places that links can lead to, and its text.

    Attributes:
        links: as written.
        anchors: every id.
    """

    def __init__(self, source: str) -> None:
        """Read it."""
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self._text: list[str] = []
        self.feed(source)
        self.close()

    @property
    def text(self) -> str:
        """What a reader sees, and scripts."""
        return "".join(self._text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note where it leads, and what leads to it."""
        given = dict(attributes)
        self.anchors.update(filter(None, [given.get("id"), given.get("name") if tag == "a" else None]))
        address = given.get("href" if tag in {"a", "link"} else "src")
        if address is not None:
            self.links.append(address)

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self._text.append(data)


@functools.cache
def page(path: Path) -> Page:
    """Return a page, read once."""
    return Page(path.read_text(encoding="utf-8"))


def broken_link(file: Path, link: str) -> str | None:
    """Return what is wrong with a link of a page; None if nothing is."""
    parts = urlsplit(link)
    if parts.scheme in {"data", "mailto"}:
        return None
    if parts.scheme or parts.netloc:
        return None if parts.scheme == "https" and "." in parts.netloc else "is not an https address"
    target = file if not parts.path else file.parent / unquote(parts.path)
    if not target.is_file():
        return "leads to a file that is not there"
    if parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in page(target).anchors:
        return "leads to a place that is not there"
    return None


def broken_links(root: Path) -> Iterator[str]:
    """Yield a line for each link below a folder that leads nowhere."""
    for file in sorted(root.rglob("*.html")):
        for link in page(file).links:
            wrong = broken_link(file, link)
            if wrong:
                yield f"{file.relative_to(root)}: {link} {wrong}"


def leftovers(root: Path) -> Iterator[str]:
    """Yield a line for each default that a signature does not show."""
    for file in sorted(root.rglob("*.html")):
        for found in sorted(set(LEFTOVERS.findall(page(file).text))):
            yield f"{file.relative_to(root)}: {found} is no default that a reader understands"


def members(cls: type) -> set[str]:
    """Return the public names of a class that are new in this package: not those that override another's."""
    found = {field.name for field in attrs.fields(cls)} if attrs.has(cls) else set()
    if issubclass(cls, ArtifactsError):
        found |= {"message", *cls._fields}
    for base in cls.__mro__:
        if base.__module__.startswith("gh_artifacts_async"):
            found |= set(vars(base)) | set(inspect.get_annotations(base))
    foreign = [base for base in cls.__mro__ if not base.__module__.startswith("gh_artifacts_async")]
    known = {name for base in foreign if base.__module__.startswith("asyncio") for name in vars(base)}
    return {name for name in found - known if not name.startswith("_")}


def names_of(module: str) -> Iterator[tuple[str, set[str]]]:
    """Yield each public name of a module and the names any of which must be in the inventory for it."""
    for name in importlib.import_module(module).__all__:
        if name.startswith("_"):
            continue
        value = getattr(importlib.import_module(module), name)
        yield f"{module}.{name}", {f"{it}.{name}" for it in MODULES}
        if inspect.isclass(value):
            bases = [it.__name__ for it in value.__mro__]
            for member in sorted(members(value)):
                yield (
                    f"{module}.{name}.{member}",
                    {f"{it}.{base}.{member}" for it in (*MODULES, value.__module__) for base in bases},
                )


def undocumented(inventory: set[str]) -> Iterator[str]:
    """Yield each public name, those of public classes included, that the reference lacks."""
    for module in MODULES:
        for name, accepted in names_of(module):
            if not accepted & inventory and name.removeprefix("gh_artifacts_async.") not in ITS_OWN:
                yield f"{name} is not in the reference"


def inventory(root: Path) -> set[str]:
    """Return the Python names that a built documentation describes."""
    packed = (root / "objects.inv").read_bytes().split(b"\n", 4)[4]  # after four lines of text
    entries = (line.split(" ") for line in zlib.decompress(packed).decode().splitlines())
    return {entry[0] for entry in entries if entry[1].startswith("py:")}


def faults(root: Path) -> list[str]:
    """Return a line for each fault of a built documentation."""
    page.cache_clear()
    return [*undocumented(inventory(root)), *leftovers(root), *broken_links(root)]


def main(arguments: list[str]) -> int:
    """Print the faults; the exit code is 1 if there are any."""
    found = faults(Path(arguments[0]))
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
