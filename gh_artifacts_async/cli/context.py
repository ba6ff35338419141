"""What a command works with: the global options, a client made from them, and what it may say."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import attrs

from gh_artifacts_async.cli import asked, repo
from gh_artifacts_async.cli.actions import Report
from gh_artifacts_async.cli.options import GlobalOptions
from gh_artifacts_async.cli.render import events, screen, sentences, text, workflow
from gh_artifacts_async.errors import ConfigurationError, MissingTokenError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from contextlib import AbstractContextManager

    from gh_artifacts_async import ArtifactsClient, Event, Observer, TokenSource
    from gh_artifacts_async.cli.repo import Account, Target

LONGEST_PAUSE = 3900.0
"""Seconds: a person at the command line would rather wait out GitHub's hour than start over."""

DOWNLOADING, DELETING = "downloading", "deleting"
"""What needs a token."""

_SAME_WAIT = 5.0
"""Seconds by which two waits differ that need not both be told."""


@attrs.define
class Context:
    """One run of the program.

    Attributes:
        options: the global ones.
        command: its name; None before it is known.
        api: the base URL of the API that is used, once the repository is known.
        in_the_way: what to do about something that is in the way; None for a command with ``--dir``.
        login: the host whose login gh has stored, if that is the token in use.
        report: what the command leaves to later steps of a GitHub Actions job.
    """

    options: GlobalOptions
    command: str | None = None
    api: str | None = None
    in_the_way: str | None = None
    login: str | None = None
    report: Report | None = None
    _waits_until: float = attrs.field(default=0.0, init=False)
    _masked: bool = attrs.field(default=False, init=False)

    @property
    def live(self) -> bool:
        """Whether bars may be drawn."""
        quiet = self.options.quiet or self.options.no_progress
        return not quiet and screen.can_move_the_cursor(sys.stderr)

    def target(self, argument: str | None, option: str | None) -> Target:
        """Return the repository that is meant, and remember its API.

        Raises:
            ConfigurationError: none is named, or one that cannot exist.
        """
        target = repo.resolve(argument, option, api_url=self.options.api_url, environ=os.environ)
        self.api = target.base_url
        return target

    @asynccontextmanager
    async def client(
        self, target: Target | Account, *observers: Observer, token_for: str | None = None
    ) -> AsyncGenerator[ArtifactsClient]:
        """Open a client for the target's API, with the environment's token and proxies, or the login stored by gh.

        Args:
            target: whose API.
            observers: of the client, beside this program's own.
            token_for: what needs a token, such as ``"deleting"``: without one, no request is sent.

        Raises:
            ConfigurationError: a setting is not valid.
            MissingTokenError: there is no token, and ``token_for`` needs one.
        """
        from gh_artifacts_async import ArtifactsClient, Limits, resolve_base_url

        given: dict[str, Any] = {} if target.base_url is None else {"base_url": target.base_url}
        stored = await self._stored_login(target.base_url)
        if stored is not None:
            given["token"] = stored
            self.login = repo.web_host(resolve_base_url(target.base_url))
        elif token_for is not None and not any(map(os.environ.get, repo.token_variables_of(target.base_url))):
            msg = f"{token_for} needs a token"
            raise MissingTokenError(msg)
        await self._mask(target.base_url, stored)
        client = ArtifactsClient.from_env(
            ca_file=self.options.ca_file,
            trust_env=True,
            limits=Limits(max_pause=LONGEST_PAUSE),
            observer=fan_out(*observers, self.tell),
            **given,
        )
        async with client:
            yield client

    async def _stored_login(self, api_url: str | None) -> TokenSource | None:
        """Return the token that gh has stored, if it is to be used; None for the environment's, or for none at all.

        Raises:
            MissingTokenError: ``--token-from gh``, and gh has stored none.
        """
        from gh_artifacts_async import GitHubCLIToken, resolve_base_url, token_variables

        asked = self.options.token_from
        url = resolve_base_url(api_url)
        if asked == "env" or (asked is None and any(map(os.environ.get, token_variables(url)))):
            return None
        try:
            stored = GitHubCLIToken(repo.web_host(url))
            await stored.token()
        except ConfigurationError:
            if asked == "gh":
                raise
            return None
        return stored

    async def _mask(self, api_url: str | None, stored: TokenSource | None) -> None:
        """Have the runner of a GitHub Actions job hide the token; it knows that of GITHUB_TOKEN itself."""
        if self._masked or not workflow.active():
            return
        names = repo.token_variables_of(api_url)
        token = await stored.token() if stored is not None else next(filter(None, map(os.environ.get, names)), None)
        if token and token != os.environ.get("GITHUB_TOKEN"):
            screen.mask(token)
            self._masked = True

    def tell(self, event: Event) -> None:
        """Say what happens on the way: with ``--verbose`` everything, else only why nothing seems to happen."""
        if screen.is_live() and not self.options.verbose:
            return  # the display shows it
        said = events.phrase(event, everything=self.options.verbose)
        if said is not None and not self._said_already(event):
            self.note(said)

    def _said_already(self, event: Event) -> bool:
        """Whether it is a wait, and it was said before that there is nothing until then: each request waits alone."""
        seconds = events.seconds_of_wait(event)
        if seconds is None:
            return False
        until = time.monotonic() + seconds
        if until < self._waits_until + _SAME_WAIT:
            return True
        self._waits_until = until
        return False

    def note(self, said: str) -> None:
        """Say something beside the results; not with ``--quiet``."""
        if not self.options.quiet:
            screen.say(f"{screen.wrapped(text.escaped(said), sys.stderr)}\n")

    def warning(self, said: str) -> None:
        """Say what may not be as it should; not with ``--quiet``."""
        if not self.options.quiet:
            screen.complain("warning", said)

    def error(self, said: str) -> None:
        """Say what went wrong."""
        screen.complain("error", said)

    def group(self, title: str, *, as_json: bool) -> AbstractContextManager[None]:
        """Fold a block's lines in the log of a GitHub Actions job; not those for programs, nor with ``--quiet``."""
        return contextlib.nullcontext() if as_json or self.options.quiet else screen.group(title)

    def sentence(self, error: BaseException, *, resumes: bool = False, can_replace: bool = False) -> str:
        """Return one sentence about an error.

        Args:
            error: what happened.
            resumes: the same command, run again, resumes what has arrived.
            can_replace: ``--if-exists replace`` would help against a file that is in the way.
        """
        variables = repo.token_variables_of(self.api)
        situation = sentences.Situation(
            token_variables=variables,
            token_in=None if self.login else next(filter(os.environ.get, variables), None),
            login=self.login,
            lacks=asked.lacking(self.command),
            unused_token=repo.unused_token(self.api, os.environ),
            login_helps=repo.login_command(self.api) if self.options.token_from in {None, "gh"} else None,
            resumes=resumes,
            can_replace=can_replace,
            in_the_way=self.in_the_way,
        )
        return sentences.sentence(error, situation)


def fan_out(*observers: Observer) -> Observer:
    """Return an observer that tells several."""

    def observe(event: Event) -> None:
        for observer in observers:
            observer(event)

    return observe
