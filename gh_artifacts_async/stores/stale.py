"""Aborts uploads in parts that killed processes have left in S3: nobody sees their parts, and they cost money."""

from __future__ import annotations

import importlib
import inspect
import os
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gh_artifacts_async.api.clock import utcnow
from gh_artifacts_async.errors import ConfigurationError, ObjectStoreError
from gh_artifacts_async.results import Secret
from gh_artifacts_async.stores.checks import check_store, is_s3
from gh_artifacts_async.transfer.disk.writer import in_thread

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from obstore.store import S3Store

_CREDENTIALS = {
    "access_key_id": "aws_access_key_id",
    "secret_access_key": "aws_secret_access_key",
    "session_token": "aws_session_token",
    "token": "aws_session_token",
}

_SETTINGS = ("bucket", "endpoint", "region", "default_region", "virtual_hosted_style_request", "skip_signature")

_ENVIRONMENT = {  # the last one counts
    "AWS_ENDPOINT_URL": "endpoint",
    "AWS_ENDPOINT": "endpoint",
    "AWS_DEFAULT_REGION": "default_region",
    "AWS_REGION": "region",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "virtual_hosted_style_request",
    "AWS_SKIP_SIGNATURE": "skip_signature",
}


async def abort_stale_uploads(
    store: S3Store, prefix: str = "", *, older_than: timedelta = timedelta(days=1)
) -> tuple[str, ...]:
    """Abort the uploads in parts that processes left in a bucket of S3 when they were killed; needs botocore.

    An upload that merely fails or is cancelled is aborted by itself. For what is left, a bucket should have the
    lifecycle rule AbortIncompleteMultipartUpload; this is for buckets without it, and for who does not want to wait.
    Google's buckets have the same rule, and Azure forgets such parts after a week. Any program's uploads are aborted,
    since S3 does not say whose they are.

    Args:
        store: its bucket, prefix, endpoint and credentials are used, those from the environment too; without
            credentials, those that botocore finds.
        prefix: begins the keys, below the store's own prefix; ``""`` for all.
        older_than: by when they were begun; more than the longest upload that may be under way.

    Returns:
        The keys, as S3 has them, one for each upload that was aborted.

    Raises:
        ConfigurationError: the store is not of S3, ``older_than`` is not above 0, or botocore is not installed.
        ObjectStoreError: S3 refused it, or did not answer.
    """
    check_store(store)
    if not is_s3(store):
        msg = f"store must be an S3Store, not {type(store).__name__}: no other store keeps such uploads for this call"
        raise ConfigurationError(msg)
    if not isinstance(older_than, timedelta) or older_than <= timedelta(0):
        msg = f"older_than must be a timedelta above 0, not {older_than!r}"
        raise ConfigurationError(msg)
    given = {**_of_environment(), **store.config, **await _provided(store)}
    secrets = {ours: Secret(str(given[name])) for name, ours in _CREDENTIALS.items() if given.get(name)}
    config = {name: given[name] for name in _SETTINGS if name in given}
    del given  # no frame is to hold secrets that show
    below = f"{store.prefix}/{prefix}" if store.prefix else prefix
    return await in_thread(lambda: _abort(config, secrets, below, utcnow() - older_than))


def _of_environment() -> dict[str, str]:
    """Return the settings that obstore takes from the environment, and does not show: botocore reads other names.

    Without them a bucket of the same name at another server would be asked.
    """
    return {ours: os.environ[name] for name, ours in _ENVIRONMENT.items() if os.environ.get(name)}


async def _provided(store: S3Store) -> Mapping[str, Any]:
    """Return what the store's credential provider gives, if it has one.

    Raises:
        ObjectStoreError: it raised something, whose text may show anything.
    """
    if store.credential_provider is None:
        return {}
    try:
        given: Any = store.credential_provider()
        found: Mapping[str, Any] = await given if inspect.isawaitable(given) else given
    except Exception as error:  # noqa: BLE001 - the user's code
        said = type(error).__name__
    else:
        return found
    msg = f"the credential provider of the store raised {said}"
    raise ObjectStoreError(msg)


def _client(config: Mapping[str, Any], secrets: Mapping[str, Secret]) -> Any:  # noqa: ANN401 - botocore is untyped
    """Return botocore's client for the bucket of a store.

    Raises:
        ConfigurationError: botocore is not installed.
    """
    try:
        botocore: Any = importlib.import_module("botocore")
        session, settings = (importlib.import_module(f"botocore.{name}") for name in ("session", "config"))
    except ImportError:
        msg = "abort_stale_uploads needs botocore, since obstore does not list uploads: pip install botocore"
        raise ConfigurationError(msg) from None
    endpoint, virtual = config.get("endpoint"), str(config.get("virtual_hosted_style_request", "")).lower() == "true"
    if endpoint and virtual:  # obstore's has the bucket's name in it
        host = urlsplit(endpoint).netloc
        endpoint = endpoint.replace(host, host.removeprefix(f"{config['bucket']}."), 1)
    options: dict[str, Any] = {"s3": {"addressing_style": "virtual" if virtual else "path" if endpoint else "auto"}}
    if str(config.get("skip_signature", "")).lower() == "true":
        options["signature_version"] = botocore.UNSIGNED
    return session.get_session().create_client(
        "s3",
        region_name=config.get("region") or config.get("default_region"),
        endpoint_url=endpoint,
        config=settings.Config(**options),
        **{name: secret.reveal() for name, secret in secrets.items()},
    )


def _abort(config: Mapping[str, Any], secrets: Mapping[str, Secret], prefix: str, before: datetime) -> tuple[str, ...]:
    """Abort what was begun before a time. Blocks.

    Raises:
        ObjectStoreError: S3 refused it, or did not answer.
    """
    bucket = config["bucket"]
    try:
        with closing(_client(config, secrets)) as client:
            pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
            begun = [it for page in pages for it in page.get("Uploads", ()) if it["Initiated"] < before]
            return tuple(it["Key"] for it in begun if _abort_one(client, bucket, it))
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever botocore raises; its text may show a URL
        said = _code(error) or type(error).__name__
    msg = f"cannot abort the uploads in bucket {bucket!r}: {said}"
    raise ObjectStoreError(msg, key=prefix)


def _abort_one(client: Any, bucket: str, upload: Mapping[str, Any]) -> bool:  # noqa: ANN401 - botocore is untyped
    """Abort one; False if it has ended meanwhile, as another process' does."""
    try:
        client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    except Exception as error:
        if _code(error) != "NoSuchUpload":
            raise
        return False
    return True


def _code(error: Exception) -> str:
    """Return the code of S3's answer; empty for any other error."""
    return str(getattr(error, "response", {}).get("Error", {}).get("Code") or "")
