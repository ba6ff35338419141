"""Why GitHub denies access, as it says itself: a missing permission is only one of many reasons for a 403 or 451.

https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api and
https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api#authorizing-personal-access-tokens-for-saml-sso
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

# Patterns are text here: few programs meet a 403, and re compiles and keeps them when they are first used.
_URL = r"https?://[A-Za-z0-9._~:/?#\[\]@!$&()*+=%-]{1,2000}"
_SSO_URL = rf"(?i)(?:^|;)\s*url\s*=\s*\"?({_URL})"
_OTHER_REASONS = (
    r"saml|single sign-on|\bsso\b|\bip\b|allow ?list|suspend|block|forbid|restrict|polic|lifetime|disabled|archived"
)
"""What a message says when no permission of the token would help."""
_NOT_TEXT = r"(?is)<!--.*?(?:-->|\Z)|<(script|style|title|head)\b.*?(?:</\1\s*>|\Z)"
_TAG = r"<[^<>]*>"
_LONGEST_PAGE = 64 * 1024
_LONGEST_MESSAGE = 300
_A_PAGE = "the answer is an HTML page, not GitHub's API; is a proxy or firewall in the way?"


APP_HINTS = {
    401: "check the App's ID, that the private key is one of the App's and was not deleted, and this machine's clock",
    404: "the App is not installed there; check the App's ID and its installations",
}
"""What to check when GitHub refuses a request of a GitHub App itself, by status."""


class Denial(NamedTuple):
    """What a 403 or 451 says besides its message.

    Attributes:
        hint: what the message does not say; empty if it says enough.
        sso_url: where to authorize the token for an organization's SAML single sign-on; None if that is not the reason.
    """

    hint: str
    sso_url: str | None = None


def read_denial(headers: Mapping[str, str], message: str, block: object, *, is_page: bool) -> Denial:
    """Return what else a 403 or 451 says.

    Args:
        headers: names in lower case.
        message: the document's message; empty if there is none.
        block: the document's ``block``, which says why a repository cannot be accessed.
        is_page: the body is an HTML page.
    """
    url = _sso_url(headers.get("x-github-sso", ""))
    if url is not None:
        return Denial(hint=f"authorize the token for single sign-on at {url}", sso_url=url)
    if isinstance(block, dict):
        return Denial(hint=_blocked(block))
    said = message.lower()
    if is_page:
        return Denial(hint="" if said else _A_PAGE)
    if re.search(_OTHER_REASONS, said):
        return Denial(hint="")
    accepted = printable(headers.get("x-accepted-github-permissions", ""))
    allowed = " or ".join(part.strip() for part in accepted.split(";") if part.strip())
    if allowed:
        return Denial(hint=f"the token needs {allowed}")
    return Denial(hint="the token lacks a permission" if "not accessible" in said else "")


def _sso_url(header: str) -> str | None:
    """Return the URL of ``X-GitHub-SSO: required; url=...``; ``partial-results`` and anything else have none."""
    match = re.search(_SSO_URL, header) if header.strip().lower().startswith("required") else None
    return None if match is None else match[1]


def _blocked(block: Mapping[object, object]) -> str:
    reason, url = block.get("reason"), block.get("html_url")
    parts = [f"blocked for the reason {printable(reason)!r}" if isinstance(reason, str) and reason else "blocked"]
    if isinstance(url, str) and re.fullmatch(_URL, url):
        parts.append(f"see {url}")
    return ", ".join(parts)


def page_text(body: bytes) -> str:
    """Return the words of GitHub's "Whoa there" page, or of a short notice in plain text; empty for any other body."""
    text = body[:_LONGEST_PAGE].decode("utf-8", "replace")
    if "<" not in text:
        return " ".join(text.split())
    from html import unescape  # its table of entities takes a millisecond to load, and few pages are ever read

    words = " ".join(unescape(re.sub(_TAG, " ", re.sub(_NOT_TEXT, " ", text))).split())
    start = words.lower().find("whoa there")
    return "" if start < 0 else words[start:]


def printable(text: str) -> str:
    """Return the beginning of what a server said, without control characters."""
    return "".join(char if char.isprintable() else " " for char in text[:_LONGEST_MESSAGE]).strip()


def error_details(errors: object) -> str:
    """Return the ``errors`` of a 422 as one phrase: ``per_page: invalid``."""
    found = []
    for item in errors if isinstance(errors, list) else []:
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, dict):
            said = (item.get(key) for key in ("field", "code", "message"))
            found.append(": ".join(text for text in said if isinstance(text, str) and text))
    return printable("; ".join(text for text in found if text))
