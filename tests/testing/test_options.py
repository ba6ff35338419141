"""The options of the fake as a program."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from gh_artifacts_async.testing import options
from gh_artifacts_async.testing.faults.text import FaultText


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--fault", "nonsense"], "'nonsense' is not a fault"),
        (["--fault", "cut=often"], "cut: times='often' is not a number"),
        (["--faults", "nowhere.json"], "No such file"),
        (["--size", "big"], "'big' is not a size"),
        (["--artifacts", "x"], "'x' is not a whole number"),
        (["--artifacts", "-1"], "'-1' is not a whole number"),
        (["--port", "65536"], "'65536' is not a whole number from 0 to 65,535"),
        (["--url-ttl", "soon"], "'soon' is not a number of seconds above 0"),
        (["--url-ttl", "nan"], "'nan' is not a number of seconds above 0"),
        (["--artifact", "x"], "'x' is not NAME=PATH"),
        (["--artifact", "x=nowhere"], "'x=nowhere' is not NAME=PATH"),
        (["--chaos", "often"], "'often' is not SHARE"),
        (["--chaos", "2"], "'2' is not SHARE"),
        (["--chaos", "nan"], "'nan' is not SHARE"),
        (["--profile", "ghes-2.22"], "no such profile: 'ghes-2.22'"),
        (["--same-host-storage"], "add --profile ghes-3.16"),
        (["--tls-key", "key.pem"], "--tls-key needs --tls-cert"),
        (["--tls-cert", "cert.pem", "--tls-ca", "ca.pem"], "not both"),
        (["--tls-cert", "nowhere.pem"], "cannot use the certificate in nowhere.pem: No such file"),
        (["--tls-cert", __file__], "cannot use the certificate in"),
        (["--tls-ca", "nowhere/ca.pem"], "No such file"),
    ],
)
def test_wrong_arguments(arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What it does not understand, or cannot use, is exit code 2 and a sentence."""
    with pytest.raises(SystemExit) as caught:
        options.arguments(arguments)
    assert caught.value.code == 2
    assert text in capsys.readouterr().err


def test_what_is_not_said() -> None:
    """Without options there are ten artifacts of one repository, on free ports, without TLS."""
    found = options.arguments([])
    assert (found.repo, found.artifacts, found.port, found.storage_port) == (["octo-org/octo-docs"], 10, 0, 0)
    assert (found.ssl_context, found.chaos, found.token, found.rate_limit) == (None, None, None, None)


def test_what_is_said(tmp_path: Path) -> None:
    """Options may be repeated, and each is read as what it is."""
    file = tmp_path / "faults.json"
    file.write_text('[{"fault": "cut"}]', encoding="utf-8")
    written = [
        "--repo",
        "a/b",
        "--repo",
        "c/d",
        "--artifact",
        f"x={tmp_path}",
        "--chaos",
        "0.5:3",
        "--faults",
        str(file),
    ]
    found = options.arguments([*written, "--fault", "cut=2", "--fault", "stall", "--tls-ca", str(tmp_path / "ca.pem")])
    assert (found.repo, found.artifacts, found.artifact) == (["a/b", "c/d"], 0, [("x", tmp_path)])
    assert found.chaos == (0.5, 3)
    assert found.fault == [FaultText("cut", {"times": 2}), FaultText("stall", {})]
    assert found.faults == [FaultText("cut", {})]
    assert isinstance(found.ssl_context, ssl.SSLContext)


@pytest.mark.parametrize(("text", "size"), [("512", 512), ("4K", 4096), ("2MiB", 2 << 20), ("1g", 1 << 30)])
def test_sizes(text: str, size: int) -> None:
    """Sizes may have units."""
    assert options.arguments(["--size", text]).size == size


def test_it_lists_the_faults(capsys: pytest.CaptureFixture[str]) -> None:
    """``--list-faults`` prints all of them, and that is all it does."""
    with pytest.raises(SystemExit) as caught:
        options.arguments(["--list-faults"])
    assert caught.value.code == 0
    assert "cut: Close the connection (FIN)" in capsys.readouterr().out


def test_help(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The help fits a terminal of 120 columns, and its examples are commands that can be read."""
    monkeypatch.setenv("COLUMNS", "120")
    with pytest.raises(SystemExit):
        options.arguments(["--help"])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 120
    prompt = "    python -m gh_artifacts_async.testing "
    examples = [line.removeprefix(prompt).removesuffix(" &") for line in lines if line.startswith(prompt)]
    assert len(examples) == 4
    for example in examples:
        words = example.replace("=htmlcov", f"={Path(__file__).parent}").replace(" ca.pem", " /dev/null").split()
        options.arguments(words)
