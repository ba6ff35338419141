"""urllib3, blocking: 1 MiB pieces, sha256, to a file."""

import hashlib
import sys
from pathlib import Path

import urllib3


def main(options: dict[str, str]) -> None:
    """Download."""
    digest = hashlib.sha256()
    pool = urllib3.PoolManager(ca_certs=options["ca"]) if "ca" in options else urllib3.PoolManager()
    response = pool.request("GET", options["url"], preload_content=False, decode_content=False)
    assert response.status == 200
    with Path(options["out"], "blob-1.zip").open("wb") as file:
        while chunk := response.read(2**20):
            digest.update(chunk)
            file.write(chunk)
    assert digest.hexdigest() == options["sha256"]


main(dict(argument.split("=", 1) for argument in sys.argv[1:]))
