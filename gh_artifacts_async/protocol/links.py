"""The Link header and page arithmetic.

https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api and RFC 8288
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, urljoin, urlsplit

from gh_artifacts_async.protocol.throttling import whole

if TYPE_CHECKING:
    from gh_artifacts_async.protocol.requests import BaseURL

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110's grammar of a token, no secret
_PARAMETER = rf'\s*;\s*({_TOKEN})(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;,"]+))?'
_LINK = rf"[\s,]*<([^<>]*)>((?:{_PARAMETER})*)\s*(?:,|$)"  # empty list elements are ignored
_LONGEST_ORIGIN = 300
_USUAL = {f'; rel="{rel}"': [rel] for rel in ("first", "prev", "next", "last")}
"""The parameters of a link as GitHub writes them, which need no parser."""


class PageLinks(NamedTuple):
    """Where a listing's other pages are.

    Attributes:
        next_url: GitHub's own link to the next page, on the API's origin; None on the last page.
        next_page: that link's page number; None if it carries none.
        stated: there was a Link header; without one, only the total tells whether there are more pages.
        foreign: why the link to the next page must not be followed; None if it may be, or if there is none.
        previous_page: number of the page before this one; None if GitHub did not say.
    """

    next_url: str | None = None
    next_page: int | None = None
    stated: bool = False
    foreign: str | None = None
    previous_page: int | None = None


def parse_link(value: str) -> dict[str, str]:
    """Split a Link header into rel -> URL, whatever the order of the rels.

    The first link of a rel counts (RFC 8288 section 3.3 lets a link have several rels); parsing
    ends at the first link that is malformed.
    """
    links: dict[str, str] = {}
    position, link = 0, re.compile(_LINK)  # which is cached; only listings need it
    while match := link.match(value, position):
        for rel in _USUAL.get(match[2]) or _rels(match[2]):
            links.setdefault(rel, match[1].strip())
        position = match.end()
        if position >= len(value):
            break
    return links


def _rels(parameters: str) -> list[str]:
    for key, text in re.findall(_PARAMETER, parameters):
        value = re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text
        if key.lower() == "rel" and (rels := value.lower().split()):
            return rels
    return []


def page_number(url: str) -> int | None:
    """Return the ``page`` parameter of a URL; None if it has none that is a number."""
    query = url.partition("#")[0].partition("?")[2]
    if "%" in query or "+" in query:
        values = parse_qs(query).get("page", [])
    else:
        values = [part[5:] for part in query.split("&") if part.startswith("page=") and part != "page="]
    return whole(values[-1]) if values else None


def page_links(value: str | None, *, base: BaseURL, url: str) -> PageLinks:
    """Read the Link header of one page.

    Args:
        value: the header; None if there is none.
        base: the API; a ``next`` on another origin is only noted, as ``foreign``, since the token must not go there.
        url: the URL of the page itself, against which a relative link is resolved.
    """
    if not value:
        return PageLinks()
    links = parse_link(value)
    following = links.get("next")
    previous = page_number(links["prev"]) if "prev" in links else None
    if following is None:
        return PageLinks(stated=True, previous_page=previous)
    following = _absolute(url, following, base)
    number = page_number(following)
    if base.owns(following):
        return PageLinks(next_url=following, next_page=number, stated=True, previous_page=previous)
    foreign = (
        f"the next page's link leaves {base.origin} for {shown_origin(following)}; it was not followed, so that the "
        "token is not sent there. If the server is behind a proxy, pass the proxy's URL as base_url"
    )
    return PageLinks(next_page=number, stated=True, foreign=foreign, previous_page=previous)


def shown_origin(url: str) -> str:
    """Return the origin of a foreign URL for a message: without what may be secret, or must not reach a terminal."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "an address that cannot be read"
    user = "***@" if "@" in parts.netloc else ""
    shown = f"{parts.scheme}://{user}{f'[{host}]' if ':' in host else host}" + ("" if port is None else f":{port}")
    return shown[:_LONGEST_ORIGIN] if host and shown.isprintable() else "an address that cannot be read"


def _absolute(url: str, link: str, base: BaseURL) -> str:
    if link.startswith(f"{base.origin}/") and link.isprintable():
        return link  # urljoin, which is slow, would at most drop an empty query
    try:
        return urljoin(url, link)
    except ValueError:  # brackets that hold no address: on no origin
        return link


def page_count(total: int, per_page: int) -> int:
    """Return how many pages hold ``total`` items."""
    return -(-total // per_page)


def pages_to_step_back(fallen_by: int, per_page: int) -> int:
    """Return how many pages to go back when the total fell: that many items moved to pages already read."""
    return page_count(max(fallen_by, 0), per_page)
