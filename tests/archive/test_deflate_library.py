from __future__ import annotations

import os
import sys
import zlib

import pytest

from gh_artifacts_async.archive import BytesReader, Member, audit_reader, deflate_library
from gh_artifacts_async.archive.deflate_library import Speed, choose, is_slow
from gh_artifacts_async.archive.inflate import inflate_whole
from tests.kits.archives import Entry, build, deflate


def _member(data: bytes) -> tuple[Member, bytes]:
    packed = deflate(data)
    return audit_reader(BytesReader(build(Entry("m", data, method=8, packed=packed))))["m"], packed


def test_isal_is_used_where_it_is_installed(monkeypatch):
    """The extra ``speed``; without it the standard library's zlib does the same."""
    monkeypatch.setitem(sys.modules, "isal", None)
    deflate_library.backend.cache_clear()
    assert deflate_library.backend().name == "zlib"
    monkeypatch.undo()
    deflate_library.backend.cache_clear()
    pytest.importorskip("isal")
    assert deflate_library.backend().name == "isal"


def test_what_has_become_larger_is_for_zlib(library):
    """Ordinary data does not grow when it is compressed, but for a few bytes."""
    for data in (b"", b"x", b"12345", b"text " * 1000, os.urandom(100_000)):
        assert choose(_member(data)[0]).name == library
    grown = Entry("m", b"x" * 100, method=8, packed=b"\0\0\0\xff\xff" * 50 + deflate(b"x" * 100))
    assert choose(audit_reader(BytesReader(build(grown)))["m"]).decompressobj is zlib.decompressobj


def test_speed_is_that_of_input_and_output():
    """Zeros have little input and much output, random bytes much input; tiny blocks have neither."""
    assert not is_slow(1.0, 1_000, 200_000_000)
    assert not is_slow(1.0, 100_000_000, 100_000_000)
    assert not is_slow(0.00005, 5, 5)
    assert is_slow(1.0, 2_000_000, 3_000_000)


def test_a_sample_of_small_members_is_timed():
    """One in every 64 KiB."""
    speed = Speed()
    due = 0
    for _ in range(1000):
        if speed.is_due(1000):
            due += 1
            speed.note(0.0, 1000, 1000)
    assert due == 15


def test_small_members_that_are_slow_change_the_library(slow_isal):
    """One is enough, and the change does not last for ever."""
    data = os.urandom(50_000).hex().encode()
    member, packed = _member(data)
    for _ in range(20):
        assert inflate_whole(member, packed) == data
    first = len(slow_isal)
    assert first < 5
    for _ in range(2 * 2**28 // len(packed)):
        choose(member)
    inflate_whole(member, packed)
    assert len(slow_isal) == first + 1
