"""Fuzzing: ``python -m tests.fuzz TARGET --runs 1000000``, or ``python -m tests.fuzz all --seconds 60``."""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import subprocess
import sys
from pathlib import Path

from tests.fuzz import engine


def main(arguments: list[str]) -> int:
    """Run one target, or all of them one after the other; return 1 if there is a finding."""
    given = _parser().parse_args(arguments)
    if given.target == "all":
        return _all(given)
    try:
        atheris = None if given.engine == "mutator" else importlib.import_module("atheris")
    except ImportError:
        if given.engine == "atheris":
            raise
        atheris = None
    target = engine.load(given.target) if atheris is None else engine.instrumented(given.target, atheris)
    if given.replay:
        return _replay(target, given.replay)
    runs = 100_000 if given.runs is None and given.seconds is None else given.runs
    plan = engine.Plan(runs, given.seconds, given.seed, given.findings, given.keep_going)
    if atheris is not None:
        version = importlib.metadata.version("atheris")
        engine.run_with_atheris(atheris, target, plan, given.corpus, version)
    run = engine.run_with_mutator(target, plan)
    print(run.summary())  # noqa: T201
    return 1 if run.found else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=[*engine.names(), "all"])
    parser.add_argument("--runs", type=int, help="cases, of each target")
    parser.add_argument("--seconds", type=float, help="of all targets together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=["auto", "atheris", "mutator"], default="auto")
    parser.add_argument("--corpus", type=Path, help="a folder of inputs, which atheris adds to")
    parser.add_argument("--findings", type=Path, default=Path("build/fuzz"), help="a folder for what shows a fault")
    parser.add_argument("--keep-going", action="store_true", help="go on after a finding")
    parser.add_argument("--replay", type=Path, nargs="+", help="run these inputs, or those in these folders, alone")
    return parser


def _all(given: argparse.Namespace) -> int:
    """Run every target in a process of its own."""
    names = engine.names()
    options = ["--seed", str(given.seed), "--engine", given.engine, "--findings", str(given.findings)]
    options += ["--keep-going"] if given.keep_going else []
    if given.runs is not None:
        options += ["--runs", str(given.runs)]
    if given.seconds is not None:
        options += ["--seconds", str(given.seconds / len(names))]
    failed = []
    for name in names:
        corpus = [] if given.corpus is None else ["--corpus", str(given.corpus / name)]
        command = [sys.executable, "-m", "tests.fuzz", name, *options, *corpus]
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603
        lines = done.stdout.splitlines()
        print("\n".join(lines[-1:] if done.returncode == 0 else lines), flush=True)  # noqa: T201
        failed += [name] if done.returncode else []
    if failed:
        print(f"findings in {', '.join(failed)}; their inputs are in {given.findings}")  # noqa: T201
    return 1 if failed else 0


def _replay(target: engine.Target, paths: list[Path]) -> int:
    """Run inputs that were kept."""
    files = [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
    plan = engine.Plan(None, None, 0, Path("build/fuzz"), keep_going=True)
    run = engine.Run(target, plan, "replay")
    for file in files:
        run.case(file.read_bytes())
    print(run.summary())  # noqa: T201
    return 1 if run.found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
