"""Outputs and summaries of a step, as files; and what a run of each command leaves there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async.cli import actions
from tests.cli.conftest import REPO
from tests.kits.gh import install_gh

if TYPE_CHECKING:
    from collections.abc import Callable


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
        (warning,) = said
        assert warning.startswith(f"GITHUB_OUTPUT cannot be written: {step.output.parent}: ")

    def test_outside_of_a_job_nothing_is_written(self, step, monkeypatch):
        """Even if the variables are set."""
        monkeypatch.delenv("GITHUB_ACTIONS")
        actions.publish(actions.Report(outputs={"count": "1"}, title="x"), pytest.fail)
        assert not step.output.exists()
        assert not step.summary.exists()


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

    @pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")
    def test_the_mask_is_never_kept_in_a_file(self, server, step, tmp_path):
        """Not with 2>file, and not with 2>&1 | tee file."""
        server.run()
        program = f'"{sys.executable}" -m gh_artifacts_async list {REPO} --api-url {server.url}'
        for redirected in ("2>log", "2>&1 | cat >log"):
            subprocess.run(f"{program} {redirected}", shell=True, check=True, cwd=tmp_path)  # noqa: S602 - as in a step
            assert "add-mask" not in (tmp_path / "log").read_text()
        assert step.outputs["count"] == "0" or step.output.read_text().count("count<<") == 2
