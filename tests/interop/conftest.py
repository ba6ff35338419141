"""Servers of other people that several modules ask: each is started once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kits.azurite import Azurite, run_azurite

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Generator[Azurite]:
    """Run Azurite."""
    with run_azurite(tmp_path_factory.mktemp("azurite")) as it:
        yield it


@pytest.fixture(scope="session")
def azurite_tls(tmp_path_factory: pytest.TempPathFactory) -> Generator[Azurite]:
    """Run Azurite over TLS."""
    with run_azurite(tmp_path_factory.mktemp("azurite-tls"), tls=True) as it:
        yield it
