"""The standard library: urllib to a file, then zipfile."""

import shutil
import sys
import urllib.request
import zipfile
from pathlib import Path


def main(options: dict[str, str]) -> None:
    """Download and unpack."""
    path = Path(options["out"], "blob-1.zip")
    with urllib.request.urlopen(options["url"]) as response, path.open("wb") as file:  # noqa: S310
        shutil.copyfileobj(response, file, 2**20)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(Path(options["out"], "blob-1"))


main(dict(argument.split("=", 1) for argument in sys.argv[1:]))
