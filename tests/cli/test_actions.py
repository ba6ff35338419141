"""Outputs and summaries of a step, as files; and what a run of each command leaves there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async.cli import actions
from gh_artifacts_async.cli.render import screen
from tests.cli.conftest import REPO
from tests.kits.gh import install_gh

if TYPE_CHECKING:
    from collections.abc import Callable

EVIL = "|`a`##[error]<img>%"
_OUTPUT = re.compile(r"(?P<name>[a-z-]+)<<(?P<end>ghadelimiter_[0-9a-f-]{36})\n(?P<value>.*?)\n(?P=end)\n", re.DOTALL)


def parsed(path: Path) -> dict[str, str]:
    """Read outputs as the runner does."""
    text = path.read_text(encoding="utf-8")
    assert _OUTPUT.sub("", text) == ""
    return {match["name"]: match["value"] for match in _OUTPUT.finditer(text)}


class Step:
    """The files of one step."""

    def __init__(self, folder: Path) -> None:
        self.output = folder / "output"
        self.summary = folder / "summary"

    @property
    def outputs(self) -> dict[str, str]:
        return parsed(self.output)

    @property
    def said(self) -> str:
        return self.summary.read_text(encoding="utf-8")


@pytest.fixture
def step(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Step:
    """Be a step of a job."""
    step = Step(tmp_path_factory.mktemp("runner"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(step.output))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step.summary))
    return step


class TestPublish:
    """Files that the runner names."""

    def test_each_value_has_a_delimiter_of_its_own(self, step):
        """Whatever a value holds, it is one value, and no other output."""
        values = {"paths": "a\nb", "count": "2", "empty": "", "evil": "x\nghadelimiter_1\ncount<<EOF\n9\nEOF"}
        actions.publish(actions.Report(outputs=values), pytest.fail)
        assert step.outputs == values
        assert len(set(re.findall(r"<<(ghadelimiter_.*)", step.output.read_text()))) == 4
        assert not step.summary.exists()

    def test_what_is_there_is_kept(self, step):
        """Both files are appended to."""
        step.output.write_text("a=b\n")
        step.summary.write_text("before")
        report = actions.Report(outputs={"count": "1"}, title="Title", said="said")
        actions.publish(report, pytest.fail)
        assert step.output.read_text().startswith("a=b\ncount<<")
        assert step.said == "before\n### Title\n\nsaid\n"

    def test_a_file_that_cannot_be_written(self, step, monkeypatch):
        """One warning each; a variable that is not set is none."""
        monkeypatch.setenv("GITHUB_OUTPUT", str(step.output.parent))
        monkeypatch.delenv("GITHUB_STEP_SUMMARY")
        said: list[str] = []
        actions.publish(actions.Report(outputs={"count": "1"}, title="x"), said.append)
        assert said == [f"GITHUB_OUTPUT cannot be written: {step.output.parent}: {os.strerror(21)}"]

    def test_outside_of_a_job_nothing_is_written(self, step, monkeypatch):
        """Even if the variables are set."""
        monkeypatch.delenv("GITHUB_ACTIONS")
        actions.publish(actions.Report(outputs={"count": "1"}, title="x"), pytest.fail)
        assert not step.output.exists()
        assert not step.summary.exists()


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
        assert "\n::error title=gh-artifacts::gone: " in ran.err
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
        assert "| <code>&#45;</code>" not in step.said
        assert "| <code>-</code> | - |  | failed: " in step.said

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
    def test_usage_errors_and_warnings_are_annotations(self, server, cli, bare_cli):
        """One line each, and nothing twice."""
        assert bare_cli("lst").err.startswith('::error title=gh-artifacts::Unknown command "lst".')
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


@pytest.mark.realtime
class TestMask:
    """Which token is masked, and where that line may go."""

    @pytest.mark.usefixtures("step")
    def test_the_runner_knows_its_own(self, server, cli, monkeypatch):
        """GITHUB_TOKEN is masked already."""
        monkeypatch.setenv("GITHUB_TOKEN", os.environ["GH_ENTERPRISE_TOKEN"])
        server.run()
        assert "add-mask" not in cli("list", REPO).err

    @pytest.mark.usefixtures("step")
    def test_no_token(self, server, cli, monkeypatch):
        """Then there is nothing to hide."""
        monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
        server.run()
        assert "add-mask" not in cli("list", REPO).err

    @pytest.mark.usefixtures("step")
    def test_a_stored_login(self, server, cli, monkeypatch, tmp_path_factory):
        """The runner cannot know it."""
        monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
        folder = install_gh(tmp_path_factory.mktemp("gh"), "echo gho_stored")
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        server.run()
        assert cli("list", REPO).err.startswith("::add-mask::gho_stored\n")


@pytest.fixture
def job(server, start) -> Callable[..., tuple[str, str]]:
    """Run the real program as a step does."""

    def run(*words: object) -> tuple[str, str]:
        process = start(*words, "--api-url", server.url)
        out, err = process.communicate(timeout=60)
        assert "Traceback" not in err
        return out, err

    return run


@pytest.mark.realtime
@pytest.mark.slow
class TestPrograms:
    """The real program, with the runner's pipes and files."""

    def test_no_secret_leaves_it(self, server, job, step):
        """Neither the token nor a signature is in the log, the summary or the outputs, but for the mask line."""
        run = server.run()
        numbers = [server.artifact(run, name) for name in ("a", "b", "c")]
        server.github.faults.status(numbers[1], 403, times=None)
        server.github.faults.expire_url(numbers[0])
        out, err = job("download", REPO, *numbers, "--verbose", "--dir", "out")
        mask, _, rest = err.partition("\n")
        assert mask == "::add-mask::" + os.environ["GH_ENTERPRISE_TOKEN"]
        for text in (out, rest, step.said, step.output.read_text()):
            assert os.environ["GH_ENTERPRISE_TOKEN"] not in text
            assert "sig=" not in text
        assert out.startswith("::group::")
        assert out.endswith("::endgroup::\n")
        assert step.outputs["count"] == "2"

    def test_the_mask_is_never_kept_in_a_file(self, server, step, tmp_path):
        """Not with 2>file, and not with 2>&1 | tee file."""
        server.run()
        program = f'"{sys.executable}" -m gh_artifacts_async list {REPO} --api-url {server.url}'
        for redirected in ("2>log", "2>&1 | cat >log"):
            subprocess.run(f"{program} {redirected}", shell=True, check=True, cwd=tmp_path)  # noqa: S602 - as in a step
            assert "add-mask" not in (tmp_path / "log").read_text()
        assert step.outputs["count"] == "0" or step.output.read_text().count("count<<") == 2
