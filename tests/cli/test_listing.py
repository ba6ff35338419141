from __future__ import annotations

import asyncio
import signal
import threading

import pytest

from tests.cli.conftest import REPO
from tests.kits.sampling import mostly_slow

pytestmark = pytest.mark.realtime


def test_list_shows_a_table_and_a_total(server, cli):
    """Names, sizes and expiry of what is there; the total goes to standard error."""
    run = server.run(branch="main")
    server.artifact(run, "wheel", size=1_400_000)
    server.artifact(run, "old", expired=True)
    ran = cli("list", REPO)
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0].split() == ["ID", "NAME", "SIZE", "CREATED", "EXPIRES", "RUN", "BRANCH"]
    assert any("wheel" in line and "1.4 MB" in line and "main" in line for line in lines)
    assert any("old" in line and "expired" in line for line in lines)
    assert "2 artifacts in octo-org/octo-docs, 1.4 MB; 1 expired" in ran.err


@pytest.mark.github_com("size")
def test_list_as_json_is_one_array_with_githubs_names(server, cli):
    """Programs read the API's own field names."""
    run = server.run(branch="main")
    number = server.artifact(run, "wheel", size=500)
    ran = cli("list", REPO, "--json")
    assert ran.code == 0
    (found,) = ran.document
    assert found["id"] == number
    assert found["name"] == "wheel"
    assert found["size_in_bytes"] == 500
    assert found["expired"] is False
    assert found["digest"].startswith("sha256:")
    assert found["created_at"].endswith("Z")
    assert found["workflow_run"]["id"] == run.id
    assert found["workflow_run"]["head_branch"] == "main"
    assert found["repository"] == REPO


def test_list_goes_over_pages_and_stops_at_the_limit(server, cli):
    """All pages are read with --limit all; 30 artifacts are listed by default."""
    run = server.run()
    for number in range(120):
        server.artifact(run, f"a{number}")
    every = cli("list", REPO, "--json", "--limit", "all")
    assert (len(every.document), every.err) == (120, "")
    for words, count in (([], 30), (["-L", 7], 7), (["--limit=120"], 120)):
        ran = cli("list", REPO, "--json", *words)
        assert len(ran.document) == count
        assert ran.err == ("" if count == 120 else f"\u2026 and {120 - count} more (--limit all)\n")
        assert len(cli("list", REPO, *words).out.splitlines()) == count + 1
    assert cli("list", REPO, "--json", "--quiet").err == ""


def test_list_by_run_and_name(server, cli):
    """--run and --name narrow the listing."""
    one, two = server.run(), server.run()
    server.artifact(one, "logs")
    wanted = server.artifact(two, "logs")
    server.artifact(two, "wheel")
    assert [found["id"] for found in cli("list", REPO, "--run", two.id, "--name", "logs", "--json").document] == [
        wanted
    ]
    assert len(cli("list", REPO, "-n", "logs", "--json").document) == 2
    assert cli("list", REPO, "-n", "logs", "-L", 1).err == "\u2026 and 1 more (--limit all)\n"
    assert cli("list", REPO, "-r", two.id, "-L", 1).err == "\u2026 and 1 more (--limit all)\n"
    assert "1 artifact named 'logs'" in cli("list", REPO, "-r", two.id, "-n", "logs", "-L", 1).err


@pytest.mark.parametrize("limit", ["0", "-1", "some", "1.5", "9" * 5000])
def test_a_limit_is_a_number_or_all(cli, limit):
    """Anything else is a usage error."""
    ran = cli("list", REPO, f"--limit={limit}")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"error: --limit must be a whole number of 1 or more, or all, not {limit!r}\n"


def test_list_of_nothing_says_so(server, cli):
    """An empty table is no error, but is explained."""
    run = server.run()
    ran = cli("list", REPO, "--name", "absent")
    assert (ran.code, ran.out) == (0, "")
    assert "no artifacts named 'absent'" in ran.err
    assert "no artifacts in run" in cli("list", REPO, "--run", run.id).err
    assert cli("list", REPO, "--json").document == []


def test_quiet_leaves_results_alone(server, cli):
    """--quiet silences what is not a result."""
    server.artifact(server.run(), "wheel")
    ran = cli("list", REPO, "--quiet")
    assert "wheel" in ran.out
    assert ran.err == ""


def test_long_names_are_whole_where_no_terminal_cuts_them(server, cli):
    """A log or a program gets the whole name."""
    name = "n" * 180
    server.artifact(server.run(), name)
    assert name in cli("list", REPO).out


@pytest.mark.github_com("size")
def test_show_tells_everything(server, cli):
    """One artifact as names and values, and what to do next."""
    run = server.run(branch="main")
    number = server.artifact(run, "wheel", size=1_400_000)
    ran = cli("show", REPO, number)
    assert ran.code == 0
    for said in ("wheel", str(number), REPO, "1.4 MB (1,400,000 bytes)", "sha256:", str(run.id), "main", run.head_sha):
        assert said in ran.out
    assert f"gh-artifacts download {REPO} {number}" in ran.err


def test_show_an_expired_one_without_times_or_run(server, cli):
    """What GitHub does not say is a dash, and an expired artifact is called so."""
    number = server.artifact(
        server.run(),
        "old",
        expired=True,
        created_at=None,
        updated_at=None,
        expires_at=None,
        workflow_run=False,
        digest=None,
    )
    ran = cli("show", REPO, number)
    assert ran.code == 0
    assert "expired" in ran.out
    assert "none (a download can only be checked by its size)" in ran.out
    assert "to download it" not in ran.err
    listed = cli("list", REPO)
    assert " - " in listed.out


def test_show_as_json_is_one_document(server, cli):
    """The same fields as in the listing."""
    number = server.artifact(server.run(), "wheel", workflow_run=False)
    document = cli("show", REPO, number, "--json").document
    assert (document["id"], document["name"], document["workflow_run"]) == (number, "wheel", None)


def test_verbose_tells_of_pages(server, cli):
    """--verbose says what happens on the way."""
    server.artifact(server.run(), "wheel")
    assert "page 1: 1 of 1 listed" in cli("list", REPO, "--verbose").err


# --- pages ahead


@pytest.fixture
def filled(server):
    """Add 620 artifacts to one run, and return it and their ids, the newest first."""
    run = server.run()

    def fill():
        made = []
        for number in range(620):
            made.append(server.github.add_artifact(run, f"a{number}", archive=b""))
            server.github.clock.advance(1)
        return made[::-1]

    return run, server.call(fill)


def pages(server):
    """Return which pages were asked for, in order of their numbers."""
    return sorted(int(record.query.get("page", "1")) for record in server.call(lambda: list(server.github.requests)))


@pytest.mark.parametrize("of_run", [False, True])
def test_pages_are_fetched_ahead_and_rows_keep_their_order(server, cli, filled, of_run):
    """All behind the first are under way at once, and none is asked for twice; a late one does not come later."""
    run, made = filled
    rest = asyncio.Event()
    under_way: set[int] = set()

    async def together(seen):
        under_way.add(seen.page)
        if under_way == {1, 2, 3, 4, 5, 6, 7}:
            rest.set()
        if seen.page > 1:
            await rest.wait()
            await asyncio.sleep(0.05 / seen.page)  # the last ones come first

    server.call(server.github.on_page, together)
    ran = cli("list", REPO, "--json", "--limit", "all", *(("--run", run.id) if of_run else ()))
    assert [found["id"] for found in ran.document] == made
    assert pages(server) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(("limit", "asked"), [(40, [1]), (100, [1]), (101, [1, 2]), (250, [1, 2, 3])])
def test_a_limit_fetches_no_page_that_it_does_not_need(server, cli, filled, limit, asked):
    """Pages ahead are bounded by it."""
    _, made = filled
    assert [found["id"] for found in cli("list", REPO, "--json", "--limit", limit).document] == made[:limit]
    assert pages(server) == asked


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("as_json", [False, True])
def test_an_error_in_the_middle_is_told_once(server, cli, as_json):
    """Rows stand as they came, a part of a JSON array does not; of the pages that fail side by side one is told."""

    def fail(seen):
        if seen.page == 2:
            server.github.faults.status(None, 404, times=None, where="api")

    server.call(server.github.on_page, fail)
    ran = cli("list", REPO, "--limit", "all", *(["--json"] if as_json else []))
    assert ran.code == 3
    assert len(ran.out.splitlines()) in ([0] if as_json else [101, 201])
    assert ran.err.count("error: ") == len(ran.err.splitlines()) == 1


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("as_json", mostly_slow([False, True]))
def test_ctrl_c_while_pages_are_under_way(server, start, as_json):
    """Rows are there before the next page is; the requests are given up, and nothing but the interruption is told."""
    started = threading.Event()

    async def hang(seen):
        if seen.page > 1:
            started.set()
            await asyncio.sleep(30)

    server.call(server.github.on_page, hang)
    process = start("list", REPO, "--limit", "all", *(["--json"] if as_json else []), "--api-url", server.url)
    first = "" if as_json else process.stdout.readline()
    assert started.wait(20)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    out, err = process.stdout.read(), process.stderr.read()
    assert first.split()[:2] == ([] if as_json else ["ID", "NAME"])
    assert len(out.splitlines()) == (0 if as_json else 100)
    assert out.endswith("\n") != as_json
    assert err.strip().splitlines()[-1].endswith("interrupted")
    assert "Task" not in err
    assert "Traceback" not in err


@pytest.mark.usefixtures("filled")
def test_a_reader_that_leaves_ends_it(server, start):
    """``| head`` is no error, and pages that nobody reads are not waited for."""
    answer = threading.Event()

    async def wait(seen):
        if seen.page > 1:
            await asyncio.to_thread(answer.wait, 20)

    server.call(server.github.on_page, wait)
    process = start("list", REPO, "--limit", "all", "--api-url", server.url)
    assert process.stdout.readline()
    process.stdout.close()
    answer.set()
    assert process.wait(20) == 0
    assert process.stderr.read() == ""
