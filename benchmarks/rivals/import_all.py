"""Import what a file names, a module a line: what was there once a first artifact had been downloaded."""

import importlib
import sys
from contextlib import suppress
from pathlib import Path

options = dict(argument.split("=", 1) for argument in sys.argv[1:])
for name in Path(options["modules"]).read_text("utf-8").split():
    if name not in sys.modules:
        with suppress(ImportError):  # some are made by others, and are no files
            importlib.import_module(name)
