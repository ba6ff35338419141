"""The client's methods that keep things in order: clean up, mirror, and tell what uses the storage."""

from __future__ import annotations

from gh_artifacts_async.client.automation import Automation


class Upkeep(Automation):
    """Retention, mirroring and usage; :mod:`gh_artifacts_async.automation` is imported by the first call."""
