"""What a 403 or 451 says besides its message; tests/outsiders/test_denials.py has the cases on the wire."""

from __future__ import annotations

import pytest

from gh_artifacts_async.protocol.denials import page_text, read_denial


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", ""),
        (b"\r\n Forbidden \xff\n", "Forbidden \ufffd"),
        (b"<html><h1>Sign in</h1>", ""),
        (b"<html><head><title>x</title></head><!-- <p> --><h1>Whoa&nbsp;there!</h1> <p>Slow", "Whoa there! Slow"),
        (b"<style>" * 20_000, ""),
        (b"<!--" * 20_000, ""),
        (b"<" * 200_000, ""),
    ],
    ids=["empty", "text", "page", "whoa", "styles", "comments", "brackets"],
)
def test_the_words_of_a_page(body, text):
    """Only GitHub's own page is quoted, without its markup, and no page takes long to read."""
    assert page_text(body) == text


def test_control_characters_are_not_repeated():
    """A reason and a list of permissions are shown without what could move a cursor."""
    assert read_denial({}, "", {"reason": "a\x1bb"}, is_page=False).hint == "blocked for the reason 'a b'"
    named = {"x-accepted-github-permissions": "a\x1b=b;;"}
    assert read_denial(named, "", None, is_page=False).hint == "the token needs a =b"
