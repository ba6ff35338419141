"""What a command works with: the global options, a client made of them, and what it may say."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import attrs

from gh_artifacts_async.cli.options import GlobalOptions
from gh_artifacts_async.cli.render import screen, text

if TYPE_CHECKING:
    from gh_artifacts_async.cli.repo import Target
    from gh_artifacts_async.client import ArtifactsClient
    from gh_artifacts_async.events import Event, Observer

LONGEST_PAUSE = 3900.0
"""Seconds: a person at the command line would rather wait out GitHub's hour than begin again."""


@attrs.frozen
class Context:
    """One run of the program.

    Attributes:
        options: the global ones.
    """

    options: GlobalOptions

    @property
    def live(self) -> bool:
        """Whether bars may be drawn."""
        quiet = self.options.quiet or self.options.no_progress
        return not quiet and screen.can_move_the_cursor(sys.stderr)

    def target(self, argument: str | None, option: str | None) -> Target:
        """Return the repository that is meant.

        Raises:
            ConfigurationError: none is, or one that cannot be.
        """
        from gh_artifacts_async.cli import repo

        return repo.resolve(argument, option, api_url=self.options.api_url, environ=os.environ)

    def client(self, target: Target, *observers: Observer) -> ArtifactsClient:
        """Return a client for the target's API, with the environment's token and proxies.

        Raises:
            ConfigurationError: something of it cannot be right.
        """
        from gh_artifacts_async.client import ArtifactsClient
        from gh_artifacts_async.settings import Limits

        given: dict[str, Any] = {} if target.base_url is None else {"base_url": target.base_url}
        return ArtifactsClient.from_env(
            ca_file=self.options.ca_file,
            trust_env=True,
            limits=Limits(max_pause=LONGEST_PAUSE),
            observer=fan_out(*observers, self.tell),
            **given,
        )

    def tell(self, event: Event) -> None:
        """Say what happens on the way: with ``--verbose`` everything, else only why nothing seems to happen."""
        from gh_artifacts_async.cli.render import progress

        said = progress.phrase(event, everything=self.options.verbose)
        if said is not None:
            self.note(said)

    def note(self, said: str) -> None:
        """Say something beside the results; not with ``--quiet``."""
        if not self.options.quiet:
            screen.write(sys.stderr, f"{text.escaped(said)}\n")

    def error(self, said: str) -> None:
        """Say what went wrong."""
        screen.write(sys.stderr, f"error: {text.escaped(said)}\n")


def fan_out(*observers: Observer) -> Observer:
    """Return an observer that tells several."""

    def observe(event: Event) -> None:
        for observer in observers:
            observer(event)

    return observe
