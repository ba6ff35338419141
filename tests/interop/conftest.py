"""Servers of other people that several modules ask: each is started once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kits.azurite import Azurite, run_azurite

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.kits.objectstores import Bucket


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


@pytest.fixture(scope="session")
def bucket() -> Generator[Bucket]:
    """Run moto's S3."""
    from tests.kits.objectstores import moto_bucket

    with moto_bucket() as it:
        yield it
