"""Answers that were received before the ordinary way of a transfer begins: it reads them as if they came only now."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gh_artifacts_async.errors import ArtifactsError, TransportError
    from gh_artifacts_async.protocol.responses import Response
    from gh_artifacts_async.transport.http import HttpStream
    from gh_artifacts_async.transport.socket_receiver import Buffers, Sink, SocketReceiver


class Replayed:
    """A body that was received, whole or in part, behind the interface of an HttpStream.

    Attributes:
        response: its status and headers.
        host: for messages.
    """

    def __init__(self, response: Response, host: str, body: bytes, error: ArtifactsError | None = None) -> None:
        """Keep the arguments.

        Args:
            response: status and headers.
            host: for messages.
            body: what arrived.
            error: how the body broke after that; None if it is whole.
        """
        self.response = response
        self.host = host
        self._body = body
        self._error = error

    async def read_chunk(self) -> bytes:
        """Return the body the first time, and then its end.

        Raises:
            ArtifactsError: what broke the body.
        """
        body, self._body = self._body, b""
        if not body and self._error is not None:
            raise self._error
        return body

    def take_over(self, pool: Buffers, sink: Sink, receiver: SocketReceiver) -> bool:
        """Return False: there is no connection to take over."""
        del pool, sink, receiver
        return False

    def close(self) -> None:
        """Do nothing: there is nothing open."""


class Begun(NamedTuple):
    """The first request of a transfer, which has been sent already.

    Attributes:
        answer: the answer, or why there is none.
        told: observers have been told that the transfer has started.
    """

    answer: HttpStream | Replayed | TransportError
    told: bool = False

    def stream(self) -> HttpStream | Replayed:
        """Return the answer.

        Raises:
            TransportError: there is none.
        """
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer
