"""The options that every command takes, before or after its name, and the types that several commands share.

``manual`` describes them.
"""

from typing import Annotated, Literal

import attrs
from cyclopts import Parameter


@attrs.frozen(kw_only=True)
class GlobalOptions:
    """What holds for the whole program.

    Attributes:
        api_url: the REST API's URL, or a bare host name.
        token_from: where the token comes from; None: the environment, else what gh has stored.
        ca_file: certificates to trust besides the system's.
        quiet: results and errors only.
        verbose: events, requests and retries too.
        no_progress: no bars.
        timeout: seconds that the whole call may take; for ``wait``, how long it waits.
    """

    api_url: str | None = None
    token_from: Literal["env", "gh"] | None = None
    ca_file: str | None = None
    quiet: bool = False
    verbose: bool = False
    no_progress: bool = False
    timeout: float | None = None


Repo = Annotated[str | None, Parameter(name=["--repo", "-R"])]
Limit = Annotated[str, Parameter(name=["--limit", "-L"])]
Run = Annotated[int | None, Parameter(name=["--run", "-r"])]
Name = Annotated[str | None, Parameter(name=["--name", "-n"])]
Workflow = Annotated[str | None, Parameter(name=["--workflow", "-w"])]
Branch = Annotated[str | None, Parameter(name=["--branch", "-b"])]
Event = Annotated[str | None, Parameter(name=["--event", "-e"])]
Interval = Annotated[float, Parameter(name=["--interval", "-i"])]
