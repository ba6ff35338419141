"""GitHub's OpenAPI descriptions in tests/contract, as its servers behave: one document for each version."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

Document = dict[str, Any]

FOLDER = Path(__file__).parent.parent / "contract"
VERSIONS = ("github.com", "ghes-3.4", "ghes-3.8", "ghes-3.19")
"""Those whose description is there."""

_MOST_PER_PAGE = 100


def version_for(profile: str) -> str:
    """Return the version whose description a fake is held to: its own, or else the latest one before it."""
    if profile == "github.com":
        return profile
    minor = int(profile.rpartition(".")[2])
    return next(version for version in reversed(VERSIONS[1:]) if int(version.rpartition(".")[2]) <= minor)


def document(version: str) -> Document:
    """Return a description of one's own to change: artifacts, and the operations around them where they are there.

    It is GitHub's, except where GitHub's words, or its syntax, are known to say more than its schemas do:

    - ``created`` takes ranges of dates, so it has no format;
    - ``per_page`` is 1 to 100, which the schema leaves to the text beside it;
    - what is ``nullable`` may be null though its ``enum`` does not list null;
    - the head repository of a run, and its id in an artifact, is null once a fork has been deleted, and the branch in
      an artifact may be, as it may in the run itself;
    - ``rate`` is gone from the rate limits in API version 2026-03-10.
    """
    merged: Document = {"paths": {}, "components": {}}
    for part in ("neighbours", "artifacts"):
        path = FOLDER / f"{version}.{part}.json"
        if path.exists():
            found = json.loads(path.read_text(encoding="utf-8"))
            merged = {
                **found,
                "paths": merged["paths"] | found["paths"],
                "components": {
                    kind: {**merged["components"].get(kind, {}), **found["components"].get(kind, {})}
                    for kind in merged["components"].keys() | found["components"]
                },
            }
    _amend(merged)
    _amend_schemas(merged)
    return merged


def _amend_schemas(whole: Document) -> None:
    schemas = whole["components"]["schemas"]
    of_artifact = schemas["artifact"]["properties"].get("workflow_run", {"properties": {}})["properties"]
    of_run = schemas.get("workflow-run", {"properties": {}})["properties"]
    for found, names in ((of_artifact, ("head_repository_id", "head_branch")), (of_run, ("head_repository",))):
        for name in set(names) & found.keys():
            found[name] = {**resolved(found[name], whole), "nullable": True}
    if "rate-limit-overview" in schemas:
        schemas["rate-limit-overview"]["required"].remove("rate")


def _amend(value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _amend(item)
    if not isinstance(value, dict):
        return
    if value.get("in") == "query" and value["name"] == "created":
        value["schema"] = {"type": "string"}
    if value.get("in") == "query" and value["name"] == "per_page":
        value["schema"] = {**value["schema"], "minimum": 1, "maximum": _MOST_PER_PAGE}
    if value.get("nullable") is True and isinstance(value.get("enum"), list) and None not in value["enum"]:
        value["enum"] = [*value["enum"], None]
    for item in value.values():
        _amend(item)


def resolved(node: Any, whole: Document) -> Any:
    """Return what ``node`` refers to within the document, or ``node`` itself."""
    while isinstance(node, dict) and "$ref" in node:
        node = functools.reduce(lambda at, key: at[key], node["$ref"].removeprefix("#/").split("/"), whole)
    return node


def origin(version: str) -> str:
    """Return scheme, host and prefix that a document's ``servers`` name."""
    return "https://api.github.com" if version == "github.com" else "http://HOSTNAME/api/v3"
