"""Instances: what they are known by, what shows no secret, where their tokens come from, and what they refuse."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import subprocess
import sys
import tomllib
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle
import dask.base
import fsspec
import fsspec.config
import pytest

from gh_artifacts_async import ArtifactsClient, ConfigurationError, RetryPolicy, StaticToken
from gh_artifacts_async.fs import ArtifactsFileSystem
from tests.kits.fs import CSV, REPO, add, filesystem, large, mounted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gh_artifacts_async.testing import FakeGitHub

CANARY = "ghp_canary"
PASSWORD = "canary-password"
VARIABLES = ("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GITHUB_API_URL", "GH_HOST")


@pytest.fixture(autouse=True)
def instances(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No token in the environment, and no instance of another test."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    ArtifactsFileSystem.clear_instance_cache()
    yield
    ArtifactsFileSystem.clear_instance_cache()


def sent_tokens(github: FakeGitHub) -> set[str]:
    """Return the tokens that arrived."""
    return {record.headers["Authorization"].removeprefix("Bearer ") for record in github.requests_to("api")}


# --- secrets


def shown_forms(fs: ArtifactsFileSystem) -> Iterator[bytes | str]:
    """Yield everything that may show an instance or travel with it."""
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        yield pickle.dumps(fs, protocol)
    yield cloudpickle.dumps(fs)
    yield cloudpickle.dumps({"task": (lambda fs: fs, fs)})
    yield fs.to_json()
    yield json.dumps(fs.to_dict(include_password=True))
    yield repr(fs)
    yield str(fs)
    yield repr(vars(fs))
    yield repr(fs.storage_options)
    yield repr(fs.storage_args)
    yield repr(fs._fs_token)
    yield repr(dask.base.tokenize(fs))
    yield repr(fs.__reduce__())
    yield repr(type(fs)._cache)
    yield pickle.dumps(fs.get_mapper(f"{REPO}/7"))
    yield pickle.dumps(fsspec.core.OpenFile(fs, f"{REPO}/7/x"))


@pytest.mark.parametrize("given", [CANARY, StaticToken(CANARY)], ids=["string", "source"])
def test_no_form_shows_a_secret(given: Any) -> None:
    """Neither the token nor the proxy's password is in what is pickled, written down, printed or hashed."""
    proxy = f"http://user:{PASSWORD}@127.0.0.1:3128"
    fs = fsspec.filesystem("ghartifacts", token=given, proxy=proxy, max_bytes=77)
    for form in shown_forms(fs):
        text = form.decode("latin-1") if isinstance(form, bytes) else form
        assert CANARY not in text
        assert PASSWORD not in text
    assert fs.storage_options == {
        "base_url": "https://api.github.com",
        "max_bytes": 77,
        "proxy": "http://127.0.0.1:3128",
    }
    assert fs.storage_args == ()


@pytest.mark.github_com("storage")
@pytest.mark.realtime
def test_no_form_shows_a_secret_after_use(served: FakeGitHub) -> None:
    """Nor is a token or a signed URL in what an instance, an open file and their errors show once they were used."""
    number = add(served, archive=large(200_000))
    with mounted(served, token=CANARY) as fs, fs.open(f"{REPO}/{number}/report.csv") as file:
        assert file.read() == CSV
        fs.ls(f"{REPO}/latest")
        (state,) = fs._states._states.values()
        with pytest.raises(FileNotFoundError) as caught:
            fs.cat_file(f"{REPO}/{number}/nope")
        forms = [
            *shown_forms(fs),
            pickle.dumps(file),
            repr(file),
            repr(vars(file)),
            repr(vars(state)),
            repr(caught.value),
        ]
        forms += [repr(vars(it.value)) for it in state.open._entries.values()]
        forms += [repr(dict(fs.dircache)), repr(file.details)]
        signatures = [record.query["sig"] for record in served.requests_to("storage")]
        assert signatures
        for form in forms:
            text = form.decode("latin-1") if isinstance(form, bytes) else form
            assert not [secret for secret in (CANARY, *signatures) if secret in text]


def test_the_token_by_position() -> None:
    """It is sealed as well; another argument by position is a mistake."""
    fs = ArtifactsFileSystem(CANARY)
    assert fs is ArtifactsFileSystem(token=CANARY)
    assert fs.storage_args == ()
    assert CANARY not in fs.to_json()
    with pytest.raises(TypeError, match="must be given by name"):
        ArtifactsFileSystem(CANARY, "https://x")


@pytest.mark.slow
def test_the_hash_is_of_this_process() -> None:
    """Who sees an instance's hash cannot try tokens out on it: in another process the same token has another hash."""
    program = f"from gh_artifacts_async.fs import ArtifactsFileSystem as F; print(F({CANARY!r})._token)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.startswith("Sealed(")
    assert done.stdout != f"{ArtifactsFileSystem(CANARY)._token}\n"


def test_errors_show_no_secret() -> None:
    """An option that is wrong: no frame of this package has the token or the password in its locals."""
    for wrong in ({"token": f"{CANARY} "}, {"token": CANARY, "max_bytes": 0}, {"proxy": f"ftp://u:{PASSWORD}@x"}):
        with pytest.raises(ConfigurationError) as caught:
            fsspec.filesystem("ghartifacts", **wrong)
        frame: types.TracebackType | None = caught.tb
        while frame is not None:
            if "gh_artifacts_async/" in frame.tb_frame.f_code.co_filename:
                assert CANARY not in repr(frame.tb_frame.f_locals)
                assert PASSWORD not in repr(frame.tb_frame.f_locals)
            frame = frame.tb_next
        assert CANARY not in str(caught.value)
        assert PASSWORD not in str(caught.value)


def test_configuration_of_fsspec(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token from fsspec's own configuration is sealed, too."""
    monkeypatch.setitem(fsspec.config.conf, "ghartifacts", {"token": CANARY})
    fs = ArtifactsFileSystem()
    assert all(CANARY.encode() not in (form if isinstance(form, bytes) else form.encode()) for form in shown_forms(fs))
    assert fs is ArtifactsFileSystem(token=CANARY)


# --- which instance it is


def test_instances_are_cached() -> None:
    """The same options give the same instance, in any order; another token, password or source gives another one."""
    first = fsspec.filesystem("ghartifacts", token="a", max_bytes=5)
    assert fsspec.filesystem("ghartifacts", max_bytes=5, token="a") is first
    others = [
        fsspec.filesystem("ghartifacts", token="b", max_bytes=5),
        fsspec.filesystem("ghartifacts", token="a"),
        fsspec.filesystem("ghartifacts", token="a", proxy="http://u:1@127.0.0.1:1"),
        fsspec.filesystem("ghartifacts", token="a", proxy="http://u:2@127.0.0.1:1"),
        fsspec.filesystem("ghartifacts", token=StaticToken("a")),
        fsspec.filesystem("ghartifacts", token=StaticToken("a")),
        fsspec.filesystem("ghartifacts", base_url="https://ghe.example/api/v3"),
        fsspec.filesystem("ghartifacts"),
    ]
    assert len({id(fs) for fs in [first, *others]}) == 9
    assert len({fs._fs_token for fs in [first, *others]}) == 9
    assert len({first, *others}) == 9


def test_another_environment_is_another_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    """An instance is that of the host which the environment named when it was made."""
    first = ArtifactsFileSystem()
    monkeypatch.setenv("GITHUB_API_URL", "https://ghe.example/api/v3")
    second = ArtifactsFileSystem()
    assert (first.base_url, second.base_url) == ("https://api.github.com", "https://ghe.example/api/v3")
    assert pickle.loads(pickle.dumps(first)).base_url == "https://api.github.com"  # noqa: S301
    assert first.fsid != second.fsid


def test_two_tokens(served: FakeGitHub) -> None:
    """Each instance sends its own."""
    number = add(served)
    for token in ("one", "two"):
        with mounted(served, token=token) as fs:
            fs.info(f"{REPO}/{number}")
        assert sent_tokens(served) == {token}
        served.forget_requests()


def test_copies() -> None:
    """A copy is the instance itself: it keeps its token."""
    fs = ArtifactsFileSystem(CANARY)
    assert copy.copy(fs) is fs
    assert copy.deepcopy({"fs": fs})["fs"] is fs


# --- where the token comes from


@pytest.mark.realtime
@pytest.mark.parametrize("way", ["pickle", "json", "dict", "cloudpickle"])
@pytest.mark.parametrize("variable", ["GH_ENTERPRISE_TOKEN", "ONE", "OTHER"])
def test_a_worker_takes_its_own(served: FakeGitHub, monkeypatch: pytest.MonkeyPatch, way: str, variable: str) -> None:
    """What arrives elsewhere has the options, and the token of that environment, or of the variables that it names."""
    number = add(served)
    named = None if variable == "GH_ENTERPRISE_TOKEN" else ["ONE", "OTHER"]
    more = {} if way in {"json", "dict"} else {"retry": RetryPolicy(attempts=2)}  # JSON knows no such values
    with mounted(served, token=CANARY, token_env=named, listings_expiry_time=None, **more) as fs:
        monkeypatch.setenv(variable, "of the worker".replace(" ", "-"))
        again = {
            "pickle": lambda: pickle.loads(pickle.dumps(fs)),  # noqa: S301
            "cloudpickle": lambda: cloudpickle.loads(cloudpickle.dumps(fs)),
            "json": lambda: ArtifactsFileSystem.from_json(fs.to_json()),
            "dict": lambda: ArtifactsFileSystem.from_dict(fs.to_dict()),
        }[way]()
        assert isinstance(again, ArtifactsFileSystem)
        assert again.base_url == served.base_url
        assert again.cat_file(f"{REPO}/{number}/report.csv") == CSV
        assert sent_tokens(served) == {"of-the-worker"}
        again.close()


@pytest.mark.realtime
def test_a_worker_without_a_token(served: FakeGitHub) -> None:
    """It says which variable to set; when that is set, the same instance works."""
    number = add(served)
    path = f"{REPO}/{number}/report.csv"
    with mounted(served, token=None, token_env="CI_TOKEN") as fs:
        with pytest.raises(PermissionError, match="no token: set CI_TOKEN"):
            fs.info(path)
        assert not served.requests


@pytest.mark.realtime
def test_a_token_that_comes_later(served: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one, public listings work; once it is set, so do files, with the same instance."""
    number = add(served)
    path = f"{REPO}/{number}/report.csv"
    with mounted(served, token=None) as fs:
        assert f"{REPO}/{number}" in fs.ls(REPO, detail=False)
        with pytest.raises(PermissionError, match="GH_ENTERPRISE_TOKEN"):
            fs.cat_file(path)
        monkeypatch.setenv("GH_ENTERPRISE_TOKEN", "late")
        assert fs.cat_file(path) == CSV


# --- options


def test_options_are_the_clients() -> None:
    """Every argument of a client is an option, with the same default."""
    ours = inspect.signature(ArtifactsFileSystem).parameters
    for name, parameter in inspect.signature(ArtifactsClient).parameters.items():
        assert name in ours
        if name != "api_version":
            assert ours[name].default == parameter.default


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"max_bytes": 0}, "max_bytes"),
        ({"cache_bytes": "1"}, "cache_bytes"),
        ({"token_env": 7}, "token_env"),
        ({"session": object()}, "session= belongs to the caller's event loop"),
        ({"retry": 3}, "retry"),
        ({"base_url": "ftp://x"}, "base_url"),
        ({"token": 7}, "token"),
    ],
)
def test_wrong_options(options: dict[str, Any], what: str) -> None:
    """They are an error at once, not with the first request."""
    with pytest.raises((ConfigurationError, TypeError), match=what):
        ArtifactsFileSystem(**options)


def test_unknown_options() -> None:
    """A misspelt option is an error."""
    with pytest.raises(TypeError, match="max_byte"):
        ArtifactsFileSystem(max_byte=7)  # type: ignore[call-arg]


async def test_options_are_used(github: FakeGitHub) -> None:
    """They reach the client and the caches."""
    seen: list[object] = []
    fs = filesystem(
        github,
        asynchronous=True,
        observer=seen.append,
        user_agent="me",
        api_version="2022-11-28",
        listings_expiry_time=5,
        max_paths=3,
        batch_size=2,
    )
    add(github)
    await fs._ls(REPO)
    assert seen
    assert github.requests[0].headers["User-Agent"] == "me"
    assert (fs.dircache.listings_expiry_time, fs.dircache.max_paths, fs.batch_size) == (5, 3, 2)
    await fs.aclose()


def test_the_entry_point() -> None:
    """The file system is found by its protocol, once the package is installed."""
    project = tomllib.loads((Path(__file__).parent.parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
    (entry,) = project["project"]["entry-points"]["fsspec.specs"].items()
    assert entry == ("ghartifacts", "gh_artifacts_async.fs:ArtifactsFileSystem")
    assert fsspec.get_filesystem_class(ArtifactsFileSystem.protocol) is ArtifactsFileSystem


# --- what writes

WRITING: dict[str, tuple[Any, ...]] = {
    "cp": ("a", "b"),
    "cp_file": ("a", "b"),
    "copy": ("a", "b"),
    "delete": ("a",),
    "makedir": ("a",),
    "makedirs": ("a",),
    "mkdir": ("a",),
    "mkdirs": ("a",),
    "move": ("a", "b"),
    "mv": ("a", "a"),
    "pipe": ("a", b"x"),
    "pipe_file": ("a", b"x"),
    "put": ("a", "b"),
    "put_file": ("a", "b"),
    "rename": ("a", "b"),
    "rm": ("a",),
    "rm_file": ("a",),
    "rmdir": ("a",),
    "start_transaction": (),
    "touch": ("a",),
    "upload": ("a", "b"),
    "write_bytes": ("a", b"x"),
    "write_text": ("a", "x"),
}


@pytest.mark.parametrize("method", WRITING)
def test_what_writes(method: str) -> None:
    """Each of fsspec's methods that write is refused with one line, and sends nothing."""
    fs = ArtifactsFileSystem("token", base_url="http://127.0.0.1:9")
    with pytest.raises(NotImplementedError, match=r"^ghartifacts:// is read-only: .*$"):
        getattr(fs, method)(*WRITING[method])


@pytest.mark.parametrize(
    "method",
    [
        "_cp_file",
        "_copy",
        "_mv_file",
        "_pipe",
        "_pipe_file",
        "_put",
        "_put_file",
        "_rm",
        "_rm_file",
        "_mkdir",
        "_makedirs",
    ],
)
async def test_what_writes_with_await(method: str) -> None:
    """So is each of those that are awaited."""
    fs = ArtifactsFileSystem("token", base_url="http://127.0.0.1:9", asynchronous=True)
    with pytest.raises(NotImplementedError, match="read-only"):
        await getattr(fs, method)("a", "b")


def test_a_mapper_is_read_only() -> None:
    """A mapping over a folder refuses as well."""
    mapper = ArtifactsFileSystem("token", base_url="http://127.0.0.1:9").get_mapper(f"{REPO}/7")
    with pytest.raises(NotImplementedError, match="read-only"):
        mapper["a"] = b"x"


# --- what is loaded


def test_imports() -> None:
    """The package does not load fsspec; without fsspec, the file system names the extra in one line."""
    program = """
import sys
import gh_artifacts_async
gh_artifacts_async.ArtifactsClient
assert not [name for name in sys.modules if name.partition(".")[0] == "fsspec"]
sys.modules["fsspec"] = None
try:
    import gh_artifacts_async.fs
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == 'gh_artifacts_async.fs needs the extra "fs": pip install "gh-artifacts-async[fs]"\n'
