"""A web service, with FastAPI, that hands on artifacts and single files out of them.

REPO=OWNER/REPO GITHUB_TOKEN=... uvicorn fastapi_service:app --port 8080
"""

import mimetypes
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, TypedDict
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse

import gh_artifacts_async as gha

STATUS = {
    gha.NotFoundError: 404,
    gha.MemberNotFoundError: 404,
    gha.ArtifactExpiredError: 410,
    gha.RateLimitError: 503,
}


class State(TypedDict):
    """What lives as long as the service."""

    client: gha.ArtifactsClient
    cache: Path


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncGenerator[State]:
    """Keep one client, and one folder, as long as the service runs."""
    with TemporaryDirectory() as folder:
        limits = gha.Limits(max_pause=5.0)
        async with gha.ArtifactsClient.from_env(limits=limits) as client:
            yield {"client": client, "cache": Path(folder)}


def the_client(request: Request) -> gha.ArtifactsClient:
    """Return the service's client."""
    client: gha.ArtifactsClient = request.state.client
    return client


def the_cache(request: Request) -> Path:
    """Return the service's folder."""
    cache: Path = request.state.cache
    return cache


app = FastAPI(lifespan=lifespan)
Client = Annotated[gha.ArtifactsClient, Depends(the_client)]
Cache = Annotated[Path, Depends(the_cache)]


@app.get("/latest/{name}/{path:path}")
async def member(name: str, path: str, client: Client) -> Response:
    """Answer with one file of the newest good artifact of a name on main."""
    query = gha.ArtifactQuery(branch="main", names=name)
    found = await client.read_latest(os.environ["REPO"], query, path, max_bytes=2**20)
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    headers = {"X-Content-Type-Options": "nosniff"}
    return Response(found.data, media_type=kind, headers=headers)


@app.get("/artifacts/{artifact_id}")
async def whole(artifact_id: int, client: Client, cache: Cache) -> FileResponse:
    """Answer with a whole artifact, verified before its first byte is sent."""
    artifact = gha.ArtifactRef(os.environ["REPO"], artifact_id)
    result = await client.download(artifact, cache / str(artifact_id), if_exists="skip")
    return FileResponse(result.path, filename=result.path.name)


async def the_stream(artifact_id: int, client: Client) -> AsyncGenerator[gha.ArtifactStream]:
    """Keep an artifact's stream open until the answer has been sent, as FastAPI does since 0.118."""
    async with client.open_stream(gha.ArtifactRef(os.environ["REPO"], artifact_id)) as stream:
        yield stream


@app.get("/artifacts/{artifact_id}/stream")
async def passed_on(stream: Annotated[gha.ArtifactStream, Depends(the_stream)]) -> StreamingResponse:
    """Answer with a whole artifact while it arrives; the last chunk is held back until all of them are verified."""

    async def chunks() -> AsyncGenerator[bytes]:
        held = b""
        async for chunk in stream:
            yield held
            held = chunk
        yield held

    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(stream.filename, safe='')}"}
    if stream.size is not None:
        headers["Content-Length"] = str(stream.size)
    return StreamingResponse(chunks(), headers=headers, media_type="application/octet-stream")


@app.exception_handler(gha.ArtifactsError)
async def errors(_request: Request, error: Exception) -> JSONResponse:
    """Answer with a status for each kind of error; no message holds a secret."""
    status = next((STATUS[kind] for kind in STATUS if isinstance(error, kind)), 502)
    wait = error.retry_after if isinstance(error, gha.RateLimitError) else None
    headers = {} if wait is None else {"Retry-After": f"{wait:.0f}"}
    return JSONResponse({"error": str(error)}, status_code=status, headers=headers)
