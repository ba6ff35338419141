from __future__ import annotations

import shutil
import subprocess

import pytest

from gh_artifacts_async.cli import repo
from gh_artifacts_async.errors import ConfigurationError

ASK_GIT = repo._git
GITHUB, DOCS = "https://api.github.com", "octo-org/octo-docs"


def resolved(argument=None, option=None, *, api_url=None, **environ):
    """Return what was found, as two strings."""
    target = repo.resolve(argument, option, api_url=api_url, environ=environ)
    return str(target.repo), target.base_url


@pytest.fixture(autouse=True)
def origin(monkeypatch):
    """Let git say that there is no origin, unless a test says another."""

    def set_origin(url: str | None) -> None:
        monkeypatch.setattr(repo, "_git", lambda *_words: url)

    set_origin(None)
    return set_origin


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"argument": DOCS}, (DOCS, None)),
        ({"option": DOCS}, (DOCS, None)),
        ({"GH_REPO": DOCS}, (DOCS, None)),
        ({"GITHUB_REPOSITORY": DOCS}, (DOCS, None)),
        ({"argument": DOCS, "GH_REPO": "a/b", "GITHUB_REPOSITORY": "c/d"}, (DOCS, None)),
        ({"option": DOCS, "GH_REPO": "a/b"}, (DOCS, None)),
        ({"GH_REPO": DOCS, "GITHUB_REPOSITORY": "c/d"}, (DOCS, None)),
        ({"GH_REPO": "", "GITHUB_REPOSITORY": DOCS}, (DOCS, None)),
        ({"option": f"github.com/{DOCS}"}, (DOCS, GITHUB)),
        ({"option": f"https://github.com/{DOCS}.git"}, (DOCS, GITHUB)),
        ({"argument": f"https://github.com/{DOCS}/"}, (DOCS, GITHUB)),
        ({"GH_REPO": f"ghes.example/{DOCS}"}, (DOCS, "https://ghes.example/api/v3")),
        ({"GH_REPO": f"tenant.ghe.com/{DOCS}"}, (DOCS, "https://api.tenant.ghe.com")),
        ({"argument": DOCS, "api_url": "http://127.0.0.1:1"}, (DOCS, "http://127.0.0.1:1")),
        ({"argument": f"ghes.example/{DOCS}", "api_url": "ghes.example"}, (DOCS, "https://ghes.example/api/v3")),
    ],
)
def test_where_the_repository_comes_from(given, found):
    """The argument, -R, GH_REPO, GITHUB_REPOSITORY: the first that says something."""
    assert resolved(**given) == found


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"argument": "a/b", "option": "c/d"}, "given twice"),
        ({"argument": "no-slash"}, "^'no-slash' is not a repository name"),
        ({"option": "a/b/c/d"}, "-R: "),
        ({"GH_REPO": "../x"}, "GH_REPO: "),
        ({"argument": f"ghes example/{DOCS}"}, "^'ghes example' is not a host name"),
        ({"argument": f"/{DOCS}"}, "^'' is not a host name"),
        ({"option": f"ghes.example/{DOCS}", "api_url": "http://127.0.0.1:1"}, "names the host ghes.example"),
        ({}, "no repository given"),
    ],
)
def test_what_names_no_repository(given, said):
    """The error says where the name came from, and what to do."""
    with pytest.raises(ConfigurationError, match=said):
        resolved(**given)


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/octo-org/octo-docs.git",
        "https://github.com/octo-org/octo-docs",
        "https://x-access-token:ghs_secret@github.com/octo-org/octo-docs.git",
        "git@github.com:octo-org/octo-docs.git",
        "github.com:octo-org/octo-docs",
        "ssh://git@github.com/octo-org/octo-docs.git",
        "ssh://git@ssh.github.com:443/octo-org/octo-docs.git",
        "git://github.com/octo-org/octo-docs.git/",
    ],
)
def test_git_remotes_of_every_form(origin, url):
    """HTTPS, ssh and scp-like addresses name the same repository."""
    origin(url)
    assert resolved() == (DOCS, None)


@pytest.mark.parametrize(
    "url", ["", "/srv/git/octo-docs.git", "file:///srv/octo-docs", "https://github.com/only", "https://h/a/b/c", "x"]
)
def test_other_remotes_name_nothing(origin, url):
    """A local clone is no repository on GitHub."""
    origin(url)
    with pytest.raises(ConfigurationError, match="no repository given"):
        resolved()


def test_the_host_of_origin_is_not_believed(origin):
    """A checkout cannot choose whom a token is sent to."""
    origin("https://evil.example/octo-org/octo-docs")
    with pytest.raises(ConfigurationError, match=r"set GH_HOST=evil\.example if you trust that host"):
        resolved()
    assert resolved(GH_HOST="evil.example") == (DOCS, None)
    assert resolved(GITHUB_API_URL="https://evil.example/api/v3") == (DOCS, None)
    assert resolved(api_url="http://127.0.0.1:1") == (DOCS, "http://127.0.0.1:1")


def test_ids_are_whole_numbers():
    """Each id once, in order; anything else is said to be none."""
    assert repo.ids(["12", "7", "12"]) == (12, 7)
    for word in ("0", "-3", "1.5", "x", "", "\u0661", "9" * 5000):
        with pytest.raises(ConfigurationError, match="is not an artifact ID"):
            repo.ids([word])


def test_positionals():
    """OWNER/REPO may be left out; for download the slash tells."""
    assert repo.split([], after=0) == (None, [])
    assert repo.split(["a/b"], after=0) == ("a/b", [])
    assert repo.split(["7"], after=1) == (None, ["7"])
    assert repo.split(["a/b", "7"], after=1) == ("a/b", ["7"])
    with pytest.raises(ConfigurationError, match="expected OWNER/REPO, got 2 arguments"):
        repo.split(["a/b", "7"], after=0)
    with pytest.raises(ConfigurationError, match="expected OWNER/REPO and an ID, got 0 arguments"):
        repo.split([], after=1)
    with pytest.raises(ConfigurationError, match="expected OWNER/REPO and an ID, got 1 argument;"):
        repo.split(["a/b"], after=1)
    assert repo.split(["7", "x/y"], after=2) == (None, ["7", "x/y"])
    assert repo.split(["a/b", "7", "x/y"], after=2) == ("a/b", ["7", "x/y"])
    with pytest.raises(ConfigurationError, match="expected OWNER/REPO, an ID and a MEMBER, got 2 arguments"):
        repo.split(["a/b", "7"], after=2)
    assert repo.split_by_slash(["a/b", "7"]) == ("a/b", ["7"])
    assert repo.split_by_slash(["7", "8"]) == (None, ["7", "8"])
    assert repo.split_by_slash([]) == (None, [])


class TestGit:
    """Git itself, and its absence."""

    @pytest.fixture(autouse=True)
    def real_git(self, monkeypatch):
        """Ask git itself."""
        monkeypatch.setattr(repo, "_git", ASK_GIT)

    def test_origin_of_a_checkout(self, tmp_path, monkeypatch):
        """Git is asked in the working directory."""
        git = shutil.which("git")
        if git is None:
            pytest.skip("no git")
        subprocess.run([git, "init", "-q", tmp_path], check=True)  # noqa: S603
        subprocess.run(  # noqa: S603
            [git, "-C", tmp_path, "remote", "add", "origin", "git@github.com:octo-org/octo-docs.git"], check=True
        )
        monkeypatch.chdir(tmp_path)
        assert resolved() == (DOCS, None)

    def test_no_checkout(self, tmp_path, monkeypatch):
        """Outside of a checkout there is no origin."""
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ConfigurationError, match="no repository given"):
            resolved()

    def test_no_git(self, monkeypatch):
        """Without git there is no origin either."""
        monkeypatch.setattr(shutil, "which", lambda _name: None)
        with pytest.raises(ConfigurationError, match="no repository given"):
            resolved()

    def test_git_that_hangs(self, monkeypatch):
        """A git that does not answer is given up."""

        def hang(*_args: object, **_kwargs: object) -> None:
            raise subprocess.TimeoutExpired("git", 5)

        monkeypatch.setattr(shutil, "which", lambda _name: "git")
        monkeypatch.setattr(subprocess, "run", hang)
        with pytest.raises(ConfigurationError, match="no repository given"):
            resolved()


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://api.github.com", "github.com"),
        ("https://api.tenant.ghe.com", "tenant.ghe.com"),
        ("https://api.example.com/api/v3", "api.example.com"),
        ("http://127.0.0.1:8080/api/v3", "127.0.0.1"),
    ],
)
def test_the_host_that_gh_knows(url, host):
    """That of the web site, not of the API."""
    assert repo.web_host(url) == host
