"""Object stores for tests: obstore's own, a bucket of moto's S3 server, and what is in them."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from tests.kits.interop import module, running, statuses

obstore = pytest.importorskip("obstore", reason="the extra stores")

if TYPE_CHECKING:
    from collections.abc import Generator

    from obstore.store import ObjectStore, S3Store

    from gh_artifacts_async import Artifact, ArtifactsClient, Outcome, StoredResult

BUCKET = "artifacts"
CREDENTIALS = {"access_key_id": "AKIAEXAMPLE", "secret_access_key": "c4n4ry-s3cret"}
RECORD = ".gh-artifacts.json"


def start_threads() -> None:
    """Start obstore's threads, which it keeps with their descriptors."""
    obstore.put(obstore.store.MemoryStore(), "a", b"a")


def store_of(kind: str, folder: Path) -> ObjectStore:
    """Return a new store: ``memory``, which keeps attributes, or ``local``, which does not."""
    if kind == "memory":
        memory: ObjectStore = obstore.store.MemoryStore()
        return memory
    local: ObjectStore = obstore.store.LocalStore(folder / "bucket", mkdir=True)
    return local


def wait_for_files(folder: Path) -> None:
    """Wait until obstore has closed the files in a folder: a moment after a call, or only with the next one."""
    until = time.monotonic() + 1
    while any(path.startswith(str(folder)) for path in _open_files()) and time.monotonic() < until:
        start_threads()
        time.sleep(0.001)


def _open_files() -> list[str]:
    """Return the paths of all open files; none where the system does not say."""
    descriptors, found = Path("/proc/self/fd"), []
    for entry in descriptors.iterdir() if descriptors.exists() else ():
        with contextlib.suppress(OSError):  # the one that listed the folder is closed again
            found.append(str(entry.readlink()))
    return found


@contextlib.contextmanager
def sockets_closed() -> Generator[None]:
    """Wait at the end of the block until the sockets that were opened in it are closed: threads do that."""
    before = _sockets()
    yield
    until = time.monotonic() + 2
    while _sockets() - before and time.monotonic() < until:
        gc.collect()
        start_threads()
        time.sleep(0.01)


def _sockets() -> set[str]:
    return {path for path in _open_files() if path.startswith("socket:")}


def keys(store: ObjectStore) -> set[str]:
    """Return the keys of all objects, without those of records."""
    return {key for key in everything(store) if not key.endswith(RECORD)}


def everything(store: ObjectStore) -> set[str]:
    """Return the keys of all objects."""
    return {it["path"] for it in obstore.list(store).collect()}


def content(store: ObjectStore, key: str) -> bytes:
    """Return an object's bytes."""
    return bytes(obstore.get(store, key).bytes())


def facts(store: ObjectStore, key: str) -> dict[str, Any]:
    """Return what an object says of itself: its attributes, or else its record."""
    attributes = dict(obstore.get(store, key, options={"head": True}).attributes)
    found: dict[str, Any] = attributes or json.loads(content(store, key + RECORD))
    return found


async def store_all(
    client: ArtifactsClient, artifacts: Any, store: ObjectStore, **options: Any
) -> list[Outcome[StoredResult]]:
    """Store all of them and return the outcomes."""
    async with client.store_many(artifacts, store, **options) as outcomes:
        return [outcome async for outcome in outcomes]


def said(artifact: Artifact) -> dict[str, str]:
    """Return what the object of an artifact is to say."""
    digest = artifact.digest
    assert digest is not None
    return {
        "artifactid": str(artifact.id),
        "repository": str(artifact.repository),
        "runid": str(artifact.run_id),
        "sha256": digest.hex,
    }


@attrs.frozen
class Bucket:
    """A bucket of a server of S3's protocol.

    Attributes:
        url: the server's.
        s3: what looks at it: boto3's client.
        output: what it prints: a line for each request.
    """

    url: str
    s3: Any
    output: Path = Path(os.devnull)

    def store(self, bucket: str = BUCKET, **options: Any) -> S3Store:
        """Return a store of the bucket; its connections are not kept."""
        given = {
            "endpoint": self.url,
            "region": "us-east-1",
            "client_options": {"allow_http": True, "pool_max_idle_per_host": "0"},
            "retry_config": {"max_retries": 1},
            **CREDENTIALS,
            **options,
        }
        kept = {name: value for name, value in given.items() if value is not None}
        made: S3Store = obstore.store.S3Store(bucket, **kept)
        return made

    def sign(self, key: str, seconds: int = 600, **shown: str) -> str:
        """Return an object's URL, which ``shown`` may give a type and a name of its own."""
        parameters = {"Bucket": BUCKET, "Key": key, **shown}
        return str(self.s3.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds))

    async def answers(self, key: str, count: int) -> list[int]:
        """Return the status of each answer to a GET of an object, once there are ``count``."""
        line = rf'GET /{BUCKET}/{re.escape(key)}\?\S* HTTP/1.1\S*" (\d+)'  # some lines are coloured
        return await statuses(self.output, line, count)

    def uploads(self) -> list[str]:
        """Return the keys of uploads in parts that are open."""
        return [it["Key"] for it in self.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", ())]

    def keys(self) -> set[str]:
        """Return the keys of its objects."""
        return {it["Key"] for it in self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())}

    def empty(self) -> None:
        """Remove all that is in it."""
        for upload in self.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", ()):
            self.s3.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
        for key in self.keys():
            self.s3.delete_object(Bucket=BUCKET, Key=key)


@contextlib.contextmanager
def moto_bucket() -> Generator[Bucket]:
    """Run moto's server in a process of its own, with an empty bucket."""
    boto3, botocore = module("boto3", "moto"), module("botocore.config", "moto")
    module("moto.server", "moto")
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with tempfile.TemporaryDirectory(prefix="moto-") as name:
        output = Path(name, "output.txt")

        def listening() -> re.Match[str] | None:
            return re.search(r"Running on (http://127\.0\.0\.1:\d+)", output.read_text())

        with running(command, Path(name), output, lambda: listening() is not None):
            found = listening()
            assert found is not None
            names = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
            config = botocore.Config(signature_version="s3v4")  # as GitHub's URLs are signed
            s3 = boto3.client("s3", endpoint_url=found[1], config=config, **names)
            s3.create_bucket(Bucket=BUCKET)
            yield Bucket(found[1], s3, output)
            s3.close()
