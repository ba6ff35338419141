"""judge(): what GitHub's response means. The one place where API errors are created.

Errors are returned, not raised, so that no frame that holds a response's headers is part of a traceback.
Status codes: https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
"""

from __future__ import annotations

import contextlib
import functools
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs

from gh_artifacts_async.errors import (
    APIError,
    ArtifactExpiredError,
    ArtifactsError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    PermissionDeniedError,
    PrimaryRateLimitError,
    ProtocolError,
    SecondaryRateLimitError,
    ServerError,
    UnexpectedResponseError,
    UnsafeRedirectError,
)
from gh_artifacts_async.models.values import Value
from gh_artifacts_async.protocol.api_versions import DEFAULT, is_retired_version, version_hint
from gh_artifacts_async.protocol.denials import APP_HINTS, error_details, page_text, printable, read_denial
from gh_artifacts_async.protocol.links import PageLinks, page_links, shown_origin
from gh_artifacts_async.protocol.media_types import media_type
from gh_artifacts_async.protocol.redirects import leads_to_sign_in, signed_url
from gh_artifacts_async.protocol.throttling import Throttle, read_rate_limit, retry_after, throttle
from gh_artifacts_async.results import Secret, SignedURL

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gh_artifacts_async.models import RateLimit
    from gh_artifacts_async.protocol.requests import BaseURL, Request

_LONG_NUMBER = re.compile(rb":[-\s0-9]{20}")  # or blanks, which do no harm; begins with what is quick to find
_LAST_GOOD = 299
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _NOT_ACCEPTABLE, _GONE, _LEGAL, _SERVER = 401, 403, 404, 406, 410, 451, 500
_PAGES = ("text/html", "application/xhtml+xml")
_PERMANENT = (301, 308)
_TEMPORARY = (302, 303, 307)
LARGE = 2**20
"""Bytes of a response from which another thread reads it, so that the event loop does not stand still."""

NO_DOWNLOAD_URL = "failed to generate url"
"""How GitHub words the 500 for the download of an artifact whose bytes are gone, in lower case."""


@attrs.frozen(kw_only=True)
class Response(Value):
    """An HTTP response; its repr shows neither headers (a Location is a secret) nor body.

    Attributes:
        status: the status code.
        headers: names in lower case.
        body: the whole body, decompressed.
        url: the URL of the request.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    url: str = attrs.field(default="", repr=False)


_NO_LINKS = PageLinks()

# --- what judge() returns --------------------------------------------------------------------------------------------


class Document(NamedTuple):
    """A JSON document.

    Attributes:
        data: the parsed JSON.
        links: where to find a listing's next page.
        is_large: it is so long that another thread should read it.
        date: the server's time, if the request had its own credential and the response states it.
    """

    data: Any
    links: PageLinks = _NO_LINKS
    is_large: bool = False
    date: datetime | None = None

    def __repr__(self) -> str:
        """Return all but the data."""
        return f"Document(links={self.links!r}, is_large={self.is_large!r})"


@attrs.frozen
class Nothing(Value):
    """An empty body, as the 204 of a DELETE has it."""


class Location(NamedTuple):
    """A download's redirect to storage.

    Attributes:
        signed_url: where the artifact's bytes are.
    """

    signed_url: SignedURL


Result = Document | Nothing | Location


class Good(NamedTuple):
    """What was asked for.

    Attributes:
        result: what the response says.
        rate_limit: the primary limit as of this response; None if it states none.
    """

    result: Result
    rate_limit: RateLimit | None = None


class Moved(NamedTuple):
    """The repository was renamed: send the request there.

    Attributes:
        to: the absolute URL, on the API's own origin.
        rate_limit: the primary limit as of this response; None if it states none.
    """

    to: str
    rate_limit: RateLimit | None = None


class Refused(NamedTuple):
    """GitHub refused the request, or the response breaks the rules of its API.

    Attributes:
        error: what the caller gets unless a retry helps.
        throttle: the rate limit that was exceeded; None for any other error.
        retry_after: seconds the server asks to wait; None if it does not say.
        rate_limit: the primary limit as of this response; None if it states none.
    """

    error: ArtifactsError
    throttle: Throttle | None = None
    retry_after: float | None = None
    rate_limit: RateLimit | None = None


Judgement = Good | Moved | Refused


def judge(
    request: Request, response: Response, *, base: BaseURL, now: Callable[[], datetime], api_version: str = DEFAULT
) -> Judgement:
    """Return what a response means.

    Args:
        request: what was asked.
        response: what came back.
        base: the API; a renamed repository is followed on its origin only.
        now: the wall clock, asked for a response without ``Date``.
        api_version: which the request asked for.
    """
    limit = read_rate_limit(response.headers)
    try:
        if response.status in _PERMANENT or response.status in _TEMPORARY:
            return _redirected(request, response, base, now, limit)
        if response.status <= _LAST_GOOD:
            return Good(_result(request, response, base), limit)
    except ProtocolError as error:
        return Refused(error.with_traceback(None), rate_limit=limit)
    return _refused(request, response, base, now, limit, api_version=api_version)


# --- good responses and redirects ------------------------------------------------------------------------------------


def _result(request: Request, response: Response, base: BaseURL) -> Result:
    if request.answer == "location":
        raise _unlike_github(request, response, base, instead_of="a redirect to storage")
    if request.answer == "nothing":
        if not response.body:
            return Nothing()
        raise _unlike_github(request, response, base, instead_of="an empty body")
    try:
        data = _loads()(response.body)
    except (ValueError, RecursionError):
        pass
    else:
        if request.about is not None and isinstance(data, dict):
            about = data.get("id")
            if about != request.about and isinstance(about, int):  # anything else is a matter of the document's shape
                raise _mixed_up(request, about)
        link, large = response.headers.get("link"), len(response.body) > LARGE
        links = page_links(link, base=base, url=response.url) if link else _NO_LINKS
        return Document(data, links, is_large=large)
    raise _unlike_github(request, response, base, instead_of="JSON")


def _mixed_up(request: Request, about: int) -> UnexpectedResponseError:
    """Return the error for a response that another request was waiting for."""
    msg = f"{request.label} returned {about} instead; does a proxy on the way mix up responses?"
    return UnexpectedResponseError(msg)


def _unlike_github(request: Request, response: Response, base: BaseURL, *, instead_of: str) -> UnexpectedResponseError:
    """Return the error for a good status with the wrong content."""
    found = f"{_kind(response)} instead of {instead_of}" if response.body else "no body"
    if _is_page(response) and not base.is_hosted:
        return _web_page(request, response, base, found)
    host = response.url.partition("://")[2].partition("/")[0] or "the server"
    return UnexpectedResponseError(
        f"{request.label} returned {response.status} with {found}; is {host} GitHub's REST API?"
    )


def _web_page(request: Request, response: Response, base: BaseURL, found: str) -> UnexpectedResponseError:
    """Return the error for what a web server answers where GitHub's API was meant."""
    if base.is_hosted:
        doubt = "is a proxy or firewall in the way?"
    elif response.status == _NOT_FOUND and not _is_page(response):
        doubt = "is it GitHub Enterprise Server, with /api/v3 in the address? Gitea and Forgejo are not supported"
    elif base.path.endswith("/api/v3"):
        doubt = "is the server in private mode?"
    else:
        doubt = "is /api/v3 missing from the address, or is the server in private mode?"
    msg = f"{request.label}: {base.origin} answered {response.status} with {found}; {doubt}"
    return UnexpectedResponseError(msg, wrong_address=not base.is_hosted)


def _is_page(response: Response) -> bool:
    if media_type(response.headers.get("content-type")) in _PAGES:
        return True
    return response.body[:512].lstrip().lower().startswith((b"<!doctype html", b"<html"))


@functools.cache
def _loads() -> Callable[[bytes], object]:
    """Return orjson's parser if it is installed (the extra ``speed``), else the standard library's.

    Both give the same: what orjson refuses (a lone surrogate), or would read as a float (a field that is an integer of
    more than 64 bits), is left to the standard library.
    """
    try:
        from orjson import loads
    except ImportError:
        return json.loads

    def parse(body: bytes) -> object:
        if _LONG_NUMBER.search(body) is None:
            with contextlib.suppress(ValueError):
                return loads(body)
        return json.loads(body)

    return parse


def _kind(response: Response) -> str:
    return printable(media_type(response.headers.get("content-type"))) or "an unnamed type"


def _redirected(
    request: Request, response: Response, base: BaseURL, now: Callable[[], datetime], limit: RateLimit | None
) -> Good | Moved:
    """Tell a renamed repository (301, 307) from a download's 302.

    https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
    """
    location = Secret(response.headers.get("location", ""))
    target = signed_url(location, url=response.url, headers=response.headers, now=now)
    if "/login" in target.url.lower() and leads_to_sign_in(target.url, base):
        raise _web_page(request, response, base, "a redirect to its sign-in page")
    if base.is_repository_path(target.url):
        return Moved(target.url, limit)
    if request.answer == "location" and response.status in _TEMPORARY:
        return Good(Location(target), limit)
    msg = (
        f"{request.label} was redirected to {shown_origin(target.url)}, which is not a repository of {base.origin}; "
        "it was not followed, so that the token is not sent there"
    )
    raise UnsafeRedirectError(msg)


# --- errors ------------------------------------------------------------------------------------------------------


class _Facts(NamedTuple):
    message: str
    documentation_url: str | None = None
    details: str = ""
    block: object = None
    is_page: bool = False
    is_json: bool = True


def _refused(
    request: Request,
    response: Response,
    base: BaseURL,
    now: Callable[[], datetime],
    limit: RateLimit | None,
    *,
    api_version: str,
) -> Refused:
    if response.status == _NOT_FOUND and _is_page(response):
        return Refused(_web_page(request, response, base, "an HTML page instead of JSON"), rate_limit=limit)
    facts = _facts(response)
    if not facts.is_json and not base.is_hosted and _is_elsewhere(response):
        content = f"{_kind(response)} instead of JSON" if response.body else "no body"
        return Refused(_web_page(request, response, base, content), rate_limit=limit)
    found = throttle(
        response.status, response.headers, message=facts.message, documentation_url=facts.documentation_url, now=now
    )
    if found is None:
        error = _api_error(request, response, facts, api_version)
    else:
        error = _rate_limit_error(request, response, facts, found)
    return Refused(error, found, retry_after(response.headers, now), limit)


def _is_elsewhere(response: Response) -> bool:
    """Whether an error without a document is not the API's: Gitea's 404, and GHES's 406 outside ``/api/v3``."""
    return response.status == _NOT_ACCEPTABLE or (response.status == _NOT_FOUND and bool(response.body))


def _facts(response: Response) -> _Facts:
    """Read GitHub's basic-error document; of another body only what a 403 says in plain words."""
    try:
        document = json.loads(response.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        said = page_text(response.body) if response.status == _FORBIDDEN else ""
        return _Facts(message=printable(said), is_page=b"<" in response.body, is_json=False)
    message, url = document.get("message"), document.get("documentation_url")
    return _Facts(
        message=printable(message) if isinstance(message, str) else "",
        documentation_url=url if isinstance(url, str) else None,
        details=error_details(document.get("errors")),
        block=document.get("block"),
    )


_HINTS: dict[type[APIError], str] = {
    AuthenticationError: "the token is missing, wrong or expired",
    NotFoundError: "not found, or the token has no access",
    ArtifactExpiredError: "the artifact has expired and can no longer be downloaded",
    ServerError: "the server failed; try again later",
}


def _sentence(request: Request, response: Response, facts: _Facts, hint: str) -> str:
    repeated = hint.startswith(facts.message.lower())  # "Not Found" and our own "not found, or ..."
    said = "" if repeated else f" {facts.message}"
    more = f" ({facts.details})" if facts.details else ""
    quoted = response.headers.get("x-github-request-id")
    reference = f" [request id {printable(quoted)}]" if quoted else ""
    return f"{request.label}: {response.status}{said}{more}" + (f": {hint}" if hint else "") + reference


def _common(request: Request, response: Response, facts: _Facts, hint: str) -> dict[str, Any]:
    return {
        "message": _sentence(request, response, facts, hint),
        "status": response.status,
        "request_id": response.headers.get("x-github-request-id"),
        "documentation_url": facts.documentation_url,
        "request": request.label,
    }


def _error_class(request: Request, response: Response, facts: _Facts) -> type[APIError]:
    status, is_download = response.status, request.answer == "location"
    simple: dict[int, type[APIError]] = {
        400: BadRequestError,
        422: BadRequestError,
        _UNAUTHORIZED: AuthenticationError,
        _FORBIDDEN: PermissionDeniedError,
        _LEGAL: PermissionDeniedError,
        _NOT_FOUND: NotFoundError,
    }
    if status == _GONE and is_download and not is_retired_version(facts.message):
        return ArtifactExpiredError
    if status >= _SERVER:
        return ArtifactExpiredError if is_download and request.known_expired else ServerError
    return simple.get(status, APIError)


def _api_error(request: Request, response: Response, facts: _Facts, api_version: str) -> APIError:
    found = _error_class(request, response, facts)
    if found is PermissionDeniedError:
        denial = read_denial(response.headers, facts.message, facts.block, is_page=facts.is_page)
        accepted = response.headers.get("x-accepted-github-permissions")
        details = _common(request, response, facts, denial.hint)
        return PermissionDeniedError(**details, accepted_permissions=accepted, sso_url=denial.sso_url)
    hint = _HINTS.get(found, "") if request.credential is None else APP_HINTS.get(response.status, "")
    if found in {APIError, BadRequestError}:
        hint = version_hint(response.status, response.headers, facts.message, api_version)
        facts = facts._replace(message=facts.message.rstrip(".")) if hint else facts
    return found(**_common(request, response, facts, hint))


def _rate_limit_error(request: Request, response: Response, facts: _Facts, found: Throttle) -> APIError:
    until = "" if found.reset_at is None else f", until {found.reset_at:%Y-%m-%d %H:%M:%S} UTC"
    hint = f"this is the {found.kind} rate limit; wait {found.wait:.0f} s{until}"
    cls = PrimaryRateLimitError if found.kind == "primary" else SecondaryRateLimitError
    facts, stated = facts._replace(message=facts.message.rstrip(".")), found.wait if found.stated else None
    return cls(**_common(request, response, facts, hint), retry_after=stated, reset_at=found.reset_at)
