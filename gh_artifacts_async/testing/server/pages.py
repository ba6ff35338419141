"""Pages of listings and the Link headers between them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DEFAULT_PAGE = 30
_LARGEST_PAGE = 100
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_T = TypeVar("_T")


@attrs.frozen
class Paging:
    """Which page of a listing a request asks for.

    Attributes:
        number: 1 for the first.
        size: entries on a page: 30 unless asked, at most 100.
    """

    number: int
    size: int

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Paging:
        """Read ``page`` and ``per_page``; anything but a positive number is ignored, as on GitHub."""
        size = _number(query.get("per_page"), _DEFAULT_PAGE)
        return cls(_number(query.get("page"), 1), min(size, _LARGEST_PAGE))

    def cut(self, entries: Sequence[_T]) -> Sequence[_T]:
        """Return the entries on this page."""
        return entries[(self.number - 1) * self.size : self.number * self.size]

    def links(self, url: str, query: Mapping[str, str], total: int) -> dict[str, str]:
        """Return rel -> URL in GitHub's order for ``total`` entries; empty where one page holds all."""
        last = max(1, -(-total // self.size))
        if last == 1 and self.number == 1:
            return {}
        pages: dict[str, int] = {}
        if self.number > 1:
            pages["prev"] = min(self.number - 1, last)
        if self.number < last:
            pages |= {"next": self.number + 1, "last": last}
        if self.number > 1:
            pages["first"] = 1
        rest = {name: value for name, value in query.items() if name not in {"page", "per_page"}}
        return {rel: f"{url}?{urlencode({**rest, 'per_page': self.size, 'page': page})}" for rel, page in pages.items()}


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and _NUMBER.fullmatch(text) and int(text) > 0 else default


@attrs.frozen
class PageSeen:
    """What ``on_page`` is called with: a page of a listing that is about to be sent.

    Attributes:
        endpoint: GitHub's operation id.
        repo: ``owner/name``.
        page: its number.
        per_page: entries on a page.
        total_count: as the page says.
        run_id: the run whose artifacts are listed, or None.
    """

    endpoint: str
    repo: str
    page: int
    per_page: int
    total_count: int
    run_id: int | None = None


@attrs.define
class ListingOptions:
    """How listings behave, whatever their data.

    Attributes:
        on_page: called when a page is ready; what it changes shows on the next. May be a coroutine function.
        shuffle_links: put the parts of the Link header in random order.
        omit_last_link: leave ``last`` out, as GitHub may.
    """

    on_page: Callable[[PageSeen], object] | None = None
    shuffle_links: bool = False
    omit_last_link: bool = False
    _random: random.Random = attrs.field(factory=lambda: random.Random(0))  # noqa: S311

    def link(self, links: Mapping[str, str]) -> dict[str, str]:
        """Return the Link header, if there is anything to link."""
        parts = [f'<{url}>; rel="{rel}"' for rel, url in links.items() if rel != "last" or not self.omit_last_link]
        if self.shuffle_links:
            self._random.shuffle(parts)
        return {"Link": ", ".join(parts)} if parts else {}
