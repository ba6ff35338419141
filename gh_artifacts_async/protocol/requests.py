"""Requests as values, the base URL they are sent to, and the operations on artifacts.

https://docs.github.com/en/rest/actions/artifacts; the other operations are in :mod:`.run_requests` and
:mod:`.repository_requests`.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import urlencode

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.models import check_id

if TYPE_CHECKING:
    from gh_artifacts_async.models import Direction, RepositoryName
    from gh_artifacts_async.results import Secret

Query = tuple[tuple[str, str], ...]

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#\\\s\x00-\x1f\x7f]*)(?P<rest>[^\s\x00-\x1f\x7f]*)"
)
_HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?", re.ASCII)
# Names are in ASCII (punycode): aiohttp cannot send to others, and parsers map them to ASCII in different ways.
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]+)(?::(?P<port>[0-9]{1,5}))?", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_PER_PAGE = 100
_DOT_SEGMENT = r"(?i)(?:/|%(?:25)*2f|%(?:25)*5c)(?:\.|%(?:25)*2e){1,2}(?:/|%(?:25)*2f|%(?:25)*5c|\Z)"
"""A ``.`` or ``..`` that some server would resolve, however often it is percent-encoded (of a renamed repository)."""
_MAX_PORT = 65535
_LONGEST_LABEL = 63
GITEA_API = "/api/v1"
"""Where the API of Gitea and Forgejo is; GITHUB_API_URL ends so in their workflows."""
GITEA_REPOSITORIES = f"{GITEA_API}/repos/"
"""What the URLs of their artifacts contain, which have no ``node_id``."""


# --- the base URL ------------------------------------------------------------------------------------------------


class Origin(NamedTuple):
    """Scheme, host and port (RFC 6454 section 4): a token is sent to one origin only."""

    scheme: str
    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine itself."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        """Return ``scheme://host[:port]``, the port only if it is not the scheme's default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if _DEFAULT_PORTS.get(self.scheme) == self.port else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


def split_origin(url: str) -> tuple[Origin, str] | None:
    """Split an absolute http(s) URL into its origin and the rest; None if it is not one.

    Userinfo, backslashes, blanks and control characters are refused: parsers disagree about them, and where a token is
    sent depends on the result.
    """
    match = _URL.fullmatch(url)
    if match is None or "\\" in match["rest"]:
        return None
    origin = _origin(match["scheme"].lower(), match["authority"])
    return None if origin is None else (origin, match["rest"])


def host_advice(url: str) -> str:
    """Return the end of a message about a URL that was refused: how to write a host that is not in ASCII, else ""."""
    host = re.split(r"[/?#\\]", url.partition("://")[2])[0]
    if host.isascii():
        return ""
    return "; a host name with other letters than ASCII's is written in punycode, like 'xn--bcher-kva.example'"


@functools.lru_cache(maxsize=256)
def _origin(scheme: str, text: str) -> Origin | None:
    """Read an authority (RFC 3986 section 3.2). Cached: a client sees the same few hosts all the time."""
    authority = _AUTHORITY.fullmatch(text)
    if scheme not in _DEFAULT_PORTS or authority is None or not _can_be_looked_up(authority["host"]):
        return None
    port = int(authority["port"] or _DEFAULT_PORTS[scheme])
    return None if port > _MAX_PORT else Origin(scheme, authority["host"].strip("[]").lower(), port)


def _can_be_looked_up(host: str) -> bool:
    """Whether a host is an IPv6 address in brackets, or has labels of 1 to 63 characters (RFC 1035 section 2.3.4)."""
    if not host.startswith("["):
        return all(0 < len(label) <= _LONGEST_LABEL for label in host.removesuffix(".").split("."))
    try:
        return ipaddress.ip_address(host[1:-1]).version == 6  # noqa: PLR2004 - brackets hold IPv6
    except ValueError:
        return False


class BaseURL(NamedTuple):
    """Where the REST API is, e.g. ``https://api.github.com`` or ``https://HOST/api/v3``.

    Attributes:
        origin: scheme, host and port.
        path: without a trailing slash; empty for github.com.
        text: origin and path as one URL.
    """

    origin: Origin
    path: str
    text: str

    def __str__(self) -> str:
        """Return the URL."""
        return self.text

    @classmethod
    def parse(cls, text: str) -> BaseURL:
        """Take a URL exactly as given, less a trailing slash; a bare host name is mapped to its API.

        Raises:
            ConfigurationError: it is not an http(s) URL, or has userinfo, a query or a fragment, or is the API of Gitea
                or Forgejo.
        """
        if not isinstance(text, str) or not text:
            msg = f"base_url must be a URL like 'https://api.github.com', not {text!r}"
            raise ConfigurationError(msg)
        if "://" not in text and _HOST_NAME.fullmatch(text):
            text = base_url_for_host(text)
        if "@" in text:
            msg = "base_url must not contain a user name or password; pass the token separately"
            raise ConfigurationError(msg)
        parts = split_origin(text)
        if parts is None or "?" in parts[1] or "#" in parts[1]:
            shown = re.split(r"[?#]", text)[0]  # the rest may be a secret
            msg = f"base_url must be http(s)://HOST[/PATH] without query or fragment, not {shown!r}{host_advice(shown)}"
            raise ConfigurationError(msg)
        origin, path = parts[0], parts[1].rstrip("/")
        found = cls(origin, path, f"{origin}{path}")
        if found.path.endswith(GITEA_API):
            msg = f"base_url {found} belongs to Gitea or Forgejo, which are not supported"
            raise ConfigurationError(msg)
        return found

    def url(self, request: Request) -> str:
        """Return the absolute URL of a request."""
        if request.absolute_url is not None:
            return request.absolute_url
        query = f"?{urlencode(request.query)}" if request.query else ""
        return f"{self.text}{request.path}{query}"

    @property
    def is_hosted(self) -> bool:
        """Whether it is github.com or ``*.ghe.com``: GitHub's own hosts, whose API has no ``/api/v3``."""
        return self.origin.host in {"github.com", "api.github.com"} or self.origin.host.endswith(".ghe.com")

    def owns(self, url: str) -> bool:
        """Whether an absolute URL is on this API's origin, so that the token may be sent to it."""
        parts = split_origin(url)
        return parts is not None and parts[0] == self.origin

    def is_repository_path(self, url: str) -> bool:
        """Whether a URL is one of this API's own repository resources (a renamed repository's new URL).

        A URL is ASCII (RFC 3986 section 2): parsers that drop what is not may find dot segments that others do not see.
        """
        if "/repos" not in url or not url.isascii():  # the first is nearly all URLs of storage
            return False
        parts = split_origin(url)
        return (
            parts is not None
            and parts[0] == self.origin
            and parts[1].startswith((f"{self.path}/repos/", f"{self.path}/repositories/"))
            and not re.search(_DOT_SEGMENT, re.split(r"[?#]", parts[1], maxsplit=1)[0])
        )


def base_url_for_host(host: str) -> str:
    """Map a bare host name to its REST API, as GitHub's own command line does.

    github.com -> ``https://api.github.com``, TENANT.ghe.com -> ``https://api.TENANT.ghe.com``, any other ->
    ``https://HOST/api/v3``.

    Raises:
        ConfigurationError: it is not a host name.
    """
    if not _HOST_NAME.fullmatch(host):
        shown = "what was given" if "@" in host else repr(host)  # a password must not be shown
        msg = f"{shown} is not a host name"
        raise ConfigurationError(msg)
    lower = host.lower()
    if lower in {"github.com", "api.github.com"}:
        return "https://api.github.com"
    if lower.endswith(".ghe.com"):
        return f"https://{lower}" if lower.startswith("api.") else f"https://api.{lower}"
    return f"https://{lower}/api/v3"


def check_base_url(base: BaseURL, *, has_token: bool, allow_http: bool) -> None:
    """Refuse to send a token in the clear.

    Raises:
        ConfigurationError: an http base URL, a token, and a host that is not this machine.
    """
    if base.origin.scheme == "http" and has_token and not allow_http and not base.origin.is_loopback:
        msg = f"a token would cross the network unencrypted to {base.origin}; use https, or pass allow_http=True"
        raise ConfigurationError(msg)


# --- the operations ---


class Request(NamedTuple):
    """One REST call, before it is sent.

    Attributes:
        operation: GitHub's name for it, e.g. ``"list_artifacts_for_repo"``.
        path: below the base URL, percent-encoded.
        method: GET, DELETE or PUT, which are safe to repeat (RFC 9110 section 9.2.2), or a POST that is so too.
        query: names and values, not yet encoded.
        absolute_url: used instead of path and query: GitHub's own ``next`` link, or a renamed repository's new URL.
        points: what it costs of GitHub's 900 points a minute, see :class:`~gh_artifacts_async.Limits`.
        answer: what a good response is: ``"json"``, ``"nothing"`` (204) or ``"location"`` (the 302 of a download).
        known_expired: whether the artifact is known to have expired, which a 5xx then means; None if unknown.
        about: the id of what the response must be about: an artifact, or a run; None for a repository.
        fresh: send it over a connection that has served no other request.
        credential: sent in place of the session's token, which is not asked for then; None for the session's.
        body: a JSON document, encoded; None for no body.
    """

    operation: str
    path: str
    method: Literal["GET", "DELETE", "POST", "PUT"] = "GET"
    query: Query = ()
    absolute_url: str | None = None
    points: int = 1
    answer: Literal["json", "nothing", "location"] = "json"
    known_expired: bool | None = None
    about: int | None = None
    fresh: bool = False
    credential: Secret | None = None
    body: bytes | None = None

    @property
    def label(self) -> str:
        """Method and path for messages: no host, no query."""
        return f"{self.method} {self.path}"

    def at(self, url: str) -> Request:
        """Return the same request at another absolute URL."""
        return self._replace(absolute_url=url)


def actions(repo: RepositoryName) -> str:
    """Return the path that a repository's operations on GitHub Actions begin with."""
    return f"/repos/{repo.owner}/{repo.name}/actions"


def check_name(name: str | None) -> None:
    """Check an artifact name to search for.

    Raises:
        ConfigurationError: it is empty, not a string, or cannot be encoded in a URL.
    """
    if name is not None and not is_text(name):
        msg = f"name must be an artifact's name, not {name!r}"
        raise ConfigurationError(msg)


def is_text(value: object) -> bool:
    """Whether a value is a string that UTF-8 can carry (no lone surrogates, as program arguments may contain)."""
    return isinstance(value, str) and bool(value) and not any("\ud800" <= char <= "\udfff" for char in value)


def paging(per_page: int, page: int, *more: tuple[str, str | None]) -> Query:
    """Check the paging parameters, and return them with those of the others that are given.

    Raises:
        ConfigurationError: per_page is not within 1..100, or page is below 1.
    """
    if isinstance(per_page, bool) or not isinstance(per_page, int) or not 1 <= per_page <= MAX_PER_PAGE:
        msg = f"per_page must be within 1..{MAX_PER_PAGE}, not {per_page!r}"
        raise ConfigurationError(msg)
    check_id(page, "page")
    given = tuple((key, value) for key, value in more if value is not None)
    return (("per_page", str(per_page)), ("page", str(page)), *given)


def list_artifacts_for_repo(
    repo: RepositoryName, *, name: str | None = None, per_page: int = 30, page: int = 1
) -> Request:
    """``GET /repos/{owner}/{repo}/actions/artifacts``."""
    check_name(name)
    query = paging(per_page, page, ("name", name))
    path = f"/repos/{repo.owner}/{repo.name}/actions/artifacts"
    return Request(operation="list_artifacts_for_repo", path=path, query=query)


def list_workflow_run_artifacts(
    repo: RepositoryName,
    run_id: int,
    *,
    name: str | None = None,
    direction: Direction | None = None,
    per_page: int = 30,
    page: int = 1,
) -> Request:
    """``GET /repos/{owner}/{repo}/actions/runs/{run_id}/artifacts``."""
    check_id(run_id, "run_id")
    check_name(name)
    if direction not in {None, "asc", "desc"}:
        msg = f"direction must be 'asc' or 'desc', not {direction!r}"
        raise ConfigurationError(msg)
    query = paging(per_page, page, ("name", name), ("direction", direction))
    path = f"{actions(repo)}/runs/{run_id}/artifacts"
    return Request(operation="list_workflow_run_artifacts", path=path, query=query, about=run_id)


def get_artifact(repo: RepositoryName, artifact_id: int) -> Request:
    """``GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}``."""
    check_id(artifact_id, "artifact_id")
    path = f"/repos/{repo.owner}/{repo.name}/actions/artifacts/{artifact_id}"
    return Request(operation="get_artifact", path=path, about=artifact_id)


def delete_artifact(repo: RepositoryName, artifact_id: int) -> Request:
    """``DELETE /repos/{owner}/{repo}/actions/artifacts/{artifact_id}``."""
    check_id(artifact_id, "artifact_id")
    path = f"{actions(repo)}/artifacts/{artifact_id}"
    return Request(operation="delete_artifact", method="DELETE", path=path, points=5, answer="nothing")


def download_artifact(
    repo: RepositoryName, artifact_id: int, *, known_expired: bool | None = None, fresh: bool = False
) -> Request:
    """``GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}``; the format must be zip."""
    check_id(artifact_id, "artifact_id")
    path = f"/repos/{repo.owner}/{repo.name}/actions/artifacts/{artifact_id}/zip"
    return Request(
        operation="download_artifact", path=path, answer="location", known_expired=known_expired, fresh=fresh
    )
