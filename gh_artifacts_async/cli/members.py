"""``gh-artifacts ls`` and ``cat``."""

from typing import Annotated

from cyclopts import Parameter

from gh_artifacts_async.cli.context import Context
from gh_artifacts_async.cli.options import Repo


def ls(
    *words: str,
    repo: Repo = None,
    json: bool = False,
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """List the members of a remote zip."""
    from gh_artifacts_async.cli import repo as repositories
    from gh_artifacts_async.cli import running
    from gh_artifacts_async.cli.work import members as work

    argument, rest = repositories.split(words, after=1)
    target = context.target(argument, repo)
    (number,) = repositories.ids(rest)
    return running.run(lambda: work.list_members(context, target, number, as_json=json))


def cat(
    *words: str,
    repo: Repo = None,
    max_bytes: int = 64 * 2**20,
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """Write one member of a remote zip to standard output."""
    from gh_artifacts_async.cli import repo as repositories
    from gh_artifacts_async.cli import running
    from gh_artifacts_async.cli.work import members as work

    work.check_max_bytes(max_bytes)
    argument, rest = repositories.split(words, after=2)
    target = context.target(argument, repo)
    (number,), name = repositories.ids(rest[:1]), rest[1]
    data = running.run(lambda: work.read_member(context, target, number, name, max_bytes=max_bytes))
    return work.print_bytes(data)
