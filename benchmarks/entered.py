"""How many of our functions, in how many files, one call enters: ``python -m benchmarks.entered``.

A figure for readers, not for speed: it says how much of the package one has to know to follow a call. Each call is made
twice against the embedded fake GitHub; the second, with everything imported and connected, is counted with
``sys.setprofile`` on the event loop's thread. The worker thread, which writes what it is handed, and the fake's own
functions do not count.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gh_artifacts_async
from gh_artifacts_async import ArtifactsClient
from gh_artifacts_async.testing import FakeGitHub

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import CodeType, FrameType

PACKAGE = str(Path(gh_artifacts_async.__file__).parent)
REPO = "octo-org/octo-docs"
MIB = 2**20


async def entered(call: Callable[[], Awaitable[object]]) -> set[CodeType]:
    """Return the functions of the package that a call enters."""
    seen: set[CodeType] = set()

    def note(frame: FrameType, event: str, _argument: Any) -> None:  # noqa: ANN401 - the profiler's signature
        if event == "call":
            seen.add(frame.f_code)

    sys.setprofile(note)
    try:
        await call()
    finally:
        sys.setprofile(None)
    return {code for code in seen if is_ours(code)}


def is_ours(code: CodeType) -> bool:
    """Whether a function is of the package, and no part of its fake GitHub."""
    file = code.co_filename
    return file.startswith(PACKAGE) and not file.startswith(f"{PACKAGE}/testing")


async def measure() -> dict[str, set[CodeType]]:
    """Return what each call enters when it is made for the second time."""
    found: dict[str, set[CodeType]] = {}
    with tempfile.TemporaryDirectory() as folder:
        async with FakeGitHub() as github:
            run = github.add_run(REPO)
            ids = [github.add_artifact(run, f"a{number}", archive=b"PK\5\6" + bytes(5 * MIB)) for number in range(2)]
            async with ArtifactsClient("token", base_url=github.base_url) as client:

                async def get() -> None:
                    await client.get_artifact(REPO, ids[0])

                async def listing() -> None:
                    async for _ in client.list_artifacts(REPO):
                        pass

                artifacts = [await client.get_artifact(REPO, number) for number in ids]
                left = list(artifacts)

                async def download() -> None:
                    await client.download(left.pop(), folder)

                for name, call in (("get_artifact", get), ("one-page listing", listing), ("5 MB download", download)):
                    await call()
                    found[name] = await entered(call)
    return found


def main() -> None:
    """Print the figures; with ``-v`` the functions too."""
    for name, codes in asyncio.run(measure()).items():
        files = {code.co_filename for code in codes}
        print(f"{name:<18} {len(codes):>4} functions {len(files):>3} files")
        if "-v" in sys.argv:
            for code in sorted(codes, key=lambda code: (code.co_filename, code.co_firstlineno)):
                print(f"    {code.co_filename.removeprefix(PACKAGE)[1:]}: {code.co_qualname}")


if __name__ == "__main__":
    main()
