"""The terminals in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("fcntl", reason="a pseudo-terminal")
ROOT = Path(__file__).parent.parent
if not (ROOT / "docs").is_dir():
    pytest.skip("the documentation is not here", allow_module_level=True)

from docs import screens  # noqa: E402 - only where it is

pytestmark = pytest.mark.once
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def shown(svg: str) -> str:
    """Return the text in a picture."""
    return " ".join(re.findall(r"<text [^>]*>([^<]*)</text>", svg)).replace("&#160;", " ")


def test_every_picture_is_on_a_page_and_every_page_has_its_pictures():
    """No picture is left over, and none is missing."""
    asked = {Path(name).name for page in PAGES for name in re.findall(r"pictures/[a-z]+\.svg", page.read_text("utf-8"))}
    assert asked == {path.name for path in screens.FOLDER.iterdir()} == {f"{name}.svg" for name in screens.PICTURES}


@pytest.mark.parametrize("name", screens.PICTURES)
def test_pictures_fetch_nothing(name: str):
    """A picture loads no font and nothing else, and holds the command that it shows."""
    svg = (screens.FOLDER / f"{name}.svg").read_text("utf-8")
    assert "url(http" not in svg
    assert "@font-face" not in svg
    assert screens.PICTURES[name].command in shown(svg)


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.parametrize("name", [name for name, picture in screens.PICTURES.items() if picture.seconds is None])
def test_pictures_are_up_to_date(name: str):
    """What a page shows is what the program prints now; else: make screens."""
    assert shown(screens.drawn(screens.PICTURES[name])) == shown((screens.FOLDER / f"{name}.svg").read_text("utf-8"))
