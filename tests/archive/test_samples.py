from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path

import pytest

from gh_artifacts_async.archive import audit, extract
from gh_artifacts_async.errors import ArchiveError
from gh_artifacts_async.settings import ExtractPolicy
from tests.kits.archives import Entry, build

SAMPLES = Path(__file__).parent.parent / "zips"
INDEX = [json.loads(line) for line in (SAMPLES / "INDEX.jsonl").read_text(encoding="utf-8").splitlines()]
DATA_RULES = {"crc", "size", "data", "surplus-data"}
GIB = 2**30


def _paths(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))


@pytest.mark.parametrize("sample", INDEX, ids=lambda sample: sample["file"].removesuffix(".zip"))
def test_each_sample_gets_its_verdict(sample: dict, tmp_path: Path):
    """What must be refused leaves nothing at all; what must be taken appears; nothing ever leads out."""
    for names, verdict, rule in (
        ("native", sample["verdict"], sample["rule"]),
        ("portable", sample["portable"], sample["portable_rule"]),
    ):
        assert verdict in {"either", "reject" if rule else "accept"}
        home = tmp_path / names
        home.mkdir()
        _check_verdict(SAMPLES / sample["file"], rule, ExtractPolicy(names=names), home)


def _check_verdict(archive: Path, rule: str | None, policy: ExtractPolicy, home: Path) -> None:
    destination = home / "a" / "out"
    if not rule:
        audit(archive, policy)
        members = extract(archive, destination, policy)
        assert _paths(home)[:2] == ["a", "a/out"]
        assert all(path.startswith("a/out/") for path in _paths(home)[2:])
        assert all(member.path.stat().st_size == member.size for member in members)
        return
    with pytest.raises(ArchiveError) as caught:
        extract(archive, destination, policy)
    assert caught.value.rule == rule, policy
    assert str(caught.value).isprintable()
    assert _paths(home) == []
    if rule in DATA_RULES:
        audit(archive, policy)
    else:
        with pytest.raises(ArchiveError, match=r".+; .+"):
            audit(archive, policy)


def _zeros(length: int) -> tuple[bytes, int]:
    """Deflate zeros without holding them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block, packed, checksum = bytes(2**20), [], 0
    for _ in range(length // len(block)):
        packed.append(packer.compress(block))
        checksum = zlib.crc32(block, checksum)
    packed.append(packer.flush())
    return b"".join(packed), checksum


@pytest.fixture(scope="module")
def gibibyte() -> tuple[bytes, int]:
    """Return a gibibyte of zeros, deflated, and its CRC."""
    return _zeros(GIB)


@pytest.mark.slow
def test_an_honest_bomb_is_refused_before_anything_is_written(gibibyte, refuse):
    """A gibibyte from a megabyte is over the ratio, and over a limit of bytes where one is given."""
    packed, crc = gibibyte
    bomb = build(Entry("zeros", packed=packed, crc=crc, size=GIB, method=8))
    error = refuse(bomb, "limit")
    assert (error.limit, round(error.value)) == ("max_ratio", round(GIB / len(packed)))
    error = refuse(bomb, "limit", ExtractPolicy(max_ratio=None, max_total_bytes=GIB - 1))
    assert (error.limit, error.value) == ("max_total_bytes", GIB)


@pytest.mark.slow
def test_a_bomb_that_says_ten_bytes_is_stopped_at_the_eleventh(gibibyte, refuse, library):
    """The central directory's size is believed for the limits, and then held."""
    packed, crc = gibibyte
    assert library
    error = refuse(build(Entry("zeros", packed=packed, crc=crc, size=10, method=8)), "size", audited=False)
    assert "larger than the 10 bytes" in str(error)
    liar = Entry("zeros", packed=packed, crc=crc, size=GIB, method=8, local={"size": 10})
    refuse(build(liar), "local-size", ExtractPolicy(max_ratio=None))


def test_a_high_ratio_is_legal_below_the_floor(unpack, refuse):
    """A log of one repeated line is no attack; an explicit lower limit of bytes still holds."""
    data = build(Entry("log", bytes(50 * 2**20), method=8))
    assert len(unpack(data)["log"]) == 50 * 2**20
    refuse(data, "limit", ExtractPolicy(max_total_bytes=2**20))


def test_the_longest_name_is_refused(refuse):
    """A name of 65,535 bytes is read whole, refused, and cut in the message."""
    error = refuse(build(Entry("ok.txt", b"fine"), Entry("a" * 65535, b"x")), "component-length")
    assert len(str(error)) < 500
    assert error.member == "a" * 200 + "..."


def test_a_member_that_claims_a_gibibyte_costs_no_memory(refuse):
    """Stored data that says 2 GiB is refused by the spans; nothing is allocated for it."""
    refuse(build(Entry("z", b"hello", size=2**31, compressed_size=2**31)), "overlap")
    refuse(
        build(
            Entry(
                "z",
                b"hello",
                extra=struct.pack("<HHQQ", 1, 16, 2**62, 2**62),
                size=2**32 - 1,
                compressed_size=2**32 - 1,
            )
        ),
        "overlap",
    )
