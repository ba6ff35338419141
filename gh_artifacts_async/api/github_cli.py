"""The token that GitHub's own command line, gh, has stored: asked of gh itself, or read from its file.

https://cli.github.com/manual/gh_auth_token and https://cli.github.com/manual/gh_help_environment
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gh_artifacts_async.api.auth import NotPickled, check_token
from gh_artifacts_async.api.environment import TOKEN_VARIABLES
from gh_artifacts_async.api.single_flight import SingleFlight
from gh_artifacts_async.errors import ConfigurationError, MissingTokenError
from gh_artifacts_async.protocol.requests import BaseURL
from gh_artifacts_async.results import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gh_artifacts_async.api.auth import Sender

_LASTS = 10.0
"""Seconds that gh may take; it may have to ask the system's key ring."""
_NOT_INSTALLED = "gh is not installed"
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?", re.ASCII)


class GitHubCLIToken(NotPickled):
    """The token with which ``gh auth login`` has logged in, as ``gh auth token`` prints it.

    Where gh is not installed, its file ``hosts.yml`` is read, if PyYAML is installed. The token is kept until GitHub
    rejects it.
    """

    def __init__(self, hostname: str | None = "github.com") -> None:
        """Keep the host; gh is not run before a token is needed.

        Args:
            hostname: whose token, as gh calls the host; None for the host of the client that it is passed to. The
                token is sent to that client's API, whichever host is named here.

        Raises:
            ConfigurationError: it is not a host name.
        """
        if hostname is not None and (not isinstance(hostname, str) or not _HOST.fullmatch(hostname)):
            msg = f"hostname must be a host name like 'github.com', not {hostname!r}"
            raise ConfigurationError(msg)
        self._host = hostname
        self._of_client = hostname is None
        self._secret: Secret | None = None
        self._asking = SingleFlight(self._asked)

    def __reduce__(self) -> tuple[object, ...]:
        """Return the host: where it is unpickled, that machine's gh is asked."""
        return GitHubCLIToken, (None if self._of_client else self._host,)

    def __repr__(self) -> str:
        """Return the host, no token."""
        return f"GitHubCLIToken({self._host!r})"

    def bind(self, sender: Sender) -> None:
        """Take the host of a client's API, unless a host was given.

        Raises:
            ConfigurationError: the client has none, or another one than the client before it.
        """
        if not self._of_client:
            return
        base = getattr(sender, "base", None)
        host = _host_of(base) if isinstance(base, BaseURL) else None
        if host is None or self._host not in {None, host}:
            msg = f"hostname=None takes the host of one client; it cannot be both {self._host} and {host}"
            raise ConfigurationError(msg)
        self._host = host

    async def token(self) -> str:
        """Return the token.

        Raises:
            MissingTokenError: gh has no token for the host, or neither gh nor its file can be read.
            ConfigurationError: the token contains characters not allowed in a header, or there is no host.
        """
        secret = self._secret or await self._asking.wait()
        return secret.reveal()

    def invalidate(self, token: str) -> None:
        """Drop a token that GitHub rejected, so that gh is asked again."""
        if self._secret is not None and self._secret == Secret(token):
            self._secret = None

    async def _asked(self) -> Secret:
        if self._host is None:
            msg = "hostname=None takes the host of a client: pass it as ArtifactsClient(token=...), or name a host"
            raise ConfigurationError(msg)
        program = shutil.which("gh")
        if program is not None:
            found, why = await _from_program(program, self._host)
        else:
            found, why = await asyncio.to_thread(_from_file, _hosts_file(os.environ), self._host)
        if found is None:
            install = "install gh and " if why.startswith(_NOT_INSTALLED) else ""
            msg = f"{why}; {install}run gh auth login --hostname {self._host}"
            raise MissingTokenError(msg)
        self._secret = check_token(found.reveal())
        return self._secret


def _host_of(base: BaseURL) -> str:
    """Return what gh calls the host of an API."""
    host = base.origin.host
    return host.removeprefix("api.") if base.is_hosted else host


async def _from_program(program: str, host: str) -> tuple[Secret | None, str]:
    """Ask gh; return the token, or why there is none."""
    asked = ("auth", "token", "--hostname", host)
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *asked,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # whatever it says is not shown
            env=_environment(),
        )
    except (OSError, NotImplementedError):  # Windows' selector loop starts no processes
        return None, "gh could not be started"
    try:
        async with asyncio.timeout(_LASTS):
            found = Secret((await process.communicate())[0].decode("utf-8", "replace").strip())
    except TimeoutError:
        return None, f"gh did not answer within {_LASTS:.0f} s"
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode or not found.reveal():
        return None, f"gh has no token for {host}"
    return found, ""


def _environment() -> dict[str, str]:
    """Return this process's environment, less the tokens in it."""
    # gh would return these in place of what it has stored.
    kept = {name: value for name, value in os.environ.items() if name not in TOKEN_VARIABLES}
    return {**kept, "GH_PROMPT_DISABLED": "1", "GH_NO_UPDATE_NOTIFIER": "1"}


def _hosts_file(environ: Mapping[str, str]) -> Path:
    """Return where gh keeps its logins."""
    if environ.get("GH_CONFIG_DIR"):
        return Path(environ["GH_CONFIG_DIR"], "hosts.yml")
    if environ.get("XDG_CONFIG_HOME"):
        return Path(environ["XDG_CONFIG_HOME"], "gh", "hosts.yml")
    if sys.platform == "win32" and environ.get("APPDATA"):
        return Path(environ["APPDATA"], "GitHub CLI", "hosts.yml")
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home() raises for a user without a home
    return Path(home, ".config", "gh", "hosts.yml")


def _from_file(path: Path, host: str) -> tuple[Secret | None, str]:
    """Read gh's file; return the token, or why there is none. Newer versions of gh prefer the system's key ring."""
    if not os.path.isfile(path):  # noqa: PTH113 - Path.is_file() raises for a folder that is closed to us
        return None, _NOT_INSTALLED
    try:
        yaml = importlib.import_module("yaml")  # untyped, and seldom installed
    except ImportError:
        return None, f"{_NOT_INSTALLED}, and PyYAML, which its hosts.yml needs, is not either"
    try:
        document = yaml.safe_load(path.read_bytes())
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return None, f"{path} cannot be read"
    found = _login(document, host)
    return found, "" if found is not None else f"{path} holds no token for {host}"


def _login(document: object, host: str) -> Secret | None:
    """Return the token of a host: the active user's, which gh writes beside the name, or the one under ``users``."""
    entry = _entry(document, host)
    user = entry.get("user")
    users = _entry(entry, "users")
    for place in (entry, _entry(users, user), *(_entry(users, name) for name in users if user is None)):
        token = place.get("oauth_token")
        if isinstance(token, str) and token:
            return Secret(token)
    return None


def _entry(document: object, key: object) -> dict[object, object]:
    found = document.get(key) if isinstance(document, dict) else None
    return found if isinstance(found, dict) else {}
