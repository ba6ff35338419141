"""A client that stores artifacts in a bucket, to be killed in the middle: BASE_URL, ENDPOINT, ids.

It prints a line for each object, and is killed where the test pleases.
"""

from __future__ import annotations

import asyncio
import sys

from obstore.store import S3Store

from gh_artifacts_async import ArtifactRef, ArtifactsClient
from tests.kits.objectstores import BUCKET, CREDENTIALS

REPO = "octo-org/octo-docs"


async def _main(base_url: str, endpoint: str, *ids: str) -> None:
    store = S3Store(BUCKET, endpoint=endpoint, region="us-east-1", client_options={"allow_http": True}, **CREDENTIALS)
    async with (
        ArtifactsClient("token", base_url=base_url) as client,
        client.store_many([ArtifactRef(REPO, int(it)) for it in ids], store, layout="name") as outcomes,
    ):
        async for outcome in outcomes:
            result = outcome.unwrap()
            sys.stdout.write(f"{result.key} {'skipped' if result.skipped else 'stored'}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
