"""The options that select artifacts, and the query they stand for."""

from __future__ import annotations

import pytest

from gh_artifacts_async import ArtifactQuery
from gh_artifacts_async.cli.selectors import Selectors
from gh_artifacts_async.errors import ConfigurationError

SHA = "0123456789ABCDEF0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("given", "query"),
    [
        ({"name": ["a", "b", "a"]}, {"names": ["a", "b"], "conclusion": None}),
        ({"name": ["a[1]"]}, {"names": "a[[]1]", "conclusion": None}),
        ({"pattern": ["a*"]}, {"names": "a*", "conclusion": None}),
        ({"name": ["b"], "pattern": ["a*"]}, {"names": ["b", "a*"], "conclusion": None}),
        ({"run": 7}, {"run_id": 7, "conclusion": None, "allow_forks": True}),
        (
            {"run": 7, "all_attempts": True},
            {"run_id": 7, "conclusion": None, "allow_forks": True, "duplicates": "all"},
        ),
        ({"workflow": "ci.yml"}, {"workflow": "ci.yml"}),
        ({"workflow": "161335"}, {"workflow": 161335}),
        ({"branch": "main", "event": "push"}, {"branch": "main", "event": "push"}),
        ({"pr": 7, "allow_forks": True}, {"pull_request": 7, "allow_forks": True}),
        ({"commit": SHA}, {"head_sha": SHA.lower()}),
        ({"branch": "main", "conclusion": "any"}, {"branch": "main", "conclusion": None}),
        ({"name": ["a"], "conclusion": "failure"}, {"names": "a", "conclusion": "failure"}),
        ({"name": ["a"], "all_runs": True}, {"names": "a", "conclusion": None, "latest": False}),
    ],
)
def test_the_options_are_a_query(given, query):
    """Names alone ask for no run; what picks a run asks for a successful one."""
    selectors = Selectors(**given)
    selectors.check()
    assert selectors.given
    assert selectors.query() == ArtifactQuery(**query)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"run": 7, "branch": "main"}, "--run names the run itself; leave out --branch"),
        ({"run": 7, "all_runs": True}, "--run names the run itself; leave out --all-runs"),
        ({"commit": "abc"}, "a whole commit SHA of 40 hexadecimal digits, not 'abc'"),
        ({"all_runs": True}, "--all-runs needs --name"),
        ({"all_attempts": True}, "--all-attempts needs --name"),
        ({"allow_forks": True}, "--allow-forks needs --name"),
    ],
)
def test_options_that_do_not_go_together(given, said):
    """The error names the option."""
    with pytest.raises(ConfigurationError, match=said):
        Selectors(**given).check()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": ["a"]}, "in o/r"),
        ({"run": 7}, "in run 7 of o/r"),
        ({"workflow": "ci.yml", "pr": 3}, "in a run of o/r with workflow ci.yml, pull request 3, conclusion success"),
        ({"conclusion": "any"}, "in a run of o/r"),
    ],
)
def test_where_was_looked(given, said):
    """A sentence about what is missing says where."""
    assert Selectors(**given).where("o/r") == said


def test_nothing_is_selected_at_first():
    """Without an option there is nothing to look for."""
    assert not Selectors().given
    assert not Selectors().many
