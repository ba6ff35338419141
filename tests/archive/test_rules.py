from __future__ import annotations

from gh_artifacts_async.archive import RULES
from gh_artifacts_async.archive.rules import over_limit, printable, refusal


def test_printable_escapes_and_cuts():
    """No control character reaches a terminal, and no message is endless."""
    assert printable("a\x1b\u202eb") == "a\\x1b\\u202eb"
    assert printable("é" * 201) == "é" * 200 + "..."


def test_errors_say_what_to_do():
    """Each rule has an advice, and each error its rule and member."""
    for name, rule in RULES.items():
        error = refusal(rule, "it is wrong", "x\ny")
        assert isinstance(error, rule.error)
        assert (error.rule, error.member) == (name, "x\\ny")
        assert str(error) == f'member "x\\ny": it is wrong; {rule.advice}'
    assert str(over_limit(12.34, 10, limit="max_ratio")).startswith("the archive has ratio 12.3, more than 10; raise")
    assert over_limit(3, 2, limit="max_depth", member="a\n").member == "a\\n"
    assert str(over_limit(3, 2, limit="max_members", whole="it all")).startswith("it all has members 3, more than 2")
