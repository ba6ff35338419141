"""Where tokens come from, and that nothing prints them."""

from __future__ import annotations

import asyncio
import copy
import pickle
import traceback

import attrs
import pytest

from gh_artifacts_async import AppInstallationToken, ArtifactsClient, GitHubCLIToken, RepositoryName, Secret
from gh_artifacts_async.api.app import _Grant
from gh_artifacts_async.api.auth import (
    BindableTokenSource,
    EnvironmentToken,
    InvalidatableTokenSource,
    StaticToken,
    as_token_source,
    check_token,
)
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.protocol.requests import get_artifact
from tests.kits.api import REPO, TOKEN, Source, check_silent
from tests.kits.apptoken import keys

TOKENS = ("check_token", "StaticToken", "EnvironmentToken", "AppInstallationToken", "GitHubCLIToken")


def _holders():
    return {
        "check_token": check_token(TOKEN),
        "StaticToken": StaticToken(TOKEN),
        "EnvironmentToken": EnvironmentToken("GH_TOKEN", environ={"GH_TOKEN": TOKEN}),
        "AppInstallationToken": _app_token(),
        "GitHubCLIToken": _gh_token(),
        "Request": get_artifact(RepositoryName.parse(REPO), 7)._replace(credential=Secret(TOKEN)),
        "GitHubSession": GitHubSession(TOKEN),
        "ArtifactsClient": ArtifactsClient(TOKEN),
    }


def _app_token() -> AppInstallationToken:
    """Return a source that has obtained a token."""
    source = AppInstallationToken(7, keys().private, repo=REPO)
    source._grant = _Grant(Secret(TOKEN), 0.0, 1.0)
    return source


def _gh_token() -> GitHubCLIToken:
    source = GitHubCLIToken()
    source._secret = Secret(TOKEN)
    return source


@pytest.mark.parametrize("name", list(_holders()))
def test_nothing_prints_a_token(name):
    """Not repr, str, format, nor the attributes of what holds it."""
    holder = _holders()[name]
    texts = [repr(holder), str(holder), f"{holder}", f"{holder!r:>99}", repr([holder, {"holder": holder}])]
    texts += [repr(getattr(holder, "__dict__", "")), repr([getattr(holder, field, "") for field in dir(holder)])]
    for text in texts:
        for secret in (TOKEN, *keys().private.splitlines()[1:-1]):
            assert secret not in text


@pytest.mark.parametrize("name", [name for name in _holders() if name != "GitHubCLIToken"])
def test_a_token_is_not_pickled(name):
    """It does not go into a file or to another process by accident."""
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)) as caught:
        pickle.dumps(_holders()[name])
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("source", [EnvironmentToken("MY_TOKEN", "OTHER"), _gh_token(), GitHubCLIToken(None)])
def test_what_only_says_where_a_token_is_can_be_pickled(source, monkeypatch):
    """Where it arrives, it reads that process's environment, or asks that machine's gh."""
    monkeypatch.setenv("MY_TOKEN", TOKEN)
    sent = pickle.dumps(source)
    assert TOKEN.encode() not in sent
    arrived = pickle.loads(sent)  # noqa: S301  ours
    assert arrived is not source
    assert repr(arrived) == repr(source)
    if isinstance(source, EnvironmentToken):
        assert asyncio.run(arrived.token()) == TOKEN


@pytest.mark.parametrize(
    "name", ["check_token", "StaticToken", "EnvironmentToken", "AppInstallationToken", "GitHubCLIToken"]
)
def test_a_copy_is_the_thing_itself(name):
    """What a source has obtained is shared, also where the settings that hold it are copied."""
    holder = _holders()[name]
    assert copy.copy(holder) is holder
    assert copy.deepcopy({"token": holder})["token"] is holder


def test_a_value_that_holds_a_secret_shows_none():
    """attrs.asdict goes into everything."""

    @attrs.frozen
    class Settings:
        token: object

    for name in TOKENS:
        assert TOKEN not in repr(attrs.asdict(Settings(_holders()[name])))


def test_a_frame_that_holds_a_source_shows_no_token():
    """Error reporters print the locals of every frame."""

    def fails(static, environment, app, gh):
        raise ValueError(static, environment, app, gh)

    with pytest.raises(ValueError, match="Static") as caught:
        fails(StaticToken(TOKEN), EnvironmentToken(environ={"GH_TOKEN": TOKEN}), _app_token(), _gh_token())
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
    assert TOKEN not in repr([frame.locals for frame in frames if frame.name == "fails"])


@pytest.mark.parametrize("token", ["t", "ghp_" + "x" * 36, "ghs_1." + "y.z_-" * 200, "!~"])
async def test_tokens_of_any_shape(token):
    """GitHub changes lengths and prefixes."""
    assert await StaticToken(token).token() == token


@pytest.mark.parametrize("token", ["", " ", "a b", "a\n", "a\r\nX: y", "\x00", "é", "\u200b", None, 5, b"t"])
def test_tokens_that_no_header_carries(token):
    """A line end from a file is found at once, and not shown."""
    with pytest.raises(ConfigurationError) as caught:
        StaticToken(token)
    assert "X: y" not in str(caught.value)


@pytest.mark.parametrize("made", [check_token, StaticToken, as_token_source, GitHubSession, ArtifactsClient])
def test_a_token_with_a_newline_does_not_show(made):
    """It is a token all the same: neither in the message nor in the frames of the error."""
    with pytest.raises(ConfigurationError) as caught:
        made(f"{TOKEN}\n")
    check_silent(caught.value)


@pytest.mark.parametrize("made", [GitHubSession, ArtifactsClient])
@pytest.mark.parametrize("wrong", ["base_url", "timeouts", "api_version"])
def test_another_argument_is_wrong(made, wrong):
    """The frames of the error do not show the token that was right."""
    with pytest.raises(ConfigurationError) as caught:
        made(TOKEN, **{wrong: "\n"})
    check_silent(caught.value)


@pytest.mark.parametrize(
    ("environ", "names", "token"),
    [
        ({"GH_TOKEN": "a", "GITHUB_TOKEN": "b"}, (), "a"),
        ({"GITHUB_TOKEN": "b"}, (), "b"),
        ({"GH_TOKEN": "", "GITHUB_TOKEN": "b"}, (), "b"),
        ({"MINE": "c", "GH_TOKEN": "a"}, ("MINE",), "c"),
    ],
)
async def test_the_environment(environ, names, token):
    """The first variable that is set."""
    assert await EnvironmentToken(*names, environ=environ).token() == token


async def test_the_environment_is_read_anew():
    """A token that was replaced counts from the next request on."""
    environ = {"GH_TOKEN": "a"}
    source = EnvironmentToken(environ=environ)
    assert await source.token() == "a"
    environ["GH_TOKEN"] = "b"
    assert await source.token() == "b"


async def test_the_process_environment(monkeypatch):
    """Without a mapping it is the process's own."""
    monkeypatch.setenv("GH_TOKEN", "from the process".replace(" ", "-"))
    assert await EnvironmentToken().token() == "from-the-process"


@pytest.mark.parametrize(
    ("environ", "said"),
    [({}, "set GH_TOKEN or GITHUB_TOKEN"), ({"GH_TOKEN": "a b"}, "the token in GH_TOKEN is empty or contains")],
)
async def test_an_environment_without_a_token(environ, said):
    """Neither of them is set, or no header can carry it."""
    with pytest.raises(ConfigurationError, match=said):
        await EnvironmentToken(environ=environ).token()


def test_what_a_source_is():
    """A string, anything with token(), or nothing."""
    source = Source("t")
    assert as_token_source(source) is source
    assert as_token_source(None) is None
    assert isinstance(as_token_source("t"), StaticToken)
    assert isinstance(source, BindableTokenSource)
    assert isinstance(source, InvalidatableTokenSource)
    assert not isinstance(StaticToken("t"), BindableTokenSource | InvalidatableTokenSource)
    with pytest.raises(ConfigurationError, match="not int"):
        as_token_source(5)  # type: ignore[arg-type]
