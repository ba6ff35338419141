"""The options that select artifacts, which several commands share."""

import glob
import re
from typing import Annotated, Literal

import attrs
from cyclopts import Parameter

from gh_artifacts_async import ArtifactQuery
from gh_artifacts_async.cli import amounts
from gh_artifacts_async.cli.options import Branch, Event, Run, Workflow
from gh_artifacts_async.errors import ConfigurationError

IfNone = Literal["error", "warn", "ignore"]

_COMMIT = re.compile(r"[0-9a-fA-F]{40}")


@attrs.frozen(kw_only=True)
class Selectors:
    """What the command line says of the artifacts, beside their IDs.

    Attributes:
        run: of this run only.
        name: of exactly one of these names.
        pattern: or of a name that fits one of these globs.
        workflow: of a run of this workflow.
        branch: of a run of this branch.
        event: of a run that this event triggered.
        pr: of a run of this pull request's head commit.
        commit: of a run of this commit.
        conclusion: of a run that ended so, or is in this state; ``any`` for all.
        all_runs: of all runs that fit, not just the newest.
        all_attempts: of all attempts of a run, also where they have the same name.
        allow_forks: of a run of a fork too.
        if_none: what it means if there are none.
    """

    run: Run = None
    name: Annotated[list[str] | None, Parameter(name=["--name", "-n"])] = None
    pattern: Annotated[list[str] | None, Parameter(name=["--pattern", "-p"])] = None
    workflow: Workflow = None
    branch: Branch = None
    event: Event = None
    pr: int | None = None
    commit: Annotated[str | None, Parameter(name=["--commit", "-c"])] = None
    conclusion: str | None = None
    all_runs: bool = False
    all_attempts: bool = False
    allow_forks: bool = False
    if_none: IfNone = "error"

    @property
    def names(self) -> tuple[str, ...]:
        """The names, each once."""
        return tuple(dict.fromkeys(self.name or ()))

    @property
    def patterns(self) -> tuple[str, ...]:
        """The globs, each once."""
        return tuple(dict.fromkeys(self.pattern or ()))

    @property
    def by_run(self) -> tuple[str, ...]:
        """The options given that pick the run by what it is."""
        given = {
            "--workflow": self.workflow,
            "--branch": self.branch,
            "--event": self.event,
            "--pr": self.pr,
            "--commit": self.commit,
            "--conclusion": self.conclusion,
        }
        return tuple(option for option, value in given.items() if value is not None)

    @property
    def named(self) -> bool:
        """Whether names or globs are given."""
        return bool(self.names or self.patterns)

    @property
    def given(self) -> bool:
        """Whether anything is selected."""
        return self.named or self.run is not None or bool(self.by_run)

    @property
    def many(self) -> bool:
        """Whether two of the artifacts may have the same name."""
        return self.all_runs or self.all_attempts

    def check(self) -> None:
        """Check that the options go together.

        Raises:
            ConfigurationError: they do not.
        """
        if self.run is not None and (self.by_run or self.all_runs):
            msg = f"--run names the run itself; leave out {(*self.by_run, '--all-runs')[0]}"
        elif self.commit is not None and not _COMMIT.fullmatch(self.commit):
            msg = f"--commit must be a whole commit SHA of 40 hexadecimal digits, not {self.commit!r}"
        elif (self.many or self.allow_forks) and not self.given:
            option = "--all-runs" if self.all_runs else "--all-attempts" if self.all_attempts else "--allow-forks"
            msg = f"{option} needs --name, --pattern, --run, --workflow, --branch, --event, --pr or --commit"
        else:
            return
        raise ConfigurationError(msg)

    def query(self) -> ArtifactQuery:
        """Return the query that the options stand for.

        A run's conclusion counts only if an option is about runs, and a run given by its ID is taken as it is.
        """
        conclusion = (self.conclusion or "success") if self.by_run else None
        return ArtifactQuery(
            names=(*(glob.escape(name) for name in self.names), *self.patterns) or "*",
            run_id=self.run,
            workflow=amounts.workflow(self.workflow),
            branch=self.branch,
            event=self.event,
            pull_request=self.pr,
            head_sha=None if self.commit is None else self.commit.lower(),
            conclusion=None if conclusion == "any" else conclusion,
            latest=not self.all_runs,
            duplicates="all" if self.all_attempts else "newest",
            allow_forks=self.allow_forks or self.run is not None,
        )

    def where(self, repo: object) -> str:
        """Return where was looked, for a sentence."""
        if self.run is not None:
            return f"in run {self.run} of {repo}"
        if not self.by_run:
            return f"in {repo}"
        values = (self.workflow, self.branch, self.event, self.pr, self.commit)
        names = ("workflow", "branch", "event", "pull request", "commit")
        said = [f"{name} {value}" for name, value in zip(names, values, strict=True) if value is not None]
        if self.conclusion != "any":
            said.append(f"conclusion {self.conclusion or 'success'}")
        return f"in a run of {repo}" + (f" with {', '.join(said)}" if said else "")
