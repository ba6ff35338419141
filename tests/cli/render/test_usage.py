"""What takes up storage, as tables with bars and as a document."""

from __future__ import annotations

from datetime import UTC, datetime

from gh_artifacts_async import RepositoryName, StorageUsage, UsageEntry
from gh_artifacts_async.cli.render import screen, usage

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def entries(*sizes: tuple[str | None, int]) -> tuple[UsageEntry, ...]:
    """Return an entry of one artifact for each label and size."""
    return tuple(UsageEntry(label=label, count=1, bytes=size) for label, size in sizes)


def made(by_name: tuple[UsageEntry, ...], by_branch: tuple[UsageEntry, ...] = (), expired: int = 0) -> StorageUsage:
    """Return what a repository uses."""
    return StorageUsage(
        repository=RepositoryName("octo-org", "octo-docs"),
        measured_at=NOW,
        count=len(by_name),
        bytes=sum(entry.bytes for entry in by_name),
        expired=expired,
        by_name=by_name,
        by_age=entries(("last day", 0)),
        by_branch=by_branch,
    )


def shown(found: StorageUsage, width: int | None = None) -> list[str]:
    """Return the lines of the tables."""
    view = screen.View(width, encoding="ascii")
    return [line for table in usage.tables_of(found, view) for line in table.splitlines()]


def test_tables_with_bars():
    """A full bar is the whole, as in the share beside it; what is unknown is a dash."""
    found = made(entries(("wheel", 6000), ("lo\x1bgs", 3000), ("docs", 1000)), entries(("main", 9000), (None, 1000)))
    assert shown(found) == [
        "NAME      COUNT    SIZE  SHARE",
        "wheel         1  6.0 kB    60%  ##############",
        "lo\\x1bgs      1  3.0 kB    30%  #######",
        "docs          1  1.0 kB    10%  ##",
        "AGE       COUNT  SIZE  SHARE",
        "last day      1   0 B     0%",
        "BRANCH  COUNT    SIZE  SHARE",
        "main        1  9.0 kB    90%  ######################",
        "-           1  1.0 kB    10%  ##",
    ]


def test_what_is_small_is_put_together():
    """Twenty rows, and one for the others; what has little has a bar all the same."""
    lines = shown(made(entries(*((f"docs-{number}", 100) for number in range(45)))))
    assert [line.split()[0] for line in lines[:21]] == ["NAME", *(f"docs-{number}" for number in range(20))]
    assert lines[1].endswith("2%  #")
    assert lines[21] == "(25 others)     25  2.5 kB    56%  #############"


def test_nothing_but_empty_artifacts():
    """There is nothing to divide by."""
    assert shown(made(entries(("docs", 0))))[1] == "docs      1   0 B     0%"


def test_bars_on_a_narrow_terminal():
    """They are a quarter of it; where names would have no room, there are none in any table."""
    found = made(entries(("a-rather-long-name-of-an-artifact", 6000), ("docs", 3000)))
    assert shown(found, 60)[2] == "docs                            1  3.0 kB    33%  #####"
    assert shown(found, 40)[:3] == [
        "NAME                COUNT    SIZE  SHARE",
        "a-rather-lon~ifact      1  6.0 kB    67%",
        "docs                    1  3.0 kB    33%",
    ]
    assert shown(found, 20)[:2] == ["NAME            SIZE", "a-rather~act  6.0 kB"]
    assert "#" not in "".join(shown(made(entries(("docs", 1)), entries(("main", 1))), 40))


def test_the_character_of_the_bars():
    """A block, where the stream can show it."""
    for encoding, block in (("utf-8", "\u2588"), ("ascii", "#"), ("latin-1", "#")):
        (table, *_) = usage.tables_of(made(entries(("docs", 1))), screen.View(encoding=encoding))
        assert table.rstrip().endswith(block)


def test_a_line_about_all_of_it():
    """Expired artifacts are counted by themselves."""
    assert usage.summary(made(entries(("a", 1000)))) == "1 artifact in octo-org/octo-docs, 1.0 kB"
    assert usage.summary(made((), expired=1200)) == "0 artifacts in octo-org/octo-docs, 0 B; 1,200 expired"


def test_a_document():
    """Every view, with exact sizes."""
    document = usage.document(made(entries(("a", 1000)), entries((None, 1000)), expired=2))
    assert document == {
        "repository": "octo-org/octo-docs",
        "measured_at": "2026-07-01T00:00:00Z",
        "count": 1,
        "bytes": 1000,
        "expired": 2,
        "by_name": [{"name": "a", "count": 1, "bytes": 1000}],
        "by_age": [{"age": "last day", "count": 1, "bytes": 0}],
        "by_branch": [{"branch": None, "count": 1, "bytes": 1000}],
    }
