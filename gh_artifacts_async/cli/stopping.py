"""The end that a signal brings; apart from ``running``, which needs an event loop."""

from __future__ import annotations

from gh_artifacts_async.cli.exits import INTERRUPTED


class Stopped(BaseException):
    """The user, or the system, has stopped the program; everything was put away before this is raised."""

    def __init__(self, code: int, hint: str = "") -> None:
        """Keep the exit code, and what the user can do now."""
        super().__init__(code, hint)
        self.code = code
        self.hint = hint

    def __str__(self) -> str:
        """Return one line."""
        word = "interrupted" if self.code == INTERRUPTED else "terminated"
        return f"{word}; {self.hint}" if self.hint else word
