"""The benchmarks' own parts: the link between rivals and servers, start-up taken off, goals and their table."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("the benchmarks are not in the source distribution", allow_module_level=True)
if not hasattr(os, "splice"):
    pytest.skip("the benchmarks need Linux", allow_module_level=True)

from benchmarks import cases, goals, report, runner  # noqa: E402 - only where they are
from benchmarks.server import Link, Relay  # noqa: E402

MIB = 2**20


@contextmanager
def served(answer):
    """Serve connections, each in a thread of its own; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(8) as threads:

        def accept():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threads.submit(answer, connection)

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            acceptor.join()


def echo(connection):
    """Send everything back; end when the other side does."""
    with connection:
        while data := connection.recv(65536):
            connection.sendall(data)


def sends(body):
    """Return an answer: after one byte of request, this body."""

    def answer(connection):
        with connection:
            if connection.recv(1):
                connection.sendall(body)

    return answer


def fetch(port):
    """Fetch what a server of ``sends`` sends; return it and the seconds it took."""
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"?")
        parts = []
        while part := connection.recv(MIB):
            parts.append(part)
    return b"".join(parts), time.perf_counter() - began


@pytest.mark.realtime
def test_a_link_delays_the_handshake_and_both_directions():
    """A first answer takes two round trips, the others one, and the end of the stream one too."""
    with served(echo) as target, Relay(Link(round_trip=0.06), (target,)) as link:
        began = time.perf_counter()
        with socket.create_connection(("127.0.0.1", link.ports[0])) as connection:
            times = []
            for _ in range(3):
                connection.sendall(b"hello")
                assert connection.recv(100) == b"hello"
                times.append(time.perf_counter() - began)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(100) == b""
            times.append(time.perf_counter() - began)
    assert times[0] >= 0.119
    for before, after in pairwise(times):
        assert after - before >= 0.059
    assert times[-1] < 1.5  # 0.3, on a quiet machine


@pytest.mark.realtime
def test_a_link_limits_each_connection_and_not_their_sum():
    """Five connections at once take as long as one does, and bytes come as they were."""
    body = os.urandom(2 * MIB)
    with (
        served(sends(body)) as target,
        Relay(Link(rate=10 * MIB), (target,)) as link,
        ThreadPoolExecutor(5) as threads,
    ):
        began = time.perf_counter()
        fetched = list(threads.map(fetch, [link.ports[0]] * 5))
        together = time.perf_counter() - began
    assert [hashlib.sha256(got).digest() for got, _ in fetched] == [hashlib.sha256(body).digest()] * 5
    assert all(seconds >= 0.18 for _, seconds in fetched)
    assert together < 0.9  # one after the other: 1.0


@pytest.mark.realtime
def test_a_link_carries_much_more_than_it_is_used_for():
    """Without a rate it is not what limits: three times the 320 MiB/s of eight connections, on a quiet machine."""
    body = bytes(64 * MIB)
    with served(sends(body)) as target, Relay(Link(), (target,)) as link:
        got, seconds = fetch(link.ports[0])
    assert len(got) == len(body)
    assert seconds < 2


@pytest.mark.realtime
def test_a_link_passes_a_reset_on():
    """A server that breaks off is no server that has finished."""

    def breaks(connection):
        connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()

    with served(breaks) as target, Relay(Link(), (target,)) as link, pytest.raises(ConnectionResetError):
        fetch(link.ports[0])


@pytest.mark.realtime
def test_start_up_is_taken_off_in_the_same_round(tmp_path):
    """The figure "transfer" is what is left of the wall time; a rival without a start has none."""
    sleeps = "import time, sys; time.sleep(float(sys.argv[1]))"
    python = (sys.executable, "-I", "-S", "-c", sleeps)
    rivals = [runner.Rival("a", (*python, "0.2"), start=(*python, "0")), runner.Rival("b", (*python, "0"))]
    plan = runner.Plan(rivals, tmp_path / "out", core=min(os.sched_getaffinity(0)))
    with runner.Launcher(tmp_path / "log") as launcher:
        samples = runner.measure(launcher, plan, 1, warm_up=False)
    assert plan.skipped == {}
    assert samples["a"][0]["transfer"] == samples["a"][0]["wall"] - samples["a"][0]["start"]
    assert 0.1 < samples["a"][0]["transfer"] < 0.3
    assert "transfer" not in samples["b"][0]


def some_result(key, **walls):
    """Return a result with these seconds of wall time, two rounds each."""
    some = next(iter(report.load_record()["full"].values()))
    samples = {name: [{"wall": wall, "cpu": wall, "peak": 40.0}] * 2 for name, wall in walls.items()}
    return replace(some, key=key, samples=samples, skipped={})


def test_the_table_says_why_a_goal_is_not_reached(tmp_path, monkeypatch):
    """A reason stands beside NO, in the table of all goals and in the case's own; a figure on one core has none."""
    missed = next(goal for goal in goals.GOALS if goal.case == "G3" and goal.rival == goals.NAIVE)
    monkeypatch.setitem(goals.REASONS, ("G3", str(missed)), "a stated reason")
    page = tmp_path / "RESULTS.md"
    slow = some_result("G3", **{"ours": 2.0, goals.NAIVE: 1.0})
    quick = some_result("G3C", **{"ours": 2.25, goals.NAIVE: 1.0})
    report.write_results({"G3": slow, "G3C": quick}, None, page)
    text = page.read_text("utf-8")
    assert f"| G3 | {missed} | 2.00 | 2.25 | NO: a stated reason |" in text
    assert f"| {missed} | 2.25 | 2.25..2.25 | no |" in text
    assert text.count("a stated reason") == 2
    report.write_results({"G3": some_result("G3", **{"ours": 0.5, goals.NAIVE: 1.0})}, None, page)
    assert f"| G3 | {missed} | 0.50 |  | yes |" in page.read_text("utf-8")


def test_reasons_are_of_goals_that_there_are():
    """A goal that has changed, or has gone, leaves no reason behind; and no two goals share one."""
    there = [(goal.case, str(goal)) for goal in goals.GOALS]
    assert set(goals.REASONS) <= set(there)
    assert len(there) == len(set(there))


def test_goals_are_of_cases_that_there_are():
    """Every goal has its case, and every case on one core is one that runs without it too."""
    keys = [case.key for case in cases.CASES]
    assert len(keys) == len(set(keys))
    assert {goal.case for goal in goals.GOALS} <= set(keys)
    assert set(goals.ONE_CORE) | set(goals.ONE_CORE.values()) <= set(keys)
    assert {key for key in keys if key.startswith("G10")} == {"G10", "G10S"}


def test_quick_sizes_are_no_bigger_than_full_ones():
    """Nor are tiny ones bigger than quick ones, in any respect."""
    tiny, quick, full = (asdict(sizes) for sizes in (cases.TINY, cases.QUICK, cases.FULL))
    for name, least in tiny.items():
        assert least <= quick[name] <= full[name], name
