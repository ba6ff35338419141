"""Arguments that cannot be right are refused before anything is sent, and errors of obstore's show no secret."""

from __future__ import annotations

import subprocess
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from obstore.exceptions import GenericError, PermissionDeniedError, UnauthenticatedError
from obstore.store import HTTPStore, LocalStore, MemoryStore, S3Store

from gh_artifacts_async import (
    Artifact,
    ArtifactRef,
    ArtifactsClient,
    ConfigurationError,
    MissingTokenError,
    ObjectStoreError,
    ObjectStoreUnavailableError,
)
from gh_artifacts_async.stores import checks
from tests.kits.objectstores import store_all
from tests.kits.transfer import REPO, add, client_for, get

if TYPE_CHECKING:
    from gh_artifacts_async.testing import FakeGitHub

REF = ArtifactRef(REPO, 7)
SIGNED = "https://x.blob.core.windows.net/c/k?sv=2024&sig=c4n4ry%3D"


@pytest.mark.parametrize("key", ["a", "a/b.zip", "ü/ä b#1?x=y", "a b", "a\u200db", "x" * 1024, ".hidden/..a"])
def test_keys(key: str) -> None:
    """A key may have whatever all stores take."""
    assert checks.check_key(key) is key


@pytest.mark.parametrize(
    "key",
    [
        *("", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a\nb", "a\x00", "a\x7f", "\udc80"),
        *("a\\b", "..\\a", "ü" * 513, "a.zip.gh-artifacts.json", None, 7, b"a", Path("a")),
    ],
)
async def test_bad_keys(github: FakeGitHub, client: ArtifactsClient, key: Any) -> None:
    """A key that some store would refuse or change is refused, and nothing is requested."""
    with pytest.raises(ConfigurationError, match="key "):
        await client.store(REF, MemoryStore(), key)
    assert not github.requests


@pytest.mark.parametrize("store", [None, "s3://bucket", Path(), MemoryStore])
async def test_no_store(github: FakeGitHub, client: ArtifactsClient, store: Any) -> None:
    """What is no store of obstore's is named by its type, since a URL may hold a secret."""
    with pytest.raises(ConfigurationError, match=r"^store must be a store of obstore.*, not \w+$"):
        await client.store(REF, store, "a")
    with pytest.raises(ConfigurationError, match="store must be"):
        client.store_many([REF], store)
    assert not github.requests


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"if_exists": "overwrite"}, "if_exists"),
        ({"concurrency": 0}, "concurrency"),
        ({"layout": "{nope}"}, "layout"),
    ],
)
async def test_other_arguments(github: FakeGitHub, client: ArtifactsClient, options: Any, match: str) -> None:
    """The other arguments are checked as those of downloads are."""
    with pytest.raises(ConfigurationError, match=match):
        client.store_many([REF], MemoryStore(), **options)
    if "if_exists" in options:
        with pytest.raises(ConfigurationError, match=match):
            await client.store(REF, MemoryStore(), "a", **options)
    assert not github.requests


async def test_one_artifact_is_no_collection(client: ArtifactsClient) -> None:
    """``store_many`` of one artifact is a mistake."""
    with pytest.raises(ConfigurationError, match="iterable"):
        await store_all(client, REF, MemoryStore())


async def test_no_token(github: FakeGitHub) -> None:
    """GitHub serves the bytes only to those who have a token."""
    async with client_for(github, token=None) as anonymous:
        with pytest.raises(MissingTokenError):
            await anonymous.store(REF, MemoryStore(), "a")
        with pytest.raises(MissingTokenError):
            anonymous.store_many([REF], MemoryStore())
    assert not github.requests


async def test_not_an_artifact(client: ArtifactsClient) -> None:
    """Something else is refused, and an artifact without a repository too."""
    with pytest.raises(ConfigurationError, match="expected an Artifact"):
        await client.store("docs", MemoryStore(), "a")  # type: ignore[arg-type]
    nowhere = Artifact(id=7, name="docs", size_in_bytes=1, url="u", archive_download_url="u/zip", expired=False)
    with pytest.raises(ConfigurationError, match="repository"):
        await client.store(nowhere, MemoryStore(), "a")


async def test_the_extra_is_missing(client: ArtifactsClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without obstore one line says what to install."""
    checks._kinds.cache_clear()
    for module in ("obstore", "obstore.store"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigurationError, match=r'^storing .* needs the extra "stores": pip install "gh-artifacts'):
        await client.store(REF, object(), "a")  # type: ignore[arg-type]
    monkeypatch.undo()
    await checks_again()


async def checks_again() -> None:
    """Find obstore again, as before the test."""
    checks.check_store(MemoryStore())


class Folder(LocalStore):
    """A store of a class of the user's own."""


def test_which_stores_keep_attributes(tmp_path: Path) -> None:
    """A folder keeps none, whatever its class is called, and a web server drops them."""
    assert checks.takes_attributes(MemoryStore())
    assert not checks.takes_attributes(HTTPStore.from_url("https://example.com/"))
    assert not checks.takes_attributes(Folder(tmp_path))


@pytest.mark.parametrize("key", ["a#1", "b/a#07", "b/" + "x" * 238, "ü" * 119, "x" * 238 + "/a"])
async def test_keys_of_a_folder(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, key: str) -> None:
    """What cannot be the name of a file there, or whose record cannot, is refused before anything is requested."""
    with pytest.raises(ConfigurationError, match="folder"):
        await client.store(REF, LocalStore(tmp_path), key)
    assert not github.requests
    checks.check_key_for(MemoryStore(), key)


@pytest.mark.parametrize("key", ["a#1.zip", "#", "a#1/b", "a#٣", "b/" + "x" * 237])
def test_other_keys_of_a_folder(tmp_path: Path, key: str) -> None:
    """Anything else may be the name of a file there, and of an object."""
    checks.check_key_for(LocalStore(tmp_path), key)
    assert checks.storable(key) == key


def test_what_is_in_s3() -> None:
    """A class that a user has derived is what it is derived from."""
    assert checks.is_s3(type("Ours", (S3Store,), {})("bucket", region="x"))
    assert not checks.is_s3(MemoryStore())


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (
            GenericError(f"Generic MicrosoftAzure error: Error performing PUT {SIGNED} in 5ms - HTTP error\n\nDebug"),
            ObjectStoreError,
            "Azure error: Error performing PUT https://x.blob.core.windows.net/c/k in 5ms - HTTP error",
        ),
        (
            PermissionDeniedError(
                "The operation lacked privileges: Error performing PUT http://u:c4n4ry@h/b/k - 403 Forbidden: <?xml\n"
                "<Error><Code>SignatureDoesNotMatch</Code><StringToSign>x-amz-security-token:c4n4ry</StringToSign>"
            ),
            ObjectStoreUnavailableError,
            "http://h/b/k - 403 Forbidden (SignatureDoesNotMatch); check the credentials and what they allow",
        ),
        (UnauthenticatedError("who"), ObjectStoreUnavailableError, "who; check the credentials"),
        (FileNotFoundError("Object at location k not found: 404 Not Found: "), ObjectStoreUnavailableError, "bucket"),
        (NotImplementedError("Operation `put_multipart` not yet implemented"), ObjectStoreError, "not yet implemented"),
        (
            UnauthenticatedError("lacked credentials for path External AWS credential provider: KeyError: c4n4ry (x)"),
            ObjectStoreUnavailableError,
            "path External AWS credential provider: KeyError; check the credentials",
        ),
        (RuntimeError(f"provider: {SIGNED} c4n4ry"), ObjectStoreError, "cannot store 'k': RuntimeError"),
    ],
)
def test_what_errors_say(error: Exception, kind: type[ObjectStoreError], text: str) -> None:
    """One line without queries, user names and whole answers; those that mean the whole store have a class."""
    found = checks.failed("store", "k", error)
    assert type(found) is kind
    assert text in str(found)
    assert str(found).startswith("cannot store 'k'")
    assert found.key == "k"
    assert "c4n4ry" not in "".join(traceback.format_exception(found))
    assert "\n" not in str(found)


def test_an_answer_to_a_question() -> None:
    """A store that cannot even be asked would refuse every other object too."""
    assert type(checks.failed("look for", "k", GenericError("x"))) is ObjectStoreError
    assert type(checks.failed("look for", "k", GenericError("x"), asked_only=True)) is ObjectStoreUnavailableError


@pytest.mark.realtime
async def test_plain_http(github: FakeGitHub, client: ArtifactsClient) -> None:
    """What a server without TLS needs is said, since obstore itself says no more than "builder error"."""
    store = S3Store("b", endpoint="http://127.0.0.1:1", region="x", access_key_id="a", secret_access_key="b")
    with pytest.raises(ObjectStoreUnavailableError, match=r"needs AWS_ALLOW_HTTP=true, or .*allow_http"):
        await client.store(await get(client, add(github)), store, "a")


ENDS_AT_ONCE = """
import asyncio, obstore
from gh_artifacts_async.stores.checks import check_store
async def chunks():
    for _ in range(3):
        await asyncio.sleep(0.01)
        yield b"x"
async def main():
    store = obstore.store.MemoryStore()
    check_store(store)
    await obstore.put_async(store, "a", chunks())
asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.realtime
def test_programs_end_well() -> None:
    """A program that ends right after its last call does not abort, as every fourth one does without the wait."""
    for _ in range(8):
        done = subprocess.run([sys.executable, "-c", ENDS_AT_ONCE], capture_output=True, check=False, timeout=20)  # noqa: S603
        assert done.returncode == 0, done.stderr.decode()
