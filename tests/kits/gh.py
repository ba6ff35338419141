"""A program called gh for tests, which never run the real one."""

from __future__ import annotations

from pathlib import Path


def install_gh(folder: Path, script: str) -> Path:
    """Write a shell script as ``gh`` into a folder, to be put on the PATH; return the folder."""
    program = folder / "gh"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    return folder
