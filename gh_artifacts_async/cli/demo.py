"""``gh-artifacts demo``."""

from typing import Annotated

from cyclopts import Parameter

from gh_artifacts_async.cli.context import Context


def demo(
    *,
    artifacts: Annotated[int, Parameter(help="How many artifacts the fake GitHub has.")] = 250,
    dir_: Annotated[str, Parameter(name="--dir", help="The folder for what is downloaded.")] = "artifacts-demo",
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """Show all of it against an embedded fake GitHub: no network, no token.

    Lists a repository over several pages, downloads 50 artifacts at once, survives a broken connection and an expired
    URL on the way, and checks every digest.
    """
    from gh_artifacts_async.cli import running
    from gh_artifacts_async.cli.work import demonstration as work

    work.check_size(artifacts)
    return running.run(lambda: work.run(context, artifacts, dir_))
