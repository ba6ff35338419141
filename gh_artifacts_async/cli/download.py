"""``gh-artifacts download``."""

from typing import Annotated, Literal

from cyclopts import Parameter

from gh_artifacts_async.cli.context import Context
from gh_artifacts_async.cli.options import Repo


def download(
    *words: str,
    repo: Repo = None,
    all_: Annotated[bool, Parameter(name="--all")] = False,
    run: int | None = None,
    name: list[str] | None = None,
    pattern: list[str] | None = None,
    dir_: Annotated[str, Parameter(name="--dir")] = ".",
    extract: bool = False,
    jobs: int = 8,
    if_exists: Literal["error", "skip", "replace"] = "skip",
    dry_run: bool = False,
    json: bool = False,
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """Download artifacts."""
    from gh_artifacts_async.cli import repo as repositories
    from gh_artifacts_async.cli import running
    from gh_artifacts_async.cli.exits import GOES_ON
    from gh_artifacts_async.cli.work import downloading as work
    from gh_artifacts_async.cli.work.selecting import Selection

    argument, rest = repositories.split_by_slash(words)
    selection = Selection(
        ids=repositories.ids(rest), everything=all_, run=run, names=tuple(name or ()), patterns=tuple(pattern or ())
    )
    selection.check()
    work.check_jobs(jobs)
    order = work.Order(
        target=context.target(argument, repo),
        selection=selection,
        directory=dir_,
        jobs=jobs,
        if_exists=if_exists,
        dry_run=dry_run,
        as_json=json,
        extract=extract,
    )
    return running.run(lambda: work.run(context, order), hint=GOES_ON)
