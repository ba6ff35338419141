"""Row 16: proxies that refuse or cannot be reached are named, and GitHub is not blamed."""

from __future__ import annotations

import base64

import pytest

from gh_artifacts_async import ArtifactsClient, RetryPolicy, api, errors
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.transport.proxies import environment_proxy
from tests.kits.api import REPO, TOKEN, check_silent
from tests.kits.raw import RawServer, answer

THRICE = RetryPolicy(attempts=3, wait_initial=0.01, wait_max=0.01)
BASES = ["https://ghe.example/api/v3", "http://ghe.example/api/v3"]


def through(proxy: str, base: str = BASES[0]) -> GitHubSession:
    """Return a session that goes through a proxy, with a password."""
    proxy = proxy.replace("//", "//user:pa55@")
    return GitHubSession(TOKEN, base_url=base, allow_http=True, proxy=proxy, retry=THRICE)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "403 Forbidden"])
async def test_row_16_a_proxy_that_refuses(status, base):
    """407 and 403 are the proxy's: it is named without its password, and tried once."""
    reply = answer(status, "<html>squid</html>", Content_Type="text/html")
    async with RawServer(reply) as proxy, through(proxy.url, base) as session:
        with pytest.raises(errors.ProxyError) as caught:
            await api.get_artifact(session, REPO, 7)
        assert str(caught.value).startswith(
            f"the proxy {proxy.host} refused the connection to ghe.example: {status[:3]}"
        )
    assert caught.value.status == int(status[:3])
    assert len(proxy.heads) == 1
    check_silent(caught.value, "pa55", "cGE1NQ")


async def test_row_16_a_proxy_that_fails_is_tried_again():
    """A 503 of the proxy may pass."""
    async with RawServer(answer("503 Service Unavailable")) as proxy, through(proxy.url) as session:
        with pytest.raises(errors.ProxyError) as caught:
            await api.get_artifact(session, REPO, 7)
    assert caught.value.status == 503
    assert len(proxy.heads) == 3


async def test_row_16_a_forbidden_answer_of_github_through_a_proxy():
    """What GitHub answers through a proxy stays GitHub's."""
    reply = answer("403 Forbidden", '{"message":"no"}', Content_Type="application/json")
    async with RawServer(reply) as proxy, through(proxy.url, BASES[1]) as session:
        with pytest.raises(errors.PermissionDeniedError):
            await api.get_artifact(session, REPO, 7)


@pytest.mark.realtime
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "http://proxy.invalid:3128"])
async def test_row_16_a_proxy_out_of_reach(proxy, base):
    """Nobody listens there, or its name is unknown: the proxy is named as the culprit."""
    async with through(proxy, base) as session:
        with pytest.raises(errors.ProxyError) as caught:
            await api.get_artifact(session, REPO, 7)
    assert str(caught.value).startswith(f"no connection to the proxy {proxy.removeprefix('http://')}: ")
    assert caught.value.status is None
    assert "github" not in str(caught.value).lower()
    check_silent(caught.value, "pa55")


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("password", ["p\u00e4\u00dfw\u00f6rt", "\u20ac\u65e5", "a%3Ab%40", "plain"])
async def test_row_16_passwords(password, base):
    """Any character is sent, in UTF-8 (RFC 7617)."""
    async with RawServer(answer("407 Proxy Authentication Required")) as proxy:
        url = proxy.url.replace("//", f"//us\u00e9r:{password}@")
        async with GitHubSession(TOKEN, base_url=base, allow_http=True, proxy=url) as session:
            with pytest.raises(errors.ProxyError):
                await api.get_artifact(session, REPO, 7)
    (line,) = [line for line in proxy.heads[0].splitlines() if line.lower().startswith("proxy-authorization")]
    meant = password.replace("%3A", ":").replace("%40", "@")
    assert base64.b64decode(line.rpartition(" ")[2]).decode() == f"us\u00e9r:{meant}"


@pytest.mark.parametrize("make", [ArtifactsClient, ArtifactsClient.from_env, GitHubSession])
@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "SOCKS4"])
def test_row_16_socks_by_argument(make, scheme):
    """SOCKS is refused with a clear text, and no local of the package's frames holds the password."""
    parts = [f"{scheme}://user:", "pa", "55", "@127.0.0.1:1080"]
    with pytest.raises(errors.ConfigurationError, match="SOCKS proxies are not supported") as caught:
        make(proxy="".join(parts))
    check_silent(caught.value, "pa55")


def test_row_16_socks_by_environment(monkeypatch):
    """The same for HTTPS_PROXY and ALL_PROXY."""
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("https_proxy", "socks5://user:" + "pa55@127.0.0.1:1080")
    monkeypatch.setenv("all_proxy", "socks5://user:" + "pa55@127.0.0.1:1080")
    with pytest.raises(errors.ConfigurationError, match="SOCKS proxies are not supported") as caught:
        environment_proxy("https://ghe.example/x")
    del monkeypatch
    check_silent(caught.value, "pa55@")


@pytest.mark.parametrize(
    ("no_proxy", "url", "direct"),
    [
        ("10.0.0.0/8", "https://10.1.2.3/x", True),
        ("10.0.0.0/8", "https://11.1.2.3/x", False),
        ("example, 192.168.1.7/24 ,x", "https://192.168.1.200:8443/x", True),
        ("fd00::/8", "https://[fd12::1]/x", True),
        ("fd00::/8", "https://10.0.0.1/x", False),
        ("10.0.0.0/99,x/y", "https://10.0.0.1/x", False),
        ("10.0.0.0/8", "https://ten.example/x", False),
    ],
)
def test_row_16_no_proxy_networks(monkeypatch, no_proxy, url, direct):
    """NO_PROXY may name networks."""
    monkeypatch.setenv("https_proxy", "http://p:3128")
    monkeypatch.setenv("no_proxy", no_proxy)
    assert (environment_proxy(url) is None) is direct
