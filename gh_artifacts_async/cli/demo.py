"""``gh-artifacts demo``: an embedded fake GitHub, two scripted faults, and the client that works on the real one."""

import asyncio
import contextlib
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import attrs
from cyclopts import Parameter

from gh_artifacts_async import (
    Artifact,
    ArtifactsClient,
    DownloadResult,
    Event,
    IfExists,
    Observer,
    TransferResumed,
    TransferURLRenewed,
)
from gh_artifacts_async.cli import demo_data, running
from gh_artifacts_async.cli.context import Context, fan_out
from gh_artifacts_async.cli.exits import combined
from gh_artifacts_async.cli.manual import NAME
from gh_artifacts_async.cli.render import artifacts as tables_of_artifacts
from gh_artifacts_async.cli.render import bars, downloads, events, screen, tables, text
from gh_artifacts_async.cli.render.sentences import named
from gh_artifacts_async.errors import ConfigurationError

MOST_DOWNLOADED = 50
_AT_ONCE = 8
_ROWS_SHOWN = 6
_MARKER = ".gh-artifacts-demo"
_INDENT = " " * 3


def demo(
    *,
    artifacts: int = 250,
    dir_: Annotated[str, Parameter(name=["--dir", "-D"])] = "artifacts-demo",
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """Try everything against an embedded fake GitHub."""
    if not 1 <= artifacts <= demo_data.MOST:
        msg = f"--artifacts must be between 1 and {demo_data.MOST:,}, not {artifacts:,}"
        raise ConfigurationError(msg)
    return running.run(lambda: _run(context, artifacts, dir_))


def own_folder(directory: str) -> Path:
    """Create the demo's folder, or use that of an earlier demo, whose files are replaced.

    Raises:
        ConfigurationError: it holds something else.
    """
    folder = Path(directory)
    if folder.exists() and not (folder / _MARKER).exists() and (not folder.is_dir() or any(folder.iterdir())):
        msg = f"{folder} exists and was not created by this demo; choose another --dir"
        raise ConfigurationError(msg)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARKER).write_text("created by gh-artifacts demo; the whole folder can be deleted\n", encoding="utf-8")
    return folder


@attrs.define
class Figures:
    """What the summary is computed from.

    Attributes:
        tally: pages, broken transfers and expired URLs.
        results: of the first download.
        again: of the second one.
        failures: of both.
        listed: artifacts in the listing.
        list_seconds: how long that took.
        seconds: how long the first download took.
    """

    tally: events.Tally = attrs.field(factory=events.Tally)
    results: list[DownloadResult] = attrs.field(factory=list)
    again: list[DownloadResult] = attrs.field(factory=list)
    failures: list[Exception] = attrs.field(factory=list)
    listed: int = 0
    list_seconds: float = 0.0
    seconds: float = 0.0


class Demo:
    """One run of the demo."""

    def __init__(self, context: Context, client: ArtifactsClient, folder: Path, figures: Figures) -> None:
        """Keep what it works with."""
        self._context = context
        self._client = client
        self._folder = folder
        self._figures = figures

    def say(self, line: str, style: str = "") -> None:
        """Say what is happening; not with ``--quiet``."""
        if not self._context.options.quiet:
            lines = screen.wrapped(text.escaped(line), sys.stdout, indent=_INDENT)
            screen.write(sys.stdout, screen.view(sys.stdout).styled(lines, style) + "\n")

    def heading(self, number: int, line: str) -> None:
        """Begin a chapter."""
        self.say("")
        self.say(f"{number}. {line}", style=screen.BOLD)

    def survived(self, event: Event) -> None:
        """Say what went wrong, and that it did no harm."""
        if isinstance(event, TransferResumed | TransferURLRenewed):
            self.say(f"   ! {events.phrase(event, everything=True)}", style=screen.YELLOW)

    async def list_all(self) -> list[Artifact]:
        """List everything, and show the first rows."""
        started = asyncio.get_running_loop().time()
        found = [artifact async for artifact in self._client.list_artifacts(demo_data.REPO)]
        figures = self._figures
        figures.list_seconds = asyncio.get_running_loop().time() - started
        figures.listed = len(found)
        pages = text.count(figures.tally.pages, "page")
        took = text.duration(figures.list_seconds)
        self.heading(2, f"Listed {text.count(len(found), 'artifact')} on {pages} in {took}")
        if not self._context.options.quiet:
            tables_of_artifacts.show(found[:_ROWS_SHOWN], datetime.now(UTC))
        if len(found) > _ROWS_SHOWN:
            self.say(f"   … and {len(found) - _ROWS_SHOWN:,} more", style=screen.DIM)
        return found

    async def download(self, chosen: list[Artifact]) -> None:
        """Download them all for the first time."""
        total = sum(artifact.size_in_bytes for artifact in chosen)
        newest = f"the newest {text.count(len(chosen), 'artifact')} ({text.size(total)})"
        self.heading(3, f"Downloading {newest} to {self._folder}, {_AT_ONCE} at a time")
        self.say("   on purpose, one connection is cut and one signed URL expires", style=screen.DIM)
        for artifact in chosen:  # of an earlier demo: this one shows how they are fetched
            (self._folder / f"{artifact.name}.zip").unlink(missing_ok=True)
        started = asyncio.get_running_loop().time()
        drawn = bars.DownloadBars(chosen) if self._context.live else None
        with drawn or contextlib.nullcontext():
            self._figures.results = await self._fetch(
                chosen, "replace", fan_out(self.survived, *([drawn] if drawn else []))
            )
        self._figures.seconds = asyncio.get_running_loop().time() - started
        self.say(f"   {text.count(len(self._figures.results), 'file')} saved, each verified before it appeared")

    async def download_again(self, chosen: list[Artifact]) -> None:
        """Download them once more: nothing is missing, so nothing is fetched."""
        self.heading(4, "The same download again: existing files are checked by digest and skipped")
        started = asyncio.get_running_loop().time()
        self._figures.again = await self._fetch(chosen, "skip", None)
        seconds = text.duration(asyncio.get_running_loop().time() - started)
        self.say(f"   {_skipped(self._figures)} of {len(chosen)} already there, in {seconds}")

    async def _fetch(
        self, chosen: list[Artifact], if_exists: IfExists, observer: Observer | None
    ) -> list[DownloadResult]:
        results = []
        async with self._client.download_many(
            chosen, self._folder, concurrency=_AT_ONCE, if_exists=if_exists, layout="name", observer=observer
        ) as outcomes:
            async for outcome in outcomes:
                if outcome.ok is True:
                    results.append(outcome.value)
                else:
                    self._figures.failures.append(outcome.error)
                    self._context.error(named(outcome.artifact, self._context.sentence(outcome.error)))
        return results


async def _run(context: Context, artifacts: int, directory: str) -> int:
    """Show listing, downloading, resuming, renewed URLs and verification; return the exit code."""
    from gh_artifacts_async.testing import FakeGitHub  # with its servers, which no other command enters

    folder = own_folder(directory)
    figures = Figures()
    async with FakeGitHub() as github:
        demo_data.fill(github, artifacts)
        async with ArtifactsClient("demo-token", base_url=github.base_url, observer=figures.tally) as client:
            story = Demo(context, client, folder, figures)
            story.heading(1, f"A fake GitHub runs inside this program, at {github.base_url}")
            listed = await story.list_all()
            chosen = listed[:MOST_DOWNLOADED]
            demo_data.script_faults(github, chosen)
            await story.download(chosen)
            await story.download_again(chosen)
    story.heading(5, "Summary")
    screen.write(sys.stdout, tables.pairs(summary(figures, folder), screen.view(sys.stdout)))
    story.say("")
    story.say("The same on the real GitHub:")
    story.say(f"   GH_TOKEN=... {_program()} download OWNER/REPO --all --dir artifacts", style=screen.BOLD)
    return combined(figures.failures, done=len(figures.results))


def _program() -> str:
    """Return what to type to run this program: in an environment that is not active, its path."""
    if shutil.which(NAME):
        return NAME
    script = sys.argv[0]
    if Path(script).stem != NAME:
        return "python -m gh_artifacts_async"
    try:
        return os.path.relpath(script)
    except ValueError:  # on another drive
        return script


def _skipped(figures: Figures) -> int:
    return sum(result.skipped for result in figures.again)


def summary(figures: Figures, folder: Path) -> list[tuple[str, str]]:
    """Return the demo's results, as names and values."""
    count = downloads.transferred(figures.results)
    digests = sum(result.verified == "digest" for result in figures.results)
    speed = f"{count / 1e6 / figures.seconds:.1f} MB/s" if figures.seconds else "-"
    return [
        ("artifacts listed", f"{figures.listed:,} on {text.count(figures.tally.pages, 'page')}"),
        ("downloaded", f"{len(figures.results):,}, {_AT_ONCE} at a time"),
        ("bytes", f"{count:,} ({text.size(count)})"),
        ("resumed", f"{text.count(figures.tally.resumed, 'cut connection')}"),
        ("renewed", f"{text.count(figures.tally.renewed, 'expired URL')}"),
        ("verified by digest", f"{digests:,} of {len(figures.results):,}"),
        ("skipped on repeat", f"{_skipped(figures):,} of {len(figures.again):,}"),
        ("time", text.duration(figures.seconds)),
        ("speed", speed),
        ("files", f"{folder}"),
    ]
