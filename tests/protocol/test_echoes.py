"""What is left of a response that echoes the token; tests/outsiders/test_echoes.py has the cases on the wire."""

from __future__ import annotations

import json

import pytest

from gh_artifacts_async.protocol.echoes import hidden, without_token
from gh_artifacts_async.protocol.responses import Response
from gh_artifacts_async.results import Secret


@pytest.mark.parametrize(
    ("token", "message", "left"),
    [
        ("gho_16C7e42F292c", "got gho_16C7e42F292c.", "got ***."),
        ("gho_16C7e42F292c", "got GHO_16c7e42f292c", "got ***"),
        ("t", "rate limit of t, not", "rate limit of ***, not"),
    ],
)
def test_a_token_in_a_message(token, message, left):
    """It is replaced in values and headers, a short one only where it stands alone, and other bytes stay."""
    document = {"message": message, "errors": [message, 7]}
    found = without_token(
        Response(status=403, headers={"x": message}, body=json.dumps(document).encode()), Secret(token)
    )
    assert json.loads(found.body) == {"message": left, "errors": [left, 7]}
    assert found.headers == {"x": left}
    text = without_token(Response(status=403, headers={}, body=b"\xff" + message.encode()), Secret(token))
    assert text.body == b"\xff" + left.encode()


def test_a_text_without_the_token():
    """A token is hidden in a plain text too, such as a path; without a token nothing is."""
    assert hidden("/repositories/ghs_T0kenT0ken/x", Secret("ghs_t0kent0ken")) == "/repositories/***/x"
    assert hidden("/repositories/7", Secret("7")) == "/repositories/***"
    assert hidden("/repositories/7", None) == "/repositories/7"
