"""The loop that tests run on by default: an hour of sleep takes a millisecond, sockets and threads stay real."""

from __future__ import annotations

from gh_artifacts_async.testing.loop import JumpLoop

__all__ = ["JumpLoop"]
