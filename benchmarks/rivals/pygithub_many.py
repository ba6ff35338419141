"""PyGithub in threads: it has no call for an artifact's bytes; its requester gets the redirect, requests the bytes.

A Github of its own for each thread, since a requester keeps the answer of its last request.
"""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from github import Auth, Github

own = threading.local()


def main(options: dict[str, str]) -> None:
    """Download."""
    out = Path(options["out"])

    def start() -> None:
        own.github = Github(auth=Auth.Token("token"), base_url=options["api"], seconds_between_requests=0)
        own.session = requests.Session()

    def fetch(entry: dict[str, str]) -> None:
        path = f"/repos/bench/data/actions/artifacts/{entry['id']}/zip"
        status, headers, _ = own.github.requester.requestJson("GET", path)
        assert status == 302
        with own.session.get(headers["location"], stream=True, timeout=30) as response:
            response.raise_for_status()
            with (out / f"{entry['name']}.zip").open("wb") as file:
                for chunk in response.iter_content(65536):
                    file.write(chunk)

    entries = json.loads(Path(options["manifest"]).read_text("utf-8"))
    with ThreadPoolExecutor(int(options["at_once"]), initializer=start) as threads:
        list(threads.map(fetch, entries))


main(dict(argument.split("=", 1) for argument in sys.argv[1:]))
