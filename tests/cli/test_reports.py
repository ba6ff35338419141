"""What a run of each command leaves to the steps after it, and says in the log, inside GitHub Actions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gh_artifacts_async.cli.render import screen
from tests.cli.conftest import REPO
from tests.cli.render.test_workflow import obeyed

OURS = re.compile(r"::(?:add-mask::secret-token|(?:error|warning) title=gh-artifacts::.+|group::[A-Z].*|endgroup::)$")
EVIL = "|`a`##[error]<img>%"


@pytest.mark.realtime
class TestCommands:
    """What each command leaves, and what it says in the log."""

    def test_download(self, server, cli, step, tmp_path):
        """Outputs, a table, a group round the lines, and an annotation for what failed."""
        run = server.run()
        good, bad = server.artifact(run, EVIL, raw=("notes#1.txt", b"12345")), server.artifact(run, "gone")
        server.github.faults.status(bad, 404, times=None)
        ran = cli("download", REPO, good, bad, "--dir", "out")
        assert ran.code == 1
        assert (
            ran.out
            == f"::group::Downloading from {REPO}\n      5 B  sha256 ok      {Path('out/notes#1.txt')}\n::endgroup::\n"
        )
        assert ran.err.startswith("::add-mask::" + "secret" + "-token\n")
        assert f"\n::error title=gh-artifacts::gone ({bad}): " in ran.err
        path = tmp_path / "out" / "notes#1.txt"
        assert step.outputs == {
            "artifact-id": str(good),
            "artifact-ids": str(good),
            "count": "1",
            "download-path": str(tmp_path / "out"),
            "paths": str(path),
            "bytes": "5",
            "failed": "1",
        }
        assert step.said.startswith("\n### Download from octo-org/octo-docs\n")
        assert "| <code>&#124;&#96;a&#96;&#35;&#35;&#91;error&#93;&#60;img&#62;&#37;</code> | " in step.said
        assert "failed: " in step.said

    def test_quiet_and_json_have_no_groups(self, server, cli, step):
        """What a program reads is what it is elsewhere."""
        number = server.artifact(server.run(), "docs")
        assert "::" not in cli("download", REPO, number, "--quiet").out
        assert cli("download", REPO, number, "--json").document["downloaded"][0]["skipped"] is True
        assert step.outputs["count"] == "1"

    def test_merge(self, server, cli, step, tmp_path):
        """The folder is the one path."""
        run = server.run()
        numbers = [server.artifact(run, name, files={f"{name}.txt": b"1"}) for name in ("a", "b")]
        ran = cli("download", REPO, *numbers, "--merge", "--dir", "out")
        assert ran.code == 0
        assert step.outputs["paths"] == step.outputs["download-path"] == str(tmp_path / "out")
        assert step.outputs["artifact-ids"] == ",".join(map(str, numbers))
        assert "merged" in step.said
        step.output.unlink()
        assert cli("download", REPO, *numbers, "--merge", "--dir", "out").code == 0
        assert step.outputs["bytes"] == "0"
        assert "already there" in step.said
        step.output.unlink()
        (tmp_path / "taken").write_text("")
        assert cli("download", REPO, *numbers, "--merge", "--dir", "taken").code == 8
        assert (step.outputs["count"], step.outputs["failed"]) == ("0", "1")

    def test_mirror(self, server, cli, step, tmp_path):
        """What is new, kept and removed."""
        number = server.artifact(server.run(), "docs")
        ran = cli("mirror", REPO, "copy")
        assert ran.out.startswith(f"::group::Mirroring {REPO}\n")
        assert ran.out.endswith("\n::endgroup::\n")
        assert step.outputs["paths"] == str(tmp_path / "copy" / f"docs-{number}.zip")
        step.output.unlink()
        assert cli("mirror", REPO, "copy").out == ""
        assert step.outputs.items() >= {"count": "0", "artifact-id": "", "kept": "1", "removed": "0"}.items()
        assert "| <code>docs</code> | " in step.said

    @pytest.mark.slow
    def test_delete_and_prune(self, server, cli, step):
        """A plan says what would be deleted; a deletion, what was."""
        run = server.run()
        numbers = [server.artifact(run, name, files={"x": b"1"}) for name in ("a", "b", "c")]
        assert cli("prune", REPO, "--keep-latest", "1", "--name", "zzz").code == 0
        assert step.outputs["count"] == "0"
        assert "nothing to delete" in step.said
        ran = cli("delete", REPO, numbers[0], 99, "--yes")
        assert ran.out.startswith(f"::group::Deleting from {REPO}\n")
        step.output.write_text("")
        assert cli("prune", REPO, "--max-total", "1B").code == 0
        assert step.outputs["artifact-ids"].count(",") == 1
        assert "would delete: " in step.said
        step.output.write_text("")
        ran = cli("prune", REPO, "--max-total", "1B", "--apply")
        assert ran.code == 0
        assert step.outputs["count"] == "2"
        assert "::group::" in ran.out
        assert f"### Deleted from {REPO}\n" in step.said

    def test_what_was_not_found_is_in_the_summary_of_a_deletion(self, server, cli, step):
        """It counts as failed."""
        number = server.artifact(server.run(), "a")
        assert cli("delete", REPO, number, 99, "--yes").code == 1
        assert step.outputs.items() >= {"artifact-id": str(number), "failed": "1"}.items()
        assert "| - | - |  | failed: " in step.said

    def test_list_wait_and_usage(self, server, cli, step):
        """IDs for the next step; a table of what takes up storage."""
        run = server.run()
        numbers = [server.artifact(run, f"a{number}") for number in range(3)]
        assert cli("list", REPO).code == 0
        assert step.outputs["count"] == "3"
        assert sorted(map(int, step.outputs["artifact-ids"].split(","))) == numbers
        step.output.unlink()
        assert cli("wait", REPO, "a1").code == 0
        assert step.outputs["artifact-id"] == str(numbers[1])
        assert not step.summary.exists()
        assert cli("usage", REPO).code == 0
        assert "| <code>a1</code> | 1 | " in step.said

    @pytest.mark.usefixtures("step")
    def test_names_are_no_commands(self, server, cli):
        """In tables, messages and documents; a program reads the name as it is."""
        server.artifact(server.run(branch="##[add-mask]b"), EVIL)
        for words in (["list", REPO], ["usage", REPO], ["download", REPO, "--name", "##[error]x"]):
            ran = cli(*words)
            assert "##[" not in ran.out.replace("::error", "") + re.sub(r"(?m)^::.*", "", ran.err)
        assert cli("list", REPO, "--json").document[0]["name"] == EVIL

    @pytest.mark.usefixtures("step")
    def test_no_line_of_any_command_is_obeyed_but_its_own(self, server, cli, tmp_path):
        """Names of artifacts, branches, workflows and files by somebody who means harm."""
        evil = "::error::x##[error]y"
        run = server.run(branch=evil)
        members = {evil: b"1", f"a/{evil}": b"2"}
        number = server.artifact(run, evil, files=members)
        bad = server.artifact(run, "b" + evil, files=members)
        server.github.faults.status(bad, 404, times=None)
        (tmp_path / "dir").write_text("")
        for words in (
            ["list", REPO],
            ["runs", REPO],
            ["show", REPO, number],
            ["ls", REPO, number],
            ["cat", REPO, number, "::error::z"],
            ["wait", REPO, evil],
            ["usage", REPO],
            ["prune", REPO, "--max-total", "1B", "--verbose"],
            ["download", REPO, "--all", "--verbose"],
            ["download", REPO, number, "--dry-run", "--dir", evil],
            ["download", REPO, number, "--extract", "--dir", "out"],
            ["mirror", REPO, "mirrored"],
            ["download", REPO, "--name", "::warning::x", "--branch", "::error::z"],
            ["list", "::error::x"],
            ["::error::x"],
            ["delete", REPO, number, "--yes"],
        ):
            ran = cli(*words)
            for line in (ran.out + ran.err).splitlines():
                assert not obeyed(line) or OURS.match(line), line

    @pytest.mark.usefixtures("step")
    def test_usage_errors_and_warnings_are_annotations(self, server, cli, bare_cli):
        """One line each, and nothing twice."""
        assert bare_cli("lst").err.startswith("::error title=gh-artifacts::unknown command 'lst';")
        server.run()
        ran = cli("download", REPO, "--name", "50%", "--if-none", "warn")
        assert "\n::warning title=gh-artifacts::no artifacts named '50%25'" in ran.err
        ran = cli("download", REPO, "--name", "x", "--if-none", "warn", "--quiet")
        assert "::warning" not in ran.err

    @pytest.mark.usefixtures("step")
    def test_cat_stops_commands(self, server, cli, monkeypatch):
        """A file is written byte for byte, and the runner obeys no line of it, nor fails to obey those that follow."""
        monkeypatch.setattr(screen, "_PAUSE", 0)
        files = {"evil.txt": b"x\n::add-mask::y\n", "good.txt": b"std::vector\n"}
        number = server.artifact(server.run(), "docs", files=files)
        ran = cli("cat", REPO, number, "evil.txt")
        assert ran.out == "x\n::add-mask::y\n"
        stopped = re.fullmatch(r"::add-mask::.*\n::stop-commands::([0-9a-f]{32})\n::([0-9a-f]{32})::\n", ran.err)
        assert stopped is not None
        assert stopped[1] == stopped[2]
        assert "stop-commands" not in cli("cat", REPO, number, "good.txt").err
        monkeypatch.delenv("GITHUB_ACTIONS")
        assert cli("cat", REPO, number, "evil.txt").err == ""

    def test_a_summary_that_cannot_be_written(self, server, cli, step, monkeypatch):
        """The command has done its work all the same."""
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step.summary.parent))
        server.artifact(server.run(), "docs")
        ran = cli("usage", REPO)
        assert ran.code == 0
        assert ran.err.count("::warning title=gh-artifacts::GITHUB_STEP_SUMMARY cannot be written: ") == 1
