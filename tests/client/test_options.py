"""ClientOptions: the constructor's arguments as a type."""

from __future__ import annotations

import inspect
from typing import ForwardRef

from gh_artifacts_async import ArtifactsClient, ClientOptions, RetryPolicy
from tests.kits.transfer import REPO


def test_same_as_the_constructor():
    """It has the constructor's arguments, with the same annotations, and all of them are optional."""
    parameters = dict(inspect.signature(ArtifactsClient.__init__).parameters)
    del parameters["self"]
    options = {
        name: value.__forward_arg__ if isinstance(value, ForwardRef) else value
        for name, value in ClientOptions.__annotations__.items()
    }
    assert options == {name: parameter.annotation for name, parameter in parameters.items()}
    assert ClientOptions.__optional_keys__ == options.keys()


async def test_options_are_passed_on(github):
    """A program may keep them and pass them to the constructor or to from_env."""
    github.add_run(REPO)
    options: ClientOptions = {"token": "t0ken", "base_url": github.base_url, "retry": RetryPolicy(attempts=1)}
    for client in (ArtifactsClient(**options), ArtifactsClient.from_env({"GH_TOKEN": "another"}, **options)):
        async with client:
            assert await client.count_artifacts(REPO) == 0
        assert github.requests[-1].headers["Authorization"] == "Bearer t0ken"
