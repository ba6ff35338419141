"""Checks of the arguments, before any request; and what an error of obstore may say."""

from __future__ import annotations

import atexit
import functools
import re
import time
import unicodedata
from typing import TYPE_CHECKING

from gh_artifacts_async.errors import ConfigurationError, ObjectStoreError, ObjectStoreUnavailableError

if TYPE_CHECKING:
    from obstore.store import ObjectStore

RECORD_SUFFIX = ".gh-artifacts.json"
"""Ends the key of the record beside an object, in stores whose objects have no attributes."""

_LONGEST_KEY = 1024  # bytes: the limit of S3 and of Google; Azure counts characters
_KINDS = ("S3Store", "GCSStore", "AzureStore", "HTTPStore", "LocalStore", "MemoryStore")
_QUERY = re.compile(r"\?\S*")
_USER = re.compile(r"(?<=://)[^/\s@]*@")
_CODE = re.compile(r"<Code>(\w{1,64})</Code>")
_LONGEST_TEXT = 300
_STAGED = re.compile(r"#[0-9]+\Z")  # obstore's mark of an object that is being written to a folder
_LONGEST_FILENAME = 255  # bytes, of nearly all file systems
_PROVIDER = re.compile(r"(credential provider: \w+):.*")  # what follows is the text of the user's exception
_NOT_HTTPS = "builder error"  # what reqwest, obstore's client, says of a URL that it may not use
_SETTLING = 0.05  # seconds


@functools.cache
def _kinds() -> tuple[type[object], ...]:
    """Return obstore's classes of stores.

    Raises:
        ConfigurationError: the extra is not installed.
    """
    try:
        import obstore.store as obstores
    except ImportError:
        msg = 'storing in an object store needs the extra "stores": pip install "gh-artifacts-async[stores]"'
        raise ConfigurationError(msg) from None
    # obstore's threads release Python objects a moment after a call has returned. If the interpreter is being torn down
    # by then, the process aborts (PyO3/pyo3-async-runtimes#40): 16 of 60 small programs did, and none with 5 ms more.
    atexit.register(time.sleep, _SETTLING)
    return tuple(getattr(obstores, name) for name in _KINDS)


def check_store(store: object) -> None:
    """Check that a store is one of obstore's.

    Raises:
        ConfigurationError: it is something else, or the extra is not installed.
    """
    if not is_store(store):
        msg = f"store must be a store of obstore, such as obstore.store.S3Store, not {type(store).__name__}"
        raise ConfigurationError(msg)


def is_store(store: object) -> bool:
    """Whether something is a store of obstore's, or of a class that a user has derived from one.

    Raises:
        ConfigurationError: the extra is not installed.
    """
    return isinstance(store, _kinds())


def is_s3(store: object) -> bool:
    """Whether it is a store in S3, which keeps the parts of an upload that was not completed."""
    return "S3Store" in _names(store)


def _names(store: object) -> set[str]:
    """Return what a store's class and those from which it is derived are called."""
    return {cls.__name__ for cls in type(store).__mro__}


def takes_attributes(store: ObjectStore) -> bool:
    """Whether the objects of a store keep attributes; obstore refuses them for folders, and a web server drops them."""
    return _names(store).isdisjoint({"LocalStore", "HTTPStore"})


def storable(key: str) -> str:
    """Return the key for what a layout has named: some ends of names are not for objects, and get a ``_`` there."""
    return f"{key}_" if key.endswith(RECORD_SUFFIX) or _STAGED.search(key) else key


def check_key(key: object) -> str:
    """Return a key that names an object, below the store's own prefix, in every store.

    Raises:
        ConfigurationError: it is empty, too long, or has a component that is empty, ``.`` or ``..``; or a
            backslash, or a character that controls something; or it is the key of a record.
    """
    if not isinstance(key, str) or any(part in {"", ".", ".."} for part in key.split("/")):
        msg = f"key must be a path below the store's root such as 'artifacts/docs.zip', not {key!r}"
        raise ConfigurationError(msg)
    if "\\" in key:
        msg = f"key must not have a backslash, of which Azure and Windows make a '/': {key!r}"
        raise ConfigurationError(msg)
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in key):
        msg = f"key must have no control characters and no surrogates, not {key!r}"
        raise ConfigurationError(msg)
    if len(key.encode()) > _LONGEST_KEY:
        msg = f"key has {len(key.encode())} bytes; the limit is {_LONGEST_KEY}"
        raise ConfigurationError(msg)
    if key.endswith(RECORD_SUFFIX):
        msg = f"key must not end with {RECORD_SUFFIX!r}, which is for the records beside objects: {key!r}"
        raise ConfigurationError(msg)
    return key


def check_key_for(store: ObjectStore, key: str) -> None:
    """Check what only folders want of a key, before anything is fetched.

    Raises:
        ConfigurationError: the object, or the record beside it, could not be written as a file.
    """
    from obstore.store import LocalStore

    if not isinstance(store, LocalStore):
        return
    if _STAGED.search(key):
        msg = f"key must not end with '#' and digits, which marks an unfinished object in a folder: {key!r}"
        raise ConfigurationError(msg)
    most = _LONGEST_FILENAME - len(RECORD_SUFFIX)
    if any(len(part.encode()) > most for part in key.split("/")):
        msg = f"a part of a key in a folder can have {most} bytes, less than in {key!r}"
        raise ConfigurationError(msg)


def failed(doing: str, key: str, error: BaseException, *, asked_only: bool = False) -> ObjectStoreError:
    """Return the error for one of obstore's, without what may be a secret: of its many lines, the first one.

    It is raised outside the ``except`` block, where no frame holds obstore's: that shows URLs with their queries, which
    may be signatures.

    Args:
        doing: what failed, as in ``"store"``.
        key: of the object.
        error: what obstore raised.
        asked_only: the store was merely asked about a key, so that every other question would fail too.
    """
    from obstore.exceptions import BaseError, GenericError, PermissionDeniedError, UnauthenticatedError

    msg = f"cannot {doing} {key!r} in the object store: {_said(error)}"
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return ObjectStoreUnavailableError(f"{msg}; check the credentials and what they allow", key=key)
    if isinstance(error, FileNotFoundError):
        return ObjectStoreUnavailableError(f"{msg}; check the name of the bucket or container", key=key)
    if isinstance(error, GenericError) and asked_only:
        advice = "check the endpoint, the region and the network"
        if _NOT_HTTPS in msg:
            advice = "an endpoint of http:// needs AWS_ALLOW_HTTP=true, or client_options={'allow_http': True}"
        return ObjectStoreUnavailableError(f"{msg}; {advice}", key=key)
    known = isinstance(error, BaseError | ValueError | NotImplementedError)
    return ObjectStoreError(msg if known else f"cannot {doing} {key!r}: {type(error).__name__}", key=key)


def _said(error: BaseException) -> str:
    """Return the first line of an error's text, without a query, a user name or a server's whole answer.

    Nor has it the text of an exception of the user's credential provider, which may hold anything.
    """
    text = str(error)
    line = text.partition("\n")[0].partition("<")[0].rstrip(" :")
    line = _PROVIDER.sub(r"\1", _USER.sub("", _QUERY.sub("", line)))
    code = _CODE.search(text)
    return line[:_LONGEST_TEXT] + (f" ({code[1]})" if code else "")
