"""Other systems' rules of files, for the tests of this folder."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.kits import ports

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

collect_ignore = [] if sys.platform == "linux" else ["test_names.py", "test_transfers.py"]  # the fake asks /proc


def _held(system: ports.System, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[ports.Rules]:
    rules = ports.install(system, folder, monkeypatch)
    yield rules
    monkeypatch.undo()
    assert rules.devices == []


_SLOW = [pytest.param(system, marks=pytest.mark.slow, id=system.name) for system in (ports.MACOS, ports.CASE_FOLDING)]


@pytest.fixture(params=[pytest.param(ports.WINDOWS, id="windows"), *_SLOW])
def system(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[ports.Rules]:
    """The rules of one system after the other; no device is opened under them."""
    yield from _held(request.param, tmp_path, monkeypatch)


@pytest.fixture
def windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[ports.Rules]:
    """The rules of Windows; no device is opened under them."""
    yield from _held(ports.WINDOWS, tmp_path, monkeypatch)


@pytest.fixture
def macos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[ports.Rules]:
    """The rules of macOS."""
    yield from _held(ports.MACOS, tmp_path, monkeypatch)
