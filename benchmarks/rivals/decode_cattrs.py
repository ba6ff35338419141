"""What one would write first: json, attrs classes and cattrs as it comes, with a hook for times only.

frozen=1 makes the classes frozen, as ours are.
"""

import json
import sys
from datetime import datetime

import attrs
from cattrs import Converter
from decoding import measure

define = attrs.frozen if "frozen=1" in sys.argv else attrs.define


@define
class Run:
    """The run an artifact belongs to."""

    id: int | None
    repository_id: int | None
    head_repository_id: int | None
    head_branch: str | None
    head_sha: str | None


@define
class Artifact:
    """One artifact."""

    id: int
    node_id: str
    name: str
    size_in_bytes: int
    url: str
    archive_download_url: str
    expired: bool
    created_at: datetime | None
    expires_at: datetime | None
    updated_at: datetime | None
    digest: str | None = None
    workflow_run: Run | None = None


@define
class Page:
    """One page of a listing."""

    total_count: int
    artifacts: list[Artifact]


converter = Converter()
converter.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))

measure(lambda body: len(converter.structure(json.loads(body), Page).artifacts))
