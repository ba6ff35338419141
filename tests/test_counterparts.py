"""The table of other people's software at the end of a run."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from tests.kits import counterparts, interop
from tests.kits.interop import Certificate, free_port, module, package, program

pytest_plugins = ["pytester"]
NAMES = {"azurite": "azurite-blob", "@octokit/rest": "octokit-rest", "@actions/artifact": "actions-artifact"}
"""What is looked for, where it has another name."""
NOT_INSTALLED = {"jar", "go"}
"""Large, and one maker of zips among others: tried where they are."""
TESTS = """
import pytest

@pytest.mark.counterpart("nginx")
@pytest.mark.counterpart("PyGithub")
def test_both():
    pass

@pytest.mark.counterpart("nginx")
def test_no():
    assert False

@pytest.mark.counterpart("squid")
def test_not_here():
    pytest.skip()

@pytest.mark.counterpart("githubkit")
@pytest.mark.parametrize("skipped", [True, False])
def test_once(skipped):
    if skipped:
        pytest.skip()

def test_of_no_other():
    pass
"""


def run(pytester: pytest.Pytester, tests: str, *options: str) -> pytest.RunResult:
    """Run tests with the plugin."""
    pytester.makepyfile(tests)
    return pytester.runpytest_inprocess("-p", counterparts.__name__, "-p", "no:randomly", "-p", "no:asyncio", *options)


def test_table(pytester: pytest.Pytester):
    """Each counterpart has a row, with what its tests say, in the order that the kit knows them in."""
    lines = run(pytester, TESTS).stdout.lines
    begin = next(number for number, line in enumerate(lines) if "software of others" in line)
    rows = [line.split("  ") for line in lines[begin + 1 : begin + 6]]
    assert [(row[0], row[-1]) for row in rows] == [
        ("counterpart", "result"),
        ("githubkit", "agrees; 1 not tried"),
        ("PyGithub", "agrees"),
        ("nginx", "DISAGREES in 1"),
        ("squid", "not tried"),
    ]


def test_no_table(pytester: pytest.Pytester):
    """Where no test is about a counterpart there is no table."""
    assert "software of others" not in run(pytester, "def test():\n    pass").stdout.str()


def test_unknown(pytester: pytest.Pytester):
    """A counterpart that the kit does not know is an error: its version would be missing."""
    result = run(pytester, "import pytest\n@pytest.mark.counterpart('nobody')\ndef test():\n    pass")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "nobody" in result.stderr.str() + result.stdout.str()


def test_all_are_required_where_they_can_be_had():
    """What .ci/run installs it also requires, so that nobody is left out unnoticed."""
    text = (Path(__file__).parent.parent / ".ci/run").read_text(encoding="utf-8")
    required = {name for line in re.findall(r'INTEROP_REQUIRED\+="([^"]+)"', text) for name in line.split()}
    needed = {NAMES.get(name, name) for name in counterparts.KNOWN.keys() - NOT_INSTALLED}
    assert required == needed | {"redis-server"}


def a_module(name: str) -> object:
    """Look for a module that is wanted for a counterpart."""
    return module(name.replace("-", "_"), name)


@pytest.mark.parametrize("look", [program, package, a_module])
def test_required(monkeypatch: pytest.MonkeyPatch, look: object):
    """What is required and missing is a failure, and no skip."""
    monkeypatch.delenv("INTEROP_REQUIRED", raising=False)
    monkeypatch.delenv("INTEROP_NO_SUCH_THING", raising=False)
    assert callable(look)
    with pytest.raises(pytest.skip.Exception, match=r"(?i)no.such.thing.* here"):
        look("no-such-thing")
    monkeypatch.setenv("INTEROP_REQUIRED", "gh no-such-thing")
    with pytest.raises(pytest.fail.Exception, match=" here"):
        look("no-such-thing")


def test_certificate(tmp_path: Path):
    """The files for a server are there, and the one for both its certificate and its key."""
    made = Certificate.write(tmp_path, "localhost", "127.0.0.1")
    assert made.chain.read_bytes() in (tmp_path / "both.pem").read_bytes()
    assert made.key.read_bytes() in (tmp_path / "both.pem").read_bytes()
    assert b"CERTIFICATE" in made.authority.read_bytes()


def test_ports_are_nobody_elses(monkeypatch: pytest.MonkeyPatch):
    """Each is another one, below those that systems give away, and another worker's never."""
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "3")
    found = {}
    for worker in range(3):
        monkeypatch.setenv("PYTEST_XDIST_WORKER", f"gw{worker}")
        found[worker] = [free_port() for _ in range(50)]
    every = [port for ports in found.values() for port in ports]
    assert len(set(every)) == 150
    assert 10_240 <= min(every) <= max(every) < 32_768
    assert [{(port - 10_240) % 3 for port in ports} for ports in found.values()] == [{0}, {1}, {2}]


def test_a_port_that_is_in_use_is_not_given(monkeypatch: pytest.MonkeyPatch):
    """Another one is tried."""
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        offered = iter([taken.getsockname()[1], free_port(), wanted := free_port()])
        monkeypatch.setattr(interop, "_given", set())
        monkeypatch.setattr(interop.random, "choice", lambda _: next(offered))
        assert free_port() != taken.getsockname()[1]
        assert free_port() == wanted
