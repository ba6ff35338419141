"""Azurite, Microsoft's emulator of Azure's blob storage, and who signs its URLs: Microsoft's azure-storage-blob."""

from __future__ import annotations

import asyncio
import contextlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import attrs

from tests.kits.interop import Certificate, module, program, running, statuses

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

ACCOUNT = "devstoreaccount1"
# Every emulator's account has this key, and Microsoft's documentation prints it.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
CONTAINER = "artifacts"


@attrs.frozen
class Azurite:
    """An Azurite that runs.

    Attributes:
        url: its origin.
        output: what it prints: a line for each request.
        authority: who signed its certificate; None for one without TLS.
    """

    url: str
    output: Path
    authority: Path | None = None

    def service(self) -> Any:
        """Return Microsoft's client of it, to be closed."""
        blob = module("azure.storage.blob", "azurite-blob")
        verify = True if self.authority is None else str(self.authority)
        return blob.BlobServiceClient(f"{self.url}/{ACCOUNT}", credential=KEY, connection_verify=verify)

    async def put(self, blobs: Mapping[str, bytes], content_type: str = "application/zip") -> None:
        """Store blobs, over what was there."""
        await asyncio.to_thread(self.put_now, blobs, content_type)

    def put_now(self, blobs: Mapping[str, bytes], content_type: str = "application/zip") -> None:
        """Store blobs, over what was there, while nothing else runs."""
        from azure.storage.blob import ContentSettings

        settings = ContentSettings(content_type=content_type)
        with self.service() as service, service.get_container_client(CONTAINER) as container:
            for name, content in blobs.items():
                container.upload_blob(name, content, overwrite=True, content_settings=settings)

    async def delete(self, name: str) -> None:
        """Delete a blob."""
        with self.service() as service:
            await asyncio.to_thread(service.get_blob_client(CONTAINER, name).delete_blob)

    def sign(self, name: str, seconds: float = 600, *, container: str = CONTAINER, **shown: str) -> str:
        """Return path and query of a blob's URL as GitHub's are: to be read, with a type and a name of their own.

        Args:
            name: the blob's.
            seconds: until it expires, or up to one more, since it expires on a full second; it began before.
            container: the blob's.
            shown: ``content_disposition`` and ``content_type``, in place of a zip's.
        """
        from azure.storage.blob import generate_blob_sas

        now = datetime.now(UTC)
        shown = {
            "content_disposition": f'attachment; filename="{name}.zip"',
            "content_type": "application/zip",
            "protocol": "https" if self.url.startswith("https") else "https,http",
            **shown,
        }
        expiry = (now + timedelta(seconds=seconds + 1)).replace(microsecond=0)
        query = generate_blob_sas(
            ACCOUNT,
            container,
            name,
            account_key=KEY,
            permission="r",
            start=min(now, expiry) - timedelta(seconds=5),
            expiry=expiry,
            **shown,
        )
        return f"/{ACCOUNT}/{container}/{quote(name)}?{query}"

    async def answers(self, name: str, count: int) -> list[int]:
        """Return the status of each answer to a GET of a blob, as its own log has them, once there are ``count``."""
        line = rf'"GET /{ACCOUNT}/{CONTAINER}/{re.escape(quote(name))}\?\S* HTTP/1.1" (\d+)'
        return await statuses(self.output, line, count)


@contextlib.contextmanager
def run_azurite(folder: Path, *, tls: bool = False) -> Generator[Azurite]:
    """Run Azurite with an empty container, at a port of its choice and with nothing on disk."""
    output = folder / "output"
    command = [program("azurite-blob"), "--blobHost", "127.0.0.1", "--blobPort", "0"]
    command += ["--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck"]
    authority = None
    if tls:
        certificate = Certificate.write(folder, "127.0.0.1")
        command += ["--cert", str(certificate.chain), "--key", str(certificate.key)]
        authority = certificate.authority

    def listening() -> re.Match[str] | None:
        return re.search(r"listens on (https?://127\.0\.0\.1:\d+)\n", output.read_text())

    with running(command, folder, output, lambda: listening() is not None):
        found = listening()
        assert found is not None
        made = Azurite(found[1], output, authority)
        with made.service() as service:
            service.create_container(CONTAINER)
        yield made
