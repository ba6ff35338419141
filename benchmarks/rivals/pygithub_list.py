"""PyGithub: a whole listing."""

import sys

from github import Auth, Github


def main(options: dict[str, str]) -> None:
    """List and count."""
    github = Github(auth=Auth.Token("token"), base_url=options["api"], per_page=100, seconds_between_requests=0)
    ids = {artifact.id for artifact in github.get_repo("bench/data", lazy=True).get_artifacts()}
    assert len(ids) == int(options["count"])


main(dict(argument.split("=", 1) for argument in sys.argv[1:]))
