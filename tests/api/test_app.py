"""The token of a GitHub App's installation: obtained, renewed, shared, refused."""

from __future__ import annotations

import asyncio
import builtins
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from gh_artifacts_async import (
    AppInstallationToken,
    ArtifactsClient,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    Limits,
    NotFoundError,
    PermissionDeniedError,
    RepositoryName,
    ResponseShapeError,
    RetryPolicy,
    Secret,
    ServerError,
)
from gh_artifacts_async.api import app
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.protocol import requests
from gh_artifacts_async.protocol.responses import Document, Nothing
from gh_artifacts_async.testing import FakeGitHub
from gh_artifacts_async.testing.faults.effects import Effects
from gh_artifacts_async.testing.faults.fault import Fault
from tests.kits.api import QUICK, REPO, Source, check_silent, shown
from tests.kits.apptoken import ACCESS_TOKENS, keys, minted, of_apps

HOUR = 3600.0
WRONG = "wr0ng-one"


@pytest.fixture
def artifact(github: FakeGitHub) -> int:
    """An artifact in a private repository on which App 7 is installed; no other token is accepted."""
    github.add_repository(REPO, private=True)
    github.add_installation(7, [REPO], id=5, client_id="Iv23liCLIENT")
    github.set_app_keys(7, keys(1).public, keys().public)
    github.tokens = set()
    return github.add_artifact(github.add_run(REPO), "docs", files={"a": b"a"})


def source(app_id: int | str = 7, **where: Any) -> AppInstallationToken:
    """Return a source of App 7's tokens, by the repository unless it says otherwise."""
    return AppInstallationToken(app_id, keys().private, **(where or {"repo": REPO}))


def client_of(github: FakeGitHub, token: AppInstallationToken, **settings: Any) -> ArtifactsClient:
    """Return a client without pacing."""
    return ArtifactsClient(token, base_url=github.base_url, **{"limits": QUICK, **settings})


def slow_token(github: FakeGitHub, seconds: float, times: int = 1) -> None:
    """Let GitHub take its time with access tokens."""
    github.faults.add(Fault(Effects(head_delay=seconds), "api", None, ACCESS_TOKENS, times))


# --- obtaining


@pytest.mark.parametrize("github", ["github.com", "ghes-3.4", "ghes-3.19"], indirect=True)
@pytest.mark.parametrize(
    "where",
    [{"repo": REPO}, {"org": "Octo-Org"}, {"installation_id": 5}, {"app_id": "Iv23liCLIENT", "repo": REPO.upper()}],
)
async def test_an_installation_by_repository_organization_or_number(github, artifact, tmp_path, where):
    """On github.com and on Enterprise Server; the number is asked for once, and not at all where it is given."""
    async with client_of(github, source(**where)) as client:
        result = await client.download(await client.get_artifact(REPO, artifact), tmp_path)
        assert result.path.exists()
        await asyncio.sleep(HOUR)
        await client.get_artifact(REPO, artifact)
    assert [record.method for record in of_apps(github)] == (
        ["POST", "POST"] if "installation_id" in where else ["GET", "POST", "POST"]
    )
    assert all(record.status < 300 for record in of_apps(github))


async def test_the_request_for_a_token(github, artifact):
    """A JSON Web Token of ten minutes, back-dated, and what the token is narrowed to; 5 points."""
    narrowed = source(repo=REPO, permissions={"actions": "read"}, repositories=["octo-docs"])
    async with client_of(github, narrowed) as client:
        await client.get_download_url(REPO, artifact)
        with pytest.raises(PermissionDeniedError, match="not accessible by integration"):
            await client.delete_artifact(REPO, artifact)
    post = of_apps(github)[1]
    assert post.headers["Content-Type"] == "application/json"
    token = post.headers["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, keys().public, algorithms=["RS256"])
    assert jwt.get_unverified_header(token)["alg"] == "RS256"
    assert claims["iss"] == "7"
    assert claims["exp"] - claims["iat"] == 600
    assert abs(github.clock.timestamp() - 60 - claims["iat"]) < 5
    assert github.points[ACCESS_TOKENS] == 5


async def test_a_stateless_token(github, artifact):
    """Its format does not matter: 520 characters, with dots, hyphens and underscores."""
    github.add_installation(7, [REPO], id=5, stateless=True)
    async with client_of(github, source()) as client:
        await client.get_artifact(REPO, artifact)
    token = github.requests[-1].headers["Authorization"].removeprefix("Bearer ")
    assert len(token) > 500
    assert {".", "-", "_"} <= set(token)


async def test_a_renamed_repository(github, artifact):
    """The installation is found under the old name too."""
    github.rename_repo(REPO, "octo-org/other")
    async with client_of(github, source()) as client:
        assert (await client.get_artifact(REPO, artifact)).id == artifact


# --- renewal


@pytest.mark.slow
@pytest.mark.sample
async def test_five_lives_of_a_token(github, artifact, tmp_path):
    """Downloads go on for five hours; a token is renewed before it ends, and nobody sees a 401."""
    loop = asyncio.get_running_loop()
    begun, number = loop.time(), 0
    async with client_of(github, source()) as client:
        found = await client.get_artifact(REPO, artifact)
        while loop.time() < begun + 5 * HOUR:
            await client.download(found, tmp_path, filename=f"{number}.zip")
            number += 1
            await asyncio.sleep(300)
    assert number == 60
    assert 5 <= minted(github) <= 6
    assert {record.status for record in github.requests} == {200, 201, 302}


async def test_a_hundred_waiters_one_request(github, artifact):
    """However many calls wait for a token, one POST gets it, also where only one request is sent at a time."""
    slow_token(github, 2)
    async with client_of(github, source(), limits=Limits(api_concurrency=1, points_per_minute=None)) as client:
        found = await asyncio.gather(*(client.get_artifact(REPO, artifact) for _ in range(100)))
        assert {it.id for it in found} == {artifact}
        assert [record.method for record in of_apps(github)] == ["GET", "POST"]
        await asyncio.sleep(HOUR - 200)
        await asyncio.gather(*(client.get_artifact(REPO, artifact) for _ in range(100)))
    assert minted(github) == 2


async def test_a_rejected_token_is_replaced_once(github, artifact):
    """Many calls get a 401 for the same token: one new token for all, and the late ones do not drop it."""
    async with client_of(github, source()) as client:
        await client.get_artifact(REPO, artifact)
        github.revoke_installation_tokens()
        found = await asyncio.gather(*(client.get_artifact(REPO, artifact) for _ in range(50)))
        assert {it.id for it in found} == {artifact}
    assert minted(github) == 2


async def test_a_token_is_rejected_while_its_renewal_is_under_way(github, artifact):
    """Calls with the old token go on; those that it fails wait for the new one."""
    async with client_of(github, source()) as client:
        await client.get_artifact(REPO, artifact)
        await asyncio.sleep(HOUR - 200)
        slow_token(github, 5)
        first = asyncio.ensure_future(client.get_artifact(REPO, artifact))
        while minted(github) < 2:
            await asyncio.sleep(0)
        assert (await client.get_artifact(REPO, artifact)).id == artifact
        assert not first.done()
        old = next(iter(github._tokens.minted))
        github._tokens.minted[old] = attrs.evolve(github._tokens.minted[old], expires=github.clock.now())
        assert (await client.get_artifact(REPO, artifact)).id == artifact
        await first
    assert minted(github) == 2


async def test_a_token_that_is_rejected_again(github, artifact):
    """A new token does not help: the 401 comes out after one more try."""
    github.faults.status(None, 401, times=None, where="api", endpoint="get-artifact")
    async with client_of(github, source()) as client:
        with pytest.raises(AuthenticationError):
            await client.get_artifact(REPO, artifact)
    assert minted(github) == 2


async def test_a_renewal_that_fails_early_is_no_error(github, artifact, caplog):
    """While the present token is valid it is logged, and tried again half a minute later; then it is an error."""
    async with client_of(github, source()) as client:
        await client.get_artifact(REPO, artifact)
        github.set_app_keys(7)
        await asyncio.sleep(HOUR - 290)
        await client.get_artifact(REPO, artifact)
        await client.get_artifact(REPO, artifact)
        assert minted(github) == 2
        await asyncio.sleep(40)
        await client.get_artifact(REPO, artifact)
        assert minted(github) == 3
        warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
        assert len(warnings) == 2
        assert "was not renewed" in warnings[0].getMessage()
        assert "could not be decoded" in warnings[0].getMessage()
        await asyncio.sleep(HOUR)
        with pytest.raises(AuthenticationError, match="private key"):
            await client.get_artifact(REPO, artifact)
        github.set_app_keys(7, keys().public)
        await client.get_artifact(REPO, artifact)


async def test_a_renewal_that_fails_after_the_token_was_rejected(github, artifact):
    """There is no other token to fall back on."""
    async with client_of(github, source()) as client:
        await client.get_artifact(REPO, artifact)
        github.set_app_keys(7)
        github.revoke_installation_tokens()
        with pytest.raises(AuthenticationError, match="private key"):
            await client.get_artifact(REPO, artifact)


async def test_a_post_is_repeated_after_a_failure(github, artifact):
    """A second token does no harm, so a 502 is tried again."""
    github.faults.status(None, 502, times=2, where="api", endpoint=ACCESS_TOKENS)
    async with client_of(github, source()) as client:
        await client.get_artifact(REPO, artifact)
    assert minted(github) == 3


async def test_an_app_that_was_installed_again(github, artifact):
    """The installation has another number then, which is looked up."""
    async with client_of(github, source()) as client:
        await client.get_artifact(REPO, artifact)
        github.scenario.installations.clear()
        github.revoke_installation_tokens()
        github.add_installation(7, [REPO], id=6)
        await client.get_artifact(REPO, artifact)
    assert of_apps(github)[-1].path.endswith("/app/installations/6/access_tokens")


async def test_a_token_of_a_short_life(github, artifact):
    """One that lives no longer than five minutes is renewed at half its life."""
    github.add_installation(7, [REPO], id=5, lifetime=100)
    async with client_of(github, source()) as client:
        for _ in range(10):
            await client.get_artifact(REPO, artifact)
            await asyncio.sleep(20)
    assert minted(github) == 4


# --- refusals


async def test_a_revoked_key_is_one_clear_error(github, artifact):
    """One request; everybody who waited gets the same sentence, which says what to check."""
    github.set_app_keys(7, keys(1).public)
    async with client_of(github, source()) as client:
        results = await asyncio.gather(
            *(client.get_artifact(REPO, artifact) for _ in range(100)), return_exceptions=True
        )
    assert len(github.requests) == 1
    assert {type(error) for error in results} == {AuthenticationError}
    (said,) = {str(error).partition(" [")[0] for error in results}
    assert said == (
        "GET /repos/octo-org/octo-docs/installation: 401 A JSON web token could not be decoded: check the App's ID, "
        "that the private key is one of the App's and was not deleted, and this machine's clock"
    )
    assert len({id(error) for error in results}) == 100
    for error in results:
        assert isinstance(error, BaseException)
        check_silent(error, *keys().private.splitlines()[1:-1])


async def test_a_revoked_key_stops_a_bulk_download(github, artifact, tmp_path):
    """No further artifact is begun with it: the failure would be the same for each."""
    run = github.add_run(REPO)
    for number in range(40):
        github.add_artifact(run, f"a{number}")
    async with client_of(github, source()) as client:
        found = [it async for it in client.list_artifacts(REPO)]
        assert artifact in {it.id for it in found}
        github.set_app_keys(7)
        github.revoke_installation_tokens()
        async with client.download_many(found, tmp_path, concurrency=4) as outcomes:
            failures = [outcome async for outcome in outcomes]
    assert {type(outcome.error) for outcome in failures} == {AuthenticationError}
    assert minted(github) <= 5


@pytest.mark.parametrize(
    ("app_id", "where", "status"),
    [
        (7, {"repo": "octo-org/elsewhere"}, "404 Not Found"),
        (7, {"org": "elsewhere"}, "404 Not Found"),
        (7, {"installation_id": 99}, "404 Not Found"),
        (9, {"repo": REPO}, "404 Integration not found"),
    ],
)
async def test_an_app_that_is_not_installed_there(github, artifact, app_id, where, status):
    """It is not a NotFoundError, which would be taken for the artifact's."""
    async with client_of(github, source(app_id, **where)) as client:
        with pytest.raises(AuthenticationError, match="not installed there") as caught:
            await client.delete_artifact(REPO, artifact, missing_ok=True)
    assert status in str(caught.value)
    assert caught.value.status == 404
    assert not isinstance(caught.value, NotFoundError)


@pytest.mark.parametrize("narrowed", [{"permissions": {"contents": "read"}}, {"repositories": ["other"]}])
async def test_more_than_the_installation_has(github, artifact, narrowed):
    """GitHub's 422 comes out with GitHub's words."""
    async with client_of(github, source(repo=REPO, **narrowed)) as client:
        with pytest.raises(BadRequestError, match="installation"):
            await client.get_artifact(REPO, artifact)


async def test_a_server_that_fails(github, artifact):
    """After all retries the error is that of the request for the token."""
    github.faults.status(None, 503, times=None, where="api", endpoint=ACCESS_TOKENS)
    async with client_of(github, source(), retry=RetryPolicy(attempts=2)) as client:
        with pytest.raises(ServerError, match="POST /app/installations/5/access_tokens: 503"):
            await client.get_artifact(REPO, artifact)


TOKENLESS: dict[str, Any] = {
    "empty": {},
    "a list": [],
    "no end": {"token": "ghs_canary"},
    "an end in words": {"token": "ghs_canary", "expires_at": "soon"},
    "an end without a zone": {"token": "ghs_canary", "expires_at": "2026-01-01T00:00:00"},
    "a number": {"token": 5, "expires_at": "2026-01-01T00:00:00Z"},
}


@pytest.mark.parametrize("kind", TOKENLESS)
async def test_an_answer_without_a_token(github, artifact, kind):
    """The shape of it is told, and not its content."""
    body = json.dumps(TOKENLESS[kind])
    github.faults.status(None, 201, times=None, where="api", endpoint=ACCESS_TOKENS, body=body)
    del body
    async with client_of(github, source()) as client:
        with pytest.raises(ResponseShapeError, match="holds no token") as caught:
            await client.get_artifact(REPO, artifact)
    check_silent(caught.value, "ghs_canary")


@pytest.mark.parametrize("answer", [{}, [], {"id": "5"}, {"id": True}, {"id": 0}])
async def test_an_installation_without_a_number(github, artifact, answer):
    """It cannot be asked for a token."""
    github.faults.status(None, 200, times=None, where="api", endpoint="get-repo-installation", body=json.dumps(answer))
    async with client_of(github, source()) as client:
        with pytest.raises(ResponseShapeError, match="has no id"):
            await client.get_artifact(REPO, artifact)


# --- clocks


@pytest.mark.parametrize("off", [-HOUR, HOUR, 100 * HOUR])
async def test_a_clock_that_is_wrong(github, artifact, monkeypatch, off):
    """GitHub rejects the first JSON Web Token; the second one, and all later ones, have the server's time."""
    monkeypatch.setattr(app, "utcnow", lambda: datetime.now(UTC) + timedelta(seconds=off))
    async with client_of(github, source()) as client:
        await client.get_artifact(REPO, artifact)
        await asyncio.sleep(HOUR)
        await client.get_artifact(REPO, artifact)
    assert [record.status for record in of_apps(github)] == [401, 200, 201, 201]


async def test_a_clock_that_is_wrong_and_a_server_that_does_not_say(github, artifact, monkeypatch):
    """Without a Date there is nothing to correct it by; the error names the clock."""
    monkeypatch.setattr(app, "utcnow", lambda: datetime.now(UTC) + timedelta(seconds=HOUR))
    github.faults.headers(None, {"Date": "never"}, times=None, where="api")
    async with client_of(github, source()) as client:
        with pytest.raises(AuthenticationError, match="this machine's clock") as caught:
            await client.get_artifact(REPO, artifact)
    assert caught.value.server_time is None
    assert len(github.requests) == 1


async def test_a_server_without_a_date(github, artifact):
    """The end of a token is counted from this machine's clock then."""
    github.faults.headers(None, {"Date": "never"}, times=None, where="api")
    async with client_of(github, source()) as client:
        for _ in range(3):
            await client.get_artifact(REPO, artifact)
    assert minted(github) == 1


# --- cancellation


async def test_one_waiter_is_cancelled(github, artifact):
    """The others get the token that the first one asked for."""
    slow_token(github, 20)
    async with client_of(github, source()) as client:
        tasks = [asyncio.ensure_future(client.get_artifact(REPO, artifact)) for _ in range(3)]
        while not minted(github):
            await asyncio.sleep(0)
        tasks[0].cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await tasks[0]
        check_silent(caught.value)
        assert {it.id for it in await asyncio.gather(*tasks[1:])} == {artifact}
    assert minted(github) == 1


async def test_all_waiters_are_cancelled(github, artifact):
    """The request is given up with them, no task is left, and the next call asks again."""
    slow_token(github, HOUR)
    async with client_of(github, source()) as client:
        tasks = [asyncio.ensure_future(client.get_artifact(REPO, artifact)) for _ in range(3)]
        while not minted(github):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert not [task for task in asyncio.all_tasks() if "SingleFlight" in repr(task)]
        await client.get_artifact(REPO, artifact)
    assert minted(github) == 2


async def test_closing_while_a_token_is_awaited(github, artifact):
    """The call fails, and nothing is left."""
    slow_token(github, HOUR)
    client = client_of(github, source(), retry=RetryPolicy(attempts=1))
    task = asyncio.ensure_future(client.get_artifact(REPO, artifact))
    while not minted(github):
        await asyncio.sleep(0)
    await client.aclose()
    with pytest.raises(Exception, match="closed"):
        await task


# --- one client


async def test_it_belongs_to_one_client(github, artifact):
    """A token of one server is never sent to another; a closed client's source may be used again."""
    shared = source()
    async with FakeGitHub() as other, client_of(github, shared) as first:
        await first.get_artifact(REPO, artifact)
        async with client_of(other, shared) as second:
            for _ in range(2):
                with pytest.raises(ConfigurationError, match="belongs to another client"):
                    await second.get_artifact(REPO, artifact)
        assert not other.requests
    async with client_of(github, shared) as third:
        await third.get_artifact(REPO, artifact)
    assert minted(github) == 2
    shared.bind(third._github)


async def test_it_needs_a_client():
    """By itself it can send nothing."""
    with pytest.raises(ConfigurationError, match="through a client"):
        await source().token()


async def test_a_sender_that_returns_no_document():
    """Any object with ``send`` may be bound."""

    class Sender:
        async def send(self, request: object) -> object:
            return request and Nothing()

    bound = source()
    bound.bind(Sender())
    with pytest.raises(ResponseShapeError, match="not JSON"):
        await bound.token()


async def test_a_sender_of_ones_own():
    """It gets the requests with the credential in them, and what it returns counts without a Date."""

    class Sender:
        def __init__(self) -> None:
            self.requests: list[Any] = []

        async def send(self, request: Any) -> Document:
            self.requests.append(request)
            end = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
            return Document({"id": 5, "token": "ghs_mine", "expires_at": end})

    sender, bound = Sender(), source()
    bound.bind(sender)
    assert await bound.token() == "ghs_mine"
    assert await bound.token() == "ghs_mine"
    bound.invalidate("ghs_other")
    assert [request.method for request in sender.requests] == ["GET", "POST"]
    assert "ey" not in repr(sender.requests)


# --- arguments


def _pem(key: Any, password: bytes | None = None) -> str:
    encryption = NoEncryption() if password is None else BestAvailableEncryption(password)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


def _wrong_keys() -> dict[str, Callable[[], Any]]:
    return {
        "empty": lambda: "",
        "a path": lambda: "/etc/canary-app.pem",
        "not text": lambda: 5,
        "public": lambda: keys().public,
        "cut": lambda: keys().private[:800],
        "elliptic": lambda: _pem(ec.generate_private_key(ec.SECP256R1())),
        "encrypted": lambda: _pem(rsa.generate_private_key(65537, 2048), b"password"),
        "not ASCII": lambda: keys().private.replace("M", "\u2014"),
    }


@pytest.mark.parametrize("kind", list(_wrong_keys()))
def test_what_is_no_key(kind):
    """It is found at once, and not quoted."""
    wrong = _wrong_keys()[kind]()
    with pytest.raises(ConfigurationError, match="content of the PEM file") as caught:
        AppInstallationToken(7, wrong, repo=REPO)
    text = "".join(shown(caught.value).split("\n", 1))
    for line in str(wrong).splitlines()[1:-1] or ["canary-app"]:
        assert line not in text.replace("wrong = ", "") or len(line) < 20 or f"wrong = {wrong!r}" in text
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "write",
    [
        lambda key: key,
        str.encode,
        lambda key: key.replace("\n", "\\n"),
        lambda key: f"\n  {key}\n",
        lambda key: key.replace("\n", "\r\n"),
    ],
    ids=["PEM", "bytes", "escaped", "blanks", "CRLF"],
)
def test_how_a_key_may_be_written(write):
    """As secrets come from files, variables and vaults."""
    assert "7" in repr(AppInstallationToken(7, write(keys().private), repo=REPO))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"app_id": 0}, "app_id"),
        ({"app_id": True}, "app_id"),
        ({"app_id": ""}, "app_id"),
        ({"app_id": "a b"}, "app_id"),
        ({"app_id": None}, "app_id must be .* not NoneType"),
        ({"repo": None}, "exactly one"),
        ({"installation_id": 5}, "exactly one"),
        ({"org": "octo-org"}, "exactly one"),
        ({"repo": None, "installation_id": "5"}, "installation_id"),
        ({"repo": "octo-docs"}, "not a repository name"),
        ({"repo": None, "org": "a b"}, "org must be"),
        ({"permissions": {}}, "permissions must"),
        ({"permissions": {"actions": 1}}, "permissions must"),
        ({"permissions": "actions"}, "permissions must"),
        ({"repositories": "octo-docs"}, "repositories must"),
        ({"repositories": []}, "repositories must"),
        ({"repositories": [REPO]}, "without the owner"),
    ],
)
def test_arguments_that_are_wrong(arguments, said):
    """Nothing is sent for them."""
    with pytest.raises(ConfigurationError, match=said):
        AppInstallationToken(**{"app_id": 7, "private_key": keys().private, "repo": REPO, **arguments})


def test_the_extra_is_named_where_it_is_missing(monkeypatch):
    """PyJWT and cryptography are imported when they are needed."""
    imported = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "jwt":
            raise ImportError(name)
        return imported(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigurationError, match=r'pip install "gh-artifacts-async\[app\]"'):
        AppInstallationToken(7, keys().private, repo=REPO)


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ({"repo": REPO}, "AppInstallationToken('7', '***', repo='octo-org/octo-docs')"),
        ({"org": "octo-org"}, "AppInstallationToken('7', '***', org='octo-org')"),
        ({"installation_id": 5}, "AppInstallationToken('7', '***', installation_id=5)"),
    ],
)
def test_its_repr(where, text):
    """The App and where it is installed."""
    assert repr(source(**where)) == text


async def test_a_request_with_its_own_credential(github, artifact):
    """It is sent in place of the session's token, which is not asked for; its 401 is final."""
    tokens = Source("t0ken")
    github.tokens = {"other"}
    request = requests.get_artifact(RepositoryName.parse(REPO), artifact)
    async with GitHubSession(tokens, base_url=github.base_url, limits=QUICK) as session:
        await session.send(request._replace(credential=Secret("other")))
        github.faults.status(None, 401, where="api", body=json.dumps({"message": f"{WRONG} is bad"}))
        with pytest.raises(AuthenticationError, match=r"401 \*\*\* is bad") as caught:
            await session.send(request._replace(credential=Secret(WRONG)))
    check_silent(caught.value, WRONG)
    assert tokens.calls == ["bind"]
    assert [record.headers["Authorization"] for record in github.requests] == ["Bearer other", f"Bearer {WRONG}"]
    assert caught.value.server_time is not None
