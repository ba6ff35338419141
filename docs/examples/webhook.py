"""A service for GitHub's webhook ``workflow_run``: it reads the reports of each run that has ended.

WEBHOOK_SECRET=... GITHUB_TOKEN=... python webhook.py 8080
"""

import asyncio
import hashlib
import hmac
import json
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

from gh_artifacts_async import ArtifactsClient, ArtifactsError, MemberNotFoundError

NAMES = ["summary.json", "*/summary.json"]
PATIENCE = 8.0  # seconds; GitHub gives a delivery up after 10
LARGEST = 25 * 2**20  # bytes; GitHub sends no longer payload

CLIENT = web.AppKey("client", ArtifactsClient)
SECRET = web.AppKey("secret", bytes)
READING = web.AppKey("reading", set[asyncio.Task[dict[str, Any]]])


def is_signed(secret: bytes, body: bytes, signature: str) -> bool:
    """Whether a body was sent by someone who knows the secret; the comparison takes the same time for every one."""
    expected = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode(errors="surrogateescape"))


async def receive(request: web.Request) -> web.Response:
    """Take a delivery; nothing of it is looked at before its signature is."""
    body = await request.read()
    if not is_signed(request.app[SECRET], body, request.headers.get("X-Hub-Signature-256", "")):
        raise web.HTTPUnauthorized(text="the signature is missing or wrong")
    if request.headers.get("X-GitHub-Event") != "workflow_run":
        return web.Response(status=204)  # a ping, or an event that nobody needs
    try:
        payload = json.loads(body)
    except ValueError:
        raise web.HTTPBadRequest(text="set the webhook's content type to application/json") from None
    return await workflow_run(request.app, payload)


async def workflow_run(app: web.Application, payload: dict[str, Any]) -> web.Response:
    """Read the reports of a run that has ended, and answer with them, or that it takes longer."""
    run, repo = payload["workflow_run"], payload["repository"]["full_name"]
    is_fork = (run["head_repository"] or {}).get("full_name") != repo  # strangers write what these runs upload
    if payload["action"] != "completed" or is_fork:
        return web.Response(status=204)
    task = asyncio.create_task(read_reports(app[CLIENT], repo, run["id"]))
    app[READING].add(task)
    task.add_done_callback(app[READING].discard)
    await asyncio.wait({task}, timeout=PATIENCE)
    if not task.done():
        return web.json_response({"run": run["id"], "status": "reading"}, status=202)
    return web.json_response(task.result(), status=502 if "error" in task.result() else 200)


async def read_reports(client: ArtifactsClient, repo: str, run_id: int) -> dict[str, Any]:
    """Return the reports of a run by artifact; a real service would keep them."""
    reports: dict[str, Any] = {}
    try:
        async with client.read_members(client.list_run_artifacts(repo, run_id), NAMES, max_bytes=2**20) as outcomes:
            async for outcome in outcomes:
                if outcome.ok is True:
                    reports[outcome.value.artifact.name] = json.loads(outcome.value.data)
                elif not isinstance(outcome.error, MemberNotFoundError):  # most artifacts have no report
                    return {"run": run_id, "error": f"{outcome.artifact.name}: {outcome.error}"}
    except (ArtifactsError, ValueError, RecursionError) as error:
        return {"run": run_id, "error": str(error)}
    return {"run": run_id, "reports": reports}


async def resources(app: web.Application) -> AsyncIterator[None]:
    """Keep one client for all deliveries; when the service ends, so does what it still reads."""
    async with ArtifactsClient.from_env() as client:
        app[CLIENT], app[READING] = client, set()
        yield
        for task in app[READING]:
            task.cancel()
        await asyncio.gather(*app[READING], return_exceptions=True)


def application(secret: str) -> web.Application:
    """Return the service.

    Raises:
        ValueError: the secret is empty: anyone could sign with it.
    """
    if not secret:
        msg = "set WEBHOOK_SECRET to the webhook's secret"
        raise ValueError(msg)
    app = web.Application(client_max_size=LARGEST)
    app[SECRET] = secret.encode()
    app.cleanup_ctx.append(resources)
    app.router.add_post("/", receive)
    return app


def main(argv: list[str]) -> None:
    """Serve on a port of this machine; a proxy before it takes care of TLS."""
    web.run_app(application(os.environ.get("WEBHOOK_SECRET", "")), host="127.0.0.1", port=int(argv[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
