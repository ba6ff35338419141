"""Errors as one sentence each: what happened, and what to do."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async import errors
from gh_artifacts_async.cli.exits import NoMatchError

if TYPE_CHECKING:
    from gh_artifacts_async import Artifact, ArtifactRef

RESUME = "run the same command again to resume where it stopped"
"""What to do after a download that was interrupted, by whatever but wrong content."""

_TRY_AGAIN = "try again"
_LOGIN = "gh auth login"
"""Where an error says this, it has said what to do about a token."""
_DELETES = ("deleting ", "DELETE ")
"""How an error about a missing token begins if it was for a deletion."""
_LISTINGS = ("/actions/artifacts", "/actions/runs")
"""How a request ends that has no ID: one for a whole repository."""
_SAY_WHAT_TO_DO = ("keep them apart", "to get the artifact again")
"""Where an error about something in the way says this, it has said what to do."""
_GONE = (404, 410)
_KEEP_THE_ZIP = "to get the zip itself, download it without --extract"
_AS_OPTIONS = (
    ("base_url", "the API's URL"),
    ("ca_file", "--ca-file"),
    ("run_id must", "--run must"),
    ("layout must be 'name', 'id', a callable, or", "--layout must be 'name', 'id', or"),
    ("limit must", "--limit must"),
    ("timeout must", "--timeout must"),
    ("interval must", "--interval must"),
    ("since must", "--since must"),
    (", or pass allow_http=True", ""),
    ("use extract=False, or", "leave out --extract, or use"),
    ("use extract=True, or", "add --extract, or use"),
)
"""The library's words for what is wrong with an argument, and the command line's."""

_AS_SENTENCES = (
    ("; pass StoragePolicy(allow_http=True) to allow it", ", which is not allowed"),
    ("is not in StoragePolicy.allowed_hosts", "is not allowed"),
    ("pass the proxy's URL as base_url", "give the proxy's URL as --api-url"),
    ("; to trust an authority of your own, pass ca_file", ""),
    ("; set api_version to one that it supports", ""),
    ("; set another api_version", ""),
    ("does not know api_version", "does not know API version"),
    ("for longer than Timeouts.read", "for too long"),
    ("took longer than Timeouts.connect", "took too long"),
    ("Timeouts.min_rate is", "the minimum is"),
    ("StoragePolicy.max_redirects is", "the number of redirects allowed is"),
    ("pass a larger timeout", "use a larger --timeout"),
    ("pass fail_fast=False", "use --no-fail-fast"),
    ('conflicts="identical" (--conflicts identical)', "--conflicts identical"),
    ('conflicts="newest" (--conflicts newest)', "--conflicts newest"),
    ("use layout='id' to keep them apart", "use --layout id to keep them apart"),
    ("prune the mirror, or use", "use --prune, or"),
    ("or verify the mirror, to get", "or use --verify, to get"),
    ("run without prune, or", "run without --prune, or"),
)
"""The library's settings in its errors, and what a user of the command line can make of them."""

_HINTS: tuple[tuple[type[BaseException], str], ...] = (
    (errors.NotFoundError, "check OWNER/REPO and the ID"),
    (errors.ArtifactExpiredError, "run the workflow again to recreate it"),
    (errors.CertificateError, "use --ca-file to trust a private certificate authority"),
    (errors.ProxyError, "check HTTPS_PROXY and NO_PROXY"),
    (errors.RequestTimeoutError, _TRY_AGAIN),
    (errors.TransportError, "check the network, the proxy (HTTPS_PROXY) and --api-url, then try again"),
    (errors.SlowTransferError, _TRY_AGAIN),
    (errors.StorageError, _TRY_AGAIN),
    (errors.DigestMismatchError, "try again; if it fails again, run the workflow again to recreate the artifact"),
    (errors.IncompleteDownloadError, _TRY_AGAIN),
    (errors.DestinationExistsError, "choose another --dir"),
    (errors.OutOfSpaceError, f"free some space, then {RESUME}"),
    (errors.MemberNotFoundError, "run gh-artifacts ls to see what is in it"),
    (errors.CorruptArchiveError, _KEEP_THE_ZIP),
    (errors.UnsafeMemberError, _KEEP_THE_ZIP),
    (errors.ArchiveLimitError, _KEEP_THE_ZIP),
)


@attrs.frozen(kw_only=True)
class Situation:
    """What the advice in a sentence depends on.

    Attributes:
        token_variables: the environment variables that may hold a token for this host.
        resumes: the same command, run again, resumes what has arrived.
        can_replace: ``--if-exists replace`` would help against a file that is in the way.
        in_the_way: what to do about something that is in the way, instead of choosing another ``--dir``.
    """

    token_variables: tuple[str, ...] = ("GH_TOKEN", "GITHUB_TOKEN")
    resumes: bool = False
    can_replace: bool = False
    in_the_way: str | None = None


def sentence(error: BaseException, situation: Situation | None = None) -> str:
    """Return one sentence for a person: what happened, and what to do.

    Args:
        error: what happened.
        situation: where it happened.
    """
    situation = situation or Situation()
    said, hint = _said(error), _hint(error, situation)
    return f"{said}; {hint}" if hint and hint not in said else said


def named(artifact: Artifact | ArtifactRef, said: str) -> str:
    """Return a sentence that says which artifact it is about, by its name and its ID, and once."""
    number, name = artifact.id, artifact.name
    if name is None:
        return said
    for known in (f"artifact {number} ({name!r})", f"artifact {number}"):
        if said.startswith(known):
            return f"{name} ({number}){said.removeprefix(known)}"
    standing_alone = rf"""(?:^|[\s/'"(]){re.escape(name)}(?:\.zip)?(?:[\s:;,'")]|$)"""
    return said if re.search(standing_alone, said) else f"{name}: {said}"


def is_about_all(error: BaseException) -> bool:
    """Whether every other artifact would fail for the same reason, so that it is enough to tell it once."""
    return isinstance(error, errors.AuthenticationError | errors.RateLimitError | errors.OutOfSpaceError)


def _said(error: BaseException) -> str:
    if isinstance(error, errors.MissingTokenError) and _LOGIN not in str(error):
        if str(error).startswith(_DELETES):
            return "deleting needs a token"
        return "downloading needs a token, even from a public repository"
    if isinstance(error, errors.ConfigurationError):
        said = str(error)
        for argument, option in _AS_OPTIONS:
            said = said.replace(argument, option)
        return said
    if isinstance(error, errors.ArtifactsError | NoMatchError):
        said = str(error).rstrip(".") or type(error).__name__
        for setting, plain in _AS_SENTENCES:
            said = said.replace(setting, plain)
        return said
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename is not None else ""
        return f"{where}{error.strerror or type(error).__name__}"
    return (
        f"unexpected {type(error).__name__}: this is a bug; run the command again with --verbose and report the output"
    )


def _hint(error: BaseException, situation: Situation) -> str:
    if isinstance(error, errors.AuthenticationError | errors.MissingTokenError) and _LOGIN not in str(error):
        return f"set {' or '.join(situation.token_variables[:2])} to a valid token"
    too_large = isinstance(error, errors.ArchiveLimitError) and error.limit == "max_bytes"
    if too_large or (situation.in_the_way or "\0") in str(error):
        return ""  # says itself what to do
    if situation.in_the_way is not None and isinstance(error, errors.DestinationExistsError):
        return "" if any(said in str(error) for said in _SAY_WHAT_TO_DO) else situation.in_the_way
    hint = next((text for kind, text in _HINTS if isinstance(error, kind)), "")
    if isinstance(error, errors.StorageError) and error.status in _GONE:
        hint = "it may have been deleted: run gh-artifacts list to see what there is"
    if isinstance(error, errors.NotFoundError) and error.request.endswith(_LISTINGS):
        hint = "check OWNER/REPO"
    if situation.resumes and hint == _TRY_AGAIN:
        return RESUME
    if situation.can_replace and isinstance(error, errors.DestinationExistsError):
        is_folder = error.filename is not None and os.path.isdir(error.filename)  # noqa: PTH112 - a name
        return f"{hint}, or use --if-exists replace" + (
            ", which removes all that is in the folder" if is_folder else ""
        )
    return hint
