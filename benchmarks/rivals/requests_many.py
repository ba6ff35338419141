"""requests in threads: many artifacts by the API's redirect, streamed to files."""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

own = threading.local()


def main(options: dict[str, str]) -> None:
    """Download."""
    out = Path(options["out"])
    headers = {"Authorization": "Bearer token"}

    def start() -> None:
        own.session = requests.Session()

    def fetch(entry: dict[str, str]) -> None:
        url = f"{options['api']}/repos/bench/data/actions/artifacts/{entry['id']}/zip"
        with own.session.get(url, headers=headers, stream=True, timeout=30) as response:
            response.raise_for_status()
            with (out / f"{entry['name']}.zip").open("wb") as file:
                for chunk in response.iter_content(65536):
                    file.write(chunk)

    entries = json.loads(Path(options["manifest"]).read_text("utf-8"))
    with ThreadPoolExecutor(int(options["at_once"]), initializer=start) as threads:
        list(threads.map(fetch, entries))


main(dict(argument.split("=", 1) for argument in sys.argv[1:]))
