"""Foreign text in tables and JSON."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import REPO

pytestmark = pytest.mark.realtime


HOSTILE = "[red]x[/red] :smile: \x1b[31m\u202egnp.exe\u2066 \x9b2J"


@pytest.mark.parametrize("words", [("list", REPO), ("show", REPO, "{id}"), ("download", REPO, "{id}", "--dry-run")])
def test_a_hostile_name_is_shown_not_obeyed(server, cli, words):
    """Markup and emoji codes are printed as they are; control characters and bidi marks are escaped."""
    number = server.artifact(server.run(branch="b\u202ex"), HOSTILE, filename=None)
    ran = cli(*(word.format(id=number) for word in words))
    assert "[red]x[/red] :smile: \\x1b[31m\\u202egnp.exe\\u2066 \\x9b2J" in ran.out
    assert not set(ran.out + ran.err) & set("\x1b\u202e\u2066\x9b")


def test_a_hostile_name_in_json_is_ascii(server, cli):
    """JSON escapes everything that is not ASCII, and gives it back unharmed."""
    server.artifact(server.run(), HOSTILE, filename=None)
    ran = cli("list", REPO, "--json")
    assert ran.out.isascii()
    assert "\x1b" not in ran.out
    assert json.loads(ran.out)[0]["name"] == HOSTILE
