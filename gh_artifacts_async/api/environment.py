"""Hosts and tokens from the environment, read as GitHub's own command line and runners do.

https://cli.github.com/manual/gh_help_environment and
https://docs.github.com/en/actions/reference/workflows-and-actions/variables
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from gh_artifacts_async.protocol.requests import BaseURL, base_url_for_host

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN_VARIABLES = ("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
PUBLIC_API = "https://api.github.com"


class FromEnvironment(NamedTuple):
    """The API and its token.

    Attributes:
        base_url: of the REST API.
        token_names: the variables that are set and may hold a token for that host, in order of precedence.
    """

    base_url: str
    token_names: tuple[str, ...]


def base_url_from(environ: Mapping[str, str]) -> str:
    """Return the REST API's URL: GITHUB_API_URL unchanged, else that of GH_HOST, else github.com's."""
    if environ.get("GITHUB_API_URL"):
        return environ["GITHUB_API_URL"]
    return base_url_for_host(environ["GH_HOST"]) if environ.get("GH_HOST") else PUBLIC_API


def resolve_base_url(host: str | None = None, environ: Mapping[str, str] | None = None) -> str:
    """Return the REST API's base URL that a client would use.

    Args:
        host: a host name, which is mapped to its API (``"github.com"`` to ``"https://api.github.com"``), or a base
            URL, which is kept, less a trailing slash; None for what the environment says: GITHUB_API_URL, then
            GH_HOST, then github.com.
        environ: in place of ``os.environ``.

    Raises:
        ConfigurationError: it is neither.
    """
    variables = os.environ if environ is None else environ
    return str(BaseURL.parse(base_url_from(variables) if host is None else host))


def token_variables(base_url: str, environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the environment variables that may hold a token for a host, in the order in which they are tried.

    For github.com and ``*.ghe.com`` they are GH_TOKEN and GITHUB_TOKEN. For any other host they are
    GH_ENTERPRISE_TOKEN and GITHUB_ENTERPRISE_TOKEN, and GITHUB_TOKEN only where GITHUB_SERVER_URL or GITHUB_API_URL
    names that host, so that a token never goes to a server it is not for.

    Args:
        base_url: of the REST API, or just its host name.
        environ: in place of ``os.environ``.

    Raises:
        ConfigurationError: ``base_url`` is not a URL.
    """
    return token_names_for(BaseURL.parse(base_url), os.environ if environ is None else environ)


def token_names_for(base: BaseURL, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables that may hold a token for a host, in order of precedence.

    GITHUB_TOKEN belongs to github.com; for another host it is used only if the runner's own variables name that
    host, so that a token is never sent to a server it is not meant for.
    """
    if base.is_hosted:
        return ("GH_TOKEN", "GITHUB_TOKEN")
    named = {_host_of(environ.get(name, "")) for name in ("GITHUB_SERVER_URL", "GITHUB_API_URL")}
    more = ("GITHUB_TOKEN",) if base.origin.host in named else ()
    return ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", *more)


def token_advice(base: BaseURL, environ: Mapping[str, str]) -> str:
    """Return what to do about a missing token: which variables count, and which one is set but is for other hosts."""
    names = token_names_for(base, environ)
    advice = f"pass one, or set {' or '.join(names[:2])}"
    unused = next((name for name in TOKEN_VARIABLES if name not in names and environ.get(name)), None)
    if unused is None:
        return advice
    of, host = "github.com", base.origin.host
    if base.is_hosted:
        of, host = "GitHub Enterprise Server", host.removeprefix("api.")
    return f"{advice} ({unused} is for {of}, not for {host})"


def _host_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def read_environment(environ: Mapping[str, str], base_url: str | None = None) -> FromEnvironment:
    """Return the API's URL and which variables hold its token.

    Args:
        environ: the variables.
        base_url: takes precedence over them.

    Raises:
        ConfigurationError: the URL is invalid.
    """
    url = base_url or base_url_from(environ)
    names = token_names_for(BaseURL.parse(url), environ)
    return FromEnvironment(base_url=url, token_names=tuple(name for name in names if environ.get(name)))
