"""``gh-artifacts demo``."""

from typing import Annotated

from cyclopts import Parameter

from gh_artifacts_async.cli.context import Context


def demo(
    *,
    artifacts: int = 250,
    dir_: Annotated[str, Parameter(name="--dir")] = "artifacts-demo",
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """Show all of it against an embedded fake GitHub."""
    from gh_artifacts_async.cli import running
    from gh_artifacts_async.cli.work import demonstration as work

    work.check_size(artifacts)
    return running.run(lambda: work.run(context, artifacts, dir_))
