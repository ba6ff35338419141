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


def check_key(key: object) -> str:
    """Return a key that names an object, below the store's own prefix, in every store.

    Raises:
        ConfigurationError: it is empty, too long, or has a component that is empty, ``.`` or ``..``; or a character
            that controls something; or it is the key of a record.
    """
    if not isinstance(key, str) or any(part in {"", ".", ".."} for part in key.split("/")):
        msg = f"key must be a path below the store's root such as 'artifacts/docs.zip', not {key!r}"
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
        return ObjectStoreUnavailableError(f"{msg}; check the endpoint, the region and the network", key=key)
    known = isinstance(error, BaseError | ValueError | NotImplementedError)
    return ObjectStoreError(msg if known else f"cannot {doing} {key!r}: {type(error).__name__}", key=key)


def _said(error: BaseException) -> str:
    """Return the first line of an error's text, without a query, a user name or a server's whole answer."""
    text = str(error)
    line = text.partition("\n")[0].partition("<")[0].rstrip(" :")
    line = _USER.sub("", _QUERY.sub("", line))
    code = _CODE.search(text)
    return line[:_LONGEST_TEXT] + (f" ({code[1]})" if code else "")
