"""A fake GitHub under real host names: a forward proxy knows which of its ports they stand for."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from tests.kits.proxy import Proxy

if TYPE_CHECKING:
    from gh_artifacts_async.testing import FakeGitHub

_PORTS = {"https": 443, "http": 80}


def place(url: str) -> tuple[str, int]:
    """Return host and port of a URL."""
    parts = urlsplit(url)
    return str(parts.hostname), parts.port or _PORTS[parts.scheme]


class NamedHosts(Proxy):
    """A forward proxy through which the hosts of a fake have the names that it advertises, and there are no others.

    The fake speaks TLS. A URL of storage may begin with ``http:`` all the same: a client then sends its request, and
    what is in it, to the proxy in clear text.
    """

    def __init__(self, github: FakeGitHub, api: str, storage: str) -> None:
        """Name the hosts.

        Args:
            github: a fake that was started, over TLS.
            api: origin of its API.
            storage: origin of its storage.
        """
        super().__init__()
        self._known = {place(api): place(github.base_url), place(storage): place(github.storage_url)}
        github.advertise(api=api, storage=storage)

    async def _dial(self, method: str, parts: SplitResult):
        known = self._known[str(parts.hostname), parts.port or _PORTS["http"]]
        return await asyncio.open_connection(*known, ssl=None if method == "CONNECT" else _towards_the_fake())


def _towards_the_fake() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
