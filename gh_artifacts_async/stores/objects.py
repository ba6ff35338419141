"""Which artifact an object is: its attributes, or the record beside it where a store keeps no attributes."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.protocol.throttling import whole
from gh_artifacts_async.protocol.validators import expected_sha256
from gh_artifacts_async.stores.checks import RECORD_SUFFIX, failed, takes_attributes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obstore.store import ObjectStore

    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.protocol.filenames import Kind

_LONGEST_RECORD = 64 * 1024
_BLOCK = 2**20
_VERSION = 1


@attrs.frozen(kw_only=True)
class Facts:
    """Which artifact an object says it is.

    Attributes:
        artifact_id: GitHub's number.
        repository: ``owner/name``.
        sha256: of the bytes, lower-case hex; None if it was not known before them.
    """

    artifact_id: int
    repository: str
    sha256: str | None


@attrs.frozen(kw_only=True)
class Found:
    """What is there under a key.

    Attributes:
        key: the key.
        size: bytes.
        e_tag: changes with the bytes; None if the store has none.
        facts: which artifact it is; None if nothing says so.
    """

    key: str
    size: int
    e_tag: str | None
    facts: Facts | None


def attributes_of(artifact: Artifact, kind: Kind, content_type: str | None, sha256: str | None) -> dict[str, str]:
    """Return an object's attributes.

    Their names are those that all stores take: Azure wants identifiers, and proxies drop headers with underscores.

    Args:
        artifact: which one.
        kind: zip or raw.
        content_type: as GitHub's storage sent it.
        sha256: of the bytes, if it is known before them.
    """
    raw = content_type if content_type and content_type.isascii() and content_type.isprintable() else None
    found = {
        "Content-Type": "application/zip" if kind == "zip" else raw or "application/octet-stream",
        "artifactid": str(artifact.id),
        "repository": str(artifact.repository),
    }
    if artifact.run_id is not None:
        found["runid"] = str(artifact.run_id)
    if sha256 is not None:
        found["sha256"] = sha256
    return found


async def look(store: ObjectStore, key: str, *, blindly: bool = False) -> Found | None:
    """Return what is there under a key; None for nothing. The object itself is not read.

    Args:
        store: the store.
        key: the key.
        blindly: to be denied the answer counts as nothing: S3 denies it to those who may write but not list.

    Raises:
        ObjectStoreError: the store did not say.
    """
    from obstore.exceptions import PermissionDeniedError

    try:
        got = await store.get_async(key, options={"head": True})
        meta, attributes = got.meta, got.attributes
    except FileNotFoundError:
        return None
    except Exception as error:  # noqa: BLE001 - whatever obstore raises, and what the user's credentials raise
        if blindly and isinstance(error, PermissionDeniedError):
            return None
        problem = failed("look for", key, error, asked_only=takes_attributes(store))
    else:
        found = Found(key=key, size=meta["size"], e_tag=meta["e_tag"], facts=_facts(attributes))
        return found if found.facts is not None else attrs.evolve(found, facts=await _recorded(store, found))
    raise problem


def _facts(told: Mapping[str, object]) -> Facts | None:
    """Return what an object's attributes or a record say; None if they are not ours."""
    values = {name.lower(): value for name, value in told.items()}
    number, repository, sha256 = (str(values.get(name, "")) for name in ("artifactid", "repository", "sha256"))
    artifact_id = whole(number)
    if artifact_id is None or not repository:
        return None
    return Facts(artifact_id=artifact_id, repository=repository, sha256=sha256.lower() or None)


async def _recorded(store: ObjectStore, found: Found) -> Facts | None:
    """Return what the record beside an object says of it; None if it is about something else that was there.

    Raises:
        ObjectStoreError: the store did not say.
    """
    key = found.key + RECORD_SUFFIX
    try:
        got = await store.get_async(key)
        text = bytes(await got.bytes_async()) if got.meta["size"] <= _LONGEST_RECORD else b""
    except FileNotFoundError:
        return None
    except Exception as error:  # noqa: BLE001 - as above
        problem = failed("read", key, error)
    else:
        return _read_record(text, found)
    raise problem


def _read_record(text: bytes, found: Found) -> Facts | None:
    """Return what a record says; None if it is damaged, or about other bytes than those that are there now."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    about = isinstance(told, dict) and found.e_tag is not None
    about = about and (told.get("e_tag"), told.get("size")) == (found.e_tag, found.size)
    return _facts(told) if about else None


async def write_record(
    store: ObjectStore, key: str, artifact: Artifact, *, sha256: str | None, size: int, e_tag: str | None
) -> None:
    """Write the record beside an object.

    Raises:
        ObjectStoreError: the store refused it.
    """
    record = attributes_of(artifact, "zip", None, sha256)
    del record["Content-Type"]
    text = json.dumps({"version": _VERSION, **record, "size": size, "e_tag": e_tag}, indent=1)
    try:
        await store.put_async(key + RECORD_SUFFIX, text.encode(), use_multipart=False)
    except Exception as error:  # noqa: BLE001 - as above
        problem = failed("store", key + RECORD_SUFFIX, error)
    else:
        return
    raise problem


def says_the_same(artifact: Artifact, found: Found) -> bool:
    """Whether what is known of an object says that it is the artifact."""
    facts, expected = found.facts, expected_sha256(artifact)
    if facts is None:
        return False
    if (facts.artifact_id, facts.repository.lower()) != (artifact.id, str(artifact.repository).lower()):
        return False
    return expected is None or (facts.sha256 in {None, expected} and found.size == artifact.size_in_bytes)


async def reads_the_same(store: ObjectStore, artifact: Artifact, found: Found) -> bool:
    """Whether an object of which nothing is known has the artifact's bytes, by GitHub's digest; it is read.

    Raises:
        ObjectStoreError: it cannot be read.
    """
    digest = hashlib.sha256(usedforsecurity=False)
    try:
        got = await store.get_async(found.key)
        async for block in got.stream(min_chunk_size=_BLOCK):
            digest.update(block)
    except FileNotFoundError:
        return False
    except Exception as error:  # noqa: BLE001 - as above
        problem = failed("read", found.key, error)
    else:
        return digest.hexdigest() == expected_sha256(artifact)
    raise problem
