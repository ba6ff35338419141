"""``python -m benchmarks.soak.servers``: the fake GitHub with its faults, and the proxies before it, as one process.

It prints one line of JSON once it is ready. On standard input it takes ``calm`` (no more faults) and answers with one
line of JSON, how often each fault happened; it ends when standard input does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import sys
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING

from gh_artifacts_async.testing import ChaosProxy, FakeGitHub

from benchmarks.soak.catalogue import Entry, populate
from benchmarks.soak.front import Answers, Front

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gh_artifacts_async.testing import Fault, Faults
    from gh_artifacts_async.testing.data.profiles import Host
    from gh_artifacts_async.testing.faults.chaos import Disruption

_NO_LIMIT = 10**9  # requests an hour
_TICK = 0.05  # seconds between two looks at the scripts
_IN_LINE = 4  # faults that wait at each host
_GAP = (2, 20)  # requests between two of them
_LONGEST_SCRIPT = 24
_SECONDS = 6.0  # of a stall: the client gives up sooner

# What any artifact survives, and what only a digest gives away.
_STORAGE: dict[str, Callable[[Faults, int | None], Fault]] = {
    "cut": lambda faults, number: faults.cut(number),
    "reset": lambda faults, number: faults.reset(number),
    "stall": lambda faults, number: faults.stall(number, seconds=_SECONDS),
    "drip": lambda faults, number: faults.drip(number),
    "no reply": lambda faults, number: faults.no_reply(number),
    "no reply, reset": lambda faults, number: faults.no_reply(number, reset=True),
    "garbage": lambda faults, number: faults.garbage(number),
    "slow headers": lambda faults, number: faults.slow_headers(number, seconds=_SECONDS),
    "storage 500": lambda faults, number: faults.status(number, 500),
    "storage 503": lambda faults, number: faults.status(number, 503, headers={"Retry-After": "1"}),
    "storage 429": lambda faults, number: faults.status(number, 429),
    "storage 403": lambda faults, number: faults.status(number, 403),
    "html of storage": lambda faults, number: faults.html(number, where="storage"),
    "expire_url": lambda faults, number: faults.expire_url(number),
    "ignore_range": lambda faults, number: faults.ignore_range(number),
    "wrong_content_range": lambda faults, number: faults.wrong_content_range(number),
    "change_etag": lambda faults, number: faults.change_etag(number),
    "weak etag": lambda faults, number: faults.headers(number, {"ETag": 'W/"1"'}),
    "no type": lambda faults, number: faults.headers(number, {"Content-Type": None}),
    "no_length, chunked": lambda faults, number: faults.no_length(number),
}
_DIGEST_ONLY: dict[str, Callable[[Faults, int | None], Fault]] = {
    "corrupt": lambda faults, number: faults.corrupt(number),
    "truncate_clean": lambda faults, number: faults.truncate_clean(number),
    "extra": lambda faults, number: faults.extra(number),
    "wrong_length": lambda faults, number: faults.wrong_length(number),
    "gzip": lambda faults, number: faults.gzip(number),
    "no_length, closed": lambda faults, number: faults.no_length(number, framing="close"),
}
_API: dict[str, Callable[[Faults, int | None], Fault]] = {
    "API cut": lambda faults, _: faults.cut(where="api"),
    "API reset": lambda faults, _: faults.reset(where="api"),
    "API stall": lambda faults, _: faults.stall(where="api", seconds=_SECONDS),
    "API no reply": lambda faults, _: faults.no_reply(where="api"),
    "API garbage": lambda faults, _: faults.garbage(where="api"),
    "API slow headers": lambda faults, _: faults.slow_headers(where="api", seconds=_SECONDS),
    "API 500": lambda faults, _: faults.status(None, 500, where="api"),
    "API 502": lambda faults, _: faults.status(None, 502, where="api"),
    "API 503": lambda faults, _: faults.status(None, 503, where="api", headers={"Retry-After": "1"}),
    "API html": lambda faults, _: faults.html(),
    "secondary_limit": lambda faults, _: faults.secondary_limit(retry_after=1),
    "rate_limit": lambda faults, _: faults.rate_limit(reset_in=1.0),
    "forbidden": lambda faults, _: faults.forbidden(),
    "next_link": lambda faults, _: faults.next_link("https://elsewhere.example/next"),
}
_SELDOM = {
    **dict.fromkeys(("secondary_limit", "rate_limit"), 0.03),  # the whole client waits
    **dict.fromkeys(("forbidden", "next_link", "API html"), 0.2),  # the transfer fails at once
}


class Mischief:
    """Keeps the fake's scripts and the chaos proxies' filled with random faults.

    Attributes:
        counts: fault -> how often it happened.
    """

    def __init__(self, github: FakeGitHub, chaos: Sequence[ChaosProxy], entries: Sequence[Entry], seed: str) -> None:
        """Prepare; nothing happens before ``run``."""
        self.counts: Counter[str] = Counter()
        self._github = github
        self._chaos = chaos
        self._verifiable = [entry.id for entry in entries if entry.digest]
        self._random = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        self._scripted: list[tuple[str, Fault]] = []
        self._disrupting: list[tuple[str, Disruption]] = []

    async def run(self) -> None:
        """Do mischief until cancelled."""
        try:
            while True:
                self._collect()
                self._plan()
                await asyncio.sleep(_TICK)
        finally:
            self._collect()
            self._github.faults.clear()
            for proxy in self._chaos:
                proxy.script.clear()

    def _collect(self) -> None:
        """Count what has happened, and forget it."""
        self.counts.update(name for name, fault in self._scripted if not fault.left)
        self._scripted = [(name, fault) for name, fault in self._scripted if fault.left]
        script = self._github.faults.script
        script[:] = [fault for fault in script if fault.left][-_LONGEST_SCRIPT:]
        self._scripted = [(name, fault) for name, fault in self._scripted if fault in script]
        self.counts.update(name for name, disruption in self._disrupting if not disruption.left)
        self._disrupting = [(name, disruption) for name, disruption in self._disrupting if disruption.left]
        for proxy in self._chaos:
            proxy.script[:] = [disruption for disruption in proxy.script if disruption.left]
            proxy.connections.clear()
        self._github.forget_requests()

    def _plan(self) -> None:
        hosts: tuple[Host, ...] = ("api", "storage")
        for host in hosts:
            if sum(fault.host == host for _, fault in self._scripted) < _IN_LINE:
                self._github.faults.pass_by(times=self._random.randint(*_GAP), where=host)
                self._script_one(host)
        for number, proxy in enumerate(self._chaos):
            if len(proxy.script) < _IN_LINE:
                proxy.pass_by(self._random.randint(*_GAP))
                self._disrupt(("API", "storage")[number], proxy)

    def _script_one(self, host: str) -> None:
        number = None
        kinds = _API
        if host == "storage":
            kinds = self._random.choice((_STORAGE, _STORAGE, _STORAGE, _DIGEST_ONLY))
            number = self._random.choice(self._verifiable) if kinds is _DIGEST_ONLY else None
        weights = [_SELDOM.get(name, 1.0) for name in kinds]
        name = self._random.choices(list(kinds), weights)[0]
        self._scripted.append((name, kinds[name](self._github.faults, number)))

    def _disrupt(self, host: str, proxy: ChaosProxy) -> None:
        after = int(2 ** self._random.uniform(4, 21))
        kinds: dict[str, Callable[[], Disruption]] = {
            "cut": lambda: proxy.cut(after),
            "reset": lambda: proxy.reset(after),
            "stall": lambda: proxy.stall(after, seconds=_SECONDS),
            "drip": lambda: proxy.drip(chunk=8, interval=0.1),
            "refuse": proxy.refuse,
            "no request": lambda: proxy.stall(0, seconds=_SECONDS, direction="up"),
        }
        name = self._random.choice(list(kinds))
        self._disrupting.append((f"connection to {host}: {name}", kinds[name]()))


async def _lines() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def _say(document: object) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


async def serve(seed: int, *, surplus: bool) -> None:
    """Serve until standard input ends."""
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # clients that leave early are no news here
    commands = await _lines()
    async with AsyncExitStack() as stack:
        github = await stack.enter_async_context(FakeGitHub())
        github.set_rate_limit(limit=_NO_LIMIT)
        entries = populate(github, seed)
        answers = Answers({entry.id for entry in entries if not entry.digest})
        chaos: list[ChaosProxy] = []
        fronts: list[Front] = []
        for target in (github.base_url, github.storage_url):
            chaos.append(await stack.enter_async_context(ChaosProxy(target)))
            front = Front(chaos[-1].url, answers, f"{seed} {len(fronts)}", surplus=surplus)
            fronts.append(await stack.enter_async_context(front))
        github.advertise(api=fronts[0].url, storage=fronts[1].url)
        mischief = Mischief(github, chaos, entries, f"{seed} mischief")
        at_work = asyncio.ensure_future(mischief.run())
        stack.callback(at_work.cancel)
        _say({"api": fronts[0].url, "entries": [asdict(entry) for entry in entries]})
        while await commands.readline():
            at_work.cancel()
            await asyncio.wait({at_work})
            counts = Counter(mischief.counts)
            for host, front in zip(("API", "storage"), fronts, strict=True):
                front.calm = True
                await front.drop()
                counts.update({f"{host}: {name}": count for name, count in front.counts.items()})
            _say(counts)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the servers and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak.servers", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-surplus", action="store_true")
    options = parser.parse_args(argv)
    asyncio.run(serve(options.seed, surplus=not options.no_surplus))
    return 0


if __name__ == "__main__":
    sys.exit(main())
