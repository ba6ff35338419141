"""Which repository is meant: the argument, ``-R``, GH_REPO, GITHUB_REPOSITORY, or git's ``origin``.

As GitHub's own command line reads them (https://cli.github.com/manual/gh_help_environment), with one difference: the
host of ``origin`` is never trusted, since whoever made the checkout chose it, and a token would be sent there.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs

from gh_artifacts_async import RepositoryName, resolve_base_url, token_variables
from gh_artifacts_async.cli import amounts
from gh_artifacts_async.cli.render import text
from gh_artifacts_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[^/@]*@)?(?P<host>[^/:]+)(?::\d+)?/(?P<path>.+)", re.IGNORECASE)
_SCP = re.compile(r"(?:[^/@:]+@)?(?P<host>[^/:@]+):(?P<path>[^/].*)")
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+", re.ASCII)
_GIT_LASTS = 5.0


@attrs.frozen
class Target:
    """A repository, and the API that has it.

    Attributes:
        repo: ``owner/name``.
        base_url: the API's; None for what the environment says.
    """

    repo: RepositoryName
    base_url: str | None = None


@attrs.frozen
class Account:
    """A user or an organization, and the API that has its repositories.

    Attributes:
        owner: its name.
        base_url: the API's; None for what the environment says.
    """

    owner: str
    base_url: str | None = None


def resolve(argument: str | None, option: str | None, *, api_url: str | None, environ: Mapping[str, str]) -> Target:
    """Find the repository.

    Args:
        argument: the positional OWNER/REPO, if it was given.
        option: what ``-R`` says.
        api_url: what ``--api-url`` says.
        environ: the environment.

    Raises:
        ConfigurationError: none is named, or one that cannot exist.
    """
    if argument is not None and option is not None:
        msg = f"the repository is given twice, as {argument!r} and as -R {option}; give it once"
        raise ConfigurationError(msg)
    for where, value in (
        ("", argument),
        ("-R", option),
        ("GH_REPO", environ.get("GH_REPO")),
        ("GITHUB_REPOSITORY", environ.get("GITHUB_REPOSITORY")),
    ):
        if value:
            return _named(value, where, api_url)
    return _origin(api_url, environ)


def _named(value: str, where: str, api_url: str | None) -> Target:
    """Read ``[HOST/]OWNER/REPO``, or the URL of a repository's page."""
    url = _URL.fullmatch(value)
    slug = f"{url['host']}/{url['path']}".rstrip("/").removesuffix(".git") if url else value
    host, _, rest = slug.partition("/")
    if "/" not in rest:
        return Target(_repository(slug, where), api_url)
    base = _api_of(host)
    if base is None:
        shown = "what precedes OWNER/REPO" if "@" in host else repr(host)  # a password must not be shown
        msg = f"{_from(where)}{shown} is not a host name"
        raise ConfigurationError(msg)
    if api_url is not None and resolve_base_url(api_url) != base:
        msg = f"{where or 'the repository'} names the host {host}, but --api-url names another; give one of them"
        raise ConfigurationError(msg)
    return Target(_repository(rest, where), base)


def _api_of(host: str) -> str | None:
    """Return the base URL of a host's API; None for what is not a host name."""
    try:
        return resolve_base_url(host)
    except ConfigurationError:
        return None


def web_host(api_url: str) -> str:
    """Return the host of an API's web site, which is what gh calls it: github.com for ``https://api.github.com``."""
    host = urlsplit(api_url).hostname or ""
    return host.removeprefix("api.") if host == "api.github.com" or host.endswith(".ghe.com") else host


def token_variables_of(api_url: str | None) -> tuple[str, ...]:
    """Return the environment variables that may hold a token; those of github.com where the API is not known."""
    try:
        return token_variables(api_url or resolve_base_url())
    except ConfigurationError:
        return token_variables("github.com")


def unused_token(api_url: str | None, environ: Mapping[str, str]) -> str | None:
    """Return why a token in the environment is not used for an API; None where there is none, or it is used."""
    names = token_variables_of(api_url)
    others = (*token_variables("github.com"), *token_variables("github.example"))
    if any(map(environ.get, names)):
        return None
    try:
        host = web_host(api_url or resolve_base_url())
    except ConfigurationError:
        return None
    found = next((name for name in others if name not in names and environ.get(name)), None)
    of = "GitHub Enterprise Server" if "GH_TOKEN" in names else "github.com"
    return None if found is None else f"{found} is for {of}, not for {host}"


def login_command(api_url: str | None) -> str | None:
    """Return the command that stores a login for an API; None where the API is not known, or on this machine."""
    try:
        host = web_host(api_url or resolve_base_url())
    except ConfigurationError:
        return None
    if host in {"localhost", "::1"} or host.startswith("127."):
        return None
    return "gh auth login" if host == "github.com" else f"gh auth login --hostname {host}"


def _repository(slug: str, where: str) -> RepositoryName:
    try:
        return RepositoryName.parse(slug)
    except ConfigurationError as error:
        msg = f"{_from(where)}{error}"
    raise ConfigurationError(msg)


def _from(where: str) -> str:
    """Return how a sentence begins about what an option or a variable says; nothing for an argument, which is seen."""
    return f"{where}: " if where else ""


def _origin(api_url: str | None, environ: Mapping[str, str]) -> Target:
    """Read git's ``origin``; its host must be the one that would be asked anyway."""
    found = parse_remote(_git("remote", "get-url", "origin") or "")
    if found is None:
        msg = "no repository given, and git's origin names none; give OWNER/REPO, use -R, or set GH_REPO"
        raise ConfigurationError(msg)
    host, repo = found
    base = resolve_base_url(api_url, environ)
    if api_url is None and _api_of(host) != base:
        msg = f"git's origin is on {host}, but the API in use is {base}; set GH_HOST={host} if you trust that host"
        raise ConfigurationError(msg)
    return Target(repo, api_url)


def parse_remote(url: str) -> tuple[str, RepositoryName] | None:
    """Return host and repository of a git remote's URL, in any of git's forms; None for any other URL."""
    match = _URL.fullmatch(url) or _SCP.fullmatch(url)
    if match is None:
        return None
    host = match["host"].lower()
    try:
        repo = RepositoryName.parse(match["path"].strip("/").removesuffix(".git"))
    except ConfigurationError:
        return None
    if _api_of(host) is None:
        return None
    return ("github.com" if host in {"ssh.github.com", "www.github.com"} else host), repo


def _git(*arguments: str) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    try:
        asked = subprocess.run(  # noqa: S603 - git itself, with fixed arguments
            [git, *arguments], capture_output=True, encoding="utf-8", timeout=_GIT_LASTS, check=False
        )
    except (OSError, subprocess.SubprocessError, UnicodeError):
        return None
    return asked.stdout.strip() if asked.returncode == 0 else None


def split(words: Sequence[str], *, after: int, instead: str = "") -> tuple[str | None, list[str]]:
    """Split the positionals of a command that takes OWNER/REPO and exactly ``after`` more: an ID, and a MEMBER.

    Args:
        words: the positionals.
        after: how many.
        instead: what else the command takes.

    Raises:
        ConfigurationError: there are more, or fewer.
    """
    if len(words) == after + 1:
        return words[0], list(words[1:])
    if len(words) == after and not (words and "/" in words[0]):  # no ID has a slash
        return None, list(words)
    *others, last = ("OWNER/REPO", "an ID", "a MEMBER")[: after + 1]
    expected = f"{', '.join(others)} and {last}" if others else last
    msg = f"expected {expected}{instead}, got {text.count(len(words), 'argument')}; see --help"
    raise ConfigurationError(msg)


def split_member(words: Sequence[str]) -> tuple[str | None, str]:
    """Split the positionals of a command that takes OWNER/REPO and a MEMBER, whose name may have a ``/`` too.

    Raises:
        ConfigurationError: there are more, or none.
    """
    if len(words) not in {1, 2}:
        msg = f"expected OWNER/REPO and a MEMBER, got {text.count(len(words), 'argument')}; see --help"
        raise ConfigurationError(msg)
    return (words[0] if len(words) > 1 else None), words[-1]


def split_directory(words: Sequence[str], option: str | None) -> tuple[str | None, str]:
    """Split the positionals of a command that takes OWNER/REPO and a DIR, which may have a ``/`` too.

    Args:
        words: the positionals.
        option: the repository, if an option names it.

    Raises:
        ConfigurationError: there are more, or fewer, or one that looks like a repository.
    """
    expected = "expected OWNER/REPO and a DIR"
    if len(words) not in {1, 2} or not words[-1]:
        msg = f"{expected}, got {text.count(len(words), 'argument')}; see --help"
        raise ConfigurationError(msg)
    if len(words) > 1:
        return words[0], words[1]
    if option is None and _SLUG.fullmatch(words[0]):
        msg = f"{expected}, got only {words[0]!r}; for a folder of that name, write ./{words[0]}"
        raise ConfigurationError(msg)
    return None, words[0]


def split_by_slash(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """Split the positionals of a command that takes any number of ids: a first one with a ``/`` is OWNER/REPO."""
    if words and "/" in words[0]:
        return words[0], list(words[1:])
    return None, list(words)


def ids(words: Sequence[str], *, by_name: bool = False) -> tuple[int, ...]:
    """Return artifact ids, each once.

    Args:
        words: the ids.
        by_name: the command takes ``--name``, too.

    Raises:
        ConfigurationError: one is not a number.
    """
    found: dict[int, None] = {}
    for word in words:
        number = amounts.whole(word)
        if number is None:
            named = f"for the artifact of this name, use --name {shlex.quote(word)}; " if by_name else ""
            msg = f"{word!r} is not an artifact ID; {named}gh-artifacts list shows the IDs, which are whole numbers"
            raise ConfigurationError(msg)
        found[number] = None
    return tuple(found)
