"""judge(): what GitHub's answer means. The one place where API errors are born.

Errors are returned, not raised, so that no frame that holds an answer's headers is part of a traceback.
Status codes: https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

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
from gh_artifacts_async.models import RateLimit
from gh_artifacts_async.protocol.filenames import media_type
from gh_artifacts_async.protocol.links import PageLinks, page_links
from gh_artifacts_async.protocol.redirects import signed_url
from gh_artifacts_async.protocol.throttling import Throttle, read_rate_limit, retry_after, throttle
from gh_artifacts_async.results import Secret, SignedURL

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gh_artifacts_async.protocol.requests import BaseURL, Request

_LONGEST_MESSAGE = 300
_OK_MAX = 299
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _GONE, _SERVER = 401, 403, 404, 410, 500
_PERMANENT = (301, 308)
_TEMPORARY = (302, 303, 307)
NO_DOWNLOAD_URL = "failed to generate url"
"""GitHub's 500 on the download of an artifact whose bytes are gone."""


@attrs.frozen(kw_only=True)
class Response:
    """An HTTP answer whose headers (a Location is a secret) and body no repr shows.

    Attributes:
        status: the status code.
        headers: names in lower case.
        body: whole.
        url: the address that answered.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    url: str = attrs.field(default="", repr=False)


@attrs.frozen(kw_only=True)
class Result:
    """What a good answer says.

    Attributes:
        data: the JSON document; None where there is none.
        links: where a listing goes on.
        signed_url: the download's address.
        moved_to: the repository was renamed: ask again there.
    """

    data: Any = attrs.field(default=None, repr=False)
    links: PageLinks = attrs.field(factory=PageLinks)
    signed_url: SignedURL | None = None
    moved_to: str | None = None


@attrs.frozen(kw_only=True)
class Verdict:
    """judge()'s finding: a reply or an error, never both.

    Attributes:
        reply: what a good answer says.
        error: what went wrong.
        throttle: the rate limit that was met.
        retry_after: seconds a 5xx asks to wait.
        rate_limit: the primary limit as of this answer.
    """

    reply: Result | None = None
    error: ArtifactsError | None = None
    throttle: Throttle | None = None
    retry_after: float | None = None
    rate_limit: RateLimit | None = None


def judge(request: Request, answer: Response, *, base: BaseURL, now: datetime) -> Verdict:
    """Return what an answer means.

    Args:
        request: what was asked.
        answer: what came.
        base: the API; a renamed repository is followed on its origin only.
        now: the wall clock, for an answer without ``Date``.
    """
    limit = read_rate_limit(answer.headers)
    try:
        reply, error = _sort(request, answer, base, now)
    except ProtocolError as exc:
        return Verdict(error=exc.with_traceback(None), rate_limit=limit)
    if error is None:
        return Verdict(reply=reply, rate_limit=limit)
    facts = _facts(answer)
    found = throttle(
        answer.status, answer.headers, message=facts.message, documentation_url=facts.documentation_url, now=now
    )
    if found is not None:
        error = _rate_limit_error(request, answer, found)
    wait = retry_after(answer.headers, now)
    return Verdict(error=error, throttle=found, retry_after=wait, rate_limit=limit)


def _sort(
    request: Request, answer: Response, base: BaseURL, now: datetime
) -> tuple[Result | None, ArtifactsError | None]:
    """Part the answers: redirects, good ones, errors."""
    if answer.status in _PERMANENT or answer.status in _TEMPORARY:
        return _redirected(request, answer, base, now), None
    if answer.status < _OK_MAX + 1:
        return _good(request, answer, base), None
    return None, _api_error(request, answer)


def _good(request: Request, answer: Response, base: BaseURL) -> Result:
    if request.answer == "nothing":
        if not answer.body:
            return Result()
        msg = (
            f"{request.label} was answered with {answer.status} and {_kind(answer)} instead of nothing (204); "
            f"is {_host(answer)} GitHub's REST API?"
        )
        raise UnexpectedResponseError(msg)
    if request.answer == "location":
        msg = f"{request.label} was answered with {answer.status} instead of a redirect to storage"
        raise UnexpectedResponseError(msg)
    links = page_links(answer.headers.get("link"), base=base, url=answer.url)
    return Result(data=_json(request, answer), links=links)


@functools.cache
def _loads() -> Callable[[bytes], object]:
    """Return orjson's reader where it is installed (the extra ``speed``), else the standard library's."""
    try:
        from orjson import loads
    except ImportError:
        return json.loads
    return loads


def _json(request: Request, answer: Response) -> object:
    what = "no body" if not answer.body else f"{_kind(answer)} instead of JSON"
    try:
        return _loads()(answer.body)
    except (ValueError, RecursionError):
        msg = f"{request.label} was answered with {answer.status} and {what}; is {_host(answer)} GitHub's REST API?"
    raise UnexpectedResponseError(msg)


def _kind(answer: Response) -> str:
    return _printable(media_type(answer.headers.get("content-type"))) or "an unnamed type"


def _host(answer: Response) -> str:
    return answer.url.partition("://")[2].partition("/")[0] or "the server"


def _redirected(request: Request, answer: Response, base: BaseURL, now: datetime) -> Result:
    """Tell a renamed repository (301, 307) from a download's 302.

    https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
    """
    target = signed_url(Secret(answer.headers.get("location", "")), url=answer.url, headers=answer.headers, now=now)
    if base.is_repository_path(target.url):
        return Result(moved_to=target.url)
    if request.answer == "location" and answer.status in _TEMPORARY:
        return Result(signed_url=target)
    msg = (
        f"{request.label} was redirected to {target.host}, which is no repository of {base.origin}; "
        "it was not followed, since it would have been sent the token"
    )
    raise UnsafeRedirectError(msg)


# --- errors ------------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class _Facts:
    message: str
    documentation_url: str | None
    details: str


def _facts(answer: Response) -> _Facts:
    """Read GitHub's basic-error document; anything else gives empty facts."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        return _Facts(message="", documentation_url=None, details="")
    message, url = document.get("message"), document.get("documentation_url")
    return _Facts(
        message=_printable(message) if isinstance(message, str) else "",
        documentation_url=url if isinstance(url, str) else None,
        details=_details(document.get("errors")),
    )


def _printable(text: str) -> str:
    kept = "".join(char if char.isprintable() else " " for char in text[:_LONGEST_MESSAGE])
    return kept.strip()


def _details(errors: object) -> str:
    """Put the ``errors`` of a 422 in one phrase: ``per_page: invalid``."""
    found = []
    for item in errors if isinstance(errors, list) else []:
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, dict):
            said = (item.get(key) for key in ("field", "code", "message"))
            found.append(": ".join(text for text in said if isinstance(text, str) and text))
    return _printable("; ".join(text for text in found if text))


_HINTS: dict[type[APIError], str] = {
    AuthenticationError: "the token is missing, wrong or has ended",
    NotFoundError: "there is no such thing, or the token may not see it",
    ArtifactExpiredError: "the artifact's retention has ended, and its bytes are gone",
    ServerError: "GitHub's own trouble; try again later",
}


def _sentence(request: Request, answer: Response, hint: str) -> str:
    facts = _facts(answer)
    said = f" {facts.message}" if facts.message else ""
    more = f" ({facts.details})" if facts.details else ""
    quoted = answer.headers.get("x-github-request-id")
    reference = f" [request id {_printable(quoted)}]" if quoted else ""
    return f"{request.label}: {answer.status}{said}{more}" + (f": {hint}" if hint else "") + reference


def _common(request: Request, answer: Response, hint: str) -> dict[str, Any]:
    return {
        "message": _sentence(request, answer, hint),
        "status": answer.status,
        "request_id": answer.headers.get("x-github-request-id"),
        "documentation_url": _facts(answer).documentation_url,
        "request": request.label,
    }


def _error_class(request: Request, answer: Response) -> type[APIError]:
    status, is_download = answer.status, request.answer == "location"
    simple: dict[int, type[APIError]] = {
        400: BadRequestError,
        422: BadRequestError,
        _UNAUTHORIZED: AuthenticationError,
        _FORBIDDEN: PermissionDeniedError,
        _NOT_FOUND: NotFoundError,
    }
    if status == _GONE and is_download and not _retired_version(answer):
        return ArtifactExpiredError
    if status >= _SERVER:
        return ArtifactExpiredError if is_download and request.known_expired else ServerError
    return simple.get(status, APIError)


def _retired_version(answer: Response) -> bool:
    """Whether a 410 means the API version: those have been announced with Sunset, and name it in their message.

    https://docs.github.com/en/rest/about-the-rest-api/api-versions
    """
    message = _facts(answer).message.lower()
    return "version" in message and "expired" not in message


def _api_error(request: Request, answer: Response) -> APIError:
    found = _error_class(request, answer)
    if found is PermissionDeniedError:
        accepted = answer.headers.get("x-accepted-github-permissions")
        allowed = _printable(accepted or "").replace(";", " or ")
        needs = f"the token needs {allowed}" if allowed else "the token lacks a permission"
        return PermissionDeniedError(**_common(request, answer, needs), accepted_permissions=accepted)
    hint = _HINTS.get(found, "")
    if answer.status == _GONE and found is APIError:
        hint = "this API version may have been retired; give another api_version"
    return found(**_common(request, answer, hint))


def _rate_limit_error(request: Request, answer: Response, found: Throttle) -> APIError:
    until = "" if found.reset_at is None else f", until {found.reset_at:%Y-%m-%d %H:%M:%S} UTC"
    hint = f"the {found.kind} rate limit was met; wait {found.wait:.0f} s{until}"
    cls = PrimaryRateLimitError if found.kind == "primary" else SecondaryRateLimitError
    stated = found.wait if found.stated else None
    return cls(**_common(request, answer, hint), retry_after=stated, reset_at=found.reset_at)
