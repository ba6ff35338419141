"""A fake GitHub on loopback, for tests: ``async with FakeGitHub() as github``.

It shares no code with what it helps to test: its responses follow GitHub's own description of its API.
"""

from __future__ import annotations

from gh_artifacts_async.testing.clock import Clock
from gh_artifacts_async.testing.data.models import (
    FakeArtifact,
    FakeInstallation,
    FakePullRequest,
    FakeRepository,
    FakeRun,
)
from gh_artifacts_async.testing.data.zips import make_zip, random_zip
from gh_artifacts_async.testing.fake import FakeGitHub
from gh_artifacts_async.testing.faults.chaos import ChaosProxy
from gh_artifacts_async.testing.faults.fault import Fault
from gh_artifacts_async.testing.faults.script import Faults
from gh_artifacts_async.testing.loop import JumpLoop
from gh_artifacts_async.testing.server.journal import RequestRecord
from gh_artifacts_async.testing.server.pages import PageSeen

__all__ = [
    "ChaosProxy",
    "Clock",
    "FakeArtifact",
    "FakeGitHub",
    "FakeInstallation",
    "FakePullRequest",
    "FakeRepository",
    "FakeRun",
    "Fault",
    "Faults",
    "JumpLoop",
    "PageSeen",
    "RequestRecord",
    "make_zip",
    "random_zip",
]
