"""ArtifactQuery and RetentionPolicy reject what makes no sense when they are created."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

from gh_artifacts_async.automation.criteria import ArtifactQuery, RetentionPolicy
from gh_artifacts_async.errors import ConfigurationError


class TestArtifactQuery:
    """Which artifacts are meant."""

    def test_the_defaults(self):
        """Any name, from the newest successful run of the repository itself."""
        query = ArtifactQuery()
        assert (query.names, query.conclusion, query.latest, query.duplicates) == (("*",), "success", True, "newest")
        assert not query.allow_forks
        assert not query.include_expired

    def test_names_and_ids_are_one_or_several(self):
        """A string is one name; ids are kept once each, in their order."""
        assert ArtifactQuery(names="a*").names == ("a*",)
        assert ArtifactQuery(names=["a", "b"]).names == ("a", "b")
        assert ArtifactQuery(artifact_ids=7).artifact_ids == (7,)
        assert ArtifactQuery(artifact_ids=[7, 8, 7]).artifact_ids == (7, 8)

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"names": []}, "names must be a glob or a sequence of globs"),
            ({"names": ["a", ""]}, "names must be a glob"),
            ({"names": 7}, "names must be a glob"),
            ({"name_regex": "("}, "name_regex is no regular expression"),
            ({"name_regex": ""}, "name_regex must be a non-empty string"),
            ({"workflow": ""}, "workflow must be a non-empty string"),
            ({"workflow": 0}, "workflow must be an integer of 1 or more"),
            ({"workflow": True}, "workflow must be an integer"),
            ({"branch": 7}, "branch must be a non-empty string"),
            ({"conclusion": ""}, "conclusion must be a non-empty string"),
            ({"pull_request": 0}, "pull_request must be an integer"),
            ({"run_id": "7"}, "run_id must be an integer"),
            ({"run_attempt": -1}, "run_attempt must be an integer"),
            ({"artifact_ids": [0]}, "artifact_ids must be an integer"),
            ({"artifact_ids": "7"}, "artifact_ids must be an integer"),
            ({"since": datetime(2026, 1, 1)}, "since must be a time with a time zone"),  # noqa: DTZ001 - that is the point
            ({"since": "2026-01-01"}, "since must be a time"),
            ({"duplicates": "oldest"}, "duplicates must be one of 'newest', 'all', 'error'"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, given, said):
        """One clear error that names the field."""
        with pytest.raises(ConfigurationError, match=re.escape(said)):
            ArtifactQuery(**given)


class TestRetentionPolicy:
    """Which artifacts may be deleted."""

    def test_globs_are_one_or_several(self):
        """A string is one glob."""
        policy = RetentionPolicy(keep_latest=1, names=["a", "b*"], except_names="c", protect_tags=())
        assert (policy.names, policy.except_names) == (("a", "b*"), ("c",))
        assert policy.protect_branches == policy.protect_tags == ()

    @pytest.mark.parametrize("given", [{}, {"names": "a"}, {"protect_branches": "main", "only_expired": False}])
    def test_without_a_criterion(self, given):
        """What only narrows is none."""
        with pytest.raises(ConfigurationError, match="needs older_than, keep_latest, only_expired or max_total_bytes"):
            RetentionPolicy(**given)

    @pytest.mark.parametrize(
        "given",
        [
            {"older_than": timedelta()},
            {"keep_latest": 1},
            {"only_expired": True},
            {"max_total_bytes": 0},
        ],
    )
    def test_each_criterion_will_do(self, given):
        """Also with the least value."""
        assert RetentionPolicy(**given)

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"older_than": 30}, "older_than must be a timedelta of 0 or more"),
            ({"older_than": timedelta(days=-1)}, "older_than must be a timedelta of 0 or more"),
            ({"keep_latest": 0}, "keep_latest must be an integer of 1 or more"),
            ({"max_total_bytes": -1}, "max_total_bytes must be an integer of 0 or more"),
            ({"keep_latest": 1, "names": ()}, "names must be a glob or a sequence of globs"),
            ({"keep_latest": 1, "except_names": [""]}, "expected a glob or a sequence of globs"),
            ({"keep_latest": 1, "protect_branches": 7}, "expected a glob or a sequence of globs"),
            ({"keep_latest": 1, "protect_tags": b"v1"}, "expected a glob or a sequence of globs"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, given, said):
        """One clear error."""
        with pytest.raises(ConfigurationError, match=re.escape(said)):
            RetentionPolicy(**given)
