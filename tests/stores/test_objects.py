"""What an object says of itself, and what is believed of it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import obstore
import pytest
from obstore.exceptions import GenericError

from gh_artifacts_async import Artifact, ArtifactRun, Digest, ObjectStoreError, RepositoryName
from gh_artifacts_async.stores import objects
from gh_artifacts_async.stores.objects import Facts, Found
from tests.kits.objectstores import RECORD, content

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.realtime  # obstore's threads

SHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # of b"abc"
KEY = "a/docs.zip"


def artifact_of(**values: Any) -> Artifact:
    """Return an artifact with the bytes ``abc``."""
    given = {
        "id": 7,
        "name": "docs",
        "size_in_bytes": 3,
        "url": "u",
        "archive_download_url": "u/zip",
        "expired": False,
        "digest": Digest("sha256", SHA256),
        "repository": RepositoryName("octo-org", "octo-docs"),
        "workflow_run": ArtifactRun(id=9),
        **values,
    }
    return Artifact(**given)


FACTS = Facts(artifact_id=7, repository="octo-org/octo-docs", sha256=SHA256)


def found_of(**values: Any) -> Found:
    """Return what is there."""
    return Found(**{"key": KEY, "size": 3, "e_tag": "x", "facts": FACTS, **values})


@pytest.mark.parametrize(
    ("kind", "content_type", "expected"),
    [
        ("zip", "zip", "application/zip"),
        ("zip", None, "application/zip"),
        ("raw", "text/html; charset=utf-8", "text/html; charset=utf-8"),
        ("raw", None, "application/octet-stream"),
        ("raw", "text/ü", "application/octet-stream"),
        ("raw", "text/x\r\ny: z", "application/octet-stream"),
    ],
)
def test_content_type(kind: Any, content_type: str | None, expected: str) -> None:
    """A zip is told as one, whatever Azure called it; what no header can carry is left out."""
    assert objects.attributes_of(artifact_of(), kind, content_type, None)["Content-Type"] == expected


def test_attributes() -> None:
    """Their names are identifiers without underscores, and what is not known has none."""
    told = objects.attributes_of(artifact_of(), "zip", None, SHA256)
    assert told == {
        "Content-Type": "application/zip",
        "artifactid": "7",
        "repository": "octo-org/octo-docs",
        "runid": "9",
        "sha256": SHA256,
    }
    assert all(name.isalnum() and name.islower() for name in set(told) - {"Content-Type"})
    assert objects.attributes_of(artifact_of(workflow_run=None), "zip", None, None).keys() == {
        "Content-Type",
        "artifactid",
        "repository",
    }


@pytest.mark.parametrize(
    ("artifact", "found", "same"),
    [
        ({}, {}, True),
        ({}, {"facts": None}, False),
        ({}, {"size": 4}, False),
        ({}, {"facts": Facts(artifact_id=8, repository="octo-org/octo-docs", sha256=SHA256)}, False),
        ({}, {"facts": Facts(artifact_id=7, repository="octo-org/other", sha256=SHA256)}, False),
        ({}, {"facts": Facts(artifact_id=7, repository="Octo-Org/octo-docs", sha256=SHA256)}, True),
        ({}, {"facts": Facts(artifact_id=7, repository="octo-org/octo-docs", sha256="0" * 64)}, False),
        ({}, {"facts": Facts(artifact_id=7, repository="octo-org/octo-docs", sha256=None)}, True),
        ({"digest": None}, {"size": 4, "facts": FACTS}, True),
        ({"digest": Digest("sha512", "0" * 128)}, {}, True),
    ],
)
def test_the_same(artifact: Any, found: Any, same: bool) -> None:  # noqa: FBT001
    """It is the same if id and repository are, and where GitHub has a digest, digest and size."""
    assert objects.says_the_same(artifact_of(**artifact), found_of(**found)) is same


async def test_nothing_there(store: Any) -> None:
    """A key without an object is no error."""
    assert await objects.look(store, KEY) is None


@pytest.mark.parametrize(
    "attributes",
    [{}, {"artifactid": "7"}, {"artifactid": "x", "repository": "o/r"}, {"artifactid": "²", "repository": "r"}]
    + [{"artifactid": number, "repository": "o/r"} for number in ("9" * 5000, "\u0661", "-7", "1_0")],
)
async def test_of_another_tool(memory: Any, attributes: Any) -> None:
    """An object that says nothing, or half of it, is there, and nothing is known of it."""
    await memory.put_async(KEY, b"abc", attributes=attributes)
    found = await objects.look(memory, KEY)
    assert found is not None
    assert (found.size, found.facts) == (3, None)


async def test_attributes_in_capitals(memory: Any) -> None:
    """Stores may change the case of names."""
    await memory.put_async(KEY, b"abc", attributes={"ArtifactId": "7", "Repository": "o/r", "SHA256": SHA256.upper()})
    found = await objects.look(memory, KEY)
    assert found is not None
    assert found.facts == Facts(artifact_id=7, repository="o/r", sha256=SHA256)


async def stored(store: Any) -> Found:
    """Store an object and its record."""
    put = await store.put_async(KEY, b"abc")
    await objects.write_record(store, KEY, artifact_of(), sha256=SHA256, size=3, e_tag=put["e_tag"])
    found = await objects.look(store, KEY)
    assert found is not None
    return found


async def test_record(store: Any) -> None:
    """The record says what attributes say, and which object it is about."""
    assert (await stored(store)).facts == FACTS
    record = json.loads(content(store, KEY + RECORD))
    assert record.pop("e_tag") == obstore.head(store, KEY)["e_tag"]
    assert record == {
        "version": 1,
        "artifactid": "7",
        "repository": "octo-org/octo-docs",
        "runid": "9",
        "sha256": SHA256,
        "size": 3,
    }


@pytest.mark.parametrize(
    "record", [b"", b"[]", b"7", b"{}", b"\xff", b"x" * 70_000, b'{"e_tag": null, "size": 3}', b"[" * 60_000]
)
async def test_no_record(store: Any, record: bytes) -> None:
    """A record that is none is not believed."""
    await stored(store)
    await store.put_async(KEY + RECORD, record)
    found = await objects.look(store, KEY)
    assert found is not None
    assert found.facts is None


async def test_record_of_what_was_there(store: Any) -> None:
    """A record does not hold for an object that took the place of its own, whatever its size."""
    await stored(store)
    await asyncio.sleep(0.01)
    await store.put_async(KEY, b"xyz")
    found = await objects.look(store, KEY)
    assert found is not None
    assert found.facts is None


@pytest.mark.parametrize(("data", "same"), [(b"abc", True), (b"xyz", False)])
async def test_reading(store: Any, data: bytes, same: bool) -> None:  # noqa: FBT001
    """What says nothing is known by its bytes."""
    await store.put_async(KEY, data)
    assert await objects.reads_the_same(store, artifact_of(), found_of()) is same


async def test_gone_meanwhile(store: Any) -> None:
    """An object that is removed before it is read is not the artifact."""
    assert await objects.reads_the_same(store, artifact_of(), found_of()) is False


class Failing:
    """A store that fails as obstore does."""

    async def get_async(self, key: str, *_: Any, **__: Any) -> Any:
        """Fail, and say a secret in the lines below the first one."""
        raise GenericError(f"Generic S3 error: Error performing GET http://h/{key}?sig=c4n4ry in 1s\n\nuri: c4n4ry")

    put_async = get_async


@pytest.mark.parametrize("call", ["look", "record", "reads", "write"])
async def test_failures(call: str, tmp_path: Path) -> None:
    """Each question that fails is one error of ours, which nothing of obstore's hangs on."""
    store: Any = Failing()
    calls = {
        "look": lambda: objects.look(store, KEY),
        "record": lambda: objects._recorded(store, found_of()),
        "reads": lambda: objects.reads_the_same(store, artifact_of(), found_of()),
        "write": lambda: objects.write_record(store, KEY, artifact_of(), sha256=None, size=3, e_tag=None),
    }
    with pytest.raises(ObjectStoreError, match=r"Error performing GET http://h/a/docs\.zip\S* in 1s") as caught:
        await calls[call]()
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    frame = caught.value.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == objects.__file__:
            assert "c4n4ry" not in repr(frame.tb_frame.f_locals)
        frame = frame.tb_next
    assert not list(tmp_path.iterdir())
