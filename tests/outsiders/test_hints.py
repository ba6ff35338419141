"""Row 21: hints name what counts for this host, and the command line's own options."""

from __future__ import annotations

import re

import pytest

from gh_artifacts_async import ArtifactRef, ArtifactsClient, RepositoryName, errors
from gh_artifacts_async.cli.render.sentences import sentence


@pytest.mark.parametrize(
    ("base", "names"),
    [
        ("https://api.github.com", "GH_TOKEN or GITHUB_TOKEN"),
        ("https://api.tenant.ghe.com", "GH_TOKEN or GITHUB_TOKEN"),
        ("https://ghe.example/api/v3", "GH_ENTERPRISE_TOKEN or GITHUB_ENTERPRISE_TOKEN"),
    ],
)
async def test_row_21_the_variables_of_the_host(base, names, tmp_path):
    """A download without a token says which variables hold one for this server."""
    async with ArtifactsClient(base_url=base) as client:
        with pytest.raises(errors.MissingTokenError, match=f"set {names}$"):
            await client.download(ArtifactRef(RepositoryName("o", "r"), 7), tmp_path)


@pytest.mark.parametrize(
    ("base", "given", "said"),
    [
        (
            "https://api.github.com",
            "GH_ENTERPRISE_TOKEN",
            "(GH_ENTERPRISE_TOKEN is for GitHub Enterprise Server, not for github.com)",
        ),
        ("https://ghe.example/api/v3", "GITHUB_TOKEN", "(GITHUB_TOKEN is for github.com, not for ghe.example)"),
        ("https://api.corp.example/api/v3", "GH_TOKEN", "(GH_TOKEN is for github.com, not for api.corp.example)"),
    ],
)
async def test_a_token_for_another_host(base, given, said, monkeypatch, tmp_path):
    """A variable that is set, and not used, is named."""
    monkeypatch.delenv("GH_TOKEN", raising=False)
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    monkeypatch.setenv(given, "t0ken")
    async with ArtifactsClient.from_env(base_url=base) as client:
        with pytest.raises(errors.MissingTokenError) as caught:
            await client.download(ArtifactRef(RepositoryName("o", "r"), 7), tmp_path)
    assert str(caught.value).endswith(said)


@pytest.mark.parametrize(
    "error",
    [
        errors.UnsafeRedirectError("storage's URL at h is plain http; pass StoragePolicy(allow_http=True) to allow it"),
        errors.UnsafeRedirectError("storage's host h is not in StoragePolicy.allowed_hosts"),
        errors.UnexpectedResponseError("it was not followed. If so, pass the proxy's URL as base_url"),
        errors.CertificateError("no secure connection to h: x; to trust an authority of your own, pass ca_file"),
        errors.BadRequestError(
            "400: h does not know api_version '2022-11-28'; set api_version to one that it supports"
        ),
        errors.APIError("410: API version 2022-11-28 may have been retired; set another api_version"),
        errors.RequestTimeoutError("no response from h: it was silent for longer than Timeouts.read"),
        errors.ProxyError("no connection: connecting took longer than Timeouts.connect"),
        errors.SlowTransferError("h sent 3 bytes/s over 30 s; Timeouts.min_rate is 1024"),
        errors.UnsafeRedirectError("answered with a redirect, and StoragePolicy.max_redirects is 5"),
        errors.ConfigurationError("a token would cross unencrypted; use https, or pass allow_http=True"),
    ],
    ids=str,
)
def test_row_21_options_instead_of_arguments(error):
    """No sentence of the command line names a Python argument."""
    said = sentence(error)
    assert not re.search(r"[a-z]+_[a-z]+|[A-Z][a-z]+[A-Z(.]|Timeouts|Policy|True", said)
