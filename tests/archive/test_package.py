from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

import gh_artifacts_async.archive as package
from gh_artifacts_async.archive import extract
from gh_artifacts_async.archive.rules import RULES, Rule
from gh_artifacts_async.errors import ArchiveError
from tests.kits.archives import Entry, build

DESCRIPTORS = Path("/proc/self/fd")


def test_the_package_starts_without_the_network():
    """Neither aiohttp nor asyncio, and no library that only some archives need."""
    code = "import sys, gh_artifacts_async.archive; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    loaded = set(done.stdout.split())
    assert not loaded & {"aiohttp", "asyncio", "isal", "lzma", "bz2", "shutil", "tempfile", "concurrent.futures"}


def test_every_public_name_is_there():
    """``__all__`` is sorted as ruff sorts it, and holds what it says."""
    assert len(set(package.__all__)) == len(package.__all__)
    for name in package.__all__:
        assert getattr(package, name) is not None


def test_rules_have_distinct_names_and_advice():
    """Programs go by the name, people by the advice."""
    assert all(isinstance(rule, Rule) and rule.advice and name == rule.name for name, rule in RULES.items())
    assert len(RULES) >= 50


@pytest.mark.skipif(not DESCRIPTORS.exists(), reason="needs /proc")
def test_no_descriptor_is_left(tmp_path):
    """Neither by success, nor by a refusal midway, nor by one before anything is written."""
    good = tmp_path / "good.zip"
    good.write_bytes(build(*(Entry(f"{n}/{n}/x", b"x" * 40_000, method=8) for n in range(50))))
    bad = tmp_path / "bad.zip"
    bad.write_bytes(build(*(Entry(f"{n}/{n}/x", b"x" * 40_000, method=8, crc=n) for n in range(50))))
    worse = tmp_path / "worse.zip"
    worse.write_bytes(build(Entry("../x", b"x")))
    gc.collect()
    before = len(list(DESCRIPTORS.iterdir()))
    for at in range(10):
        extract(good, tmp_path / f"{at}")
        for archive in (bad, worse):
            with pytest.raises(ArchiveError):
                extract(archive, tmp_path / "none")
    assert len(list(DESCRIPTORS.iterdir())) == before


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux")
def test_memory_is_bounded(tmp_path):
    """A large member, a large stored one and a hundred small ones in four threads: 64 MiB more than at rest at most."""
    large = Entry("large", bytes(300 * 2**20), method=8)
    stored = Entry("stored", bytes(100 * 2**20))
    archive = tmp_path / "a.zip"
    archive.write_bytes(build(large, stored, *(Entry(f"{n}", bytes(2**20), method=8) for n in range(100))))
    code = (
        "import resource, sys\n"
        "from gh_artifacts_async.archive import extract\n"
        "from gh_artifacts_async.settings import ExtractPolicy\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "extract(sys.argv[1], sys.argv[2], ExtractPolicy(max_ratio=None), threads=4)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(  # noqa: S603 - a fixed program
        [sys.executable, "-c", code, str(archive), str(tmp_path / "out")], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 64 * 1024
