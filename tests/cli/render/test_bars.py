"""Progress bars."""

from __future__ import annotations

import pytest

from gh_artifacts_async.cli.render import bars
from tests.cli.conftest import REPO
from tests.kits.zips import SEVERAL_ZIP

pytestmark = pytest.mark.realtime


def drawn_at_once(update):
    """Let a bar be drawn whenever it is moved, and not ten times a second."""

    def updated(progress, *args, **kwargs):
        update(progress, *args, **kwargs)
        progress.refresh()

    return updated


def test_a_download_on_a_terminal_draws_bars(server, cli, terminal, monkeypatch):
    """Bars on standard error; standard output has the lines alone."""
    monkeypatch.setattr("gh_artifacts_async.transfer.storage.fetch.EVENT_INTERVAL", 0.0)
    run = server.run()
    broken = server.artifact(run, "big [red]one[/red]", size=3_000_000)
    server.artifact(run, "small")
    server.artifact(run, "bad", digest="sha256:" + "0" * 64)
    server.github.faults.cut(broken, at=2_000_000)
    ran = cli("download", REPO, "--all")
    drawn = terminal.getvalue()
    assert ran.code == 1
    assert "of 3 done" in drawn
    assert "big [red]one[/red]" in drawn
    assert "MB/s" in drawn
    assert ran.out.count("\n") == 2
    assert "\x1b" not in ran.out


@pytest.mark.parametrize("columns", ["40", "60", "80", "100"])
def test_bars_fit_narrow_terminals(server, cli, terminal, monkeypatch, columns):
    """However narrow it is, the count and the bytes stay."""
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("LINES", "5")
    run = server.run()
    for number in range(4):
        server.artifact(run, f"a{number}", size=400_000)
    assert cli("download", REPO, "--all").code == 0
    assert "4 of 4 done" in terminal.getvalue()
    assert "1.6 MB / 1.6 MB" in terminal.getvalue()


def test_a_listing_on_a_terminal_shows_how_far_it_is(server, cli, terminal):
    """The bar stands on standard error, and the table on standard output alone."""
    server.artifact(server.run(), "wheel")
    ran = cli("list", REPO)
    assert "wheel" in ran.out
    assert "\x1b" not in ran.out
    assert "1 of 1 artifact, page 1" in terminal.getvalue()
    assert "1 artifact in octo-org/octo-docs" in terminal.getvalue()


@pytest.mark.parametrize("switch", ["--no-progress", "--quiet"])
def test_no_bars_where_none_are_wanted(server, cli, terminal, switch):
    """--no-progress and --quiet draw nothing."""
    server.artifact(server.run(), "wheel")
    cli("list", REPO, switch)
    assert "page 1" not in terminal.getvalue()


def test_bars_show_unpacking_once_all_has_arrived(server, cli, terminal, monkeypatch):
    """The bar of a transfer becomes one of unpacked bytes."""
    monkeypatch.setattr("gh_artifacts_async.transfer.unzip.unpack.EVENT_INTERVAL", 0.0)
    monkeypatch.setattr("rich.progress.Progress.update", drawn_at_once(bars.Progress.update))
    server.artifact(server.run(), "docs [x]", archive=SEVERAL_ZIP)
    assert cli("download", REPO, "--all", "--extract").code == 0
    assert "unpacking docs [x]" in terminal.getvalue()
    assert "1 of 1 done" in terminal.getvalue()
