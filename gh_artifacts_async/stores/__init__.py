"""Artifacts in object stores: S3, Google Cloud Storage, Azure, a folder or memory, by obstore (extra ``stores``).

:meth:`ArtifactsClient.store <gh_artifacts_async.ArtifactsClient.store>` and
:meth:`~gh_artifacts_async.ArtifactsClient.store_many` are what programs call. An object appears once its bytes are
verified, and says which artifact it is.
"""

from gh_artifacts_async.stores.many import store_many as store_many
from gh_artifacts_async.stores.one import store as store
from gh_artifacts_async.stores.stale import abort_stale_uploads

__all__ = ["abort_stale_uploads"]
