"""How the decoders are timed: the CPU time of all pages, several times over, the median in milliseconds."""

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

REPETITIONS = 7


def measure(decode: Callable[[bytes], int]) -> None:
    """Call ``decode`` with every page's body (it returns how many artifacts it made), and print the figure."""
    options = dict(argument.split("=", 1) for argument in sys.argv[1:])
    bodies = [path.read_bytes() for path in sorted(Path(options["pages"]).glob("*.json"))]
    took = []
    for _ in range(REPETITIONS):
        began = time.process_time()
        made = sum(decode(body) for body in bodies)
        took.append(time.process_time() - began)
        assert made == int(options["count"])
    print(json.dumps({"decode_ms": statistics.median(took) * 1000}))
