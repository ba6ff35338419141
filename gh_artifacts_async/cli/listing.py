"""``gh-artifacts list`` and ``show``."""

from typing import Annotated

from cyclopts import Parameter

from gh_artifacts_async.cli.context import Context
from gh_artifacts_async.cli.options import Repo


def list_(
    *words: str,
    repo: Repo = None,
    run: int | None = None,
    name: str | None = None,
    limit: int | None = None,
    json: bool = False,
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """List a repository's artifacts."""
    from gh_artifacts_async.cli import repo as repositories
    from gh_artifacts_async.cli import running
    from gh_artifacts_async.cli.work import listing as work

    argument, _ = repositories.split(words, after=0)
    target = context.target(argument, repo)
    wanted = work.Wanted(run=run, name=name, limit=limit)
    return running.run(lambda: work.list_artifacts(context, target, wanted, as_json=json))


def show(
    *words: str,
    repo: Repo = None,
    json: bool = False,
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """Show everything about one artifact."""
    from gh_artifacts_async.cli import repo as repositories
    from gh_artifacts_async.cli import running
    from gh_artifacts_async.cli.work import listing as work

    argument, rest = repositories.split(words, after=1)
    target = context.target(argument, repo)
    (number,) = repositories.ids(rest)
    return running.run(lambda: work.show_artifact(context, target, number, as_json=json))
