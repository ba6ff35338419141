"""githubkit: a whole listing by its paginator."""

import asyncio
import sys

from githubkit import GitHub


async def main(options: dict[str, str]) -> None:
    """List and count."""
    async with GitHub("token", base_url=options["api"]) as github:
        found = github.rest.paginate(
            github.rest.actions.async_list_artifacts_for_repo,
            map_func=lambda response: response.parsed_data.artifacts,
            owner="bench",
            repo="data",
            per_page=100,
        )
        ids = {artifact.id async for artifact in found}
    assert len(ids) == int(options["count"])


asyncio.run(main(dict(argument.split("=", 1) for argument in sys.argv[1:])))
