"""A web service, with aiohttp, that hands on artifacts and single files out of them.

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

STATUS = {
    gha.NotFoundError: 404,
    gha.MemberNotFoundError: 404,
    gha.ArtifactExpiredError: 410,
    gha.RateLimitError: 503,
}


async def member(request: web.Request) -> web.Response:
    """Answer with one file of the newest good artifact of a name on main."""
    name, path = request.match_info["name"], request.match_info["path"]
    query = gha.ArtifactQuery(branch="main", names=name)
    client, repo = request.app[CLIENT], request.app[REPO]
    found = await client.read_latest(repo, query, path, max_bytes=2**20)
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    headers = {"X-Content-Type-Options": "nosniff"}
    return web.Response(body=found.data, content_type=kind, headers=headers)


async def whole(request: web.Request) -> web.FileResponse:
    """Answer with a whole artifact, verified before its first byte is sent."""
    artifact_id = request.match_info["id"]
    artifact = gha.ArtifactRef(request.app[REPO], int(artifact_id))
    folder = request.app[CACHE] / artifact_id
    result = await request.app[CLIENT].download(artifact, folder, if_exists="skip")
    return web.FileResponse(result.path, headers=attachment(result.path.name))


async def passed_on(request: web.Request) -> web.StreamResponse:
    """Answer with a whole artifact while it arrives; the last chunk is held back until all of them are verified."""
    artifact = gha.ArtifactRef(request.app[REPO], int(request.match_info["id"]))
    async with request.app[CLIENT].open_stream(artifact) as stream:
        response = web.StreamResponse(headers=attachment(stream.filename))
        response.content_length = stream.size
        await response.prepare(request)
        held = b""
        try:
            async for chunk in stream:
                await response.write(held)
                held = chunk
        except gha.ArtifactsError:
            if request.transport is not None:
                request.transport.abort()  # the status has been sent: all that can still tell of the error
            raise
        await response.write(held)
        await response.write_eof()
    return response


def attachment(name: str) -> dict[str, str]:
    """Return the header with which a browser saves an answer under a name."""
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer with a status for each kind of error; no message holds a secret."""
    try:
        return await handler(request)
    except gha.ArtifactsError as error:
        status = next((STATUS[kind] for kind in STATUS if isinstance(error, kind)), 502)
        wait = error.retry_after if isinstance(error, gha.RateLimitError) else None
        headers = {} if wait is None else {"Retry-After": f"{wait:.0f}"}
        return web.json_response({"error": str(error)}, status=status, headers=headers)


async def resources(app: web.Application) -> AsyncIterator[None]:
    """Keep one client, and one folder, as long as the service runs."""
    with TemporaryDirectory() as folder:
        limits = gha.Limits(max_pause=5.0)
        async with gha.ArtifactsClient.from_env(limits=limits) as client:
            app[CLIENT], app[CACHE] = client, Path(folder)
            yield


def application(repo: str) -> web.Application:
    """Return the service."""
    app = web.Application(middlewares=[errors])
    app[REPO] = repo
    app.cleanup_ctx.append(resources)
    app.router.add_get(r"/artifacts/{id:\d+}", whole)
    app.router.add_get(r"/artifacts/{id:\d+}/stream", passed_on)
    app.router.add_get("/latest/{name}/{path:.+}", member)
    return app


if __name__ == "__main__":
    web.run_app(application(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]))
