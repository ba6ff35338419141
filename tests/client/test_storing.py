"""The client hands on to stores, which it imports with the first call."""

from __future__ import annotations

import subprocess
import sys
from inspect import signature
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async import ArtifactsClient

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("call", "promised"),
    [
        (ArtifactsClient.store, {"if_exists": "skip", "observer": None}),
        (ArtifactsClient.store_many, {"layout": "id", "concurrency": 8, "if_exists": "skip", "observer": None}),
    ],
)
def test_defaults(call: Callable[..., object], promised: dict[str, object]) -> None:
    """What stands behind the store is given by its name, and has the promised default."""
    found = {it.name: it.default for it in signature(call).parameters.values() if it.kind is it.KEYWORD_ONLY}
    assert found == promised


@pytest.mark.realtime
def test_nothing_is_loaded_before() -> None:
    """A program that stores nothing loads neither stores nor obstore."""
    program = (
        "import sys, gh_artifacts_async; gh_artifacts_async.ArtifactsClient('t');"
        "print([it for it in sys.modules if 'obstore' in it or it.startswith('gh_artifacts_async.stores')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=20)  # noqa: S603
    assert done.stdout == "[]\n", done.stderr
