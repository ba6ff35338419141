"""The README's programs run as they stand."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from gh_artifacts_async import ArtifactsClient
from gh_artifacts_async.testing import FakeGitHub

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
REPO = "octo-org/octo-docs"


@pytest.fixture
async def github(monkeypatch, tmp_path):
    """A fake GitHub that the environment points to, with two artifacts."""
    async with FakeGitHub() as fake:
        run = fake.add_run(REPO)
        for name in ("Rails", "docs"):
            fake.add_artifact(run, name)
        for variable in ("GH_TOKEN", "GH_HOST", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GITHUB_SERVER_URL"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("GITHUB_API_URL", fake.base_url)
        monkeypatch.setenv("GITHUB_TOKEN", "t0ken")
        monkeypatch.chdir(tmp_path)
        yield fake


async def test_the_first_program(github, tmp_path, capsys):
    """The ten lines fetch what they list."""
    program = PROGRAMS[0].replace("asyncio.run(main())", "")
    names: dict = {}
    exec(program, names)  # noqa: S102  our own README
    await names["main"]()
    assert sorted(path.name for path in (tmp_path / "artifacts").iterdir()) == ["Rails.zip", "docs.zip"]
    assert "digest" in capsys.readouterr().out
    assert {request.host for request in github.requests} == {"api", "storage"}


async def test_the_program_for_many(github, tmp_path, capsys):
    """So does the one for many at once."""
    body = textwrap.indent(PROGRAMS[1], "    ")
    names: dict = {}
    exec(f"async def main(client):\n{body}", names)  # noqa: S102  our own README
    async with ArtifactsClient.from_env() as client:
        await names["main"](client)
    assert sorted(capsys.readouterr().out.split()) == ["artifacts/Rails.zip", "artifacts/docs.zip"]
    assert sorted(path.name for path in (tmp_path / "artifacts").iterdir()) == ["Rails.zip", "docs.zip"]
    assert len(github.requests) >= 5


def test_its_links_lead_somewhere():
    """Every page and file the README points to is there, and every make target it names."""
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"\bmake ([a-z]+)\b", README)
    assert {"demo", "test"} <= set(targets)
    assert [target for target in targets if f"\n{target}:" not in makefile] == []
