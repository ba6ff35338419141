"""A web service that hands on a repository's artifacts: one file out of them, or all of one; with aiohttp.

GITHUB_TOKEN=... python aiohttp_service.py OWNER/REPO 8080
"""

import mimetypes
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler

import gh_artifacts_async as gha

REPO = web.AppKey("repo", str)
CLIENT = web.AppKey("client", gha.ArtifactsClient)
CACHE = web.AppKey("cache", Path)

STATUS = {gha.NotFoundError: 404, gha.MemberNotFoundError: 404, gha.ArtifactExpiredError: 410, gha.RateLimitError: 503}


async def member(request: web.Request) -> web.Response:
    """Answer with one file of the newest good artifact of a name on main; the rest of the zip is not downloaded."""
    name, path = request.match_info["name"], request.match_info["path"]
    query = gha.ArtifactQuery(branch="main", names=name)
    found = await request.app[CLIENT].read_latest(request.app[REPO], query, path, max_bytes=2**20)
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return web.Response(body=found.data, content_type=kind, headers={"X-Content-Type-Options": "nosniff"})


async def whole(request: web.Request) -> web.FileResponse:
    """Answer with a whole artifact, verified before its first byte is sent; the next request for it is a file's."""
    artifact_id = request.match_info["id"]
    artifact = gha.ArtifactRef(request.app[REPO], int(artifact_id))
    result = await request.app[CLIENT].download(artifact, request.app[CACHE] / artifact_id, if_exists="skip")
    name = f"attachment; filename*=UTF-8''{quote(result.path.name)}"
    return web.FileResponse(result.path, headers={"Content-Disposition": name})


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer with a status for each kind of error; messages hold no token and no signed URL."""
    try:
        return await handler(request)
    except gha.ArtifactsError as error:
        status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 502)
        wait = error.retry_after if isinstance(error, gha.RateLimitError) else None
        headers = {} if wait is None else {"Retry-After": f"{wait:.0f}"}
        return web.json_response({"error": str(error)}, status=status, headers=headers)


async def resources(app: web.Application) -> AsyncIterator[None]:
    """Keep one client, and one folder, as long as the service runs."""
    with TemporaryDirectory() as folder:
        async with gha.ArtifactsClient.from_env(limits=gha.Limits(max_pause=5.0)) as client:
            app[CLIENT], app[CACHE] = client, Path(folder)
            yield


def application(repo: str) -> web.Application:
    """Return the service."""
    app = web.Application(middlewares=[errors])
    app[REPO] = repo
    app.cleanup_ctx.append(resources)
    app.router.add_get(r"/artifacts/{id:\d+}", whole)
    app.router.add_get("/latest/{name}/{path:.+}", member)
    return app


if __name__ == "__main__":
    web.run_app(application(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]))
