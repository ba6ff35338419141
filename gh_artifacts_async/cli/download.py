"""``gh-artifacts download``."""

from typing import Annotated, Literal

from cyclopts import Parameter

from gh_artifacts_async.cli.context import Context
from gh_artifacts_async.cli.options import Json, Repo, Words


def download(
    *words: Words,
    repo: Repo = None,
    all_: Annotated[bool, Parameter(name="--all", help="All artifacts that have not expired.")] = False,
    run: Annotated[int | None, Parameter(help="Only the artifacts of this workflow run.")] = None,
    name: Annotated[list[str] | None, Parameter(help="Artifacts of exactly this name; may be repeated.")] = None,
    pattern: Annotated[
        list[str] | None, Parameter(help="Artifacts whose name fits this glob, like 'wheel-*'; may be repeated.")
    ] = None,
    dir_: Annotated[str, Parameter(name="--dir", help="The folder they go to; it is made if it is not there.")] = ".",
    jobs: Annotated[int, Parameter(help="Downloads at once.")] = 8,
    if_exists: Annotated[
        Literal["error", "skip", "replace"],
        Parameter(help="Where a file is in the way: error; skip it if it is known to be the same; or replace it."),
    ] = "skip",
    dry_run: Annotated[bool, Parameter(name="--dry-run", help="Only say what would be downloaded.")] = False,
    json: Json = False,
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """Download artifacts: resumed where they break, and verified before they appear.

    Choose them by ID, or with --run, --name and --pattern, or take --all. Running the same command again downloads
    only what is missing, and goes on with what was interrupted.
    """
    from gh_artifacts_async.cli import repo as repositories
    from gh_artifacts_async.cli import running
    from gh_artifacts_async.cli.work import downloading as work

    argument, rest = repositories.split_by_slash(words)
    wanted = work.Selection(
        ids=tuple(repositories.ids(rest)), everything=all_, run=run, names=tuple(name or ()), patterns=tuple(pattern or ())
    )
    wanted.check()
    work.check_jobs(jobs)
    order = work.Order(
        target=context.target(argument, repo),
        selection=wanted,
        directory=dir_,
        jobs=jobs,
        if_exists=if_exists,
        dry_run=dry_run,
        as_json=json,
    )
    return running.run(lambda: work.run(context, order))
