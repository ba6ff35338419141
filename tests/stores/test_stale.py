"""Uploads that killed processes left in a bucket are aborted, and no others."""

from __future__ import annotations

import sys
import threading
import traceback
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from obstore.store import MemoryStore, S3Store

from gh_artifacts_async import ConfigurationError, ObjectStoreError
from gh_artifacts_async.stores import abort_stale_uploads, stale
from tests.kits.objectstores import BUCKET, CREDENTIALS, Bucket, moto_bucket, sockets_closed

if TYPE_CHECKING:
    from collections.abc import Generator

pytestmark = pytest.mark.realtime


@pytest.fixture(scope="module")
def server() -> Generator[Bucket]:
    """Run moto's server."""
    with moto_bucket() as found:
        yield found


@pytest.fixture(autouse=True)
def sockets() -> Generator[None]:
    """Give obstore's threads time to close what a test has opened."""
    with sockets_closed():
        yield


@pytest.fixture
def bucket(server: Bucket) -> Bucket:
    """A bucket in which three uploads are open."""
    server.empty()
    for key in ("a/1.zip", "a/2.zip", "b/1.zip"):
        server.s3.create_multipart_upload(Bucket=BUCKET, Key=key)
    return server


def passed(monkeypatch: pytest.MonkeyPatch, **by: float) -> None:
    """Let so much time have passed since the uploads were begun, for which moto has one moment."""
    begun = datetime(2010, 11, 10, 20, 48, 33, tzinfo=UTC)
    monkeypatch.setattr(stale, "utcnow", lambda: begun + timedelta(**by))


@pytest.mark.slow
@pytest.mark.sample
@pytest.mark.parametrize(
    ("given", "prefix", "aborted"),
    [
        ({}, "", {"a/1.zip", "a/2.zip", "b/1.zip"}),
        ({}, "a/", {"a/1.zip", "a/2.zip"}),
        ({"prefix": "a"}, "", {"a/1.zip", "a/2.zip"}),
        ({"prefix": "a"}, "1", {"a/1.zip"}),
    ],
)
async def test_aborted(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, given: Any, prefix: str, aborted: set[str]
) -> None:
    """Those below the prefix are, once they are older than that; the others stay."""
    store = bucket.store(**given)
    passed(monkeypatch, hours=23)
    assert await abort_stale_uploads(store, prefix) == ()
    assert len(bucket.uploads()) == 3
    passed(monkeypatch, hours=25)
    assert set(await abort_stale_uploads(store, prefix)) == aborted
    assert set(bucket.uploads()) == {"a/1.zip", "a/2.zip", "b/1.zip"} - aborted
    assert await abort_stale_uploads(store, prefix, older_than=timedelta(hours=26)) == ()


@pytest.mark.slow
@pytest.mark.parametrize("awaited", [False, True])
async def test_credentials_of_a_provider(bucket: Bucket, monkeypatch: pytest.MonkeyPatch, awaited: bool) -> None:  # noqa: FBT001
    """A store that asks for its credentials does so here too."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    given: dict[str, Any] = {**CREDENTIALS, "token": "t", "expires_at": None}
    asked = []

    def plain() -> dict[str, Any]:
        asked.append(1)
        return given

    async def later_on() -> dict[str, Any]:
        return plain()

    store = bucket.store(credential_provider=later_on if awaited else plain, access_key_id=None, secret_access_key=None)
    passed(monkeypatch, days=2)
    assert len(await abort_stale_uploads(store)) == 3
    assert asked


class Mine(S3Store):
    """A store of a class of the user's own."""


def _broken() -> dict[str, Any]:
    msg = "c4n4ry"
    raise RuntimeError(msg)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"credential_provider": _broken}, "the credential provider of the store raised RuntimeError"),
        ({"endpoint": "://c4n4ry"}, "cannot abort the uploads in bucket 'artifacts': ValueError"),
    ],
)
async def test_what_a_store_cannot_say(monkeypatch: pytest.MonkeyPatch, options: Any, said: str) -> None:
    """Whatever the user's provider and botocore raise is one class of error, without their text."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    store = Mine(BUCKET, **{"endpoint": "http://127.0.0.1:9", "region": "us-east-1", **CREDENTIALS, **options})
    with pytest.raises(ObjectStoreError) as caught:
        await abort_stale_uploads(store)
    assert str(caught.value) == said
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = "".join(
        line for frame in shown.stack if "/stores/stale.py" in frame.filename for line in frame.locals.values()
    )
    assert CREDENTIALS["secret_access_key"] not in ours
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def _upload(key: str) -> str:
    return f"<Upload><Key>{key}</Key><UploadId>1</UploadId><Initiated>2010-11-10T20:48:33Z</Initiated></Upload>"


class Answers(BaseHTTPRequestHandler):
    """Lists three open uploads in S3's words; one has ended by the time of its abortion, one may not be aborted."""

    def do_GET(self) -> None:
        """List."""
        listed = "".join(map(_upload, ("ended", "left", *(["refused"] if self.path.startswith("/strict?") else []))))
        self._send(200, f"<ListMultipartUploadsResult>{listed}</ListMultipartUploadsResult>")

    def do_DELETE(self) -> None:
        """Abort."""
        status, code = {"ended": (404, "NoSuchUpload"), "refused": (403, "AccessDenied")}.get(
            self.path.split("/")[2].partition("?")[0], (204, "")
        )
        self._send(status, f"<Error><Code>{code}</Code></Error>" if code else "")

    def _send(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


async def test_what_s3_answers() -> None:
    """What has ended meanwhile is left out; what is refused is an error with S3's code."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        bucket = Bucket(f"http://127.0.0.1:{server.server_port}", None)
        try:
            assert await abort_stale_uploads(bucket.store("quiet")) == ("left",)
            with pytest.raises(ObjectStoreError, match=r"'strict': AccessDenied$"):
                await abort_stale_uploads(bucket.store("strict"))
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["AWS_ENDPOINT", "AWS_ENDPOINT_URL"])
async def test_an_address_of_the_environment(bucket: Bucket, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A store whose server is named by the environment alone is asked there, and not at Amazon's."""
    monkeypatch.setenv(name, bucket.url)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    passed(monkeypatch, days=2)
    store = bucket.store(endpoint=None, region=None)
    assert "endpoint" not in store.config
    assert len(await abort_stale_uploads(store)) == 3


@pytest.mark.slow
async def test_ended_meanwhile(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload that ends between question and abortion is no failure, and is not among those aborted."""
    passed(monkeypatch, days=2)
    abort_one = stale._abort_one

    def late(client: Any, name: str, upload: Any) -> bool:
        if upload["Key"] == "a/2.zip":
            client.abort_multipart_upload(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])
        return abort_one(client, name, upload)

    monkeypatch.setattr(stale, "_abort_one", late)
    assert set(await abort_stale_uploads(bucket.store())) == {"a/1.zip", "b/1.zip"}
    assert bucket.uploads() == []


@pytest.mark.slow
async def test_no_bucket(bucket: Bucket) -> None:
    """What S3 refuses is an error that shows its code."""
    with pytest.raises(ObjectStoreError, match="cannot abort the uploads in bucket 'no-such-bucket': NoSuchBucket"):
        await abort_stale_uploads(bucket.store("no-such-bucket"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({}, "http://127.0.0.1:9"),
        ({"virtual_hosted_style_request": True, "endpoint": "http://artifacts.s3.example:9"}, "http://s3.example:9"),
        ({"endpoint": None}, "https://s3.eu-central-1.amazonaws.com"),
        ({"skip_signature": True}, "http://127.0.0.1:9"),
    ],
)
def test_addresses(options: Any, url: str) -> None:
    """Botocore's client talks to the server that obstore's store talks to."""
    store = Bucket("http://127.0.0.1:9", None).store(**{"region": "eu-central-1", **options})
    config = {name: value for name, value in store.config.items() if name not in CREDENTIALS}
    made = stale._client(config, {})
    try:
        assert made.meta.endpoint_url == url
        assert made.meta.region_name == "eu-central-1"
    finally:
        made.close()


@pytest.mark.parametrize("age", [timedelta(0), timedelta(seconds=-1), 60, None])
async def test_ages(age: Any) -> None:
    """An age that would take uploads that are under way is refused."""
    with pytest.raises(ConfigurationError, match="older_than"):
        await abort_stale_uploads(Bucket("http://127.0.0.1:9", None).store(), older_than=age)


async def test_other_stores() -> None:
    """Only S3 keeps them for this call."""
    with pytest.raises(ConfigurationError, match="must be an S3Store, not MemoryStore"):
        await abort_stale_uploads(MemoryStore())  # type: ignore[arg-type]


async def test_without_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without botocore one line says what to install."""
    monkeypatch.setitem(sys.modules, "botocore", None)
    with pytest.raises(ConfigurationError, match=r"needs botocore.*pip install botocore"):
        await abort_stale_uploads(Bucket("http://127.0.0.1:9", None).store())
