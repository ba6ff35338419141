"""An organization of the fake GitHub, and what a mirror of it has to be."""

from __future__ import annotations

import contextlib
import importlib
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from gh_artifacts_async import Lease
from gh_artifacts_async.budgets import LocalBudget

if TYPE_CHECKING:
    from collections.abc import Generator

    from gh_artifacts_async.testing import FakeGitHub

TOKEN_VARIABLE = "GH_ENTERPRISE_TOKEN"
BUCKET = "artifacts"
SECRET = "canary-s3cret"


@attrs.define
class Organization:
    """Repositories with artifacts.

    Attributes:
        names: of the repositories.
        files: what the layout "id" makes of all artifacts: path below the destination -> content.
        ids: of all artifacts.
    """

    names: list[str] = attrs.field(factory=list)
    files: dict[str, bytes] = attrs.field(factory=dict)
    ids: list[int] = attrs.field(factory=list)


def organization(
    github: FakeGitHub, repositories: int, artifacts: int, *, owner: str = "octo-org", large: int = 0, size: int = 0
) -> Organization:
    """Add repositories with artifacts of different contents; ``large`` of all artifacts are raw and of ``size``."""
    made = Organization()
    for repository in range(repositories):
        name = f"{owner}/repo-{repository}"
        made.names.append(name)
        run = github.add_run(name)
        for number in range(artifacts):
            if number == 0 and repository < large:
                added = github.add_artifact(run, "large", size=size, seed=repository)
            else:
                content = f"{name} {number}".encode() * 50
                added = github.add_artifact(run, f"part-{number}", files={"a.txt": content})
            made.ids.append(added)
            made.files[f"{name}/{github.artifact(added).name}-{added}.zip"] = github.content(added)
    return made


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder but those of the mirrors themselves."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".gh-artifacts"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


class Unshared:
    """A budget of which each process has one of its own: what a fleet must not have."""

    def __init__(self) -> None:
        self._own = LocalBudget()

    def __reduce__(self) -> tuple[object, ...]:
        return Unshared, ()

    async def lease(self, points: int) -> Lease:
        return await self._own.lease(points)

    async def pause(self, seconds: float, kind: str) -> None:
        await self._own.pause(seconds, kind)

    async def paused(self) -> float:
        return await self._own.paused()


@attrs.frozen
class Bucket:
    """A bucket of S3 on loopback.

    Attributes:
        url: the server's.
        s3: boto3's client of it.
    """

    url: str
    s3: Any

    def store(self) -> Any:
        """Return obstore's store of it, with credentials."""
        stores: Any = importlib.import_module("obstore.store")
        given = {"endpoint": self.url, "region": "us-east-1", "client_options": {"allow_http": True}}
        return stores.S3Store(BUCKET, access_key_id="AKIAEXAMPLE", secret_access_key=SECRET, **given)

    def contents(self) -> dict[str, bytes]:
        """Return all objects."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        keys = [it["Key"] for page in pages for it in page.get("Contents", ())]
        return {key: self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}

    def uploads(self) -> list[str]:
        """Return the keys of uploads in parts that are open."""
        return [it["Key"] for it in self.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", ())]


@contextlib.contextmanager
def bucket() -> Generator[Bucket]:
    """Run moto's server as a process of its own, with an empty bucket."""
    boto3 = pytest.importorskip("boto3")
    pytest.importorskip("moto.server")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:  # noqa: S603  fixed
        try:
            names = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
            s3 = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", **names)
            until = time.monotonic() + 20
            while True:
                try:
                    s3.create_bucket(Bucket=BUCKET)
                    break
                except Exception:  # noqa: BLE001 - botocore's: it does not listen yet
                    assert server.poll() is None
                    assert time.monotonic() < until
                    time.sleep(0.1)
            yield Bucket(f"http://127.0.0.1:{port}", s3)
            s3.close()
        finally:
            server.kill()
