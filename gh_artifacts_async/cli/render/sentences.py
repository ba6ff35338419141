"""Errors as one sentence each: what happened, and what to do."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import attrs

from gh_artifacts_async import errors
from gh_artifacts_async.cli.exits import NoMatchError, OutOfTimeError

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
_ACCOUNTS = "/repos"
"""How a request for the repositories of an account ends."""
_WORKFLOW = re.compile(r"/repos/(?P<repo>[^/]+/[^/]+)/actions/workflows/(?P<workflow>[^/?]+)(?:/runs)?$")
"""How a request for a workflow, or for its runs, ends."""
_SAY_WHAT_TO_DO = ("keep them apart", "to get the artifact again")
"""Where an error about something in the way says this, it has said what to do."""
_GONE = (404, 410)
_KEEP_THE_ZIP = "to get the zip itself, download it without --extract"
_AS_OPTIONS = (
    ("base_url", "the API's URL"),
    ("ca_file", "--ca-file"),
    ("layout must be 'name', 'id', a callable, or", "layout must be 'name', 'id', or"),
    (", or None for all", ", or all"),
    (", or None for any", ""),
    (", or None for off", ""),
    (", or pass allow_http=True", ""),
    ("use extract=False, or", "leave out --extract, or use"),
    ("use extract=True, or", "add --extract, or use"),
)
"""The library's words for what is wrong with an argument, and the command line's."""

_ARGUMENTS = {
    "branch": "--branch",
    "concurrency": "--jobs",
    "conclusion": "--conclusion",
    "event": "--event",
    "head_sha": "--commit",
    "interval": "--interval",
    "layout": "--layout",
    "limit": "--limit",
    "max_bytes": "--max-bytes",
    "max_ratio": "--max-ratio",
    "name": "--name",
    "names": "--name or --pattern",
    "pull_request": "--pr",
    "run_id": "--run",
    "since": "--since",
    "timeout": "--timeout",
    "workflow": "--workflow",
}
"""What the library calls an argument that it refuses, and the option that gave it."""

_AS_SENTENCES = (
    ("; pass StoragePolicy(allow_http=True) to allow it", ", which is not allowed"),
    ("is not in StoragePolicy.allowed_hosts", "is not allowed"),
    ("pass the proxy's URL as base_url", "give the proxy's URL as --api-url"),
    ("; to trust an authority of your own, pass ca_file", ""),
    ("; set api_version to one that it supports", ""),
    ("; set another api_version", ""),
    ("does not know api_version", "does not know API version"),
    ("for longer than Timeouts.read", "for too long"),
    ("did not arrive within Timeouts.read", "did not arrive in time"),
    ("it sent less than Timeouts.min_rate", "it was too slow"),
    ("; if that is right, raise Limits.max_answer_bytes", ""),
    ("Limits.max_pause is shorter", "that is longer than this program waits"),
    ("raise max_bytes, or extract it to a file", "use a larger --max-bytes"),
    ("raise max_bytes, or download it to a file", "use a larger --max-bytes"),
    ('set symlinks="skip" (--symlinks skip)', "use --symlinks skip"),
    (', or extract with names="native" on another system than Windows', ""),
    ("choose by run_attempt, or duplicates='newest'", "use --all-attempts to get them all"),
    ("took longer than Timeouts.connect", "took too long"),
    ("; if_exists='replace' overwrites it", ""),  # no command does
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

_TRUST = re.compile(r"; raise ExtractPolicy\.\w+(?: \((--[a-z-]+)\))? if you trust it")
"""How the library says which limit of an archive could be raised, and which option does."""
_OPTION = re.compile(r"(?<![\w-])--[a-z-]+")
_MEMBERS = re.compile(r"max_members=(\d+)")

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
        token_in: the one that holds the token in use; None if it is another's.
        unused_token: why a token in the environment is not used for this host, if there is one.
        login: the host of gh's stored login, if that is the token in use.
        login_helps: how to log in, if a stored login would be used.
        lacks: options that this command does not have, and are not named.
        resumes: the same command, run again, resumes what has arrived.
        can_replace: ``--if-exists replace`` would help against a file that is in the way.
        in_the_way: what to do about something that is in the way, instead of choosing another ``--dir``.
    """

    token_variables: tuple[str, ...] = ("GH_TOKEN", "GITHUB_TOKEN")
    token_in: str | None = None
    unused_token: str | None = None
    login: str | None = None
    login_helps: str | None = None
    lacks: frozenset[str] = frozenset()
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
    said, hint = _possible(_said(error, situation), situation.lacks), _hint(error, situation)
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


def _possible(said: str, lacks: frozenset[str]) -> str:
    """Return what is said less the advice to use an option that the command does not have."""
    first, *advice = said.split("; ")
    return "; ".join([first, *(one for one in advice if lacks.isdisjoint(_OPTION.findall(one)))])


def _needs_token(error: errors.MissingTokenError, situation: Situation) -> str:
    needs = "deleting" if str(error).startswith(_DELETES) else "downloading"
    if situation.unused_token is not None:
        return f"{needs} needs a token, and {situation.unused_token}"
    return f"{needs} needs a token" + (", even from a public repository" if needs == "downloading" else "")


def _workflow_of(error: BaseException) -> re.Match[str] | None:
    """Return repository and workflow if it is a workflow that was not found."""
    return _WORKFLOW.search(error.request) if isinstance(error, errors.NotFoundError) else None


def _said(error: BaseException, situation: Situation) -> str:
    if isinstance(error, errors.MissingTokenError) and _LOGIN not in str(error):
        return _needs_token(error, situation)
    if found := _workflow_of(error):
        workflow, where = unquote(found["workflow"]), found["repo"]
        return f"no workflow {workflow!r} in {where}, or the token has no access; gh-artifacts runs shows the workflows"
    if isinstance(error, errors.ConfigurationError):
        return as_options(str(error))
    if isinstance(error, errors.ArtifactsError | NoMatchError | OutOfTimeError):
        return as_options(str(error).rstrip(".") or type(error).__name__)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename is not None else ""
        return f"{where}{error.strerror or type(error).__name__}"
    return (
        f"unexpected {type(error).__name__}: this is a bug; run the command again with --verbose and report the output"
    )


def as_options(said: str) -> str:
    """Return what the library says with the command line's options in place of Python's arguments."""
    for library, ours in (*_AS_SENTENCES, *_AS_OPTIONS):
        said = said.replace(library, ours)
    said = _TRUST.sub(lambda found: f"; use a larger {found[1]} if you trust it" if found[1] else "", said)
    said = _MEMBERS.sub(r"\1", said)
    argument, must, rest = said.partition(" must ")
    return f"{_ARGUMENTS[argument]} must {rest}" if must and argument in _ARGUMENTS else said


def _token_hint(error: BaseException, situation: Situation) -> str:
    """Return what to do about a token: the one in use is not valid, or there is none."""
    if situation.login is not None:
        return f"log in again: {_LOGIN} --hostname {situation.login}"
    rejected = isinstance(error, errors.AuthenticationError) and situation.token_in is not None
    names = [situation.token_in] if rejected else situation.token_variables[:2]
    advice = f"set {' or '.join(map(str, names))} to a valid token"
    helps = isinstance(error, errors.MissingTokenError) and situation.login_helps is not None
    return f"{advice}, or run {situation.login_helps}" if helps else advice


def _says_what_to_do(error: BaseException, situation: Situation) -> bool:
    too_large = isinstance(error, errors.ArchiveLimitError) and error.limit == "max_bytes"
    said = str(error)
    return too_large or "gh-artifacts ls" in said or (situation.in_the_way or "\0") in said or bool(_workflow_of(error))


def _hint(error: BaseException, situation: Situation) -> str:
    if isinstance(error, errors.AuthenticationError | errors.MissingTokenError) and _LOGIN not in str(error):
        return _token_hint(error, situation)
    if _says_what_to_do(error, situation):
        return ""
    if situation.in_the_way is not None and isinstance(error, errors.DestinationExistsError):
        return "" if any(said in str(error) for said in _SAY_WHAT_TO_DO) else situation.in_the_way
    hint = next((text for kind, text in _HINTS if isinstance(error, kind)), "")
    if isinstance(error, errors.StorageError) and error.status in _GONE:
        hint = "it may have been deleted: run gh-artifacts list to see what there is"
    if isinstance(error, errors.NotFoundError) and error.request.endswith(_LISTINGS):
        hint = "check OWNER/REPO"
    if isinstance(error, errors.NotFoundError) and error.request.endswith(_ACCOUNTS):
        hint = "check OWNER"
    if isinstance(error, errors.TransportError) and "; check " in str(error):
        hint = _TRY_AGAIN
    if situation.resumes and hint == _TRY_AGAIN:
        return RESUME
    if situation.can_replace and isinstance(error, errors.DestinationExistsError):
        is_folder = error.filename is not None and os.path.isdir(error.filename)  # noqa: PTH112 - a name
        return f"{hint}, or use --if-exists replace" + (
            ", which removes all that is in the folder" if is_folder else ""
        )
    return hint
