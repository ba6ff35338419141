"""Lanes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gh_artifacts_async.protocol.responses import Response


class WholeBody(NamedTuple):
    """A whole body."""

    response: Response
    host: str
    body: memoryview
    buffer: bytearray | None
