"""Settings have the documented defaults, and reject invalid values when they are created."""

from __future__ import annotations

import pickle

import attrs
import pytest

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.settings import (
    ExtractPolicy,
    Limits,
    RetryPolicy,
    StoragePolicy,
    Timeouts,
)

DEFAULTS = {
    Timeouts: {"connect": 10.0, "read": 30.0, "min_rate": 1024, "min_rate_window": 30.0},
    RetryPolicy: {"attempts": 6, "wait_initial": 0.5, "wait_max": 20.0},
    Limits: {
        "api_concurrency": 8,
        "points_per_minute": 840,
        "mutation_interval": 1.0,
        "max_pause": 900.0,
        "budget": None,
        "slow_below": 0.1,
        "etag_bytes": 4 * 2**20,
        "max_answer_bytes": 8 * 2**20,
        "storage_connections": 32,
        "fast_paths": True,
    },
    StoragePolicy: {"allow_http": None, "allowed_hosts": None, "max_redirects": 0},
    ExtractPolicy: {
        "max_total_bytes": 64 * 2**30,
        "max_members": 1_000_000,
        "max_ratio": 250,
        "max_depth": 128,
        "names": "native",
        "symlinks": "reject",
    },
}


@pytest.mark.parametrize("cls", DEFAULTS, ids=lambda cls: cls.__name__)
def test_defaults(cls):
    """The defaults are those of the documentation."""
    assert attrs.asdict(cls()) == DEFAULTS[cls]


@pytest.mark.parametrize("cls", DEFAULTS, ids=lambda cls: cls.__name__)
def test_settings_are_frozen_hashable_and_picklable(cls):
    """Settings can be shared between clients and processes."""
    value = cls()
    assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301  our own bytes
    assert hash(value) == hash(cls())
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(value, attrs.fields(cls)[0].name, 1)


OFF = [(cls, field.name) for cls in DEFAULTS for field in attrs.fields(cls) if "None" in str(field.type)]


@pytest.mark.parametrize(("cls", "name"), OFF)
def test_none_means_off(cls, name):
    """None turns a limit off."""
    assert getattr(cls(**{name: None}), name) is None


@pytest.mark.parametrize(
    ("cls", "name", "value"),
    [
        (Timeouts, "connect", 0),
        (Timeouts, "connect", True),
        (Timeouts, "read", -1.0),
        (Timeouts, "min_rate", float("nan")),
        (Timeouts, "min_rate_window", 0.0),
        (Timeouts, "min_rate_window", None),
        (RetryPolicy, "attempts", 0),
        (RetryPolicy, "attempts", 1.5),
        (RetryPolicy, "attempts", True),
        (RetryPolicy, "wait_initial", -0.1),
        (RetryPolicy, "wait_initial", None),
        (RetryPolicy, "wait_max", -1),
        (RetryPolicy, "wait_max", None),
        (Limits, "api_concurrency", 0),
        (Limits, "points_per_minute", 0),
        (Limits, "mutation_interval", -1),
        (Limits, "max_pause", -1),
        (Limits, "api_concurrency", 101),
        (Limits, "budget", object()),
        (Limits, "slow_below", -0.1),
        (Limits, "etag_bytes", 1.5),
        (Limits, "max_answer_bytes", 0),
        (Limits, "max_answer_bytes", 1.5),
        (Limits, "storage_connections", -1),
        (Limits, "storage_connections", None),
        (StoragePolicy, "max_redirects", -1),
        (StoragePolicy, "max_redirects", None),
        (StoragePolicy, "max_redirects", 0.5),
        (StoragePolicy, "allowed_hosts", "example.com"),
        (StoragePolicy, "allowed_hosts", ("example.com", 7)),
        (ExtractPolicy, "max_total_bytes", 0),
        (ExtractPolicy, "max_members", -5),
        (ExtractPolicy, "max_ratio", 0),
        (ExtractPolicy, "max_depth", "128"),
        (Timeouts, "connect", "10"),
        (ExtractPolicy, "names", "windows"),
        (ExtractPolicy, "symlinks", "follow"),
    ],
)
def test_what_cannot_be_right_is_a_configuration_error(cls, name, value):
    """An invalid value is rejected when the setting is created; the error names the field."""
    with pytest.raises(ConfigurationError, match=name):
        cls(**{name: value})


def test_zero_is_right_where_it_means_at_once():
    """Zero is a valid wait, pause and interval."""
    assert RetryPolicy(wait_initial=0, wait_max=0).wait_max == 0
    assert Limits(mutation_interval=0, max_pause=0).max_pause == 0


def test_allowed_hosts_are_kept_as_a_lower_case_tuple():
    """Allowed hosts may be any iterable of names, in any case."""
    assert StoragePolicy(allowed_hosts=["Blob.Example.COM"]).allowed_hosts == ("blob.example.com",)
    assert StoragePolicy(allowed_hosts=()).allowed_hosts == ()
