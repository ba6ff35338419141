"""What looks at a fake GitHub from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kits.probe import Probe

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gh_artifacts_async.testing import FakeGitHub


@pytest.fixture
async def probe(github: FakeGitHub) -> AsyncGenerator[Probe]:
    """A client."""
    async with Probe(github) as client:
        yield client
