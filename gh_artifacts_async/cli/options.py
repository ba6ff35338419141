"""The options that every command takes, before or after its name, and the names several commands share."""

from typing import Annotated, Literal

import attrs
from cyclopts import Group, Parameter

GLOBAL = Group("Global options", sort_key=100)


@attrs.frozen(kw_only=True)
class GlobalOptions:
    """What holds for the whole program.

    Attributes:
        api_url: the REST API's URL, or a bare host name.
        token_from: where the token comes from.
        ca_file: certificates to trust besides the system's.
        quiet: results and errors only.
        verbose: events and retries too.
        no_progress: no bars.
    """

    api_url: Annotated[
        str | None,
        Parameter(help="GitHub's REST API: a URL, or a bare HOST.  [github.com, GITHUB_API_URL or GH_HOST]"),
    ] = None
    token_from: Annotated[
        Literal["env"],
        Parameter(help="Where the token comes from: the environment (GH_TOKEN, GITHUB_TOKEN, GH_ENTERPRISE_TOKEN)."),
    ] = "env"
    ca_file: Annotated[str | None, Parameter(help="Certificates (PEM) to trust besides the system's.")] = None
    quiet: Annotated[bool, Parameter(help="Say nothing but results and errors.")] = False
    verbose: Annotated[bool, Parameter(help="Tell what happens on the way, retries included.")] = False
    no_progress: Annotated[bool, Parameter(name="--no-progress", help="Show no progress bars.")] = False


Repo = Annotated[
    str | None,
    Parameter(
        name=["--repo", "-R"],
        help="[HOST/]OWNER/REPO, in place of the argument.  [GH_REPO, GITHUB_REPOSITORY, git's origin]",
    ),
]
Json = Annotated[bool, Parameter(name="--json", help="Print JSON.")]
Words = Annotated[str, Parameter(show=False)]
