"""Servers and proxies that echo the token: it is replaced before anything of the response is quoted."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from gh_artifacts_async.protocol.responses import Response
    from gh_artifacts_async.results import Secret

_STARS = "***"
_SHORTEST = 8


def without_token(response: Response, token: Secret) -> Response:
    """Return the response with stars for the token, in whatever case of letters and JSON escapes it is echoed.

    Args:
        response: as it came.
        token: the one that was sent.
    """
    pattern = _pattern(token.reveal())
    headers = {name: pattern.sub(_STARS, value) for name, value in response.headers.items()}
    try:
        document = json.loads(response.body)
    except (ValueError, RecursionError):
        body = pattern.sub(_STARS, response.body.decode("latin-1")).encode("latin-1")
    else:
        body = json.dumps(_starred(document, pattern)).encode()
    return attrs.evolve(response, headers=headers, body=body)


def hidden(text: str, token: Secret | None) -> str:
    """Return a text with stars for the token, if there is one."""
    return text if token is None else _pattern(token.reveal()).sub(_STARS, text)


def _pattern(token: str) -> re.Pattern[str]:
    """Match a token anywhere and in any case, since host names are in lower case; a very short one as a word only."""
    exact = re.escape(token)
    if len(token) >= _SHORTEST:
        return re.compile(exact, re.IGNORECASE)
    return re.compile(rf"(?<![A-Za-z0-9]){exact}(?![A-Za-z0-9])")


def _starred(value: object, pattern: re.Pattern[str]) -> object:
    """Replace the token in every string of a document, but not in its keys."""
    if isinstance(value, str):
        return pattern.sub(_STARS, value)
    if isinstance(value, list):
        return [_starred(item, pattern) for item in value]
    if isinstance(value, dict):
        return {key: _starred(item, pattern) for key, item in value.items()}
    return value
