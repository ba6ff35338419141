"""The demo: an embedded fake GitHub, two scripted faults, and the same client that works on the real one."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
from rich.text import Text

from gh_artifacts_async import events
from gh_artifacts_async.api.clock import utcnow
from gh_artifacts_async.cli.context import fan_out
from gh_artifacts_async.cli.exits import combined, sentence
from gh_artifacts_async.cli.render import bars, progress, reports, screen, tables, text
from gh_artifacts_async.cli.work import demo_data
from gh_artifacts_async.client import ArtifactsClient
from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.results import DownloadResult
from gh_artifacts_async.testing import FakeGitHub

if TYPE_CHECKING:
    from gh_artifacts_async.cli.context import Context
    from gh_artifacts_async.events import Observer
    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.settings import IfExists

MOST_DOWNLOADED = 50
_AT_ONCE = 8
_ROWS_SHOWN = 6
_MARKER = ".gh-artifacts-demo"


def check_size(artifacts: int) -> None:
    """Check ``--artifacts``.

    Raises:
        ConfigurationError: there are none, or more than anyone would wait for.
    """
    if not 1 <= artifacts <= demo_data.MOST:
        msg = f"--artifacts must be within 1..{demo_data.MOST:,}, not {artifacts:,}"
        raise ConfigurationError(msg)


def own_folder(directory: str) -> Path:
    """Make the demo's folder, or take it over from an earlier demo, whose files may be replaced.

    Raises:
        ConfigurationError: it holds something else.
    """
    folder = Path(directory)
    if folder.exists() and not (folder / _MARKER).exists() and (not folder.is_dir() or any(folder.iterdir())):
        msg = f"{folder} is there already and is not an earlier demo's; choose another --dir"
        raise ConfigurationError(msg)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARKER).write_text("made by gh-artifacts demo; the whole folder may be removed\n", encoding="utf-8")
    return folder


@attrs.define
class Figures:
    """What the summary is made of.

    Attributes:
        tally: pages, breaks and expired URLs.
        results: of the first download.
        again: of the second one.
        failures: of both.
        listed: artifacts in the listing.
        list_seconds: how long that took.
        seconds: how long the first download took.
    """

    tally: progress.Tally = attrs.field(factory=progress.Tally)
    results: list[DownloadResult] = attrs.field(factory=list)
    again: list[DownloadResult] = attrs.field(factory=list)
    failures: list[Exception] = attrs.field(factory=list)
    listed: int = 0
    list_seconds: float = 0.0
    seconds: float = 0.0


class Demo:
    """One run of the demo."""

    def __init__(self, context: Context, client: ArtifactsClient, folder: Path, figures: Figures) -> None:
        """Take what it works with."""
        self._context = context
        self._client = client
        self._folder = folder
        self._figures = figures

    def say(self, line: str, style: str = "") -> None:
        """Say what is going on; not with ``--quiet``."""
        if not self._context.options.quiet:
            screen.show(Text(text.escaped(line), style=style))

    def heading(self, number: int, line: str) -> None:
        """Begin a chapter."""
        self.say("")
        self.say(f"{number}. {line}", style="bold")

    def survived(self, event: events.Event) -> None:
        """Say what went wrong, and that it did no harm."""
        if isinstance(event, events.TransferResumed | events.TransferURLRenewed):
            self.say(f"   ! {progress.phrase(event, everything=True)}", style="yellow")

    async def list_all(self) -> list[Artifact]:
        """List everything, and show the first rows."""
        started = asyncio.get_running_loop().time()
        found = [artifact async for artifact in self._client.list_artifacts(demo_data.REPO)]
        figures = self._figures
        figures.list_seconds = asyncio.get_running_loop().time() - started
        figures.listed = len(found)
        pages = text.count(figures.tally.pages, "page")
        self.heading(
            2, f"Listed {text.count(len(found), 'artifact')} on {pages} in {text.duration(figures.list_seconds)}"
        )
        if not self._context.options.quiet:
            screen.show(tables.artifacts(found[:_ROWS_SHOWN], utcnow()))
        if len(found) > _ROWS_SHOWN:
            self.say(f"   … and {len(found) - _ROWS_SHOWN:,} more", style="dim")
        return found

    async def download(self, chosen: list[Artifact]) -> None:
        """Download them all for the first time."""
        total = sum(artifact.size_in_bytes for artifact in chosen)
        newest = f"the newest {text.count(len(chosen), 'artifact')} ({text.size(total)})"
        self.heading(3, f"Downloading {newest}, {_AT_ONCE} at once, to {self._folder}")
        self.say("   on the way, one connection is cut and one signed URL expires", style="dim")
        started = asyncio.get_running_loop().time()
        drawn = bars.DownloadBars(len(chosen), total) if self._context.live else None
        with drawn or contextlib.nullcontext():
            self._figures.results = await self._fetch(
                chosen, "replace", fan_out(self.survived, *([drawn] if drawn else []))
            )
        self._figures.seconds = asyncio.get_running_loop().time() - started
        self.say(f"   {text.count(len(self._figures.results), 'file')} written, each verified before it appeared")

    async def download_again(self, chosen: list[Artifact]) -> None:
        """Download them once more: nothing is missing, so nothing is fetched."""
        self.heading(4, "The same download again: what is there is checked by its digest, and skipped")
        started = asyncio.get_running_loop().time()
        self._figures.again = await self._fetch(chosen, "skip", None)
        seconds = text.duration(asyncio.get_running_loop().time() - started)
        self.say(f"   {_skipped(self._figures)} of {len(chosen)} there already, in {seconds}")

    async def _fetch(
        self, chosen: list[Artifact], if_exists: IfExists, observer: Observer | None
    ) -> list[DownloadResult]:
        results = []
        async with self._client.download_many(
            chosen, self._folder, concurrency=_AT_ONCE, if_exists=if_exists, layout="name", observer=observer
        ) as outcomes:
            async for outcome in outcomes:
                if outcome.value is not None:
                    results.append(outcome.value)
                else:
                    self._figures.failures.append(outcome.error)
                    self._context.error(f"{outcome.artifact.name}: {sentence(outcome.error)}")
        return results


async def run(context: Context, artifacts: int, directory: str) -> int:
    """Show listing, downloading, resuming, signing again and verifying; return the exit code."""
    folder = own_folder(directory)
    figures = Figures()
    async with FakeGitHub() as github:
        demo_data.fill(github, artifacts)
        async with ArtifactsClient("demo-token", base_url=github.base_url, observer=figures.tally) as client:
            demo = Demo(context, client, folder, figures)
            demo.heading(1, f"A fake GitHub runs inside this program, at {github.base_url}")
            listed = await demo.list_all()
            chosen = listed[:MOST_DOWNLOADED]
            demo_data.script_faults(github, chosen)
            await demo.download(chosen)
            await demo.download_again(chosen)
    demo.heading(5, "What came of it")
    screen.show(tables.pairs(summary(figures, folder)))
    demo.say("")
    demo.say("The same on the real GitHub:")
    demo.say("   GITHUB_TOKEN=... gh-artifacts download OWNER/REPO --all --dir artifacts", style="bold")
    return combined(figures.failures, done=len(figures.results))


def _skipped(figures: Figures) -> int:
    return sum(result.skipped for result in figures.again)


def summary(figures: Figures, folder: Path) -> list[tuple[str, str]]:
    """Return what the demo has come to, as names and values."""
    count = reports.transferred(figures.results)
    digests = sum(result.verified == "digest" for result in figures.results)
    speed = f"{count / 1e6 / figures.seconds:.1f} MB/s" if figures.seconds else "-"
    return [
        ("artifacts listed", f"{figures.listed:,} on {text.count(figures.tally.pages, 'page')}"),
        ("downloaded", f"{len(figures.results):,}, {_AT_ONCE} at once"),
        ("bytes", f"{count:,} ({text.size(count)})"),
        ("resumed", f"{text.count(figures.tally.resumed, 'cut connection')}"),
        ("re-signed", f"{text.count(figures.tally.resigned, 'expired URL')}"),
        ("verified by digest", f"{digests:,} of {len(figures.results):,}"),
        ("skipped when repeated", f"{_skipped(figures):,} of {len(figures.again):,}"),
        ("time", text.duration(figures.seconds)),
        ("speed", speed),
        ("files", f"{folder}"),
    ]
