"""``usage``."""

from __future__ import annotations

import pytest

from tests.cli.conftest import REPO

pytestmark = pytest.mark.realtime


@pytest.fixture
def filled(server) -> None:
    """Artifacts of two names on two branches, and an expired one."""
    main, dev = server.run(branch="main"), server.run(branch="dev")
    for run, name in ((main, "wheel"), (dev, "wheel"), (dev, "logs")):
        server.artifact(run, name, size=1000, size_in_bytes=1000)
    server.artifact(dev, "gone", size=5000, size_in_bytes=5000, expired=True)


@pytest.mark.usefixtures("filled")
def test_three_tables(cli):
    """By name, by age and by branch on standard output; the total on standard error."""
    ran = cli("usage", REPO)
    assert ran.code == 0
    lines = [line.split() for line in ran.out.splitlines()]
    assert lines[0] == ["NAME", "COUNT", "SIZE", "SHARE"]
    assert lines[1][:4] == ["wheel", "2", "2.0", "kB"]
    assert lines[2][:4] == ["logs", "1", "1.0", "kB"]
    assert lines[3:5] == [[], ["AGE", "COUNT", "SIZE", "SHARE"]]
    assert lines[11] == ["BRANCH", "COUNT", "SIZE", "SHARE"]
    assert lines[12][:4] == ["dev", "2", "2.0", "kB"]
    assert lines[12][4] == "67%"
    assert ran.err == f"3 artifacts in {REPO}, 3.0 kB; 1 expired\n"


@pytest.mark.usefixtures("filled")
def test_as_json(cli):
    """One document."""
    document = cli("usage", REPO, "--json").document
    assert (document["repository"], document["count"], document["bytes"], document["expired"]) == (REPO, 3, 3000, 1)
    assert document["by_name"][0] == {"name": "wheel", "count": 2, "bytes": 2000}


@pytest.mark.usefixtures("filled")
def test_on_a_terminal(cli, terminal):
    """A spinner while it lists; results go to standard output alone."""
    ran = cli("usage", REPO)
    assert "\x1b" not in ran.out
    assert "3 artifacts in" in terminal.getvalue()


def test_a_repository_without_artifacts(server, cli):
    """There is no table, and no error."""
    server.run()
    ran = cli("usage", REPO)
    assert (ran.code, ran.out, ran.err) == (0, "", f"0 artifacts in {REPO}, 0 B\n")


def test_a_repository_that_is_not_there(cli):
    """It is not found."""
    assert cli("usage", "octo-org/nowhere").code == 3
    assert cli("usage", REPO, "extra").code == 2
