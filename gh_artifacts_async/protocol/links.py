"""The Link header and page arithmetic.

https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api and RFC 8288
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urljoin

import attrs

from gh_artifacts_async.errors import UnexpectedResponseError
from gh_artifacts_async.protocol.throttling import whole

if TYPE_CHECKING:
    from gh_artifacts_async.protocol.requests import BaseURL

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110's grammar of a token, no secret
_PARAMETER = rf'\s*;\s*({_TOKEN})(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;,"]+))?'
_LINK = re.compile(rf"[\s,]*<([^<>]*)>((?:{_PARAMETER})*)\s*(?:,|$)")  # empty list elements are ignored
_ONE_PARAMETER = re.compile(_PARAMETER)


@attrs.frozen(kw_only=True)
class PageLinks:
    """Where a listing's other pages are.

    Attributes:
        next_url: GitHub's own link to the next page, on the API's origin; None on the last page.
        next_page: that link's page number; None if it carries none.
        last_page: number of the last page; None if GitHub did not say.
        stated: there was a Link header; without one, only the total tells whether there are more pages.
    """

    next_url: str | None = None
    next_page: int | None = None
    last_page: int | None = None
    stated: bool = False


def parse_link(value: str) -> dict[str, str]:
    """Split a Link header into rel -> URL, whatever the order of the rels.

    The first link of a rel counts (RFC 8288 section 3.3 lets a link have several rels); parsing
    ends at the first link that is malformed.
    """
    links: dict[str, str] = {}
    position = 0
    while match := _LINK.match(value, position):
        rels: list[str] = []
        for key, text in _ONE_PARAMETER.findall(match[2]):
            if key.lower() == "rel" and not rels:
                rels = re.sub(r"\\(.)", r"\1", text.strip('"')).lower().split()
        for rel in rels:
            links.setdefault(rel, match[1].strip())
        position = match.end()
        if position >= len(value):
            break
    return links


def page_number(url: str) -> int | None:
    """Return the ``page`` parameter of a URL; None if it has none that is a number."""
    values = parse_qs(url.partition("#")[0].partition("?")[2]).get("page", [])
    return whole(values[-1]) if values else None


def page_links(value: str | None, *, base: BaseURL, url: str) -> PageLinks:
    """Read the Link header of one page.

    Args:
        value: the header; None if there is none.
        base: the API; ``next`` must stay on its origin, since the token is sent there.
        url: the URL of the page itself, against which a relative link is resolved.

    Raises:
        UnexpectedResponseError: ``next`` leads to another origin.
    """
    if not value:
        return PageLinks()
    links = parse_link(value)
    following = links.get("next")
    last = page_number(links["last"]) if "last" in links else None
    if following is None:
        return PageLinks(last_page=last, stated=True)
    following = _absolute(url, following)
    if not base.owns(following):
        msg = (
            f"the next page's link leaves {base.origin}; it was not followed, so that the token is not sent there. "
            "If the server is behind a proxy, pass the proxy's URL as base_url"
        )
        raise UnexpectedResponseError(msg)
    return PageLinks(next_url=following, next_page=page_number(following), last_page=last, stated=True)


def _absolute(url: str, link: str) -> str:
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
