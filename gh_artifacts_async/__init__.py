"""An asyncio SDK for GitHub Actions artifacts.

::

    async with ArtifactsClient.from_env() as client:
        async for artifact in client.list_artifacts("octo-org/octo-docs", limit=10):
            print(await client.download(artifact, "artifacts"))

Importing the package itself loads nothing: a name's module is imported when the name is first used (PEP 562).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gh_artifacts_async.api.app import AppInstallationToken
    from gh_artifacts_async.api.auth import EnvironmentToken, Sender, StaticToken, TokenSource
    from gh_artifacts_async.api.environment import resolve_base_url, token_variables
    from gh_artifacts_async.api.github_cli import GitHubCLIToken
    from gh_artifacts_async.archive.members import Member
    from gh_artifacts_async.automation.asking import (
        LeftOut,
        PlannedRequest,
        QueryPlan,
    )
    from gh_artifacts_async.automation.criteria import (
        ArtifactQuery,
        RetentionPolicy,
    )
    from gh_artifacts_async.automation.manifest import (
        MirroredArtifact,
    )
    from gh_artifacts_async.automation.members import (
        MemberContent,
    )
    from gh_artifacts_async.automation.mirror import (
        MirrorReport,
    )
    from gh_artifacts_async.automation.retention import (
        CleanupPlan,
        PlannedArtifact,
    )
    from gh_artifacts_async.automation.usage import (
        StorageUsage,
        UsageEntry,
    )
    from gh_artifacts_async.automation.watching import (
        ArtifactWatch,
    )
    from gh_artifacts_async.client import ArtifactsClient
    from gh_artifacts_async.client.options import ClientOptions
    from gh_artifacts_async.errors import (
        APIError,
        ArchiveError,
        ArchiveLimitError,
        ArtifactExpiredError,
        ArtifactsError,
        AuthenticationError,
        BadRequestError,
        BudgetUnavailableError,
        BulkError,
        CertificateError,
        ClientClosedError,
        ConfigurationError,
        ConnectionFailedError,
        CorruptArchiveError,
        DestinationExistsError,
        DigestMismatchError,
        DownloadError,
        DuplicateArtifactsError,
        IncompleteDownloadError,
        MemberNotFoundError,
        MergeConflictError,
        MissingTokenError,
        NotFoundError,
        ObjectStoreError,
        ObjectStoreUnavailableError,
        OutOfSpaceError,
        PermissionDeniedError,
        PlanRefusedError,
        PrimaryRateLimitError,
        ProtocolError,
        ProxyError,
        RateLimitError,
        RequestTimeoutError,
        ResponseShapeError,
        RunFailedError,
        SecondaryRateLimitError,
        ServerError,
        SignedURLExpiredError,
        SlowTransferError,
        StorageError,
        TransportError,
        UnexpectedResponseError,
        UnsafeMemberError,
        UnsafeRedirectError,
        UnsupportedArchiveError,
        WaitTimeoutError,
    )
    from gh_artifacts_async.events import (
        Event,
        ExtractionProgress,
        ListingProgress,
        Observer,
        Pacing,
        RateLimitPause,
        RequestAnswered,
        RequestRetried,
        RequestSent,
        TransferBytes,
        TransferChecking,
        TransferDelivered,
        TransferEvent,
        TransferFailed,
        TransferFinished,
        TransferResumed,
        TransferSigning,
        TransferStarted,
        TransferURLRenewed,
        TransferVerified,
    )
    from gh_artifacts_async.models import (
        Artifact,
        ArtifactPage,
        ArtifactRef,
        ArtifactRun,
        Digest,
        RateLimit,
        RepositoryName,
        WorkflowRun,
    )
    from gh_artifacts_async.models.neighbours import (
        ArtifactRetention,
        Job,
    )
    from gh_artifacts_async.results import (
        DownloadResult,
        ExtractedMember,
        Failure,
        MergeResult,
        Outcome,
        PlannedDownload,
        Secret,
        SignedURL,
        Statistics,
        StoredResult,
        Success,
        raise_for_failures,
    )
    from gh_artifacts_async.settings import (
        Budget,
        Conflicts,
        ExtractPolicy,
        IfExists,
        Layout,
        Lease,
        Limits,
        RetryPolicy,
        StoragePolicy,
        Timeouts,
    )
    from gh_artifacts_async.transfer.stream import ArtifactStream
    from gh_artifacts_async.transfer.unzip.remote_archive import RemoteArchive

__all__ = [
    "APIError",
    "AppInstallationToken",
    "ArchiveError",
    "ArchiveLimitError",
    "Artifact",
    "ArtifactExpiredError",
    "ArtifactPage",
    "ArtifactQuery",
    "ArtifactRef",
    "ArtifactRetention",
    "ArtifactRun",
    "ArtifactStream",
    "ArtifactWatch",
    "ArtifactsClient",
    "ArtifactsError",
    "AuthenticationError",
    "BadRequestError",
    "Budget",
    "BudgetUnavailableError",
    "BulkError",
    "CertificateError",
    "CleanupPlan",
    "ClientClosedError",
    "ClientOptions",
    "ConfigurationError",
    "Conflicts",
    "ConnectionFailedError",
    "CorruptArchiveError",
    "DestinationExistsError",
    "Digest",
    "DigestMismatchError",
    "DownloadError",
    "DownloadResult",
    "DuplicateArtifactsError",
    "EnvironmentToken",
    "Event",
    "ExtractPolicy",
    "ExtractedMember",
    "ExtractionProgress",
    "Failure",
    "GitHubCLIToken",
    "IfExists",
    "IncompleteDownloadError",
    "Job",
    "Layout",
    "Lease",
    "LeftOut",
    "Limits",
    "ListingProgress",
    "Member",
    "MemberContent",
    "MemberNotFoundError",
    "MergeConflictError",
    "MergeResult",
    "MirrorReport",
    "MirroredArtifact",
    "MissingTokenError",
    "NotFoundError",
    "ObjectStoreError",
    "ObjectStoreUnavailableError",
    "Observer",
    "OutOfSpaceError",
    "Outcome",
    "Pacing",
    "PermissionDeniedError",
    "PlanRefusedError",
    "PlannedArtifact",
    "PlannedDownload",
    "PlannedRequest",
    "PrimaryRateLimitError",
    "ProtocolError",
    "ProxyError",
    "QueryPlan",
    "RateLimit",
    "RateLimitError",
    "RateLimitPause",
    "RemoteArchive",
    "RepositoryName",
    "RequestAnswered",
    "RequestRetried",
    "RequestSent",
    "RequestTimeoutError",
    "ResponseShapeError",
    "RetentionPolicy",
    "RetryPolicy",
    "RunFailedError",
    "SecondaryRateLimitError",
    "Secret",
    "Sender",
    "ServerError",
    "SignedURL",
    "SignedURLExpiredError",
    "SlowTransferError",
    "StaticToken",
    "Statistics",
    "StorageError",
    "StoragePolicy",
    "StorageUsage",
    "StoredResult",
    "Success",
    "Timeouts",
    "TokenSource",
    "TransferBytes",
    "TransferChecking",
    "TransferDelivered",
    "TransferEvent",
    "TransferFailed",
    "TransferFinished",
    "TransferResumed",
    "TransferSigning",
    "TransferStarted",
    "TransferURLRenewed",
    "TransferVerified",
    "TransportError",
    "UnexpectedResponseError",
    "UnsafeMemberError",
    "UnsafeRedirectError",
    "UnsupportedArchiveError",
    "UsageEntry",
    "WaitTimeoutError",
    "WorkflowRun",
    "raise_for_failures",
    "resolve_base_url",
    "token_variables",
]

if not TYPE_CHECKING:  # type checkers would accept any name of a module that has a __getattr__
    _NAMES = {
        "api.app": "AppInstallationToken",
        "api.auth": "EnvironmentToken Sender StaticToken TokenSource",
        "api.environment": "resolve_base_url token_variables",
        "api.github_cli": "GitHubCLIToken",
        "archive.members": "Member",
        "automation.asking": "LeftOut PlannedRequest QueryPlan",
        "automation.criteria": "ArtifactQuery RetentionPolicy",
        "automation.manifest": "MirroredArtifact",
        "automation.members": "MemberContent",
        "automation.mirror": "MirrorReport",
        "automation.retention": "CleanupPlan PlannedArtifact",
        "automation.usage": "StorageUsage UsageEntry",
        "automation.watching": "ArtifactWatch",
        "client": "ArtifactsClient",
        "client.options": "ClientOptions",
        "errors": (
            "APIError ArchiveError ArchiveLimitError ArtifactExpiredError ArtifactsError AuthenticationError "
            "BadRequestError BudgetUnavailableError BulkError CertificateError ClientClosedError "
            "ConfigurationError ConnectionFailedError CorruptArchiveError DestinationExistsError "
            "DigestMismatchError DownloadError DuplicateArtifactsError IncompleteDownloadError "
            "MemberNotFoundError MergeConflictError MissingTokenError NotFoundError ObjectStoreError "
            "ObjectStoreUnavailableError OutOfSpaceError PermissionDeniedError PlanRefusedError "
            "PrimaryRateLimitError ProtocolError ProxyError RateLimitError RequestTimeoutError "
            "ResponseShapeError RunFailedError SecondaryRateLimitError ServerError SignedURLExpiredError "
            "SlowTransferError StorageError TransportError UnexpectedResponseError "
            "UnsafeMemberError UnsafeRedirectError UnsupportedArchiveError WaitTimeoutError"
        ),
        "events": (
            "Event ExtractionProgress ListingProgress Observer Pacing RateLimitPause RequestAnswered "
            "RequestRetried RequestSent TransferBytes TransferChecking TransferDelivered TransferEvent TransferFailed "
            "TransferFinished TransferSigning TransferURLRenewed TransferResumed TransferStarted TransferVerified"
        ),
        "models": "Artifact ArtifactPage ArtifactRef ArtifactRun Digest RateLimit RepositoryName WorkflowRun",
        "models.neighbours": "ArtifactRetention Job",
        "results": (
            "DownloadResult ExtractedMember Failure MergeResult Outcome PlannedDownload Secret SignedURL "
            "Statistics StoredResult Success raise_for_failures"
        ),
        "settings": ("Budget Conflicts ExtractPolicy IfExists Layout Lease Limits RetryPolicy StoragePolicy Timeouts"),
        "transfer.stream": "ArtifactStream",
        "transfer.unzip.remote_archive": "RemoteArchive",
    }
    _MODULE_OF = {name: module for module, names in _NAMES.items() for name in names.split()}

    def __getattr__(name: str) -> object:
        """Import a name's module on first use."""
        import importlib

        if name == "__version__":
            from importlib.metadata import version

            return version("gh-artifacts-async")
        if name not in _MODULE_OF:
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        value = getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        """Return the public names."""
        return sorted(__all__)
