"""Progress bars."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gh_artifacts_async import Artifact, ExtractionProgress, TransferFinished, TransferStarted, TransferVerified
from gh_artifacts_async.cli.render import bars
from tests.cli.conftest import REPO

pytestmark = pytest.mark.realtime


def drawn_at_once(update):
    """Let a bar be drawn whenever it is moved, and not ten times a second."""

    def updated(progress, *args, **kwargs):
        update(progress, *args, **kwargs)
        progress.refresh()

    return updated


@pytest.mark.github_com("ranges")
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
    ran = cli("usage", REPO)
    assert "wheel" in ran.out
    assert "\x1b" not in ran.out
    assert "1 of 1 artifact, page 1" in terminal.getvalue()
    assert "1 artifact in octo-org/octo-docs" in terminal.getvalue()


@pytest.mark.parametrize("switch", ["--no-progress", "--quiet"])
def test_no_bars_with_no_progress_or_quiet(server, cli, terminal, switch):
    """--no-progress and --quiet draw nothing."""
    server.artifact(server.run(), "wheel")
    cli("list", REPO, switch)
    assert "page 1" not in terminal.getvalue()


def test_bars_show_unpacking_once_all_has_arrived(terminal, monkeypatch):
    """While bytes arrive, the bar counts them; after that, it counts what is unpacked."""
    artifact = Artifact(
        id=7,
        node_id="n",
        name="docs [x]",
        size_in_bytes=2_000_000,
        url="u",
        archive_download_url="d",
        expired=False,
    )
    unpacked = ExtractionProgress(artifact=artifact, written=1_000_000, total=4_000_000, members_done=1, members=4)
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("rich.progress.Progress.update", drawn_at_once(bars.Progress.update))
    with bars.DownloadBars(1, 2_000_000) as drawn:
        drawn(TransferStarted(artifact=artifact, size=2_000_000))
        drawn(unpacked)
        assert "unpacking" not in terminal.getvalue()
        drawn(TransferVerified(artifact=artifact, verified="digest"))
        drawn(unpacked)
        assert "unpacking docs [x]" in terminal.getvalue()
        assert "1.0 MB / 4.0 MB" in terminal.getvalue()
        drawn(TransferFinished(artifact=artifact, path=Path("docs"), size=2_000_000))
    assert "1 of 1 done" in terminal.getvalue()
