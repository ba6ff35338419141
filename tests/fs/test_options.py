"""Options: what instances are told apart by, and what of them is shown."""

from __future__ import annotations

import math
import pickle

import pytest

from gh_artifacts_async import ConfigurationError, EnvironmentToken, StaticToken
from gh_artifacts_async.fs.options import Sealed, first_set, own_token, sealed, shown, token_names

CANARY = "ghp_canary"


def test_sealed_token():
    """Two tokens are told apart, and the same one is known again; neither repr nor pickle shows it."""
    one, same, other = (sealed({"token": token})["token"] for token in (CANARY, CANARY, "other"))
    assert repr(one) == repr(same) != repr(other)
    assert CANARY not in repr(one)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(one)
    source = own_token(one)
    assert isinstance(source, StaticToken)
    assert source.secret.reveal() == CANARY
    assert own_token(None) is None
    assert sealed({"token": one})["token"] is one


def test_sealed_sources():
    """Sources are told apart by which they are: their reprs are alike."""
    first, second = StaticToken("a"), StaticToken("b")
    assert repr(first) == repr(second)
    assert repr(sealed({"token": first})["token"]) != repr(sealed({"token": second})["token"])
    assert own_token(sealed({"token": first})["token"]) is first


def test_the_callers_options_are_emptied():
    """No frame of an error in this module has the token among its locals."""
    options = {"token": CANARY + "\n"}
    with pytest.raises(ConfigurationError) as caught:
        sealed(options)
    frame = caught.tb
    while frame is not None:
        if "gh_artifacts_async" in frame.tb_frame.f_code.co_filename:
            assert CANARY not in repr(frame.tb_frame.f_locals)
        frame = frame.tb_next
    assert not options


def test_base_url(monkeypatch: pytest.MonkeyPatch):
    """It is that of the environment unless it, or a token, is given: what is sent to a worker says which it is."""
    monkeypatch.setenv("GITHUB_API_URL", "https://ghe.example/api/v3/")
    assert sealed({})["base_url"] == "https://ghe.example/api/v3"
    assert sealed({"token": "t"})["base_url"] == "https://api.github.com"
    assert sealed({"token": "t", "base_url": "ghe.example"})["base_url"] == "https://ghe.example/api/v3"
    assert sealed({"base_url": "https://x.example/"})["base_url"] == "https://x.example"
    with pytest.raises(ConfigurationError):
        sealed({"base_url": "ftp://x"})


def test_order():
    """Options that are the same in another order are the same."""
    assert str(sealed({"max_bytes": 1, "batch_size": 2})) == str(sealed({"batch_size": 2, "max_bytes": 1}))


@pytest.mark.parametrize(
    ("proxy", "without"),
    [
        ("http://user:canary@proxy.example:3128", "http://proxy.example:3128"),
        ("http://proxy.example:3128/", "http://proxy.example:3128/"),
    ],
)
def test_proxy(proxy: str, without: str):
    """What is shown of a proxy has no password; two passwords are two instances."""
    given = sealed({"proxy": proxy})
    assert "canary" not in str(given)
    assert shown(given)["proxy"] == without
    assert given["proxy"].reveal().reveal() == proxy
    assert repr(given["proxy"]) != repr(sealed({"proxy": proxy + "x"})["proxy"])
    assert sealed({"proxy": given["proxy"]})["proxy"] is given["proxy"]
    with pytest.raises(ConfigurationError, match="proxy must be a URL"):
        sealed({"proxy": 7})


def test_nothing_that_is_none():
    """None cannot be written down by fsspec: it is left out where it is the default, and else means for ever."""
    assert sealed({"token_env": None, "max_paths": None, "listings_expiry_time": None, "token": None}) == {
        "base_url": "https://api.github.com",
        "listings_expiry_time": math.inf,
    }


def test_shown():
    """What belongs to one process is left out."""
    given = {"token": Sealed("x", "x"), "session": object(), "observer": print, "base_url": "https://x", "max_bytes": 7}
    assert shown(given) == {"base_url": "https://x", "max_bytes": 7}


def test_token_names(monkeypatch: pytest.MonkeyPatch):
    """One name or several; the first that is set counts."""
    assert token_names(None) == ()
    assert token_names("A") == ("A",)
    assert token_names(["A", "B"]) == ("A", "B")
    for wrong in ("", ["A", ""], [1], 7):
        with pytest.raises(ConfigurationError, match="token_env must name"):
            token_names(wrong)  # type: ignore[arg-type]
    monkeypatch.setenv("B_TOKEN", "b")
    assert first_set(("A_TOKEN", "B_TOKEN")) == "B_TOKEN"
    assert first_set(("A_TOKEN",)) is None
    assert EnvironmentToken("B_TOKEN") is not None
