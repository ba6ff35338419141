"""Proxies by argument and by environment; netrc never."""

from __future__ import annotations

import base64
import ssl
import warnings

import aiohttp
import pytest
import trustme
from yarl import URL

from gh_artifacts_async import ArtifactsClient, api, errors
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.testing import FakeGitHub
from gh_artifacts_async.transport.proxies import checked_proxy, environment_proxy, proxy_place
from tests.kits.api import ONCE, QUICK, REPO, TOKEN, check_silent
from tests.kits.proxy import Proxy
from tests.kits.raw import never_goodbye


@pytest.fixture
async def proxy():
    """A proxy."""
    async with Proxy() as made:
        yield made


@pytest.fixture
def environ(monkeypatch):
    """An environment without proxies, to set some in."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


async def test_a_proxy_by_argument(github, run, proxy):
    """The request goes there in absolute form; its answer comes back."""
    async with GitHubSession(TOKEN, base_url=github.base_url, limits=QUICK, proxy=proxy.url) as session:
        assert (await api.get_workflow_run(session, REPO, run.id)).id == run.id
        assert session.transport._proxies.of("https://storage.example/a?sig=x") == proxy.url
    assert proxy.heads[0].startswith(f"GET {github.base_url}/repos/{REPO}/actions/runs/{run.id}?")
    assert len(github.requests) == 1


async def test_a_proxy_by_environment(github, run, proxy, environ):
    """Only with ``trust_env``."""
    environ.setenv("http_proxy", proxy.url)
    async with GitHubSession(TOKEN, base_url=github.base_url, trust_env=True) as session:
        await api.get_workflow_run(session, REPO, run.id)
    assert len(proxy.heads) == 1
    async with GitHubSession(TOKEN, base_url=github.base_url) as session:
        await api.get_workflow_run(session, REPO, run.id)
    assert len(proxy.heads) == 1


async def test_what_no_proxy_leaves_out(github, run, proxy, environ):
    """NO_PROXY names the host."""
    environ.setenv("http_proxy", proxy.url)
    environ.setenv("no_proxy", "127.0.0.1")
    async with GitHubSession(TOKEN, base_url=github.base_url, trust_env=True) as session:
        await api.get_workflow_run(session, REPO, run.id)
    assert not proxy.heads


async def test_a_proxy_with_a_password(github, run, proxy):
    """It is for the proxy alone, as the token is for the API alone."""
    url = proxy.url.replace("//", "//user:pa55@")
    async with GitHubSession(TOKEN, base_url=github.base_url, proxy=url) as session:
        await api.get_workflow_run(session, REPO, run.id)
    assert "Proxy-Authorization: Basic dXNlcjpwYTU1" in proxy.heads[0]
    assert github.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"


async def test_https_through_a_proxy(proxy, tmp_path):
    """By CONNECT: the proxy sees neither path nor token."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with FakeGitHub(ssl_context=context) as github:
        run = github.add_run(REPO)
        settings = {"base_url": github.base_url, "ca_file": tmp_path / "ca.pem", "proxy": proxy.url}
        async with GitHubSession(TOKEN, **settings) as session:
            assert (await api.get_workflow_run(session, REPO, run.id)).id == run.id
    assert proxy.heads[0].startswith("CONNECT 127.0.0.1:")
    assert TOKEN not in proxy.heads[0]


def _through(url):
    url = url.replace("//", "//u:pa55@")
    return GitHubSession(TOKEN, base_url="https://ghe.example/api/v3", proxy=url, retry=ONCE)


@pytest.mark.parametrize("down", [False, True])
async def test_a_proxy_that_does_not_let_it_through(proxy, unused_tcp_port, down):
    """Refused, or not there: said so, without the password."""
    proxy.refuse = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    session = _through(f"http://127.0.0.1:{unused_tcp_port}" if down else proxy.url)
    async with session:
        with pytest.raises(errors.ProxyError, match=r"the proxy 127\.0\.0\.1:") as caught:
            await api.get_artifact(session, REPO, 1)
    check_silent(caught.value, "pa55", "dTpwYTU1")


async def test_a_proxy_over_tls_that_refuses_leaves_no_socket(tmp_path):
    """It answers 407 to a tunnel, and never says goodbye: closed with the session all the same."""
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    async with never_goodbye(refusal, tmp_path / "ca.pem") as host:
        settings = {"base_url": "https://ghe.example", "ca_file": tmp_path / "ca.pem"}
        session = GitHubSession(TOKEN, proxy=f"https://u:pa55@{host}", **settings)
        with pytest.raises(errors.ProxyError, match="407"):
            await api.get_artifact(session, REPO, 1)
        (protocol,) = session.transport._api.connector._made
        socket = protocol.transport.get_extra_info("socket")
        await session.aclose()
        assert socket.fileno() < 0


async def test_a_socks_proxy_in_the_environment(github, environ):
    """Said so before anything is sent."""
    environ.setenv("http_proxy", "socks5://u:pa55@127.0.0.1:1")
    async with GitHubSession(TOKEN, base_url=github.base_url, trust_env=True) as session:
        with pytest.raises(errors.ConfigurationError, match="the environment's http proxy") as caught:
            await api.get_artifact(session, REPO, 1)
    check_silent(caught.value, "pa55")
    assert not github.requests


# --- a borrowed session's


@pytest.mark.parametrize("way", ["url", "auth", "environment"])
async def test_a_borrowed_session(github, run, proxy, environ, tmp_path, way):
    """Its own proxy is storage's, too, with the password that it has; so is the environment's if it looks there."""
    url = proxy.url.replace("//", "//us%C3%A9r:pa%3A55@") if way == "url" else proxy.url
    own = {"trust_env": True} if way == "environment" else {"proxy": url}
    environ.setenv("http_proxy", url if way == "environment" else "http://127.0.0.1:9")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of what aiohttp 4 will not have
        if way == "auth":
            own["proxy_auth"] = aiohttp.BasicAuth("us\u00e9r", "pa:55", "utf-8")
        borrowed = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True), **own)
    number = github.add_artifact(run, "docs", size=1000)
    async with borrowed, ArtifactsClient(TOKEN, base_url=github.base_url, session=borrowed) as client:
        await client.download(await client.get_artifact(REPO, number), tmp_path)
    origins = [head.split(" ")[1].partition("/repos/")[0] for head in proxy.heads]
    assert origins[:2] == [github.base_url] * 2
    assert origins[2].startswith(github.storage_url)
    found = {line for head in proxy.heads for line in head.splitlines() if line.startswith("Proxy-Authorization")}
    pair = base64.b64encode("us\u00e9r:pa:55".encode()).decode()
    assert found == (set() if way == "environment" else {f"Proxy-Authorization: Basic {pair}"})


@pytest.mark.parametrize("encoding", ["latin-1", "no-such"])
async def test_a_borrowed_session_with_a_password_that_its_encoding_has_not(github, encoding):
    """It is an error that says what to do, and does not show the password."""
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        auth = aiohttp.BasicAuth("u", "pa55\u4e2d", encoding)
        borrowed = aiohttp.ClientSession(proxy="http://127.0.0.1:1", proxy_auth=auth)
    del auth
    async with borrowed:
        with pytest.raises(ConfigurationError, match="encoding='utf-8'") as caught:
            GitHubSession(TOKEN, base_url=github.base_url, session=borrowed)
    check_silent(caught.value, "pa55")


async def test_a_borrowed_session_with_socks(github):
    """A proxy that aiohttp would take for an HTTP one is refused, and its password not shown."""
    async with aiohttp.ClientSession(proxy="socks5://u:pa55@127.0.0.1:1") as borrowed:
        with pytest.raises(ConfigurationError, match="the borrowed session's proxy must be") as caught:
            GitHubSession(TOKEN, base_url=github.base_url, session=borrowed)
    check_silent(caught.value, "u:pa55")


# --- netrc


@pytest.fixture
def netrc(environ, tmp_path):
    """A netrc that names every host there is."""
    path = tmp_path / "netrc"
    path.write_text("machine 127.0.0.1\nlogin u\npassword n3trc\ndefault\nlogin u\npassword n3trc\n")
    path.chmod(0o600)
    environ.setenv("NETRC", str(path))
    return path


@pytest.mark.usefixtures("netrc")
@pytest.mark.parametrize("token", [TOKEN, None])
@pytest.mark.parametrize("trust_env", [True, False])
async def test_netrc_is_never_sent(github, run, token, trust_env):
    """``trust_env`` means proxies, not passwords."""
    async with GitHubSession(token, base_url=github.base_url, trust_env=trust_env) as session:
        await api.get_workflow_run(session, REPO, run.id)
    assert github.requests[0].headers.get("Authorization") == (None if token is None else f"Bearer {TOKEN}")


async def test_a_borrowed_session_that_reads_netrc(github, run, netrc):
    """Aiohttp would not send the token then; the error says why, and what to do."""
    async with aiohttp.ClientSession(trust_env=True) as borrowed:
        session = GitHubSession(TOKEN, base_url=github.base_url, session=borrowed)
        with pytest.raises(errors.ConfigurationError, match="netrc names 127") as caught:
            await api.get_workflow_run(session, REPO, run.id)
        netrc.write_text("")
        assert (await api.get_workflow_run(session, REPO, run.id)).id == run.id
    check_silent(caught.value, "n3trc")
    assert len(github.requests) == 1


# --- which proxy


@pytest.mark.parametrize(
    "proxy", ["http://p", "http://p:3128/", "https://p", "http://u:p@p:3128", "http://u@x:p@p:3128"]
)
def test_proxies(proxy):
    """An http(s) URL, with or without a password."""
    assert checked_proxy(proxy) == proxy


def test_credentials_of_a_proxy_that_are_not_utf_8():
    """In the environment they are lone surrogates; the proxy gets the bytes, as of those percent-encoded."""
    assert checked_proxy("http://\udce9:p\udcff@p:3128") == checked_proxy("http://%E9:p%FF@p:3128")


@pytest.mark.parametrize(
    ("proxy", "user", "password"),
    [
        ("http://u[1]:p]x@p:3128", "u[1]", "p]x"),
        ("http://[::1]:x@p:3128", "[", ":1]:x"),
        ("http://[@[::1]:1", "[", None),
    ],
)
def test_brackets_in_credentials_of_a_proxy(proxy, user, password):
    """Only a host may have them, to aiohttp; in a name or a password they are percent-encoded."""
    url = URL(checked_proxy(proxy))
    assert (url.user, url.password) == (user, password)
    assert URL(f"http://{proxy_place(proxy)}").origin() == url.origin()


@pytest.mark.parametrize(
    ("proxy", "advice"),
    [
        *((f"http://u:pa55{mark}@p:3128", "percent-encode") for mark in "/?#\\"),
        ("http://u:pa55@b\u00fccher.example:3128", "punycode"),
        ("socks5://u:pa55@p", "SOCKS"),
    ],
)
def test_what_to_do_about_a_proxy(proxy, advice):
    """The message says what is wrong with it, without showing it."""
    with pytest.raises(ConfigurationError, match=advice) as caught:
        checked_proxy(proxy)
    assert "pa55" not in str(caught.value)


@pytest.mark.parametrize(
    "proxy",
    ["", "p:3128", "socks5://p", "http://", "http://u:pa55@", "http://u:pa55@p:99999"]
    + [f"http://u{mark}x:pa55@p:3128" for mark in "/?#\\"],
)
def test_what_is_no_proxy(proxy):
    """The password is not shown."""
    with pytest.raises(ConfigurationError, match="proxy must be") as caught:
        GitHubSession(proxy=proxy)
    assert "pa55" not in str(caught.value)


@pytest.fixture
def proxies(monkeypatch):
    """An environment without proxies, to set some in."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch.setenv


@pytest.mark.parametrize(
    ("environ", "url", "proxy"),
    [
        ({}, "https://api.github.com/x", None),
        ({"https_proxy": "http://p:3128"}, "https://api.github.com/x?sig=1", "http://p:3128"),
        ({"HTTPS_PROXY": "http://p:3128"}, "https://api.github.com/x", "http://p:3128"),
        ({"https_proxy": "http://p:3128"}, "http://api.github.com/x", None),
        ({"http_proxy": "http://u:pw@p:3128"}, "http://h:8080/x", "http://u:pw@p:3128"),
        ({"all_proxy": "http://p:3128"}, "https://h/x", "http://p:3128"),
        ({"all_proxy": "http://all", "https_proxy": "http://p"}, "https://h/x", "http://p"),
        ({"https_proxy": "p:3128"}, "https://h/x", "http://p:3128"),
        ({"https_proxy": ""}, "https://h/x", None),
        ({"https_proxy": "http://p", "no_proxy": "*"}, "https://h/x", None),
        ({"https_proxy": "http://p", "no_proxy": "h.example"}, "https://h.example/x", None),
        ({"https_proxy": "http://p", "no_proxy": "example"}, "https://h.example/x", None),
        ({"https_proxy": "http://p", "no_proxy": ".example"}, "https://h.example:8443/x", None),
        ({"https_proxy": "http://p", "no_proxy": "h.example:8443"}, "https://h.example:8443/x", None),
        ({"https_proxy": "http://p", "no_proxy": "h.example:8443"}, "https://h.example/x", "http://p"),
        ({"https_proxy": "http://p", "no_proxy": "h.example:443"}, "https://h.example/x", None),
        ({"https_proxy": "http://p", "no_proxy": "x, *.Example"}, "https://h.example/x", None),
        ({"https_proxy": "http://p", "no_proxy": "*.example:8443"}, "https://h.example:8443/x", None),
        ({"https_proxy": "http://p", "no_proxy": "*.example:8443"}, "https://h.example/x", "http://p"),
        ({"https_proxy": "http://p", "no_proxy": "*.example"}, "https://example/x", "http://p"),
        ({"https_proxy": "http://p", "no_proxy": "::1"}, "https://[::1]:8443/x", None),
        ({"https_proxy": "http://p", "no_proxy": "[::1]"}, "https://[::1]:8443/x", None),
        ({"https_proxy": "http://p", "no_proxy": "[::1]:8443"}, "https://[::1]:8443/x", None),
        ({"https_proxy": "http://p", "no_proxy": "[::1]:8443"}, "https://[::1]/x", "http://p"),
        ({"https_proxy": "http://p", "no_proxy": "other"}, "https://h.example/x", "http://p"),
        ({"http_proxy": "http://p", "no_proxy": "127.0.0.1"}, "http://127.0.0.1:4711/x", None),
    ],
)
def test_proxies_of_the_environment(proxies, environ, url, proxy):
    """HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, in either case of letters."""
    for name, value in environ.items():
        proxies(name, value)
    assert environment_proxy(url) == proxy


@pytest.mark.parametrize("value", ["socks5://u:pa55@p:1080", "http://", "http://u:pa55@p:x"])
def test_a_proxy_that_is_none(proxies, value):
    """A SOCKS proxy would be taken for an HTTP one; its password is not shown."""
    proxies("https_proxy", value)
    with pytest.raises(ConfigurationError, match="the environment's https proxy") as caught:
        environment_proxy("https://h/x")
    assert "pa55" not in str(caught.value)
