"""``gh-artifacts delete`` and ``prune``."""

import asyncio
import contextlib
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import attrs
from cyclopts import Parameter

from gh_artifacts_async import Artifact, ArtifactsClient, CleanupPlan, Outcome, RetentionPolicy
from gh_artifacts_async.cli import amounts, reports, running
from gh_artifacts_async.cli import repo as repositories
from gh_artifacts_async.cli.context import DELETING, Context
from gh_artifacts_async.cli.exits import OK, SOME_FAILED, combined
from gh_artifacts_async.cli.options import Repo
from gh_artifacts_async.cli.output import Output, Printer
from gh_artifacts_async.cli.render import artifacts, bars, documents, screen, tables
from gh_artifacts_async.cli.render import cleanup as lines
from gh_artifacts_async.cli.repo import Target
from gh_artifacts_async.errors import ConfigurationError, NotFoundError

_AGAIN = "run the same command again to delete the rest"


# --- delete


def delete(
    *words: str,
    repo: Repo = None,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"])] = False,
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """Delete artifacts."""
    argument, rest = repositories.split_by_slash(words)
    numbers = repositories.ids(rest)
    if not numbers:
        msg = "give the ID of at least one artifact; gh-artifacts list shows the IDs"
        raise ConfigurationError(msg)
    if not yes and not (screen.is_terminal(sys.stdin) and screen.is_terminal(sys.stderr)):
        msg = "there is no terminal to ask in whether to delete; add --yes"
        raise ConfigurationError(msg)
    target = context.target(argument, repo)
    found = running.run(lambda: _looked_up(context, target, numbers))
    if not found.artifacts:
        return combined(found.failures, done=0)
    if not yes and not _agreed(found.artifacts, target):
        context.note("nothing was deleted")
        return SOME_FAILED
    return running.run(lambda: _delete(context, target, found), hint=_AGAIN)


@attrs.frozen
class _Found:
    """What GitHub says of the IDs that were given.

    Attributes:
        artifacts: which they are.
        failures: what cannot be deleted, since it was not found.
    """

    artifacts: list[Artifact]
    failures: list[Exception]


async def _looked_up(context: Context, target: Target, numbers: tuple[int, ...]) -> _Found:
    """Ask for each artifact, so that names and sizes can be shown; the client's gate bounds how many at once.

    Raises:
        ArtifactsError: anything but a 404, which is one artifact's own.
    """
    async with context.client(target, token_for=DELETING) as client:
        answers = await asyncio.gather(
            *(client.get_artifact(target.repo, number) for number in numbers), return_exceptions=True
        )
    found = _Found([], [])
    for answer in answers:
        if isinstance(answer, Artifact):
            found.artifacts.append(answer)
        elif isinstance(answer, NotFoundError):
            found.failures.append(answer)
            context.error(context.sentence(answer))
        else:
            raise answer
    return found


def _agreed(found: list[Artifact], target: Target) -> bool:
    """Show what would be deleted, and ask; anything but a clear yes is a no."""
    artifacts.show(found, datetime.now(UTC), sys.stderr)
    screen.write(sys.stderr, lines.question(found, target.repo))
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


async def _delete(context: Context, target: Target, found: _Found) -> int:
    report = _Deletions(context, found.failures)
    async with context.client(target, token_for=DELETING) as client:
        with context.group(f"Deleting from {target.repo}", as_json=False):
            await report.take_all(client, CleanupPlan.of(found.artifacts))
    return report.close(target)


class _Deletions:
    """Applies a plan, tells of each outcome as it comes, and of the whole at the end."""

    def __init__(self, context: Context, failures: list[Exception], *, quiet: bool = False) -> None:
        """Begin with what has failed already."""
        self._context = context
        self._quiet = quiet
        self._errors = list(failures)
        self._lost: list[reports.Failed] = [(None, None, context.sentence(error)) for error in failures]
        self._table = tables.Table(lines.DELETED, screen.view(sys.stdout))
        self.deleted: list[Artifact] = []
        self.failed: list[dict[str, Any]] = []

    async def take_all(self, client: ArtifactsClient, plan: CleanupPlan) -> None:
        """Delete what the plan says, which was made just now."""
        async with client.apply_cleanup(plan, max_age=None) as outcomes:
            async for outcome in outcomes:
                self._take(outcome)

    def _take(self, outcome: Outcome[None]) -> None:
        artifact = outcome.artifact
        if outcome.ok is True:
            assert isinstance(artifact, Artifact)  # noqa: S101 - for the type checker: no plan here has references
            self.deleted.append(artifact)
            if not self._quiet:
                screen.write(sys.stdout, self._table.page([lines.deleted(artifact)], more=True))
            return
        error = outcome.error
        said = self._context.sentence(error)
        self.failed.append(documents.failed(artifact.id, artifact.name, error, said))
        if not any(error is before for before in self._errors):  # what ended all the rest is told once
            self._context.error(f"{artifact.name}: {said}")
        self._errors.append(error)

    def close(self, target: Target) -> int:
        """Say what all came to, and return the exit code."""
        said = lines.total(self.deleted, len(self._errors))
        if self.deleted or len(self._errors) != 1:  # else the one error says it all
            self._context.note(said)
        failed = [*self._lost, *((one["id"], one["name"], one["error"]) for one in self.failed)]
        self._context.report = reports.deletions(f"Deleted from {target.repo}", self.deleted, failed, said)
        return combined(self._errors, done=len(self.deleted))


# --- prune


@attrs.frozen(kw_only=True)
class Rules:
    """What ``prune`` deletes.

    Attributes:
        older_than: what was created longer ago.
        keep_latest: all but so many of each name and branch.
        max_total: the oldest, until the repository has no more bytes.
        only_expired: what has expired.
        name: only what fits one of these globs.
        except_: nothing that fits one of these globs.
        protect_branch: nothing of branches that fit one of these globs.
        protect_tag: nothing of tags that fit one of these globs.
    """

    older_than: str | None = None
    keep_latest: int | None = None
    max_total: str | None = None
    only_expired: bool = False
    name: Annotated[list[str] | None, Parameter(name=["--name", "-n"])] = None
    except_: Annotated[list[str] | None, Parameter(name="--except")] = None
    protect_branch: list[str] | None = None
    protect_tag: list[str] | None = None

    def policy(self) -> RetentionPolicy:
        """Return the policy.

        Raises:
            ConfigurationError: a value makes no sense, or nothing says what to delete.
        """
        criteria = (self.older_than, self.keep_latest, self.max_total)
        if not self.only_expired and all(criterion is None for criterion in criteria):
            msg = "say what to delete: --older-than, --keep-latest, --max-total or --only-expired"
            raise ConfigurationError(msg)
        if self.only_expired and self.max_total is not None:
            msg = "--only-expired does not go with --max-total: what has expired takes up no storage"
            raise ConfigurationError(msg)
        if self.keep_latest is not None and self.keep_latest < 1:
            msg = f"--keep-latest must be 1 or more, not {self.keep_latest}"
            raise ConfigurationError(msg)
        return RetentionPolicy(
            older_than=None if self.older_than is None else amounts.period("--older-than", self.older_than),
            keep_latest=self.keep_latest,
            max_total_bytes=None if self.max_total is None else amounts.size("--max-total", self.max_total),
            only_expired=self.only_expired,
            names=_globs("--name", self.name) or ("*",),
            except_names=_globs("--except", self.except_),
            protect_branches=_globs("--protect-branch", self.protect_branch),
            protect_tags=_globs("--protect-tag", self.protect_tag),
        )


def _globs(option: str, given: list[str] | None) -> tuple[str, ...]:
    globs = tuple(given or ())
    if not all(globs):
        msg = f"{option} needs a name or a glob, such as 'wheel-*'"
        raise ConfigurationError(msg)
    return globs


def prune(
    *words: str,
    repo: Repo = None,
    rules: Annotated[Rules, Parameter(name="*")] = Rules(),
    apply: bool = False,
    output: Annotated[Output, Parameter(name="*")] = Output(),  # noqa: B008 - frozen
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """Delete what the rules say, or show what that would be."""
    argument, _ = repositories.split(words, after=0)
    policy, printer = rules.policy(), output.printer()
    target = context.target(argument, repo)
    return running.run(lambda: _prune(context, target, policy, printer, apply=apply), hint=_AGAIN if apply else "")


async def _prune(
    context: Context, target: Target, policy: RetentionPolicy, printer: Printer | None, *, apply: bool
) -> int:
    bar = bars.Spinner() if context.live else None
    token_for = DELETING if apply else None
    async with context.client(target, *([] if bar is None else [bar]), token_for=token_for) as client:
        with bar or contextlib.nullcontext():
            plan = await client.plan_cleanup(target.repo, policy)
        if printer is None and plan.delete:
            tables.show(lines.COLUMNS, lines.rows(plan, datetime.now(UTC)))
        for line in lines.plan_notes(plan, policy, applies=apply, verbose=context.options.verbose):
            context.note(line)
        report = _Deletions(context, [], quiet=printer is not None)
        if apply and plan.delete:
            with context.group(f"Deleting from {target.repo}", as_json=printer is not None):
                await report.take_all(client, plan)
    if printer is not None:
        outcome = {"deleted": [it.id for it in report.deleted], "failed": report.failed}
        printer.document({**lines.document(plan), "applied": apply, **outcome})
    if apply and plan.delete:
        return report.close(target)
    said = lines.plan_total(plan, applies=False)
    context.report = reports.plan(f"Cleanup of {target.repo}", plan.delete, plan.bytes_freed, said)
    return OK
