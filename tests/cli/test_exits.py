from __future__ import annotations

import errno

import pytest

from gh_artifacts_async import errors
from gh_artifacts_async.cli import exits
from gh_artifacts_async.cli.render import sentences
from tests.cli.conftest import REPO

CODES = [
    (errors.ConfigurationError("x"), 2),
    (errors.BadRequestError("x"), 2),
    (errors.NotFoundError("x"), 3),
    (exits.NoMatchError("x"), 3),
    (exits.OutOfTimeError("x"), 6),
    (errors.ArtifactExpiredError("x"), 3),
    (errors.StorageError("x", status=404), 3),
    (errors.AuthenticationError("x"), 4),
    (errors.PermissionDeniedError("x"), 4),
    (errors.PrimaryRateLimitError("x"), 5),
    (errors.SecondaryRateLimitError("x"), 5),
    (errors.WaitTimeoutError("x"), 3),
    (errors.RunFailedError("x"), 1),
    (errors.PlanRefusedError("x"), 1),
    (errors.DuplicateArtifactsError("x"), 1),
    (errors.MergeConflictError("x"), 7),
    (errors.ConnectionFailedError("x"), 6),
    (errors.CertificateError("x"), 6),
    (errors.RequestTimeoutError("x"), 6),
    (errors.ServerError("x"), 6),
    (errors.StorageError("x", status=503), 6),
    (errors.SignedURLExpiredError("x"), 6),
    (errors.SlowTransferError("x"), 6),
    (errors.UnexpectedResponseError("x"), 6),
    (errors.ResponseShapeError("x"), 6),
    (errors.DigestMismatchError("x"), 7),
    (errors.IncompleteDownloadError("x"), 7),
    (errors.UnsafeRedirectError("x"), 7),
    (errors.MemberNotFoundError("x"), 3),
    (errors.UnsafeMemberError("x"), 7),
    (errors.CorruptArchiveError("x"), 7),
    (errors.ArchiveLimitError("x"), 7),
    (errors.DestinationExistsError("x"), 8),
    (errors.OutOfSpaceError("x"), 8),
    (PermissionError(errno.EACCES, "Permission denied", "out"), 8),
    (errors.APIError("x"), 1),
    (errors.ClientClosedError("x"), 1),
    (errors.BulkError("x", [errors.NotFoundError("x"), errors.NotFoundError("y")]), 3),
    (KeyboardInterrupt(), 130),
    (RuntimeError("x"), 1),
]


@pytest.mark.parametrize(("error", "code"), CODES, ids=lambda value: type(value).__name__)
def test_every_error_has_its_code(error, code):
    """Scripts tell kinds of failure apart by the exit code."""
    assert exits.exit_code(error) == code
    assert sentences.sentence(error)
    assert "\n" not in sentences.sentence(error)


def test_a_refusal_has_the_code_of_its_cause():
    """A plan that is refused since a listing failed has that failure's code."""
    with pytest.raises(errors.PlanRefusedError) as caught:
        raise errors.PlanRefusedError from errors.AuthenticationError("x")
    assert exits.exit_code(caught.value) == 4


def test_no_error_class_is_forgotten():
    """A new class of the tree must get a code in exits.py; these few have none of their own."""

    def below(cls: type) -> set[type]:
        return {cls}.union(*map(below, cls.__subclasses__()))

    coded = tuple(cls for cls, _ in exits._CODES if cls is not errors.ArtifactsError)
    ours = {cls for cls in below(errors.ArtifactsError) if cls.__module__ == "gh_artifacts_async.errors"}
    leaves = {cls for cls in ours if not cls.__subclasses__()}
    assert {cls.__name__ for cls in leaves if not issubclass(cls, coded)} <= {"ClientClosedError", "BulkError"}


def test_many_items_have_one_code():
    """The common code where nothing was done and all failed alike; else 1."""
    missing, slow = errors.NotFoundError("x"), errors.SlowTransferError("x")
    assert exits.combined([], done=0) == 0
    assert exits.combined([], done=3) == 0
    assert exits.combined([missing, missing], done=0) == 3
    assert exits.combined([missing, slow], done=0) == 1
    assert exits.combined([missing], done=1) == 1


@pytest.mark.realtime
class TestPrograms:
    """Each code through the whole program."""

    def test_usage(self, cli):
        """2: nothing was chosen."""
        assert cli("download", REPO).code == 2

    def test_no_token(self, server, cli, monkeypatch):
        """4: what needs a token says so before any request, and says nothing else."""
        monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
        number = server.artifact(server.run(), "logs")
        for words in (
            ["download", number],
            ["download", 7],
            ["download", number, "--merge", "--dir", "out"],
            ["cat", number, "log.txt"],
            ["ls", number],
            ["mirror", "backup"],
            ["delete", number, "--yes"],
            ["prune", "--older-than", "1d", "--apply"],
        ):
            ran = cli(words[0], REPO, *words[1:])
            deletes = words[0] in {"delete", "prune"}
            needs = "deleting needs a token" if deletes else "downloading needs a token, even from a public repository"
            assert (ran.code, ran.out) == (4, "")
            set_it = "set GH_ENTERPRISE_TOKEN or GITHUB_ENTERPRISE_TOKEN to a valid token"
            assert ran.err == f"error: {needs}; {set_it}\n", words
        assert server.github.requests == []
        assert cli("download", REPO, number, "--dry-run").code == 0

    def test_a_token_for_another_host(self, server, cli, monkeypatch):
        """4: it is said why it is not used."""
        monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
        monkeypatch.setenv("GH_TOKEN", "secret-token")
        ran = cli("download", REPO, server.artifact(server.run(), "logs"))
        assert ran.code == 4
        assert ran.err == (
            "error: downloading needs a token, and GH_TOKEN is for github.com, not for 127.0.0.1; "
            "set GH_ENTERPRISE_TOKEN or GITHUB_ENTERPRISE_TOKEN to a valid token\n"
        )

    def test_no_such_workflow(self, server, cli):
        """3: no ID was given, so none is said to be wrong."""
        server.run()
        ran = cli("runs", REPO, "--workflow", "nope.yml")
        assert ran.code == 3
        assert ran.err == (
            "error: no workflow 'nope.yml' in octo-org/octo-docs, or the token has no access; "
            "gh-artifacts runs shows the workflows\n"
        )
        assert cli("download", REPO, "--workflow", "nope.yml").err == ran.err

    def test_not_found(self, server, cli):
        """3: an artifact that is not there."""
        server.run()
        ran = cli("show", REPO, 7)
        assert ran.code == 3
        assert ran.out == ""
        assert ran.err.startswith("error: GET /repos/octo-org/octo-docs/actions/artifacts/7: 404: not found, or")

    def test_authentication(self, server, cli):
        """4: a token that is not accepted."""
        server.github.tokens = {"another"}
        server.run()
        ran = cli("list", REPO)
        assert ran.code == 4
        assert "set GH_ENTERPRISE_TOKEN to a valid token" in ran.err

    def test_authentication_of_many_ids_is_told_once(self, server, cli):
        """4: what every id would meet is one line."""
        server.github.tokens = {"another"}
        run = server.run()
        ran = cli("download", REPO, *(server.artifact(run, f"a{number}") for number in range(5)))
        assert ran.code == 4
        assert ran.err.count("error:") == 1

    def test_permission(self, server, cli):
        """4: a token that lacks a permission."""
        server.github.faults.forbidden(times=None)
        server.run()
        ran = cli("list", REPO)
        assert ran.code == 4
        assert "actions=read" in ran.err

    def test_rate_limit(self, server, cli):
        """5: a pause longer than the command line's patience."""
        server.github.faults.rate_limit(times=None, reset_in=7200)
        server.run()
        ran = cli("list", REPO)
        assert ran.code == 5
        assert "rate limit" in ran.err

    @pytest.mark.usefixtures("no_waiting")
    def test_server_error(self, server, cli):
        """6: GitHub's own trouble; retries are not spilt on the terminal."""
        server.github.faults.status(None, 503, times=None, where="api")
        server.run()
        ran = cli("list", REPO)
        assert ran.code == 6
        assert ran.err.count("\n") == 1

    @pytest.mark.usefixtures("no_waiting")
    def test_no_connection(self, bare_cli):
        """6: nobody listens there."""
        ran = bare_cli("list", REPO, "--api-url", "http://127.0.0.1:9")
        assert ran.code == 6
        assert "check the network" in ran.err

    @pytest.mark.usefixtures("no_waiting")
    def test_storage_error(self, server, cli):
        """6: storage's own trouble."""
        number = server.artifact(server.run(), "logs")
        server.github.faults.status(number, 503, times=None)
        assert cli("download", REPO, number).code == 6

    @pytest.mark.github_com("digest")
    def test_digest(self, server, cli, tmp_path):
        """7: the bytes are not those of GitHub's digest."""
        number = server.artifact(server.run(), "bad", digest="sha256:" + "0" * 64)
        ran = cli("download", REPO, number)
        assert ran.code == 7
        assert list(tmp_path.iterdir()) == []

    def test_redirect(self, server, cli):
        """7: a redirect to somewhere forbidden."""
        number = server.artifact(server.run(), "logs")
        server.github.faults.redirect(number, "ftp://files.example/x?sig=hidden", times=None, where="api")
        ran = cli("download", REPO, number)
        assert ran.code == 7
        assert "hidden" not in ran.err

    def test_disk(self, server, cli, tmp_path):
        """8: the folder is a file."""
        (tmp_path / "taken").write_text("")
        number = server.artifact(server.run(), "logs")
        assert cli("download", REPO, number, "--dir", "taken").code == 8

    def test_bug(self, server, cli, monkeypatch):
        """1: an error nobody thought of is one line, and says how to report it."""

        def boom(*_args: object, **_kwargs: object) -> None:
            raise RuntimeError("=".join(["token", "hid" + "den"]))

        monkeypatch.setattr("gh_artifacts_async.cli.render.artifacts.summary", boom)
        server.run()
        ran = cli("list", REPO)
        assert ran.code == 1
        assert ran.err.startswith("error: unexpected RuntimeError: this is a bug")
        ran = cli("list", REPO, "--verbose")
        assert "cli/listing.py" in ran.err.replace("\\", "/")
        assert "hidden" not in ran.err
