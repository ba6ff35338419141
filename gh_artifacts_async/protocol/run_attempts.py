"""Which attempt of a run an artifact belongs to: GitHub does not say, but an attempt starts after the one before ended.

https://docs.github.com/en/actions/how-tos/manage-workflow-runs/re-run-workflows-and-jobs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


def attempt_of(created_at: datetime, starts: Mapping[int, datetime]) -> int:
    """Return the attempt during which an artifact was uploaded: the latest that had started by then.

    Args:
        created_at: the artifact's.
        starts: attempt -> its ``run_started_at``. The first may be left out: what is older than all of them is its.
    """
    return max((number for number, start in starts.items() if start <= created_at), default=1)


def attempt_to_ask(created_at: datetime, starts: Mapping[int, datetime]) -> int | None:
    """Return the attempt whose start must be known before :func:`attempt_of` is right; None if it is right already.

    Args:
        created_at: the artifact's.
        starts: attempt -> its ``run_started_at``: the latest attempt, and those before it as far as they are known.
    """
    later = [number for number, start in starts.items() if start > created_at]
    wanted = min(later, default=1) - 1
    return wanted if wanted > 1 and wanted not in starts else None
