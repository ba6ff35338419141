"""Errors as sentences: what happened, and what to do."""

from __future__ import annotations

import errno

import attrs
import pytest

from gh_artifacts_async import ArtifactRef, RepositoryName, errors
from gh_artifacts_async.cli.render.sentences import RESUME, Situation, named, sentence
from tests.models.test_models import ARTIFACT

DOWNLOAD = Situation(resumes=True, can_replace=True)


@pytest.mark.parametrize(
    ("error", "situation", "said"),
    [
        (
            errors.NotFoundError("no such thing."),
            Situation(),
            "no such thing; check OWNER/REPO and the ID",
        ),
        (
            errors.NotFoundError("no", request="GET /repos/o/r/actions/artifacts"),
            Situation(),
            "no; check OWNER/REPO",
        ),
        (
            errors.NotFoundError("no", request="GET /repos/o/r/actions/artifacts/7"),
            Situation(),
            "no; check OWNER/REPO and the ID",
        ),
        (errors.SlowTransferError("too slow"), Situation(), "too slow; try again"),
        (errors.SlowTransferError("too slow"), DOWNLOAD, f"too slow; {RESUME}"),
        (errors.NotFoundError("x"), DOWNLOAD, "x; check OWNER/REPO and the ID"),
        (errors.OutOfSpaceError("full"), DOWNLOAD, f"full; free some space, then {RESUME}"),
        (errors.DestinationExistsError("taken"), Situation(), "taken; choose another --dir"),
        (
            errors.DestinationExistsError("taken"),
            DOWNLOAD,
            "taken; choose another --dir, or use --if-exists replace",
        ),
        (
            errors.AuthenticationError("bad"),
            Situation(token_variables=("A", "B", "C")),
            "bad; set A or B to a valid token",
        ),
        (
            errors.MissingTokenError("pass one"),
            Situation(),
            "downloading needs a token, even from a public repository; set GH_TOKEN or GITHUB_TOKEN to a valid token",
        ),
        (
            errors.WaitTimeoutError("late; pass a larger timeout to wait longer"),
            Situation(),
            "late; use a larger --timeout to wait longer",
        ),
        (
            errors.RunFailedError("bad; pass fail_fast=False to wait for a re-run"),
            Situation(),
            "bad; use --no-fail-fast to wait for a re-run",
        ),
        (
            errors.MissingTokenError(
                "DELETE /repos/o/r/actions/artifacts/7 needs a token, even for a public repository"
            ),
            Situation(token_variables=("GH_ENTERPRISE_TOKEN",)),
            "deleting needs a token; set GH_ENTERPRISE_TOKEN to a valid token",
        ),
        (errors.ServerError("try again later"), Situation(), "try again later"),
        (errors.RequestTimeoutError("slow; try again"), Situation(), "slow; try again"),
        (PermissionError(errno.EACCES, "Permission denied", "out"), Situation(), "out: Permission denied"),
        (OSError(), Situation(), "OSError"),
    ],
)
def test_what_happened_and_what_to_do(error, situation, said):
    """One sentence; advice fits the command and the host, and nothing is said twice."""
    assert sentence(error, situation) == said


@pytest.mark.parametrize(
    ("library", "said"),
    [
        ("base_url must be a URL", "the API's URL must be a URL"),
        ("ca_file x cannot be used", "--ca-file x cannot be used"),
        ("run_id must be 1 or more", "--run must be 1 or more"),
        ("limit must be 1 or more", "--limit must be 1 or more"),
        ("timeout must be above 0", "--timeout must be above 0"),
        ("interval must be above 0", "--interval must be above 0"),
        ("since must be a time", "--since must be a time"),
        ("unencrypted; use https, or pass allow_http=True", "unencrypted; use https"),
    ],
)
def test_arguments_are_named_as_options(library, said):
    """Who types options is not told of Python arguments."""
    assert sentence(errors.ConfigurationError(library)) == said


def test_what_an_unknown_exception_says_is_not_shown():
    """It may hold anything; the sentence says how to report it."""
    said = sentence(RuntimeError("token=secret"))
    assert "secret" not in said
    assert "--verbose" in said


@pytest.mark.parametrize(
    ("said", "named_once"),
    [
        ("artifact 7 ('docs'): sha256 mismatch", "docs (7): sha256 mismatch"),
        ("artifact 7: storage answered with 404", "docs (7): storage answered with 404"),
        ("artifact 7 from h: expired", "docs (7) from h: expired"),
        ("out/docs exists", "out/docs exists"),
        ("out/docs.zip already exists", "out/docs.zip already exists"),
        ("GET /repos/octo-org/octo-docs/actions: 403", "docs: GET /repos/octo-org/octo-docs/actions: 403"),
        ("no space left", "docs: no space left"),
    ],
)
def test_an_artifact_is_named_once(said, named_once):
    """By its name and, where the error has it, its ID."""
    assert named(attrs.evolve(ARTIFACT, id=7, name="docs"), said) == named_once


def test_an_artifact_without_a_name():
    """One that was given by its ID alone keeps the sentence."""
    assert named(ArtifactRef(RepositoryName("o", "r"), 7), "artifact 7: gone") == "artifact 7: gone"


def test_what_is_gone_from_storage():
    """To try again is of no use."""
    said = sentence(errors.StorageError("artifact 7: storage answered with 404", status=404), Situation(resumes=True))
    assert said.endswith("404; it may have been deleted: run gh-artifacts list to see what there is")
