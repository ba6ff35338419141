"""``gh-artifacts mirror --cluster``, with a cluster in this process that listens on loopback."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Generator
from pathlib import Path

import pytest
from distributed import LocalCluster

from gh_artifacts_async.fleet import cluster as module
from tests.cli.conftest import REPO
from tests.kits.fleet import contents, organization

pytestmark = pytest.mark.realtime


@pytest.fixture(scope="module")
def obstore() -> None:
    """Start the threads of obstore, which it keeps with their descriptors."""
    store = pytest.importorskip("obstore.store")
    asyncio.run(store.MemoryStore().put_async("a", b"a"))


@pytest.fixture
def address() -> Generator[str]:
    """Run a cluster, and yield its scheduler's address."""
    where = {"host": "127.0.0.1", "protocol": "tcp://", "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(n_workers=2, processes=False, silence_logs=logging.CRITICAL, **where) as cluster:
        yield cluster.scheduler_address


def test_all_of_an_organization(server, cli, tmp_path, address):
    """A line a repository as it is done, and one for the whole; a second run says that nothing is new."""
    made = server.call(organization, server.github, 3, 2)
    ran = cli("mirror", "octo-org", "backup", "--cluster", address)
    assert ran.code == 0, ran.err
    assert contents(tmp_path / "backup") == made.files
    lines = ran.out.splitlines()
    assert sorted(line.split()[2] for line in lines) == made.names
    assert all(line.endswith("  2 new") for line in lines)
    assert "6 artifacts new in backup, 3 repositories (" in ran.err
    again = cli("mirror", "octo-org", "backup", "--cluster", address.removeprefix("tcp://"))
    assert again.code == 0
    assert sorted(again.out.splitlines()) == [f"     0 B  {name}  0 new, 2 already there" for name in made.names]
    assert "nothing new in backup, 3 repositories; 6 already there" in again.err


def test_one_repository_as_json(server, cli, tmp_path, address):
    """Selectors and a layout hold; what failed is named, with its error."""
    run = server.run()
    for name in ("docs", "wheel"):
        server.artifact(run, name, size=2000)
    bad = server.artifact(run, "bad", size=2000)
    server.call(server.github.faults.status, bad, 404, None)
    words = ("--name", "docs", "--name", "bad", "--layout", "name", "--jobs", 2, "--json")
    ran = cli("mirror", REPO, "backup", "--cluster", address, *words)
    assert ran.code == 1
    document = ran.document
    (one,) = document["repositories"]
    assert (one["repository"], one["fetched"], one["kept"], one["error"]) == (REPO, 1, 0, None)
    assert one["worker"].startswith("tcp://127.0.0.1:")
    assert [(failed["id"], failed["name"]) for failed in one["failed"]] == [(bad, "bad")]
    assert (document["fetched"], document["failed"], document["bytes"]) == (1, 1, 2000)
    assert (document["destination"], document["kept"]) == ("backup", 0)
    assert (tmp_path / "backup" / REPO / "docs.zip").stat().st_size == 2000
    assert f"error: {REPO}: bad" in ran.err


@pytest.mark.usefixtures("obstore")
def test_into_the_url_of_an_object_store(server, cli, tmp_path, address):
    """Such as a bucket's; here it is a folder's, which is a store too."""
    server.artifact(server.run(), "docs", size=2000)
    (tmp_path / "bucket").mkdir()
    url = (tmp_path / "bucket").as_uri()
    ran = cli("mirror", REPO, url, "--cluster", address)
    assert ran.code == 0, ran.err
    assert f"1 artifact new in {url}" in ran.err
    assert [path.stat().st_size for path in (tmp_path / "bucket" / REPO).glob("docs-*.zip")] == [2000]


def test_workers_that_come_later(server, cli):
    """The screen says what is waited for."""
    server.call(organization, server.github, 1, 1)
    where = {"host": "127.0.0.1", "protocol": "tcp://", "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(n_workers=0, processes=False, silence_logs=logging.CRITICAL, **where) as cluster:

        def come() -> None:
            while not cluster.scheduler.tasks:
                time.sleep(0.01)
            cluster.scale(1)

        coming = threading.Thread(target=come, daemon=True)
        coming.start()
        ran = cli("mirror", "octo-org", "backup", "--cluster", cluster.scheduler_address)
        coming.join()
    assert ran.code == 0
    said = " ".join(ran.err.split())
    assert said.startswith(f"warning: the Dask cluster at {cluster.scheduler_address} has no workers; waiting for one")
    assert "1 artifact new in backup" in said


def test_a_token_that_is_rejected(server, cli, address):
    """It is told once, with where the token comes from; the exit code is that of one repository."""
    server.call(organization, server.github, 3, 1)
    server.github.tokens = ["another"]
    ran = cli("mirror", "octo-org/repo-1", "backup", "--cluster", address)
    assert ran.code == 4
    assert ran.err.count("error: ") == 1
    assert "; the token is that of the workers' environment" in ran.err
    assert ran.out == "     0 B  octo-org/repo-1  not done\n"
    assert "nothing new in backup, 0 repositories; 1 repository not done" in ran.err


def test_an_account_that_is_not_there(cli, address):
    """It is one error, as for every command."""
    ran = cli("mirror", "nobody", "backup", "--cluster", address)
    assert (ran.code, ran.out) == (3, "")
    assert "not found" in ran.err
    assert ran.err.rstrip().endswith("; check OWNER")


def test_a_repository_that_is_not_there(cli, address):
    """Its name is said once, and it is what the exit code is about."""
    ran = cli("mirror", "octo-org/none", "backup", "--cluster", address)
    assert ran.code == 3
    assert ran.err.count("octo-org/none") == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "expected OWNER or OWNER/REPO and a DIR or URL, got 0 arguments"),
        (("a/b", "c", "d"), "expected OWNER or OWNER/REPO and a DIR or URL, got 3 arguments"),
        (("octo-org", ""), "expected OWNER or OWNER/REPO and a DIR or URL, got 2 arguments"),
        (("octo.org", "out"), "'octo.org' stands where OWNER or OWNER/REPO is expected, but it is no account's name"),
        (("octo-org", "out", "-R", REPO), f"-R {REPO} names a repository, too"),
        (("octo-org", "out", "--prune"), "--prune cannot be used with --cluster"),
        (("octo-org", "out", "--verify"), "--verify cannot be used with --cluster"),
        (("octo-org", "out", "--extract"), "--extract cannot be used with --cluster"),
        (("octo-org", "out", "--no-link"), "--no-link cannot be used with --cluster"),
        (("octo-org", "out", "--if-none", "warn"), "--if-none cannot be used with --cluster"),
        (("octo-org", "out", "--run", "7"), "--run is a run of one repository; give OWNER/REPO"),
        (("octo-org", "out", "--jobs", "0"), "--jobs must be 1 or more, not 0"),
        (("octo-org", "foo://bucket"), "the destination is not the URL of an object store, such as s3://bucket/prefix"),
    ],
)
def test_usage(server, cli, tmp_path, words, says):
    """What cannot be meant is a usage error, and nothing is asked, of nobody."""
    ran = cli("mirror", *words, "--cluster", "tcp://127.0.0.1:1")
    assert ran.code == 2
    assert says in ran.err
    assert server.github.requests == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("address", "code", "says"),
    [
        ("nonsense", 2, "'nonsense' is not the address of a Dask scheduler"),
        ("http://127.0.0.1:8786", 2, "'http://127.0.0.1:8786' is not the address of a Dask scheduler"),
        ("tcp://10.0.0.5:8786", 2, "in plain text over a network, where others can read"),
        ("tls://127.0.0.1:8786", 2, "needs TLS certificates, and Dask's configuration names none"),
        ("tcp://127.0.0.1:1", 6, "no Dask scheduler at tcp://127.0.0.1:1: "),
    ],
)
def test_no_cluster_there(cli, monkeypatch, address, code, says):
    """One clear line, in a bounded time."""
    connect = module.connect
    monkeypatch.setattr(module, "connect", lambda address, timeout: connect(address, timeout=timeout / 50))
    ran = cli("mirror", REPO, "out", "--cluster", address)
    assert ran.code == code
    assert says in " ".join(ran.err.split())
    assert ran.err.startswith("error: ")


@pytest.mark.parametrize(
    ("name", "extra", "words"), [("distributed", "fleet", "out"), ("obstore.store", "stores", "s3://a")]
)
def test_an_extra_that_is_missing(cli, monkeypatch, name, extra, words):
    """One line names it."""
    monkeypatch.setitem(sys.modules, name, None)
    ran = cli("mirror", REPO, words, "--cluster", "tcp://127.0.0.1:1")
    assert ran.code == 2
    assert f'pip install "gh-artifacts-async[{extra}]"' in " ".join(ran.err.split())


def test_a_login_of_gh_is_asked_for_on_the_workers(server, cli, address):
    """With --token-from gh, each worker asks the gh of its machine: here it has no login, and says so."""
    organization(server.github, 1, 1)
    ran = cli("mirror", "octo-org/repo-0", "out", "--cluster", address, "--token-from", "gh")
    assert ran.code == 4
    assert "gh auth login" in ran.err
    assert server.github.requests == []


def test_inside_github_actions(server, cli, address, monkeypatch, tmp_path):
    """Later steps get the numbers, and the summary has a row for each repository with something new."""
    server.call(organization, server.github, 2, 1)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    assert cli("mirror", "octo-org", "backup", "--cluster", address).code == 0
    output = (tmp_path / "output").read_text("utf-8")
    assert "count" in output
    assert str(Path(tmp_path / "backup")) in output
    summary = (tmp_path / "summary").read_text("utf-8")
    assert "<code>octo-org/repo-0</code> | 1 | " in summary
    assert "<code>octo-org/repo-1</code> | 1 | " in summary
