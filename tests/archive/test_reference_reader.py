"""What is accepted means the same to every reader: compared with a second one, on archives that were tampered with."""

from __future__ import annotations

import bz2
import tempfile
import tracemalloc
import zipfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gh_artifacts_async.archive import extract
from gh_artifacts_async.errors import ArchiveError
from gh_artifacts_async.settings import ExtractPolicy
from tests.kits import reference_reader as reference
from tests.kits.archives import Entry, build, descriptor, extra
from tests.kits.tampering import (
    ATTRIBUTES,
    FIELDS,
    INTERESTING,
    ODD_DATA,
    ODD_EXTRAS,
    ODD_NAMES,
    TEXT,
    good,
    places,
    tampered,
    written,
)

MOST_MEMORY = 24 * 2**20  # an LZMA dictionary of 16 MiB is the most that is allocated
PATIENCE = timedelta(seconds=10)
POLICIES = [ExtractPolicy(), ExtractPolicy(names="portable"), ExtractPolicy(symlinks="skip")]


# --- tampering


BYTES = st.one_of(
    st.binary(min_size=1, max_size=6),
    st.sampled_from([*FIELDS, reference.DESCRIPTOR, reference.ZIP64_LOCATOR, b"../", b"/", b"\0", extra(1, bytes(16))]),
)
PLACE = st.integers(0, 2**16)
CHANGE = st.one_of(
    st.tuples(st.sampled_from(["flip", "delete", "double", "swap"]), PLACE, PLACE, st.just(b"")),
    st.tuples(st.sampled_from(["insert", "write"]), PLACE, PLACE, BYTES),
    st.tuples(
        st.sampled_from(["drop-record", "double-record", "swap-records", "move-record"]), PLACE, PLACE, st.just(b"")
    ),
    st.tuples(st.sampled_from(["field", "field", "both"]), PLACE, PLACE, st.sampled_from(INTERESTING)),
    st.tuples(st.sampled_from(["field-by", "both-by"]), PLACE, PLACE, st.integers(-4, 4)),
)


# --- comparing


def _found(out: Path) -> tuple[dict[str, tuple[bytes, bool]], set[str]]:
    assert not any(path.is_symlink() for path in out.rglob("*"))
    files = {
        path.relative_to(out).as_posix(): (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in out.rglob("*")
        if path.is_file()
    }
    return files, {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_dir()}


def judge(data: bytes, policy: ExtractPolicy) -> str:
    """Unpack, and compare with the reference; return the rule that has refused it, or nothing."""
    with tempfile.TemporaryDirectory() as root:
        base = Path(root)
        (base / "a.zip").write_bytes(data)
        (base / "neighbour").write_bytes(b"as before")
        tracemalloc.start()
        try:
            extract(base / "a.zip", base / "in" / "out", policy)
        except ArchiveError as error:
            refused = error.rule
        else:
            refused = ""
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < MOST_MEMORY
        assert (base / "a.zip").read_bytes() == data
        assert (base / "neighbour").read_bytes() == b"as before"
        expected = {"a.zip", "neighbour"} | (set() if refused else {"in"})
        assert {path.name for path in base.iterdir()} == expected
        if refused:
            return refused
        assert [path.name for path in (base / "in").iterdir()] == ["out"]
        found = _found(base / "in" / "out")
    skip = policy.symlinks == "skip"
    central = reference.central_view(data, skip_links=skip)
    skipped = {member.offset for member in central if skip and reference.is_link(member)}
    sequential = reference.sequential_view(data, skipped)
    assert found == reference.tree(central, skip_links=skip)
    assert sequential == [
        member._replace(mode=0, dos=0, maker=0) for member in sorted(central, key=lambda member: member.offset)
    ]
    return ""


@pytest.mark.parametrize("number", range(len(good())))
def test_good_archives_are_the_same_to_both(number: int):
    """The reference reads what is right, both ways, as it is unpacked; the one with a link is refused by default."""
    linked = any(member.name == "link" for member in reference.central_view(good()[number]))
    assert judge(good()[number], POLICIES[0]) == ("link" if linked else "")
    assert not judge(good()[number], POLICIES[2])


SETTINGS = settings(
    deadline=PATIENCE, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], derandomize=True
)
TAMPERING = (
    st.sampled_from(range(len(good()))),
    st.lists(CHANGE, min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from(POLICIES),
)


@settings(SETTINGS, max_examples=100)
@given(*TAMPERING)
def test_tampering_is_seen_or_means_nothing(number, changes, repair, policy):
    """A changed archive is refused and leaves nothing, or is to both views of the reference what is unpacked."""
    judge(tampered(good()[number], changes, repair=repair), policy)


@pytest.mark.slow
@settings(SETTINGS, max_examples=1000)
@given(*TAMPERING)
def test_much_tampering_is_seen_or_means_nothing(number, changes, repair, policy):
    """The same, longer."""
    judge(tampered(good()[number], changes, repair=repair), policy)


# --- archives that are odd from the start


SIDE: st.SearchStrategy[dict] = st.one_of(
    st.just({}),
    st.just({}),
    st.fixed_dictionaries(
        {},
        optional={
            "extra": st.sampled_from(ODD_EXTRAS),
            "flags": st.sampled_from([0, 2, 4, 8, 0x800, 0x808]),
            "size": st.sampled_from([0, 1, len(TEXT), 0xFFFFFFFF]),
            "compressed_size": st.sampled_from([0, 1, len(TEXT), 0xFFFFFFFF]),
            "crc": st.sampled_from([0, 0xFFFFFFFF]),
            "method": st.sampled_from([0, 8, 12, 14]),
            "name": st.sampled_from([b"a", b"b", b"a/", b"A"]),
        },
    ),
)
LAYOUTS = st.sampled_from([None, None, "12", "16", "20", "24", ""])


@st.composite
def odd_entry(draw: st.DrawFn) -> Entry:
    """Draw one member; most of it fits together."""
    entry = Entry(
        draw(st.sampled_from(ODD_NAMES)),
        draw(st.sampled_from(ODD_DATA)),
        method=draw(st.sampled_from([0, 0, 8, 8, 12])),
        flags=draw(st.sampled_from([0, 0, 8, 8, 2, 0x800])),
        attributes=draw(st.sampled_from(ATTRIBUTES)),
        extra=draw(st.sampled_from(ODD_EXTRAS)),
        maker=draw(st.sampled_from([3, 3, 0, 19])),
    )
    if isinstance(entry.name, str) and entry.name.endswith("/") and draw(st.booleans()):
        entry.data, entry.method = b"", 0
    if entry.method == 12:
        entry.packed = bz2.compress(entry.data)
    if draw(st.booleans()):
        return entry
    entry.local, entry.central = draw(SIDE), draw(SIDE)
    if draw(st.booleans()):  # the same in both headers
        entry.local = entry.central
    layout = draw(LAYOUTS)
    if layout is not None:
        entry.descriptor = descriptor(entry, layout) if layout else b""
    entry.after = draw(st.sampled_from([b"", b"", b"", b"\0", bytes(12), bytes(16), b"PK\3\4"]))
    return entry


ODD = (
    st.lists(odd_entry(), max_size=4),
    st.sampled_from([*[None] * 12, {}, {}, {"record_size": 45}, {"count": 1}, {"offset": 0}]),
    st.sampled_from([*[b""] * 12, b"PK\5\6", b"PK\1\2" + bytes(60), b"c" * 40]),
    st.sampled_from(POLICIES),
)


@settings(SETTINGS, max_examples=100)
@given(*ODD)
def test_odd_archives_mean_the_same(entries, zip64, comment, policy):
    """Names that meet, headers that differ, needless and wrong extra fields: refused, or the same to all."""
    judge(build(*entries, zip64=zip64, comment=comment), policy)


@pytest.mark.slow
@settings(SETTINGS, max_examples=1000)
@given(*ODD)
def test_many_odd_archives_mean_the_same(entries, zip64, comment, policy):
    """The same, longer."""
    judge(build(*entries, zip64=zip64, comment=comment), policy)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(good())))
def test_every_field_and_record(number: int):
    """Each field of each header takes telling numbers, and each record is dropped, doubled and moved, one at a time."""
    data = good()[number]
    rules: Counter[str] = Counter()
    records = len(reference.records(data))
    changes = [("move-record", one, two, b"") for one in range(records) for two in range(records) if one != two]
    changes += [(kind, one, one, b"") for kind in ("drop-record", "double-record") for one in range(records)]
    headers = sum(len(places(data, signature)) for signature in FIELDS)
    changes += [
        ("field", header, field, value)
        for header in range(headers)
        for field in range(14)
        for value in INTERESTING[::3]
    ]
    for change in changes:
        rules[judge(tampered(data, [change], repair=change[1] % 2 == 0), POLICIES[2])] += 1
    assert rules[""]
    assert len(rules) > 3


@pytest.mark.parametrize("code", [*range(5, 9), 13, 44, 224, 225, 255])
def test_properties_that_no_lzma_decoder_takes(code: int):
    """LZMA properties that add up to more than liblzma allows are damaged data, and no error of its own."""
    data = bytearray(written(zipfile.ZIP_LZMA))
    begin = 30 + len("d/a.txt")
    data[begin + 4] = code
    assert judge(bytes(data), POLICIES[0]) == "data"
