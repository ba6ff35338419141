"""What paths mean, and the query of ``latest``, which becomes a part of the path."""

from __future__ import annotations

import re
from glob import has_magic

import pytest

from gh_artifacts_async import ArtifactQuery, ConfigurationError
from gh_artifacts_async.fs.paths import QUERY_KEYS, Place, is_view, joined, names_itself, parse, strip
from gh_artifacts_async.models import RepositoryName

REPO = RepositoryName("o", "r")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("ghartifacts://o/r/7/a/b.csv", "o/r/7/a/b.csv"),
        ("ghartifacts::o/r/7", "o/r/7"),
        ("o/r/7/", "o/r/7"),
        ("", ""),
        ("ghartifacts://", ""),
        ("o/r/latest/n/x.csv", "o/r/latest/n/x.csv"),
        ("o/r/latest/n/x.csv?branch=main", "o/r/latest;branch=main/n/x.csv"),
        ("o/r/latest/n/?branch=main", "o/r/latest;branch=main/n"),
        ("o/r/latest?branch=main", "o/r/latest;branch=main"),
        ("o/r/latest/?branch=main", "o/r/latest;branch=main"),
        ("o/r/latest/n/x?event=push&branch=main", "o/r/latest;branch=main;event=push/n/x"),
        ("o/r/latest;event=push;branch=main/n/x", "o/r/latest;branch=main;event=push/n/x"),
        ("o/r/latest;branch=old/n/x?branch=main", "o/r/latest;branch=main/n/x"),
        ("o/r/latest/n/x?branch=feature/x+y", "o/r/latest;branch=feature%2Fx%2By/n/x"),
        ("o/r/latest/n/x?branch=feature%2Fx%2By", "o/r/latest;branch=feature%2Fx%2By/n/x"),
        ("o/r/latest/n/x?workflow=Build all", "o/r/latest;workflow=Build%20all/n/x"),
        ("o/r/latest/*/part-?.csv?branch=main", "o/r/latest;branch=main/*/part-?.csv"),
        ("o/r/latest/n/part-?.csv", "o/r/latest/n/part-?.csv"),
        ("o/r/latest?/n", "o/r/latest?/n"),
        ("o/r/7/x.csv?branch=main", "o/r/7/x.csv?branch=main"),
        ("o/r/latest-x/n?branch=main", "o/r/latest-x/n?branch=main"),
    ],
)
def test_strip(url: str, path: str):
    """Protocol and slash go; the query of ``latest`` moves, in one order and one spelling."""
    assert strip(url) == path
    assert strip(path) == path
    assert strip(f"ghartifacts://{path}") == path


@pytest.mark.parametrize("value", ["*", "a?b", "[x]", "a;b", "a&b", "ü"])
def test_no_value_is_taken_for_a_wildcard(value: str):
    """Whatever a value is, percent-encoded: the path has no wildcard, and the query has the value."""
    encoded = "".join(f"%{byte:02X}" for byte in value.encode())
    path = strip(f"o/r/latest/n?branch={encoded}")
    assert not has_magic(path)
    assert parse(path).query == ArtifactQuery(branch=value, names="n")


@pytest.mark.parametrize("url", ["o/r/latest/n?branch=\udcff", "o/r/latest;branch=\ud800/n"])
def test_a_value_that_is_no_text(url: str):
    """An argument of a program that is not UTF-8 has lone surrogates, which no URL can carry."""
    with pytest.raises(ConfigurationError, match="'branch' cannot be encoded"):
        strip(url)
    assert not names_itself(url, "n")


@pytest.mark.parametrize("url", ["o/r/latest/n/x?brnch=main", "o/r/latest;brnch=main/n", "o/r/latest/n?branch=a&b"])
def test_unknown_keys(url: str):
    """A key that is misspelt is an error that names those there are, not another artifact."""
    with pytest.raises(ConfigurationError, match=re.escape(", ".join(QUERY_KEYS))):
        strip(url)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("", Place(path="", kind="root")),
        ("o", Place(path="o", kind="owner", owner="o")),
        ("o/r", Place(path="o/r", kind="repo", owner="o", repo=REPO)),
        ("o/r/runs", Place(path="o/r/runs", kind="runs", owner="o", repo=REPO)),
        ("o/r/runs/5", Place(path="o/r/runs/5", kind="run", owner="o", repo=REPO, run_id=5)),
        (
            "o/r/7",
            Place(path="o/r/7", kind="artifact", owner="o", repo=REPO, artifact_id=7, base="o/r/7"),
        ),
        (
            "o/r/7/a/a",
            Place(path="o/r/7/a/a", kind="artifact", owner="o", repo=REPO, artifact_id=7, base="o/r/7", member="a/a"),
        ),
        (
            "o/r/runs/5/n/m",
            Place(
                path="o/r/runs/5/n/m",
                kind="artifact",
                owner="o",
                repo=REPO,
                run_id=5,
                name="n",
                base="o/r/runs/5/n",
                member="m",
            ),
        ),
        (
            "o/r/latest",
            Place(path="o/r/latest", kind="latest", owner="o", repo=REPO, query=ArtifactQuery()),
        ),
        (
            "o/r/latest;branch=main/n[1]/m",
            Place(
                path="o/r/latest;branch=main/n[1]/m",
                kind="artifact",
                owner="o",
                repo=REPO,
                query=ArtifactQuery(branch="main", names="n[[]1]"),
                name="n[1]",
                base="o/r/latest;branch=main/n[1]",
                member="m",
            ),
        ),
    ],
)
def test_parse(path: str, place: Place):
    """Each part has its meaning."""
    assert parse(path) == place


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("conclusion=any", ArtifactQuery(conclusion=None, names="n")),
        ("conclusion=failure", ArtifactQuery(conclusion="failure", names="n")),
        ("pull_request=12", ArtifactQuery(pull_request=12, names="n")),
        ("workflow=12", ArtifactQuery(workflow=12, names="n")),
        ("workflow=ci.yml&event=push", ArtifactQuery(workflow="ci.yml", event="push", names="n")),
        ("actor=me&head_sha=ABC", ArtifactQuery(actor="me", head_sha="abc", names="n")),
    ],
)
def test_queries(query: str, expected: ArtifactQuery):
    """The query is an ArtifactQuery."""
    assert parse(strip(f"o/r/latest/n?{query}")).query == expected


@pytest.mark.parametrize("query", ["branch=", "pull_request=x"])
def test_wrong_values(query: str):
    """A value that an ArtifactQuery refuses is refused."""
    with pytest.raises(ConfigurationError):
        parse(strip(f"o/r/latest/n?{query}"))


@pytest.mark.parametrize(
    "path", ["o//7", "a b/r", "o/r/x", "o/r/0", "o/r/-1", "o/r/runs/x/n", "o/r/latestx/n", "o/../7"]
)
def test_paths_of_nothing(path: str):
    """What can be nobody's path is not found; the error names the path."""
    with pytest.raises(FileNotFoundError) as caught:
        parse(path)
    assert caught.value.filename == path


@pytest.mark.parametrize(
    ("path", "component", "itself"),
    [
        ("o/r/runs/5/docs", "docs", True),
        ("o/r/runs/5/a?b=c", "a?b=c", True),
        ("o/r/latest/a?b", "a?b", True),
        ("o/r/latest;branch=main/docs", "docs", True),
        ("o/r/latest/a?b=c", "a?b=c", False),
        ("o/r/latest/a?branch=main", "a?branch=main", False),
        ("o/r/latest;branch=main/docs/a?event=x", "", False),
        ("o/r/runs/5/..", "..", False),
        ("o/r/runs/5/.", ".", False),
        ("o/r/runs/5/a/b", "a/b", False),
        ("o/r/runs/5/a\\b", "a\\b", False),
    ],
)
def test_names_itself(path: str, component: str, *, itself: bool):
    """What is listed is a path of that artifact or file, and of nothing else."""
    assert names_itself(path, component) is itself


def test_small_helpers():
    """Joining leaves out what is empty; views are the folders that show artifacts once more."""
    assert joined("a", "", "b") == "a/b"
    assert joined("", "b") == "b"
    assert [
        path
        for path in ("o/r/runs", "o/r/latest", "o/r/latest;event=push", "o/r/7", "o/runs", "o/r/7/runs", "o/r/runs/5")
        if is_view(path)
    ] == [
        "o/r/runs",
        "o/r/latest",
        "o/r/latest;event=push",
    ]
    assert parse("o/r/7").repository == REPO
