"""Workflow commands, and what must not be one."""

from __future__ import annotations

import io
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async.cli.render import workflow


def obeyed(line: str) -> bool:
    """Whether the runner takes a line for a command, as its ActionCommand.cs parses one."""
    trimmed = line.lstrip()
    new = trimmed.startswith("::") and "::" in trimmed[2:]
    return new or ("##[" in line and "]" in line[line.index("##[") :])


def test_whether_this_is_a_job():
    """As GitHub documents it, and nothing else."""
    assert workflow.active({"GITHUB_ACTIONS": "true"})
    assert not workflow.active({"GITHUB_ACTIONS": "false"})
    assert not workflow.active({})
    assert not workflow.active()


class TestHeard:
    """Who reads a stream."""

    def test_outside_of_a_job(self):
        """Nobody obeys."""
        assert not workflow.heard(io.StringIO())

    def test_inside(self, monkeypatch, tmp_path):
        """A pipe may be the runner's; a file, a terminal and no stream at all are not."""
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        assert workflow.heard(io.StringIO())
        assert not workflow.heard(None)
        with (tmp_path / "log").open("w") as file:
            assert not workflow.heard(file)
        reader, writer = os.pipe()
        with os.fdopen(writer, "w") as pipe:
            assert workflow.heard(pipe)
        os.close(reader)

    def test_one_pipe_for_both(self, tmp_path):
        """After 2>&1 the runner's two pipes are one."""
        reader, writer = os.pipe()
        again = os.dup(writer)
        with os.fdopen(writer, "w") as one, os.fdopen(again, "w") as other, (tmp_path / "x").open("w") as third:
            assert workflow.shared(one, other)
            assert not workflow.shared(one, third)
        os.close(reader)
        assert not workflow.shared(io.StringIO(), io.StringIO())
        assert not workflow.shared(None, None)


class TestNeutral:
    """Text from elsewhere is text."""

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("::error::x\n", "\\u003a:error::x\n"),
            ("a\n  ::add-mask::x", "a\n  \\u003a:add-mask::x"),
            ("a\r::error::x", "a\r\\u003a:error::x"),
            ("\u2003::error::x", "\u2003\\u003a:error::x"),
            ("-  ::error::x", "-  \\u003a:error::x"),
            (":::error::x", "\\u003a::error::x"),
            ("11  ##[error]x", "11  \\u0023#[error]x"),
            ("###[error]x", "#\\u0023#[error]x"),
        ],
    )
    def test_commands(self, text, shown):
        """Both forms that the runner knows lose what it looks for."""
        assert workflow.neutral(text) == shown

    @pytest.mark.parametrize("text", ["", "11  std::vector\n", "ID  NAME\n", "a: b", "## [x]", "error: x::y", "a:"])
    def test_what_is_none_stays(self, text):
        """Colons within a line are no command."""
        assert workflow.neutral(text) == text

    @given(st.text(alphabet=":#[] \ta\r\n\u2003x%", max_size=30))
    def test_no_line_is_obeyed(self, text):
        """Whatever is written."""
        shown = workflow.neutral(text).replace("\r", "\n")
        assert not any(obeyed(line) for line in shown.split("\n"))

    @given(st.text(alphabet=':#[]a\n"\\', max_size=20))
    def test_json_means_the_same(self, text):
        """A program that reads it gets the name as it is."""
        document = {"name": text, "##[x]": [text]}
        assert json.loads(workflow.neutral(json.dumps(document, indent=2))) == document


@pytest.mark.parametrize(
    ("data", "may"),
    [
        (b"", False),
        (b"a::b\nstd::vector::x\n1::", False),
        (b"\x89PNG\0\1::", False),
        (b"a\n::error::x", True),
        (b"a\r \xe2\x80\x83::error::x", True),
        (b"x ##[error]y", True),
        (b"x" * 1000 + b" " * 200 + b"::", True),
    ],
)
def test_bytes_that_may_hold_commands(data, may):
    """What is doubtful counts."""
    assert workflow.may_hold_commands(data) is may


def test_commands_keep_their_line():
    """Line breaks and percent signs are escaped as the runner unescapes them."""
    assert workflow.annotation("error", "50 %\r\nmore") == "::error title=gh-artifacts::50 %25%0D%0Amore\n"
    assert workflow.annotation("warning", "a::b") == "::warning title=gh-artifacts::a::b\n"
    assert workflow.group("a\nb") == "::group::a%0Ab\n"
    assert workflow.mask("x%y") == "::add-mask::x%25y\n"
