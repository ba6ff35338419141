"""What aioresponses 0.7.9 lacks for aiohttp 3.14 (upstream issue pnuckowski/aioresponses#289)."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aioresponses import core

if TYPE_CHECKING:
    import asyncio

    import pytest

_WANTS_WRITER = "stream_writer" in inspect.signature(aiohttp.ClientResponse.__init__).parameters


class _Response(aiohttp.ClientResponse):
    """Brings the ``stream_writer`` that aiohttp 3.14 asks for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if _WANTS_WRITER:
            kwargs.setdefault("stream_writer", Mock(output_size=0))
        super().__init__(*args, **kwargs)


class _Handler(ResponseHandler):
    """Has no transport to pause when a body outgrows the buffer."""

    def pause_reading(self, *_args: Any, **_kwargs: Any) -> None:
        """Do nothing."""

    def resume_reading(self, *_args: Any, **_kwargs: Any) -> None:
        """Do nothing."""


def _stream_reader(loop: asyncio.AbstractEventLoop) -> aiohttp.StreamReader:
    return aiohttp.StreamReader(_Handler(loop=loop), limit=2**16, loop=loop)


def patch_aioresponses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make aioresponses build answers that this aiohttp accepts, of any size."""
    monkeypatch.setattr(core, "ClientResponse", _Response)
    monkeypatch.setattr(core, "stream_reader_factory", _stream_reader)
