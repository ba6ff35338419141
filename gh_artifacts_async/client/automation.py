"""The client's methods that ask, read and wait: find artifacts, read their members, wait until they are there."""

from __future__ import annotations

from gh_artifacts_async.client.transfers import Transfers


class Automation(Transfers):
    """Selection, members, waiting and watching; :mod:`gh_artifacts_async.automation` is imported by the first call."""
