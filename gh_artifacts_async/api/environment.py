"""Hosts and tokens from the environment, read as GitHub's own command line and runners do.

https://cli.github.com/manual/gh_help_environment and
https://docs.github.com/en/actions/reference/workflows-and-actions/variables
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs

from gh_artifacts_async.protocol.requests import BaseURL, base_url_for_host

if TYPE_CHECKING:
    from collections.abc import Mapping

PUBLIC_API = "https://api.github.com"


@attrs.frozen(kw_only=True)
class FromEnvironment:
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


def token_names_for(base: BaseURL, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables that may hold a token for a host, in order of precedence.

    GITHUB_TOKEN belongs to github.com; for another host it is used only if the runner's own variables name that
    host, so that a token is never sent to a server it is not meant for.
    """
    host = base.origin.host
    if host in {"github.com", "api.github.com"} or host.endswith(".ghe.com"):
        return ("GH_TOKEN", "GITHUB_TOKEN")
    named = {_host_of(environ.get(name, "")) for name in ("GITHUB_SERVER_URL", "GITHUB_API_URL")}
    more = ("GITHUB_TOKEN",) if host in named else ()
    return ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", *more)


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
