"""What a GitHub App asks with its JSON Web Token: where it is installed, and a token for an installation.

https://docs.github.com/en/rest/apps/apps and
https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from gh_artifacts_async.errors import AuthenticationError
from gh_artifacts_async.protocol.requests import Request
from gh_artifacts_async.protocol.responses import Document, Good, Refused
from gh_artifacts_async.protocol.throttling import http_date
from gh_artifacts_async.results import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gh_artifacts_async.models import RepositoryName
    from gh_artifacts_async.protocol.responses import Judgement, Response


def get_repo_installation(repo: RepositoryName, credential: Secret) -> Request:
    """``GET /repos/{owner}/{repo}/installation``."""
    path = f"/repos/{repo.owner}/{repo.name}/installation"
    return Request(operation="get_repo_installation", path=path, credential=credential)


def get_org_installation(org: str, credential: Secret) -> Request:
    """``GET /orgs/{org}/installation``."""
    path = f"/orgs/{quote(org, safe='')}/installation"
    return Request(operation="get_org_installation", path=path, credential=credential)


def create_installation_access_token(
    installation_id: int,
    credential: Secret,
    *,
    permissions: Mapping[str, str] | None = None,
    repositories: Sequence[str] | None = None,
) -> Request:
    """``POST /app/installations/{installation_id}/access_tokens``.

    It is safe to repeat: a second token takes nothing from the first, and one that nobody received expires unused.
    """
    narrowed = {"permissions": permissions, "repositories": repositories}
    body = json.dumps({name: value for name, value in narrowed.items() if value is not None}).encode()
    return Request(
        operation="create_installation_access_token",
        method="POST",
        path=f"/app/installations/{installation_id}/access_tokens",
        points=5,
        credential=credential,
        body=body,
    )


def dated(found: Judgement, response: Response) -> Judgement:
    """Return a judgement with the server's time: a JSON Web Token must fit it, and a token's end is counted from it."""
    date = http_date(response.headers.get("date"))
    if isinstance(found, Good) and isinstance(found.result, Document):
        return found._replace(result=found.result._replace(date=date))
    if isinstance(found, Refused) and isinstance(found.error, AuthenticationError):
        found.error.server_time = date
    return found


class InstallationToken(NamedTuple):
    """A token as GitHub hands it out.

    Attributes:
        secret: the token.
        expires_at: when it ends (aware).
    """

    secret: Secret
    expires_at: datetime


def read_token(answer: Document) -> InstallationToken | None:
    """Return the token of an answer; None if there is none, or no time at which it ends.

    It raises nothing, since the frames of an error would show the token.
    """
    data = answer.data if isinstance(answer.data, dict) else {}
    token, expires_at = data.get("token"), data.get("expires_at")
    if not isinstance(token, str) or not isinstance(expires_at, str):
        return None
    try:
        end = datetime.fromisoformat(expires_at)
    except ValueError:
        return None
    return None if end.tzinfo is None else InstallationToken(Secret(token), end)


def read_installation_id(answer: Document) -> int | None:
    """Return the id of the installation that an answer describes; None if it describes none."""
    found = answer.data.get("id") if isinstance(answer.data, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else None
