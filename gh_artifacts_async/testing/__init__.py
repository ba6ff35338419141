"""A fake GitHub on loopback, for tests: ``async with FakeGitHub() as github``.

It shares no code with the rooms it serves to test: what it answers comes from GitHub's own description of its API.
"""

from __future__ import annotations

from gh_artifacts_async.testing.blobs import make_zip, random_zip
from gh_artifacts_async.testing.chaos import ChaosProxy
from gh_artifacts_async.testing.effects import Fault
from gh_artifacts_async.testing.fake import FakeGitHub
from gh_artifacts_async.testing.faults import Faults
from gh_artifacts_async.testing.journal import RequestRecord
from gh_artifacts_async.testing.operations import PageSeen
from gh_artifacts_async.testing.records import FakeArtifact, FakeInstallation, FakeRepository, FakeRun

__all__ = [
    "ChaosProxy",
    "FakeArtifact",
    "FakeGitHub",
    "FakeInstallation",
    "FakeRepository",
    "FakeRun",
    "Fault",
    "Faults",
    "PageSeen",
    "RequestRecord",
    "make_zip",
    "random_zip",
]
