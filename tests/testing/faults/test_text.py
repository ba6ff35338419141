"""Faults that are written as text."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest

from gh_artifacts_async.testing import FakeGitHub, Faults
from gh_artifacts_async.testing.faults import text
from gh_artifacts_async.testing.faults.text import METHODS, FaultText, read, read_file

VALUES = {
    "at": "5",
    "by": "-3",
    "chunk": "10",
    "code": "503",
    "content": "70",
    "data": "abc",
    "endpoint": "get-artifact",
    "headers": '{"x": "y"}',
    "framing": "close",
    "interval": "0.5",
    "limit": "9",
    "location": "http://localhost/",
    "permissions": "actions",
    "reset": "true",
    "reset_in": "2.5",
    "retry_after": "2",
    "seconds": "1",
    "status": "404",
    "url": "http://localhost/",
    "value": "bytes 0-1/2",
    "where": "api",
    "body": "text",
}


@pytest.mark.parametrize("name", METHODS)
async def test_every_fault_with_every_key(name: str) -> None:
    """Each method of Faults can be written with each of its arguments, once, n times or for every request."""
    keys = [key for key in METHODS[name].parameters if key not in {"self", "artifact", "times"}]
    async with FakeGitHub() as github:
        artifact_id = github.add_artifact(github.add_run("a/b"), "x")
        for times in ("", "=3", "=always"):
            written = ",".join([f"{name}{times}", "artifact=1", *(f"{key}={VALUES[key]}" for key in keys)])
            if name == "next_link":  # of a listing, not of an artifact
                written = written.replace(",artifact=1", "")
            read(written).script(github.faults, {1: artifact_id}.__getitem__)
        assert [fault.left for fault in github.faults.script] == [1, 3, None]
        assert {fault.name for fault in github.faults.script} == {name}


def test_what_is_a_fault() -> None:
    """Every public method of Faults that scripts one, and no other, has a text."""
    public = {name for name, _ in inspect.getmembers(Faults, inspect.isfunction) if not name.startswith("_")}
    assert public - set(METHODS) == {"add", "assert_used", "clear", "meet"}


def test_values_have_their_kinds() -> None:
    """A number stays whole where a header takes it, a time may be a fraction, an artifact has a place or a name."""
    assert read("cut=2,artifact=3,at=1000") == FaultText("cut", {"times": 2, "at": 1000}, 3)
    assert read("cut,artifact=wheel").artifact == "wheel"
    assert repr(read("secondary_limit,retry_after=2").arguments["retry_after"]) == "2"
    assert read("secondary_limit,retry_after=Fri").arguments["retry_after"] == "Fri"
    assert read("drip,interval=0.5,at=always").arguments == {"interval": 0.5, "at": None}
    assert read("no_reply,reset=false").arguments == {"reset": False}
    assert read("extra,data=abc").arguments == {"data": b"abc"}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("nonsense", "'nonsense' is not a fault; there are change_etag, corrupt, cut"),
        ("add", "'add' is not a fault"),
        ("cut=often", "cut: times='often' is not a number, or always"),
        ("cut,x", "'x' in 'cut,x' is not KEY=VALUE"),
        ("cut,host=api", "cut has no 'host'; it has artifact, at, times, where"),
        ("cut,where=apo", "cut: where='apo' is not api or storage"),
        ("cut,at=x", "cut: at='x' is not a number"),
        ("slow_headers,seconds=x", "slow_headers: seconds='x' is not a number"),
        ("no_reply,reset=2", "no_reply: reset='2' is not true or false"),
        ("no_length,framing=x", "no_length: framing='x' is not chunked or close"),
        ("truncate_clean,framing=x", "truncate_clean: framing='x' is not length, chunked or close"),
        ("headers,headers=[]", r"headers: headers='\[\]' is not a JSON object"),
        ("headers,headers={", "headers: headers='{' is not a JSON object"),
        ("next_link", "next_link needs url"),
    ],
)
def test_what_is_none(written: str, said: str) -> None:
    """What cannot be a fault is an error that says what could."""
    with pytest.raises(ValueError, match=said):
        read(written)


def test_a_file(tmp_path: Path) -> None:
    """A JSON file holds a list of the same, with values of JSON's own kinds."""
    path = tmp_path / "faults.json"
    document = [
        {"fault": "cut", "artifact": 3, "at": 1000, "times": 2},
        {"fault": "headers", "headers": {"ETag": None}, "times": None},
        {"fault": "slow_headers", "seconds": 1.5, "artifact": "wheel"},
        {"fault": "no_reply", "reset": True},
    ]
    path.write_text(json.dumps(document), encoding="utf-8")
    assert read_file(path) == [
        FaultText("cut", {"at": 1000, "times": 2}, 3),
        FaultText("headers", {"headers": {"ETag": None}, "times": None}),
        FaultText("slow_headers", {"seconds": 1.5}, "wheel"),
        FaultText("no_reply", {"reset": True}),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{}", "holds no JSON list"),
        ('["cut"]', '"cut" in .* is no object with a name'),
        ('[{"at": 1}]', "is no object with a name"),
        ('[{"fault": "cut", "at": true}]', "cut: at=True is not a number"),
        ('[{"fault": "slow_headers", "seconds": true}]', "seconds=True is not a number"),
        ('[{"fault": "extra", "data": 1}]', "data=1 is not bytes"),
        ("[", "Expecting value"),
    ],
)
def test_a_file_that_holds_something_else(tmp_path: Path, content: str, said: str) -> None:
    """What a file should not hold is an error that says so."""
    path = tmp_path / "faults.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        read_file(path)


def test_the_overview() -> None:
    """It has a sentence for each fault, and what it takes with the defaults that are worth saying."""
    lines = text.overview().splitlines()
    assert len(lines) == 2 * len(METHODS)
    at = lines.index("drip: Send the body slowly from byte at: chunk bytes every interval seconds.")
    assert lines[at + 1] == "    artifact  times  chunk=1  interval=0.2  at=0"
    assert all(line.split(": ", 1)[1].endswith(".") for line in lines[::2])
