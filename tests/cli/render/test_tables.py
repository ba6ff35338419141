"""Tables: what gives way to what, and foreign text in them."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async import Artifact, ArtifactRun
from gh_artifacts_async.cli.render import artifacts, cells, cleanup, downloads, members, mirrors, runs, screen, tables
from tests.cli.conftest import REPO

HOSTILE = "[red]x[/red] :smile: \x1b[31m\u202egnp.exe\u2066 \x9b2J"


@pytest.mark.realtime
@pytest.mark.parametrize("words", [("list", REPO), ("show", REPO, "{id}"), ("download", REPO, "{id}", "--dry-run")])
def test_a_hostile_name_is_shown_not_obeyed(server, cli, words):
    """Markup and emoji codes are printed as they are; control characters and bidi marks are escaped."""
    number = server.artifact(server.run(branch="b\u202ex"), HOSTILE, filename=None)
    ran = cli(*(word.format(id=number) for word in words))
    assert "[red]x[/red] :smile: \\x1b[31m\\u202egnp.exe\\u2066 \\x9b2J" in ran.out
    assert not set(ran.out + ran.err) & set("\x1b\u202e\u2066\x9b")


@pytest.mark.realtime
def test_a_hostile_name_in_json_is_ascii(server, cli):
    """JSON escapes everything that is not ASCII, and gives it back unharmed."""
    server.artifact(server.run(), HOSTILE, filename=None)
    ran = cli("list", REPO, "--json")
    assert ran.out.isascii()
    assert "\x1b" not in ran.out
    assert json.loads(ran.out)[0]["name"] == HOSTILE


# --- what gives way

NOW = datetime(2026, 7, 1, tzinfo=UTC)
LONG = Artifact(
    id=12_338_002_999,
    name="n" * 95,
    size_in_bytes=99_900_000,
    url="u",
    archive_download_url="d",
    expired=False,
    created_at=NOW - timedelta(minutes=59),
    expires_at=NOW + timedelta(days=89),
    workflow_run=ArtifactRun(
        id=19_412_345_059,
        repository_id=1,
        head_repository_id=1,
        head_branch="dependabot/pip/cryptography-44.0.1",
    ),
)
FORK = attrs.evolve(LONG, workflow_run=attrs.evolve(LONG.workflow_run, head_repository_id=2))
SHORT = attrs.evolve(LONG, name="logs", workflow_run=attrs.evolve(LONG.workflow_run, head_branch="main"))


def shown(found: list[Artifact], width: int | None, *, encoding: str = "utf-8") -> list[str]:
    """Return a listing as lines, the heading first."""
    table = tables.Table(artifacts.COLUMNS, screen.View(width, encoding=encoding))
    return table.page(artifacts.row(artifact, NOW) for artifact in found).splitlines()


LATE = "CREATED EXPIRES RUN BRANCH"


@pytest.mark.parametrize(
    ("width", "heading", "name", "rest"),
    [
        (200, LATE, "n" * 95, "59 min ago  in 89 d  19412345059  dependabot/pip/cryptography-44.0.1"),
        (120, LATE, f"{'n' * 25}…{'n' * 12}", "59 min ago  in 89 d  19412345059  dependabot/pip/c…-44.0.1"),
        (100, LATE, f"{'n' * 17}…{'n' * 8}", "59 min ago  in 89 d  19412345059  dependabot…4.0.1"),
        (80, "EXPIRES RUN BRANCH", f"{'n' * 14}…{'n' * 6}", "in 89 d  19412345059  dependab….0.1"),
        (79, "EXPIRES RUN BRANCH", f"{'n' * 13}…{'n' * 6}", "in 89 d  19412345059  dependab….0.1"),
        (65, "EXPIRES RUN", f"{'n' * 14}…{'n' * 6}", "in 89 d  19412345059"),
        (60, "EXPIRES RUN", f"{'n' * 10}…{'n' * 5}", "in 89 d  19412345059"),
        (59, "EXPIRES", f"{'n' * 18}…{'n' * 9}", "in 89 d"),
        (40, "EXPIRES", "nnnnnn…nn", "in 89 d"),
        (36, "", "nnnnnnnnn…nnnn", ""),
    ],
)
def test_names_give_way_then_columns(width, heading, name, rest):
    """CREATED, BRANCH and RUN, in this order, and EXPIRES last; RUN is there from 80 columns on."""
    head, line = shown([LONG], width)
    assert head.split() == ["ID", "NAME", "SIZE", *heading.split()]
    assert line == f"12338002999  {name}  99.9 MB  {rest}".rstrip()


def test_without_any_room():
    """An ID and a size are whole all the same."""
    assert shown([LONG], 1)[1] == "12338002999  n  99.9 MB"


def test_there_is_room_for_what_is_short():
    """Nothing is dropped for a name that is not there."""
    assert shown([SHORT], 80)[0].split() == ["ID", "NAME", "SIZE", "CREATED", "EXPIRES", "RUN", "BRANCH"]
    assert max(map(len, shown([SHORT], 80))) == len(shown([SHORT], 200)[0]) == 68


ARTIFACTS = st.builds(
    lambda name, branch, size, age, ends, expired, fork: attrs.evolve(
        LONG,
        name=name,
        size_in_bytes=size,
        created_at=NOW - timedelta(seconds=age),
        expires_at=NOW + timedelta(seconds=ends),
        expired=expired,
        workflow_run=attrs.evolve(LONG.workflow_run, head_branch=branch, head_repository_id=1 + fork),
    ),
    st.text(max_size=100),
    st.none() | st.text(max_size=60),
    st.integers(0, 10**15),
    st.integers(0, 10**8),
    st.integers(0, 10**8),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(st.lists(ARTIFACTS, max_size=4), min_size=1, max_size=3), st.integers(40, 130))
def test_no_line_is_longer_than_the_screen(pages, width):
    """Nor on later pages, with rows that the columns were not laid out for; IDs and sizes are whole everywhere."""
    table = tables.Table(artifacts.COLUMNS, screen.View(width))
    head, *lines = "".join(
        table.page((artifacts.row(artifact, NOW) for artifact in page), more=page is not pages[-1]) for page in pages
    ).splitlines()
    found = [artifact for page in pages for artifact in page]
    for line, artifact in zip(lines, found, strict=True):
        assert cells.width(line) <= width
        assert line.startswith("12338002999  ")
        assert tables.text.size(artifact.size_in_bytes) in line
        assert ("19412345059" in line) or width < 80
        assert ("19412345059" in line) == ("RUN" in head) or width < 80
    assert cells.width(head) <= width


COLUMNS = {
    "list": artifacts.COLUMNS,
    "runs": runs.COLUMNS,
    "prune": cleanup.COLUMNS,
    "dry run": downloads.PLAN_COLUMNS,
    "ls": members.COLUMNS,
    "mirror": mirrors.COLUMNS,
}


@pytest.mark.parametrize("name", COLUMNS)
@given(data=st.data(), width=st.integers(40, 200))
def test_the_layout(name, data, width):
    """Whole or not there, unless a column may be shortened; columns are dropped in order, and no more than need be."""
    columns = COLUMNS[name]
    wanted = [data.draw(st.integers(len(c.name), 120) if c.easy else st.integers(1, 8)) for c in columns]
    widths = tables.fit(columns, wanted, width)
    assert tables._total(widths) <= width
    order = sorted((column.drop, at) for at, column in enumerate(columns) if column.drop)
    gone = [not widths[at] for _, at in order]
    assert gone == sorted(gone, reverse=True)
    for column, wants, has in zip(columns, wanted, widths, strict=True):
        assert has == wants or (0 < has < wants and column.easy) or (has == 0 and column.drop)
    if sum(wanted) + 2 * (len(wanted) - 1) <= width:
        assert widths == wanted
    elif any(0 < has < wants for wants, has in zip(wanted, widths, strict=True)):
        assert tables._total(widths) == width


# --- pages, colours, encodings


def test_later_rows_give_way_or_take_the_room_that_is_left():
    """The columns stay; a row that does not fit them is shortened by the same rules."""
    table = tables.Table(artifacts.COLUMNS, screen.View(80))
    assert table.page([artifacts.row(SHORT, NOW)]).count("\n") == 2
    assert table.page([artifacts.row(FORK, NOW)]) == (
        "12338002999  nnnnnn…nnn  99.9 MB  59 min ago  in 89 d  19412345059  depen…  fork\n"
    )
    wide = tables.Table(artifacts.COLUMNS, screen.View())
    wide.page([artifacts.row(SHORT, NOW)])
    assert "n" * 95 in wide.page([artifacts.row(FORK, NOW)])
    assert wide.page([artifacts.row(SHORT, NOW)]).endswith(" main\n")


def test_there_is_room_for_rows_that_come_later():
    """As far as it is known what they usually need."""
    one, more = (
        tables.Table(artifacts.COLUMNS, screen.View(120)).page([artifacts.row(SHORT, NOW)], more=more)
        for more in (False, True)
    )
    assert one.splitlines()[0].index("SIZE") < more.splitlines()[0].index("SIZE")
    table = tables.Table(artifacts.COLUMNS, screen.View(120))
    assert table.page([], more=True).split() == ["ID", "NAME", "SIZE", "CREATED", "EXPIRES", "RUN", "BRANCH"]


def test_colours():
    """Names, what has expired, and the heading; nothing that is empty, and no blanks at the end of a line."""
    gone = attrs.evolve(SHORT, expired=True)
    table = tables.Table(artifacts.COLUMNS, screen.View(80, colours=True))
    head, line, expired = table.page(artifacts.row(artifact, NOW) for artifact in (SHORT, gone)).splitlines()
    assert head.startswith(" " * 9 + "\x1b[1mID\x1b[0m  \x1b[1mNAME\x1b[0m  ")
    assert "12338002999  \x1b[36mlogs\x1b[0m  99.9 MB  59 min ago  in 89 d" in line
    assert "\x1b[2;36mlogs\x1b[0m" in expired
    assert "\x1b[2;31mexpired\x1b[0m" in expired
    plain = [re.sub(r"\x1b\[[\d;]*m", "", each) for each in (head, line, expired)]
    assert plain == shown([SHORT, gone], 80)


def test_what_an_encoding_lacks():
    """It is escaped before it is measured."""
    found = attrs.evolve(LONG, name="d\u00f6cs \U0001f389" + "n" * 40)
    (_, line) = shown([found], 80, encoding="ascii")
    assert line == "12338002999  d\\xf6cs \\U0001~nnnnnn  99.9 MB  in 89 d  19412345059  dependab~.0.1"


def test_pairs():
    """Names and values; what is too long goes on below."""
    rows = [("name", "wheel"), ("digest", "sha256:" + "0" * 20), ("created", "2026-01-01 (1 d ago)"), ("x", "\x1b")]
    assert tables.pairs(rows, screen.View()).splitlines()[1] == "digest   sha256:00000000000000000000"
    assert tables.pairs(rows, screen.View(24, colours=True)).splitlines() == [
        "\x1b[1mname\x1b[0m     wheel",
        "\x1b[1mdigest\x1b[0m   sha256:00000000",
        "         000000000000",
        "\x1b[1mcreated\x1b[0m  2026-01-01 (1 d",
        "         ago)",
        "\x1b[1mx\x1b[0m        \\x1b",
    ]
    assert tables.pairs([], screen.View(80)) == ""
