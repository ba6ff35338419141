"""JSON for programs: GitHub's own names for GitHub's own fields; pure ASCII, so that no name can control a terminal."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from gh_artifacts_async import (
        Artifact,
        DownloadResult,
        ExtractedMember,
        Member,
        MergeResult,
        MirroredArtifact,
        PlannedDownload,
        RemoteArchive,
        WorkflowRun,
    )


def dumps(document: object) -> str:
    """Return a document, and a newline."""
    return json.dumps(document, indent=2) + "\n"


def line(document: object) -> str:
    """Return a document as one line of many."""
    return json.dumps(document, separators=(",", ":")) + "\n"


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def artifact(found: Artifact) -> dict[str, Any]:
    """Return an artifact as GitHub's API writes it, and its repository."""
    run = found.workflow_run
    fields = ("id", "repository_id", "head_repository_id", "head_branch", "head_sha")
    return {
        "id": found.id,
        "node_id": found.node_id,
        "name": found.name,
        "size_in_bytes": found.size_in_bytes,
        "url": found.url,
        "archive_download_url": found.archive_download_url,
        "expired": found.expired,
        "created_at": _time(found.created_at),
        "expires_at": _time(found.expires_at),
        "updated_at": _time(found.updated_at),
        "digest": None if found.digest is None else str(found.digest),
        "workflow_run": None if run is None else {field: getattr(run, field) for field in fields},
        "repository": None if found.repository is None else str(found.repository),
    }


def run(found: WorkflowRun) -> dict[str, Any]:
    """Return a run with GitHub's names; what is an object there, such as the actor, is its name here."""
    plain = ("id", "name", "workflow_id", "path", "event", "status", "conclusion", "head_branch", "head_sha")
    counted = ("run_number", "run_attempt")
    return {
        **{field: getattr(found, field) for field in (*plain, *counted)},
        "created_at": _time(found.created_at),
        "updated_at": _time(found.updated_at),
        "run_started_at": _time(found.run_started_at),
        "html_url": found.html_url,
        "repository": None if found.repository is None else str(found.repository),
        "head_repository": None if found.head_repository is None else str(found.head_repository),
        "fork": found.is_fork,
        "actor": found.actor,
        "pull_requests": list(found.pull_requests),
    }


def downloaded(result: DownloadResult) -> dict[str, Any]:
    """Return what one download left on disk."""
    return {
        "id": result.artifact.id,
        "name": result.artifact.name,
        "path": str(result.path),
        "size": result.size,
        "digest": None if result.digest is None else str(result.digest),
        "verified": result.verified,
        "resumed_from": result.resumed_from,
        "skipped": result.skipped,
        "members": None if result.members is None else [_extracted(member) for member in result.members],
    }


def merged(result: MergeResult) -> dict[str, Any]:
    """Return what many artifacts were merged into."""
    return {
        "path": str(result.path),
        "skipped": result.skipped,
        "artifacts": [{"id": artifact.id, "name": artifact.name} for artifact in result.artifacts],
        "members": [_extracted(member) for member in result.members],
    }


def planned(plan: PlannedDownload) -> dict[str, Any]:
    """Return what a download of one artifact would do."""
    return {
        "id": plan.artifact.id,
        "name": plan.artifact.name,
        "size": plan.artifact.size_in_bytes,
        "action": plan.action,
        "path": str(plan.path),
        "bytes": plan.bytes,
    }


def mirrored(entry: MirroredArtifact, directory: str) -> dict[str, Any]:
    """Return one artifact of a mirror."""
    return {
        "id": entry.id,
        "name": entry.name,
        "path": os.path.join(directory, entry.path),  # noqa: PTH118 - as the user gave it
        "size": entry.size,
        "sha256": entry.sha256,
        "digest": None if entry.digest is None else str(entry.digest),
        "created_at": _time(entry.created_at),
        "expires_at": _time(entry.expires_at),
    }


def _extracted(member: ExtractedMember) -> dict[str, Any]:
    return {"name": member.name, "path": str(member.path), "size": member.size, "executable": member.executable}


def archive(found: RemoteArchive) -> dict[str, Any]:
    """Return what is in a remote archive, and what it took to learn that."""
    directory = found.directory
    return {
        "id": found.artifact.id,
        "name": found.artifact.name,
        "repository": str(found.artifact.repository),
        "archive_size": directory.size,
        "size": directory.total_size,
        "packed_size": directory.total_compressed_size,
        "members": [
            *(_member(member, "folder" if member.is_dir else "file") for member in directory.members),
            *(_member(link, "link") for link in directory.skipped),
        ],
        "bytes_fetched": found.bytes_fetched,
        "requests": found.requests,
        "ranged": found.ranged,
    }


def _member(member: Member, kind: str) -> dict[str, Any]:
    return {
        "name": member.name,
        "type": kind,
        "size": member.size,
        "packed_size": member.compressed_size,
        "modified": _time(member.mtime),
        "executable": member.executable,
    }


def failed(artifact_id: int | None, name: str | None, error: BaseException, message: str) -> dict[str, Any]:
    """Return what one item failed with."""
    return {"id": artifact_id, "name": name, "error": message, "type": type(error).__name__}
