"""``python -m gh_artifacts_async``: the command line."""

from __future__ import annotations

import sys

from gh_artifacts_async.cli import main

if __name__ == "__main__":
    sys.exit(main())
