"""HttpStream: a response whose body is read as it arrives, over whatever connection that may be."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from yarl import URL

from gh_artifacts_async.errors import ArtifactsError
from gh_artifacts_async.protocol.responses import Response
from gh_artifacts_async.transport.bounds import SILENT, Limit, headers_of
from gh_artifacts_async.transport.failures import transfer_error, without_traceback
from gh_artifacts_async.transport.socket_receiver import take_over

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import aiohttp
    from aiohttp.connector import Connection
    from aiohttp.http import RawResponseMessage

    from gh_artifacts_async.transport.bounds import Watch
    from gh_artifacts_async.transport.socket_receiver import Buffers, Sink, SocketReceiver


_LONGEST_ERROR_BODY = 64 * 1024


class LateAnswer:
    """A response that aiohttp began to read after a lane had received its beginning; like aiohttp's ClientResponse.

    Attributes:
        status: the status code.
        headers: as aiohttp read them.
        content: aiohttp's reader of the body.
        connection: None once the body has been read, or the response closed.
    """

    def __init__(
        self, connection: Connection, message: RawResponseMessage, content: aiohttp.StreamReader, host: str
    ) -> None:
        """Keep the connection until the body is complete.

        Args:
            connection: aiohttp's.
            message: of the head.
            content: of the body.
            host: with its port, for :attr:`url`.
        """
        self.status: int = message.code
        self.headers: Mapping[str, str] = message.headers
        self.content = content
        self.connection: Connection | None = connection
        self._host = host
        content.on_eof(self._release)

    @property
    def url(self) -> URL:
        """The URL, without path and query: those of storage are a secret."""
        return URL(f"//{self._host}")

    def _release(self) -> None:
        """Return the connection to aiohttp's pool, which closes it if there is more on it."""
        if self.connection is not None:
            self.connection.release()
            self.connection = None

    def close(self) -> None:
        """Close the connection unless the body was read to its end."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class _Rest:
    """What has arrived of a body, and then the reason why there is no more of it; like aiohttp's StreamReader."""

    def __init__(self, arrived: bytes, error: BaseException) -> None:
        self._arrived = arrived
        self._error = error

    async def readany(self) -> bytes:
        arrived, self._arrived = self._arrived, b""
        if arrived:
            return arrived
        raise self._error


class BrokenAnswer:
    """A response that broke within its body; like aiohttp's ClientResponse, with the bytes that had arrived.

    Attributes:
        status: the status code.
        headers: names in lower case.
        content: the body's beginning, and then the error.
        connection: None, since it is closed.
    """

    connection = None

    def __init__(
        self, status: int, headers: Mapping[str, str], arrived: bytes, error: BaseException, host: str
    ) -> None:
        """Keep what has arrived.

        Args:
            status: the status code.
            headers: names in lower case.
            arrived: of the body.
            error: without its traceback.
            host: with its port, for :attr:`url`.
        """
        self.status = status
        self.headers = headers
        self.content: _Rest = _Rest(arrived, error)
        self._host = host

    @property
    def url(self) -> URL:
        """The URL, without path and query: those of storage are a secret."""
        return URL(f"//{self._host}")

    def close(self) -> None:
        """Do nothing: the connection is closed."""


class HttpStream:
    """A response whose headers have arrived and whose body is not read yet; its repr shows no URL.

    Attributes:
        response: status and headers; of an error also the body, cut at 64 KiB (see :meth:`read_error`).
        host: for messages.
    """

    def __init__(self, answer: aiohttp.ClientResponse | LateAnswer | BrokenAnswer, host: str, watch: Watch) -> None:
        """Keep aiohttp's response, whose own repr holds the URL."""
        self._answer = answer
        self._watch = watch
        self.host = host
        self.response: Response = Response(status=answer.status, headers=headers_of(answer))

    def __repr__(self) -> str:
        """Return status and host only."""
        return f"HttpStream({self.response.status}, {self.host!r})"

    async def read_chunk(self) -> bytes:
        """Return what has arrived, as soon as any of the body has; empty at its end.

        Raises:
            TransportError: the connection broke, or was silent for too long.
            SlowTransferError: what has arrived of the body came too slowly.
        """
        return await self._read(self._answer.content.readany)

    async def _read(self, read: Callable[[], Awaitable[bytes]]) -> bytes:
        failure: ArtifactsError | None = None
        try:
            with Limit(self._watch, self._watch.timeouts.read, SILENT):
                return await read()
        except BaseException as error:
            failure = transfer_error(error, self.host)
            if failure is None:
                without_traceback(error)
                raise
        raise failure

    def take_over(self, pool: Buffers, sink: Sink, receiver: SocketReceiver) -> bool:
        """Receive the body past aiohttp; False if that cannot be, see :func:`.socket_receiver.take_over`."""
        answer = self._answer
        return not isinstance(answer, BrokenAnswer) and take_over(answer, pool, sink, receiver)

    async def read_error(self) -> None:
        """Read an error's body into ``response``; if it breaks or takes too long, what has arrived is kept."""
        body, content = bytearray(), self._answer.content

        async def read() -> bytes:
            while len(body) < _LONGEST_ERROR_BODY and (chunk := await content.readany()):
                body.extend(chunk)
            return b""

        with suppress(ArtifactsError):
            await self._read(read)
        self.response = Response(
            status=self.response.status, headers=self.response.headers, body=bytes(body[:_LONGEST_ERROR_BODY])
        )

    def close(self) -> None:
        """Return the connection to the pool if the body was read to its end, else close it."""
        self._answer.close()
